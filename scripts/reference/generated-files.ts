import { cliReference } from './cli.ts';
import { configReference } from './config.ts';
import { fileSchemas } from './declared-keys.ts';
import { diagnosticsReference } from './diagnostics.ts';
import { errorsReference } from './errors.ts';
import { jsonReference, jsonSchemas } from './json.ts';
import { litellmKeysReference } from './litellm-keys.ts';

/** Every file that is made from code, by its path in the project. */
export async function generatedFiles(): Promise<readonly (readonly [path: string, text: string])[]> {
  return [
    ['docs/reference/cli.md', await cliReference()],
    ['docs/reference/config.md', configReference()],
    ['docs/reference/diagnostics.md', diagnosticsReference()],
    ['docs/reference/errors.md', errorsReference()],
    ['docs/reference/json.md', jsonReference()],
    ['docs/reference/litellm-keys.md', litellmKeysReference()],
    ...jsonSchemas().map(
      ([verb, schema]) =>
        [`schemas/commands/${verb.replaceAll(' ', '-')}.schema.json`, `${JSON.stringify(schema, null, 2)}\n`] as const,
    ),
    ...Object.entries(fileSchemas).map(
      ([file, schema]) =>
        [`schemas/${file.replace('.yaml', '.schema.json')}`, `${JSON.stringify(schema, null, 2)}\n`] as const,
    ),
  ];
}
