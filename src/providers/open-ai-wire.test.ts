import { expect, test } from 'vitest';
import type { Deployment } from '../plan/deployment.ts';
import type { Provider } from '../plan/provider.ts';
import { anthropic } from './anthropic.ts';
import { azure } from './azure.ts';
import { makeDeployment, makeProvider, makeScan } from './fixtures/make.ts';
import { llamaCpp } from './llama-cpp.ts';
import { lmStudio } from './lm-studio.ts';
import { ollama } from './ollama.ts';

import { openai } from './openai.ts';
import { openaiCompatible } from './openai-compatible.ts';
import { plainReport } from './probe-answers.ts';
import type { Dialect, UpstreamRequest } from './provider.ts';
import { vllm } from './vllm.ts';

type Given = {
  readonly dialect?: Dialect;
  readonly provider?: Partial<Provider>;
  readonly deployment?: Partial<Deployment>;
  readonly headers?: ReadonlyMap<string, string>;
};

function build(
  body: string,
  { dialect = openaiCompatible, provider, deployment, headers }: Given = {},
): UpstreamRequest {
  const { stream, stream_options: options } = JSON.parse(body);
  const built = dialect.buildRequest({
    endpoint: 'chat',
    provider: makeProvider({ dialect: dialect.name, ...provider }),
    deployment: makeDeployment(deployment),
    model: 'm',
    body: Buffer.from(body),
    scan: makeScan(Buffer.from(body)),
    stream: stream === true,
    wantsUsage: options?.include_usage === true,
    headers: headers ?? new Map(),
  });
  if (built.kind === 'refused') throw new Error(built.failure.message);
  return built.request;
}

const sent = (request: UpstreamRequest): string => Buffer.from(request.body).toString('utf8');

test.each<[string, Given, string, readonly string[]]>([
  ['{"model":"m","x":1 }', {}, '{"model":"m","x":1 }', []],
  ['{"model":"a", "x":1}', {}, '{"model":"m", "x":1}', ['model']],
  ['{"x":1}', {}, '{"x":1,"model":"m"}', ['model']],
  ['{"model":"m"}', { deployment: { defaults: { temperature: 0 } } }, '{"model":"m","temperature":0}', ['temperature']],
  [
    '{"model":"m","temperature":1}',
    { deployment: { defaults: { temperature: 0 } } },
    '{"model":"m","temperature":1}',
    [],
  ],
  [
    '{"model":"m","seed":1}',
    { deployment: { extraBody: { seed: 2, top_k: 3 } } },
    '{"model":"m","seed":2,"top_k":3}',
    ['seed', 'top_k'],
  ],
  [
    '{"logit_bias":{},"model":"m"}',
    { deployment: { dropParams: ['logit_bias', 'user'], defaults: { user: 'x' } } },
    '{"model":"m"}',
    ['-logit_bias'],
  ],
  ['{"model":"m","fallbacks":["b"],"num_retries":1}', {}, '{"model":"m"}', ['-fallbacks', '-num_retries']],
  ['{"timeout":5,"model":"m","stream_timeout":1}', {}, '{"model":"m"}', ['-timeout', '-stream_timeout']],
  [
    '{"model":"m","litellm_metadata":{},"litellm_call_id":"1","litellm_trace_id":"2","litellm_session_id":"3"}',
    {},
    '{"model":"m"}',
    ['-litellm_metadata', '-litellm_call_id', '-litellm_trace_id', '-litellm_session_id'],
  ],
  ['{"model":"m","priority":5}', { dialect: vllm }, '{"model":"m","priority":5}', []],
  [
    '{"model":"m","stream":true,"stream_options":{"continuous_usage_stats":true}}',
    { dialect: vllm },
    '{"model":"m","stream":true,"stream_options":{"continuous_usage_stats":true,"include_usage":true}}',
    ['stream_options'],
  ],
  [
    '{"model":"m","stream":false}',
    { dialect: llamaCpp },
    '{"model":"m","stream":true,"stream_options":{"include_usage":true}}',
    ['stream', 'stream_options'],
  ],
  [
    '{"model":"m","stream":true}',
    { provider: { baseUrl: 'https://api.mistral.ai' } },
    '{"model":"m","stream":true}',
    [],
  ],
  [
    '{"model":"m","stream":true}',
    { deployment: { dropParams: ['stream_options'] } },
    '{"model":"m","stream":true}',
    [],
  ],
  [
    '{"model":"m","stream":true}',
    { dialect: azure, provider: { apiVersion: '2024-02-01' } },
    '{"model":"m","stream":true}',
    [],
  ],
  [
    '{"model":"m","stream":true}',
    { dialect: vllm, deployment: { dropParams: ['stream_options'] } },
    '{"model":"m","stream":true}',
    [],
  ],
  [
    '{"model":"m","stream":true}',
    { dialect: vllm, deployment: { extraBody: { stream_options: { continuous_usage_stats: true } } } },
    '{"model":"m","stream":true,"stream_options":{"continuous_usage_stats":true,"include_usage":true}}',
    ['stream_options'],
  ],
])('spine 3.3: %s with %j becomes %s', (body, given, wanted, edits) => {
  const request = build(body, given);
  expect(sent(request)).toBe(wanted);
  expect(request.edits).toEqual(edits);
});

