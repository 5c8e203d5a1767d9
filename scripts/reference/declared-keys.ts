import { documentedKeys, stepsOf } from '../../src/config/documented-keys.ts';
import type { JsonSchema } from '../../src/config/field.ts';
import { fileSchemas as folderSchemas } from '../../src/config/file-schemas.ts';
import { type KeyFate, litellmKeys, type Section } from '../../src/config/litellm/keys.ts';
import { settingDocs } from '../../src/config/litellm/setting-docs.ts';
import { notExecuted } from '../../src/config/note-not-executed.ts';
import { routeTestsJsonSchema } from '../../src/config/shape-route-tests.ts';

/** The schema of every file that people write, by the file's name. */
export const fileSchemas: Readonly<Record<string, JsonSchema>> = {
  ...Object.fromEntries(Object.entries(folderSchemas).map(([kind, schema]) => [`${kind}.yaml`, schema()])),
  'route-tests.yaml': routeTestsJsonSchema(),
};

/** A key that a file can have. */
export type DeclaredKey = {
  readonly file: string;
  readonly key: string;
  /** Why it does nothing in this version, which every start tells; absent: it is executed. */
  readonly later: string | undefined;
};

/** How a LiteLLM file is called here. */
const litellmFile = 'config.yaml';

/** Every key of every file, as the reference names them; keys of LiteLLM files as far as they are executed. */
export function declaredKeys(): readonly DeclaredKey[] {
  const ofFolder = Object.entries(fileSchemas).flatMap(([file, schema]) =>
    documentedKeys(schema).map(({ path }) => ({ file, key: path, later: laterReason(file, path) })),
  );
  return [...ofFolder, ...keysOfLitellm()];
}

/** Why a key does nothing in this version; undefined where it does something. */
export function laterReason(file: string, path: string): string | undefined {
  const kind = file === litellmFile ? 'litellm' : file.slice(0, -'.yaml'.length);
  const steps = stepsOf(path);
  const row = notExecuted.find(
    (one) => one.file === kind && one.path.every((step, index) => step === '*' || step === steps[index]),
  );
  if (row !== undefined) return row.what;
  const [section = '', key = ''] = steps;
  const fate = kind === 'settings' && Object.hasOwn(settingDocs, section) ? fateOf(section, key) : undefined;
  return fate?.kind === 'later' ? 'It is read and checked, and does nothing yet' : undefined;
}

function fateOf(section: string, key: string): KeyFate | undefined {
  return (litellmKeys as Readonly<Record<string, Readonly<Record<string, KeyFate>>>>)[section]?.[key];
}

/** Where each section's keys stand in a LiteLLM file; those of `settings` stand in settings.yaml. */
export const litellmPlaces: Readonly<Record<Exclude<Section, 'settings'>, string>> = {
  root: '',
  litellm_settings: 'litellm_settings.',
  router_settings: 'router_settings.',
  general_settings: 'general_settings.',
  server_settings: 'server_settings.',
  rate_limit_settings: 'rate_limit_settings.',
  cache_params: 'litellm_settings.cache_params.',
  litellm_params: 'model_list[].litellm_params.',
  model_info: 'model_list[].model_info.',
};

/** Keys of an entry of model_list itself. */
const entryKeys = ['model_name', 'litellm_params', 'model_info', 'rpm', 'tpm'];

function keysOfLitellm(): readonly DeclaredKey[] {
  // The keys of the table are its sections.
  const sections = Object.entries(litellmPlaces) as [Exclude<Section, 'settings'>, string][];
  const executed = sections.flatMap(([section, place]) =>
    Object.entries(litellmKeys[section]).flatMap(([key, fate]) => (fate.kind === 'executed' ? [`${place}${key}`] : [])),
  );
  return [...executed, ...entryKeys.map((key) => `model_list[].${key}`)].map((key) => ({
    file: litellmFile,
    key,
    later: laterReason(litellmFile, key),
  }));
}
