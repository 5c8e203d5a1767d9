import { type DocumentedKey, documentedKeys } from '../../src/config/documented-keys.ts';
import type { JsonSchema } from '../../src/config/field.ts';
import { fromEnvironment } from '../../src/config/json-schema.ts';
import { fileSchemas, laterReason } from './declared-keys.ts';
import { declaredRows } from './declared-rows.ts';

/** Text of docs/reference/config.md: every key of every file, with meaning, unit, default and danger, and what shows that it is executed. */
export function configReference(): string {
  const seen = new Map(declaredRows().map(({ file, key, what }) => [`${file}: ${key}`, what]));
  return `# Configuration

A configuration is a folder. \`providers.yaml\` is needed; everything else is optional.
\`signalbox validate\` finds what is wrong with it, \`signalbox config show\` says what holds and why.
A key that is not on this page is an error with the nearest one; keys that begin with \`x-\` are your own.
Texts may hold \`\${NAME}\`, \`\${NAME:-default}\` and \`os.environ/NAME\`, which are read from the environment.
A key without a value counts as absent.

Editors check and complete the files by their JSON Schemas, which \`signalbox init\` puts beside them.
A LiteLLM file is described in [litellm-keys.md](litellm-keys.md), the findings in [diagnostics.md](diagnostics.md).

No key is there for nothing. The last column says what differs because of it; a test takes each key out of the smallest configuration that holds it, and sees that difference go.

This page is written by \`npm run reference\` from the schemas that the files are checked with, and from the tables of that test.

${Object.entries(fileSchemas)
  .map(
    ([file, schema]) =>
      `## ${file}\n\n| key | takes | meaning | seen in |\n| --- | --- | --- | --- |\n${documentedKeys(schema)
        .map((one) => rowOf(one, seenIn(file, one, seen)))
        .join('\n')}\n`,
  )
  .join('\n')}`;
}

/** A row for each key, and below it the keys within, whose names begin with its own. */
function rowOf({ path, meta, schema }: DocumentedKey, seen: string): string {
  const { meaning, unit, usual, danger } = meta;
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
  return `| \`${path}\` | ${typeOf(schema)} | ${text} | ${seen} |`;
}

/** What differs because of a key, or why nothing does: that is told at every start. */
function seenIn(file: string, { path }: DocumentedKey, rows: ReadonlyMap<string, string>): string {
  const later = laterReason(file, path);
  return later === undefined ? (rows.get(`${file}: ${path}`) ?? '') : `*Not executed yet: ${later}.*`;
}

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
