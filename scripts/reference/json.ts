import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Schema, schemasOf } from '../json-schema.ts';

const contract = fileURLToPath(new URL('../../src/contract/', import.meta.url));

/** JSON Schemas of what `--json` prints, by verb; `failure` is what any verb prints that could not do its work. */
export function jsonSchemas(): readonly (readonly [verb: string, schema: Schema])[] {
  return [...schemasOf(`${contract}json-shapes.ts`, 'JsonShapes')];
}

/** Text of docs/reference/json.md: what `--json` prints, by the types that the code is checked with. */
export function jsonReference(): string {
  const schemas = jsonSchemas();
  const types = new Set(schemas.map(([, { title }]) => String(title)));
  const files = readdirSync(contract).filter((name) => declares(name, types));
  return `# JSON shapes

What commands print with \`--json\`: one object on one line. Shapes change by adding fields only.
Unknown is \`null\`, never zero. Times are ISO 8601 in UTC. No secret stands in any of them but the one that \`key generate\` makes.
A command that cannot do what it was asked prints a \`FailureReport\` and exits with 1.
Wrong usage is told in words on standard error, with exit code 64.

| command | prints | JSON Schema |
| --- | --- | --- |
${schemas.map(rowOf).join('\n')}

This page and the schemas are written by \`npm run reference\` from \`src/contract\`; the package carries the schemas as \`signalbox/schemas/commands/NAME.schema.json\`.

${files.map((file) => `## ${file}\n\n\`\`\`ts\n${readFileSync(`${contract}${file}`, 'utf8').trimEnd()}\n\`\`\`\n`).join('\n')}`;
}

function rowOf([verb, { title }]: readonly [verb: string, schema: Schema]): string {
  const name = verb.replaceAll(' ', '-');
  const command = verb === 'failure' ? 'any of them, in vain' : `\`signalbox ${verb}\``;
  return `| ${command} | \`${title}\` | [${name}.schema.json](../../schemas/commands/${name}.schema.json) |`;
}

/** Whether a file of the contract declares one of these types. */
function declares(name: string, types: ReadonlySet<string>): boolean {
  const text = readFileSync(`${contract}${name}`, 'utf8');
  return [...text.matchAll(/^export type (\w+)/gm)].some(([, type = '']) => types.has(type));
}
