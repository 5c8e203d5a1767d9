import { expect, test } from 'vitest';
import { type RequestNeeds, readRequestNeeds } from './request-needs.ts';
import { scanBody } from './scan-body.ts';

function needs(body: object): RequestNeeds {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const result = scanBody(bytes);
  if (result.kind !== 'scanned') throw new Error(result.failure.message);
  return readRequestNeeds(bytes, result.scan);
}

const messages = [{ role: 'user', content: 'Hi' }];

test.each<[string, object, Partial<RequestNeeds>]>([
  ['nothing asked', { messages }, { stream: false, wantsUsage: false, tools: false, vision: false, batchSize: 1 }],
  ['a stream', { messages, stream: true }, { stream: true, wantsUsage: false }],
  ['a stream with usage', { messages, stream: true, stream_options: { include_usage: true } }, { wantsUsage: true }],
  [
    'null for what is not set',
    { messages, stream: null, stream_options: null, tools: null },
    { tools: false, wantsUsage: false },
  ],
  ['tools', { messages, tools: [{ type: 'function', function: { name: 'f' } }] }, { tools: true }],
  ['an empty list of tools', { messages, tools: [] }, { tools: false }],
  ['legacy functions', { messages, functions: [{ name: 'f' }] }, { tools: true }],
  [
    'a picture',
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }] },
    { vision: true },
  ],
  ['a JSON schema', { messages, response_format: { type: 'json_schema', json_schema: {} } }, { jsonSchema: true }],
  ['JSON without a schema', { messages, response_format: { type: 'json_object' } }, { jsonSchema: false }],
  ['several choices', { messages, n: 3 }, { batchSize: 3 }],
  ['several prompts', { prompt: ['a', 'b'] }, { batchSize: 2 }],
  ['one prompt of tokens', { input: [1, 2, 3] }, { batchSize: 1 }],
  ['one of negative numbers', { input: [-1, 2] }, { batchSize: 1 }],
  ['several prompts of tokens', { input: [[1, 2], [3], []] }, { batchSize: 3 }],
  ['texts with signs of JSON in them', { input: ['[",]{', 'a\\"', ','] }, { batchSize: 3 }],
  ['inputs of several parts', { input: [{ text: 'a', parts: [1, 2] }, { text: 'b' }] }, { batchSize: 2 }],
  ['no prompt', { prompt: [] }, { batchSize: 1 }],
  ['several choices of several prompts', { prompt: ['a', 'b'], n: 5 }, { batchSize: 5 }],
  ['several inputs', { input: ['a', 'b', 'c'], encoding_format: 'base64' }, { batchSize: 3, encodingFormat: 'base64' }],
  [
    'steps',
    { messages: [{ role: 'user', content: 'Think step by step' }] },
    { isMultiStep: true, hasCodeFence: false },
  ],
  ['code', { messages: [{ role: 'user', content: 'Fix\n```js\nx\n```' }] }, { hasCodeFence: true }],
  ['both limits', { messages, max_tokens: 5, max_completion_tokens: 7 }, { maxOutputTokens: 7 as never }],
  ['a limit below zero', { messages, max_tokens: -1 }, { maxOutputTokens: undefined }],
  [
    'metadata',
    {
      messages,
      metadata: { capability: 'code', quality_tier: 'high', min_tier: 'local', priority: 'low', tags: ['a', 1] },
    },
    { capability: 'code', qualityTier: 'high', minTier: 'local', priority: 'low', tags: ['a'] },
  ],
  ['metadata of other types', { messages, metadata: 'x', tags: 'y' }, { capability: undefined, tags: [] }],
])('spine 3.1: %s', (_, body, wanted) => {
  expect(needs(body)).toMatchObject(wanted);
});
