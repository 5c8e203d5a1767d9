import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compile } from '../../src/config/compile.ts';
import { explainAtRest } from '../../src/main.ts';

/** Whether a provider of this status is asked, by the word in the file. */
const statuses: Readonly<Record<string, 'asked' | 'passed over'>> = {
  active: 'asked',
  degraded: 'asked',
  unavailable: 'asked',
  disabled: 'passed over',
  inactive: 'passed over',
  deprecated: 'passed over',
  pending_integration: 'passed over',
  template: 'passed over',
  testing: 'passed over',
  preview: 'passed over',
};

test.each(Object.entries(statuses))('2 1.4 a provider with status: %s is %s', async (status, meaning) => {
  const text = `providers:
  first: {type: vllm, status: ${status}, models: [m]}
  second: {type: ollama, models: [m]}`;
  const mappings = 'exact_matches: {m: {provider: first, fallback: second}}';
  const { value, diagnostics } = compile(
    [
      { kind: 'providers', path: 'providers.yaml', text },
      { kind: 'model-mappings', path: 'model-mappings.yaml', text: mappings },
    ],
    { environment: {}, lenient: false },
  );
  if (value === undefined) throw new Error(`It does not compile: ${JSON.stringify(diagnostics)}`);
  const { candidates } = await explainAtRest(value, { model: 'm' });
  const chosen = candidates.find(({ verdict }) => verdict === 'chosen');
  expect(chosen?.provider).toBe(meaning === 'asked' ? 'first' : 'second');
  const first = candidates.find(({ provider }) => provider === 'first');
  expect(first?.reason ?? undefined).toBe(meaning === 'asked' ? undefined : 'disabled');
});

test('2 1.4 every status that a file may declare is among these', () => {
  const schema = readFileSync(join(import.meta.dirname, '../../schemas/providers.schema.json'), 'utf8');
  // The schema is generated from the shapes that the compiler checks with.
  const { properties } = JSON.parse(schema) as {
    properties: { providers: { additionalProperties: { properties: { status: { enum: (string | null)[] } } } } };
  };
  const { enum: declared } = properties.providers.additionalProperties.properties.status;
  expect(declared.filter((one) => one !== null).sort()).toEqual(Object.keys(statuses).sort());
});
