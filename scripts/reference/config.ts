import type { JsonSchema } from '../../src/config/field.ts';
import { fromEnvironment } from '../../src/config/json-schema.ts';
import { litellmKeys } from '../../src/config/litellm/keys.ts';
import { type SettingsSection, settingDocs } from '../../src/config/litellm/setting-docs.ts';
import { notExecuted } from '../../src/config/note-not-executed.ts';
import { settingsJsonSchema } from '../../src/config/settings-schema.ts';
import { dashboardJsonSchema } from '../../src/config/shape-dashboard.ts';
import { healthChecksJsonSchema } from '../../src/config/shape-health-checks.ts';
import { launchesJsonSchema } from '../../src/config/shape-llamacpp-models.ts';
import { mappingsJsonSchema } from '../../src/config/shape-mappings.ts';
import { portsJsonSchema } from '../../src/config/shape-ports.ts';
import { providersJsonSchema } from '../../src/config/shape-providers.ts';
import { routeTestsJsonSchema } from '../../src/config/shape-route-tests.ts';

/** The schema of every file of a configuration folder, by the file's name. */
export const fileSchemas: Readonly<Record<string, JsonSchema>> = {
  'providers.yaml': providersJsonSchema(),
  'model-mappings.yaml': mappingsJsonSchema(),
  'settings.yaml': settingsJsonSchema(),
  'ports.yaml': portsJsonSchema(),
  'health-checks.yaml': healthChecksJsonSchema(),
  'llamacpp-models.yaml': launchesJsonSchema(),
  'dashboard-config.yaml': dashboardJsonSchema(),
  'route-tests.yaml': routeTestsJsonSchema(),
};

/** Text of docs/reference/config.md: every key of every file, with meaning, unit, default and danger. */
export function configReference(): string {
  return `# Configuration

A configuration is a folder. \`providers.yaml\` is needed; everything else is optional.
\`signalbox validate\` finds what is wrong with it, \`signalbox config show\` says what holds and why.
A key that is not on this page is an error with the nearest one; keys that begin with \`x-\` are your own.
Texts may hold \`\${NAME}\`, \`\${NAME:-default}\` and \`os.environ/NAME\`, which are read from the environment.
A key without a value counts as absent.

Editors check and complete the files by their JSON Schemas, which \`signalbox init\` puts beside them.
A LiteLLM file is described in [litellm-keys.md](litellm-keys.md), the findings in [diagnostics.md](diagnostics.md).

This page is written by \`npm run reference\` from the schemas that the files are checked with.

${Object.entries(fileSchemas)
  .map(
    ([file, schema]) =>
      `## ${file}\n\n| key | takes | meaning |\n| --- | --- | --- |\n${rowsOf(schema, '').join('\n')}\n`,
  )
  .join('\n')}`;
}

/** A row for each key, and below it the keys within, whose names begin with its own. */
function rowsOf(schema: JsonSchema, path: string): readonly string[] {
  const branches = [schema, ...(schema.anyOf ?? [])];
  return branches.flatMap((branch) => [
    ...Object.entries(branch.properties ?? {}).flatMap(([key, inner]) =>
      rowOf(inner, path === '' ? key : `${path}.${key}`),
    ),
    ...(isSchema(branch.additionalProperties)
      ? rowOf(branch.additionalProperties, `${path}${path === '' ? '' : '.'}*`)
      : []),
    ...(isSchema(branch.items) ? rowsOf(branch.items, `${path}[]`) : []),
  ]);
}

function rowOf(schema: unknown, path: string): readonly string[] {
  if (!isSchema(schema)) return [];
  const { meaning, unit, usual, danger } = schema as FieldMeta;
  const inner = rowsOf(schema, path);
  if (meaning === undefined) return inner;
  const notes = [
    meaning,
    unit === undefined ? '' : `Unit: ${unit}.`,
    usual === undefined ? '' : `Default: ${usual}.`,
    danger === undefined ? '' : `**Danger:** ${danger}`,
  ];
  const text = notes
    .filter((one) => one !== '')
    .join(' ')
    .replaceAll('|', String.raw`\|`);
  const row = `| \`${path}\` | ${typeOf(schema)} | ${text}${isExecuted(path) ? '' : ' *Not executed yet.*'} |`;
  // The sections within are those of the file itself.
  return path === 'routes' ? [row] : [row, ...inner];
}

/** What is read and checked, and does nothing in this version, is told at every start; so it is here. */
function isExecuted(path: string): boolean {
  const keys = path.replaceAll('[]', '.*');
  if (notExecuted.some((row) => row.path.join('.') === keys)) return false;
  const [section = '', key = '', ...rest] = path.split('.');
  if (rest.length > 0 || !Object.hasOwn(settingDocs, section)) return true;
  return litellmKeys[section as SettingsSection][key]?.kind !== 'later';
}

type FieldMeta = {
  readonly meaning?: string;
  readonly unit?: string;
  readonly usual?: string | number | boolean;
  readonly danger?: string;
};

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'number',
  integer: 'whole number',
  boolean: 'true or false',
  array: 'list',
  object: 'map',
};

/** What a key takes, in a word or its choices. */
function typeOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.flatMap((one) => (one === null ? [] : [`\`${one}\``])).join(', ');
  if (schema.anyOf !== undefined)
    return [...new Set(schema.anyOf.map((one) => (isSchema(one) ? typeOf(one) : 'anything')))]
      .filter((one) => one !== '')
      .join(' or ');
  const types: readonly string[] = Array.isArray(schema.type)
    ? schema.type
    : schema.type === undefined
      ? []
      : [schema.type];
  if (types.length === 0) return 'anything';
  // Every key may be without a value, and every number may come from the environment: the page says so once.
  const isOfText = (type: string): boolean => type === 'string' && schema.pattern === fromEnvironment;
  const named = types.filter((type) => type !== 'null' && !isOfText(type));
  if (types[0] === 'array' && isSchema(schema.items)) return `list of ${typeOf(schema.items)}`;
  return named.map((type) => words[type] ?? type).join(' or ');
}
