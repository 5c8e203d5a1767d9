import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planOf } from '../../test/support/plan-of.ts';
import { type ReadWorkload, readWorkload } from './read-workload.ts';

const plan = planOf({
  deployments: ['near/small', 'far/llama3.1', 'a/m'],
  groups: { fast: { members: ['near/small'] } },
});
const read = (text: string, path: string): ReadWorkload => readWorkload({ kind: 'other', path, text }, plan);

test('6.2 a workload of kinds with counts, rates and servers', () => {
  const text = `
requests:
  - { model: fast, count: 500, per_second: 2, prompt_tokens: [100, 400], output_tokens: 80, stream: true, headers: { X-Priority: high } }
  - {}
servers:
  a: { first_token_ms: 200, ms_per_token: 20, down: [[60, 120]] }
`;
  expect(read(text, 'w.yaml')).toMatchObject({
    kind: 'read',
    workload: {
      requests: [
        {
          model: 'fast',
          count: 500,
          perSecond: 2,
          promptTokens: [100, 400],
          outputTokens: [80, 80],
          stream: true,
          headers: new Map([['x-priority', 'high']]),
        },
        { model: undefined, count: 1, endpoint: 'chat' },
      ],
      servers: new Map([['a', { firstTokenMs: 200, msPerToken: 20, failures: 0, down: [[60, 120]] }]]),
    },
  });
});

test('6.2 the workload of docs/how-to/try-a-change.md is one', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/how-to/try-a-change.md'), 'utf8');
  const [, text = ''] = /```yaml file=monday\.yaml\n([\s\S]*?)```/.exec(page) ?? [];
  expect(read(text, 'monday.yaml')).toMatchObject({ kind: 'read', workload: { requests: { length: 2 } } });
});

test('6.2 a workload of a request a line', () => {
  const text = '{"at": 0.5, "model": "fast"}\n\n{"at": 2, "prompt_tokens": 900}\n';
  expect(read(text, 'w.jsonl')).toMatchObject({
    kind: 'read',
    workload: {
      requests: [
        { model: 'fast', start: 0.5, count: 1 },
        { start: 2, promptTokens: [900, 900] },
      ],
    },
  });
});

const requests = 'requests: [{model: fast}]';

test.each([
  ['requests: [', { code: 'yaml-syntax', line: 1 }],
  ['requests: []', { line: 1 }],
  ['\nrequests: [{modle: fast}]', { line: 2, found: 'modle', nearest: 'model' }],
  ['requests: [{count: 0}]', { code: 'wrong-type', line: 1 }],
  ['requests: [{prompt_tokens: [400, 100]}]', { line: 1 }],
  [`${requests}\nservers: {nera: {first_token_ms: 1, ms_per_token: 1}}`, { line: 2, found: 'nera', nearest: 'near' }],
  [
    `${requests}\nservers: {far/lama3.1: {first_token_ms: 1, ms_per_token: 1}}`,
    { line: 2, found: 'far/lama3.1', nearest: 'far/llama3.1' },
  ],
  [`${requests}\nservers: {near: {first_token: 1, ms_per_token: 1}}`, { line: 2, nearest: 'first_token_ms' }],
])('6.2 what is wrong with the workload %j is told at its line, with the nearest', (text, { line, ...finding }) => {
  const wrong = read(text, 'w.yaml');
  expect(wrong).toMatchObject({ kind: 'wrong', message: 'The workload w.yaml cannot be played' });
  expect(wrong.kind === 'wrong' ? wrong.diagnostics : []).toContainEqual(
    expect.objectContaining({ severity: 'error', span: expect.objectContaining({ file: 'w.yaml', line }), ...finding }),
  );
});

test.each([
  ['{"at": 1}\nnot json', /w\.jsonl:2 is not JSON/],
  ['{"model": "fast"}', /w\.jsonl:1: at: /],
])('6.2 what is wrong with the lines %j is told with its place', (text, message) => {
  expect(read(text, 'w.jsonl')).toMatchObject({ kind: 'wrong', message: expect.stringMatching(message) });
});
