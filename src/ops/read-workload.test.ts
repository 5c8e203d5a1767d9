import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readWorkload } from './read-workload.ts';

test('6.2 a workload of kinds with counts, rates and servers', () => {
  const text = `
requests:
  - { model: fast, count: 500, per_second: 2, prompt_tokens: [100, 400], output_tokens: 80, stream: true, headers: { X-Priority: high } }
  - {}
servers:
  a: { first_token_ms: 200, ms_per_token: 20, down: [[60, 120]] }
`;
  expect(readWorkload(text, 'w.yaml')).toMatchObject({
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
  const read = readWorkload(text, 'monday.yaml');
  expect(read.kind === 'read' ? read.workload.requests.length : read.message).toBe(2);
});

test('6.2 a workload of a request a line', () => {
  const text = '{"at": 0.5, "model": "fast"}\n\n{"at": 2, "prompt_tokens": 900}\n';
  expect(readWorkload(text, 'w.jsonl')).toMatchObject({
    kind: 'read',
    workload: {
      requests: [
        { model: 'fast', start: 0.5, count: 1 },
        { start: 2, promptTokens: [900, 900] },
      ],
    },
  });
});

test.each([
  ['w.yaml', 'requests: [', /w\.yaml is not YAML/],
  ['w.yaml', 'requests: []', /w\.yaml: requests: /],
  ['w.yaml', 'requests: [{modle: fast}]', /w\.yaml: requests\.0: .*modle/],
  ['w.yaml', 'requests: [{count: 0}]', /w\.yaml: requests\.0\.count: /],
  ['w.yaml', 'requests: [{prompt_tokens: [400, 100]}]', /w\.yaml: requests\.0\.prompt_tokens: /],
  ['w.jsonl', '{"at": 1}\nnot json', /w\.jsonl:2 is not JSON/],
  ['w.jsonl', '{"model": "fast"}', /w\.jsonl:1: at: /],
])('6.2 what is wrong with a workload %s of %j is told with its place', (name, text, message) => {
  expect(readWorkload(text, name)).toMatchObject({ kind: 'wrong', message: expect.stringMatching(message) });
});
