import { fieldMeta, type JsonSchema } from './field.ts';
import { ownNotes } from './json-schema.ts';
import { type SettingDoc, type SettingType, settingDocs } from './litellm/setting-docs.ts';

/** The schema of settings.yaml as JSON Schema, for editors and for the reference. */
export function settingsJsonSchema(): JsonSchema {
  const { cache_params: cacheParams, ...sections } = settingDocs;
  const { litellm_settings: litellm, ...others } = sections;
  const own = properties(litellm);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      litellm_settings: {
        ...sectionSchema(litellm),
        properties: { ...own, cache_params: { ...own['cache_params'], ...sectionSchema(cacheParams) } },
      },
      ...Object.fromEntries(Object.entries(others).map(([name, docs]) => [name, sectionSchema(docs)])),
      environment_variables: {
        ...fieldMeta('Variables that count as set for this configuration.', {}),
        type: 'object',
        additionalProperties: { type: ['string', 'number', 'boolean'] },
      },
    },
    patternProperties: ownNotes,
    additionalProperties: false,
  };
}

function sectionSchema(docs: Readonly<Record<string, SettingDoc>>): JsonSchema {
  // Keys of LiteLLM that change nothing here are told when the file is checked, not underlined while it is written.
  return { type: 'object', properties: properties(docs), patternProperties: ownNotes };
}

function properties(docs: Readonly<Record<string, SettingDoc>>): Record<string, JsonSchema> {
  return Object.fromEntries(
    Object.entries(docs).map(([key, { type, meaning, ...notes }]) => [
      key,
      { ...typeSchemas[type], ...fieldMeta(meaning, notes) },
    ]),
  );
}

const texts = { type: 'array', items: { type: 'string' } } as const;

const typeSchemas: Readonly<Record<SettingType, JsonSchema>> = {
  number: { type: ['number', 'string'] },
  boolean: { type: ['boolean', 'string'] },
  booleanOrFile: { type: ['boolean', 'string'] },
  string: { type: 'string' },
  secret: { type: 'string' },
  strings: { anyOf: [{ type: 'string' }, texts] },
  list: { type: 'array' },
  map: { type: 'object' },
  fallbacks: { anyOf: [{ type: 'array' }, { type: 'object' }] },
};
