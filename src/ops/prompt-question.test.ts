import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readPrompt } from './prompt-question.ts';

const folder = mkdtempSync(join(tmpdir(), 'signalbox-prompt-'));
afterAll(() => rmSync(folder, { recursive: true }));

const sentence = 'Explain step by step what a signal box does.\n```js\nlet a = 1;\n```\n';

test.each([
  ['words', sentence, { tools: false, stream: false, code: true, steps: true }],
  ['words in quotes', '"a JSON text is words too"', { code: false }],
  [
    'a body',
    JSON.stringify({ messages: [{ role: 'user', content: sentence }], tools: [{}], stream: true, max_tokens: 9 }),
    { tools: true, stream: true, maxOutputTokens: 9, code: true, steps: true },
  ],
  [
    'a body with metadata',
    '{"prompt": "a", "tags": ["t"], "metadata": {"capability": "code", "quality_tier": "q", "min_tier": "local", "priority": "low"}}',
    { capability: 'code', qualityTier: 'q', minTier: 'local', priority: 'low', tags: ['t'] },
  ],
  [
    'a body with fallbacks of its own',
    '{"prompt": "a", "model": "m", "fallbacks": ["a", {"m": ["b"]}], "disable_fallbacks": true}',
    { fallbacks: ['a', 'b'], disableFallbacks: true },
  ],
  ['a body for embeddings', '{"input": ["a", "b", "c"]}', { batchSize: 3 }],
  ['JSON that is no body', '{"a": 1}', { code: false, tools: false }],
])('6.1 a prompt file with %s is understood as the gateway would', async (_name, text, wanted) => {
  const path = join(folder, 'prompt');
  writeFileSync(path, text);
  const read = await readPrompt(path, 'prompt');
  expect(read).toMatchObject({ kind: 'read', question: wanted });
  expect(read.kind === 'read' ? read.question.tokens : 0).toBeGreaterThan(0);
});

test('6.1 a prompt file that is not there is named', async () => {
  expect(await readPrompt(join(folder, 'none'), 'none')).toEqual({
    kind: 'wrong',
    message: 'The prompt none cannot be read',
  });
});