test.each([
  ['http://127.0.0.1:8080', '/v1', '/v1/chat/completions'],
  ['https://openrouter.ai/api', '/v1', '/api/v1/chat/completions'],
  ['https://generativelanguage.googleapis.com', '/v1beta/openai', '/v1beta/openai/chat/completions'],
  ['https://api.deepseek.com', '', '/chat/completions'],
])('spine 3.2: base URL %s with %j asks %s', (baseUrl, apiPath, path) => {
  expect(build('{"model":"m"}', { provider: { baseUrl, apiPath } }).path).toBe(path);
});

test('spine 3.2: probes join their paths without doubling /v1, and take the declared one', () => {
  const paths = (dialect: Dialect, provider: Partial<Provider>): readonly string[] =>
    dialect.probes(makeProvider(provider)).map((probe) => probe.path);
  const { probe } = makeProvider();
  expect(paths(llamaCpp, {})).toEqual(['/health', '/props', '/slots', '/v1/models']);
  expect(paths(vllm, { baseUrl: 'http://host/llm' })).toEqual(['/llm/health', '/llm/v1/models', '/llm/metrics']);
  expect(paths(openaiCompatible, { probe: { ...probe, path: '/v1/models' } })).toEqual(['/v1/models']);
  for (const dialect of [llamaCpp, vllm, ollama, openai, azure, anthropic, lmStudio])
    expect(paths(dialect, { probe: { ...probe, path: '/ready' } })[0]).toBe('/ready');
});

const chat = '"messages":[{"role":"user","content":"Hi"}]';
test.each<[title: string, body: string, deployment: Partial<Deployment>, path: string, options: object | undefined]>([
  ['the client', `{${chat},"max_completion_tokens":9}`, {}, '/api/chat', { num_predict: 9 }],
  ['the deployment', `{${chat}}`, { defaults: { max_completion_tokens: 9 } }, '/api/chat', { num_predict: 9 }],
  [
    'who says null for the older word',
    `{${chat},"max_tokens":null,"max_completion_tokens":9}`,
    {},
    '/api/chat',
    { num_predict: 9 },
  ],
  ['a developer', '{"messages":[{"role":"developer","content":"Hi"}]}', {}, '/api/chat', undefined],
  [
    'one who speaks of a developer',
    `{"messages":[{"role":"user","content":"a \\"developer\\""}]}`,
    {},
    '/v1/chat/completions',
    undefined,
  ],
  ['who says both', `{${chat},"max_tokens":7,"max_completion_tokens":9}`, {}, '/v1/chat/completions', undefined],
  ['nobody', `{${chat},"max_completion_tokens":null}`, {}, '/v1/chat/completions', undefined],
  ['one who is not heard', `{${chat},"think":true}`, { dropParams: ['think'] }, '/v1/chat/completions', undefined],
  [
    'the deployment over the client',
    `{${chat},"top_k":1}`,
    { dropParams: ['top_k'], extraBody: { top_k: 2 } },
    '/api/chat',
    { top_k: 2 },
  ],
])(
  'spine 3.2: what Ollama’s /v1 does not hear goes by its own wire: said by %s',
  (_title, body, deployment, path, options) => {
    const request = build(body, { dialect: ollama, deployment });
    expect(request.path).toBe(path);
    expect(JSON.parse(sent(request)).options).toEqual(options);
  },
);

test('spine 3.2: what a deployment adds goes to Anthropic too, though the client’s word is dropped', () => {
  const request = build(`{${chat},"top_k":1}`, {
    dialect: anthropic,
    deployment: { dropParams: ['top_k'], extraBody: { top_k: 2 } },
  });
  expect(JSON.parse(sent(request))).toMatchObject({ top_k: 2 });
});

test('spine 3.2: keys go as the provider wants them', () => {
  const secret = { kind: 'env', name: 'KEY' } as const;
  expect(openai.authorize(makeProvider({ credential: { kind: 'bearer', secret } }), 'k')).toEqual([
    'authorization',
    'Bearer k',
  ]);
  expect(azure.authorize(makeProvider({ credential: { kind: 'header', header: 'api-key', secret } }), 'k')).toEqual([
    'api-key',
    'k',
  ]);
  expect(openai.authorize(makeProvider({ credential: { kind: 'none' } }), undefined)).toEqual([]);
  const anthropicKey = { kind: 'header', header: 'x-api-key', secret } as const;
  expect(anthropic.authorize(makeProvider({ credential: anthropicKey }), 'k')).toEqual([
    'x-api-key',
    'k',
    'anthropic-version',
    '2023-06-01',
  ]);
});

test('spine 3.2: an organization of the client reaches OpenAI and nobody else', () => {
  const headers = new Map([['openai-organization', 'org-1']]);
  expect(build('{"model":"m"}', { dialect: openai, headers }).headers).toContain('org-1');
  expect(build('{"model":"m"}', { headers }).headers).not.toContain('org-1');
});

test.each([
  [403, 'up'],
  [405, 'up'],
  [429, 'up'],
  [501, 'up'],
  [404, 'up'],
  [401, 'down'],
  [500, 'down'],
  [503, 'down'],
])('3.2 a service that answers %i to its probe is %s', (status, state) => {
  expect(plainReport([{ path: '/v1/models', status, body: '{}' }], undefined)).toMatchObject({
    state,
    detail: expect.stringContaining(`status ${status}`),
    models: undefined,
  });
});
