import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type CompiledPlan, compile } from '../../src/config/compile.ts';
import type { SourceFile } from '../../src/config/source-file.ts';

const keys = {
  OPENAI_API_KEY: 'sk-openai-0123456789',
  ANTHROPIC_API_KEY: 'sk-ant-0123456789',
  GROQ_API_KEY: 'gsk-0123456789abc',
  GEMINI_API_KEY: 'AIza0123456789abc',
  SOME_KEY: 'sk-some-0123456789',
};

function compileFile(value: unknown, { lenient = false, included = [] as unknown[] } = {}): CompiledPlan {
  const sources: SourceFile[] = [
    { kind: 'litellm', path: 'config.yaml', text: typeof value === 'string' ? value : stringify(value) },
    ...included.map(
      (one, index): SourceFile => ({ kind: 'included', path: `more-${index}.yaml`, text: stringify(one) }),
    ),
  ];
  return compile(sources, { environment: keys, lenient });
}

/** The one deployment of a file, with its provider. */
function deploymentOf(params: Record<string, unknown>) {
  const { value: plan, diagnostics } = compileFile({ model_list: [{ model_name: 'm', litellm_params: params }] });
  expect(diagnostics.filter((one) => one.severity === 'error')).toEqual([]);
  const deployment = plan?.deployments[0];
  const provider = deployment === undefined ? undefined : plan?.providers.get(deployment.provider);
  return { deployment, provider };
}

test.each(['hello', '- a', '5'])('spine 2.3: a file that is no map is told as what it is: %s', (text) => {
  const [first] = compileFile(text).diagnostics;
  expect(first).toMatchObject({ code: 'wrong-type', message: 'The file is no map', wanted: 'a map' });
});

describe('spine 2.2: prefixes of LiteLLM', () => {
  test.each([
    ['ollama/llama3.1', {}, 'ollama', 'http://127.0.0.1:11434', '/v1', 'llama3.1', 'none'],
    [
      'ollama_chat/llama3.1:8b',
      { api_base: 'http://box:11434' },
      'ollama',
      'http://box:11434',
      '/v1',
      'llama3.1:8b',
      'none',
    ],
    ['openai/gpt-4o', {}, 'openai', 'https://api.openai.com', '/v1', 'gpt-4o', 'bearer'],
    ['gpt-4o', {}, 'openai', 'https://api.openai.com', '/v1', 'gpt-4o', 'bearer'],
    [
      'openai/local',
      { api_base: 'http://127.0.0.1:8000/v1', api_key: 'none' },
      'openai_compatible',
      'http://127.0.0.1:8000',
      '/v1',
      'local',
      'none',
    ],
    [
      'hosted_vllm/org/model',
      { api_base: 'http://127.0.0.1:8000' },
      'vllm',
      'http://127.0.0.1:8000',
      '/v1',
      'org/model',
      'none',
    ],
    ['llamafile/m', {}, 'llama_cpp', 'http://127.0.0.1:8080', '/v1', 'm', 'none'],
    ['lm_studio/m', {}, 'lm_studio', 'http://127.0.0.1:1234', '/v1', 'm', 'none'],
    ['anthropic/claude-sonnet-4-5', {}, 'anthropic', 'https://api.anthropic.com', '/v1', 'claude-sonnet-4-5', 'header'],
    ['claude-sonnet-4-5', {}, 'anthropic', 'https://api.anthropic.com', '/v1', 'claude-sonnet-4-5', 'header'],
    [
      'gemini/gemini-2.5-flash',
      {},
      'openai_compatible',
      'https://generativelanguage.googleapis.com/v1beta/openai',
      '',
      'gemini-2.5-flash',
      'bearer',
    ],
    ['groq/llama-3.3-70b', {}, 'openai_compatible', 'https://api.groq.com/openai', '/v1', 'llama-3.3-70b', 'bearer'],
    [
      'openrouter/a/b',
      { api_key: 'os.environ/SOME_KEY' },
      'openai_compatible',
      'https://openrouter.ai/api',
      '/v1',
      'a/b',
      'bearer',
    ],
    [
      'deepseek/deepseek-chat',
      { api_key: 'os.environ/SOME_KEY' },
      'openai_compatible',
      'https://api.deepseek.com',
      '/v1',
      'deepseek-chat',
      'bearer',
    ],
    [
      'azure/my-deployment',
      { api_base: 'https://x.openai.azure.com', api_key: 'os.environ/SOME_KEY', api_version: '2024-10-21' },
      'azure',
      'https://x.openai.azure.com',
      undefined,
      'my-deployment',
      'header',
    ],
    ['m', { custom_llm_provider: 'ollama' }, 'ollama', 'http://127.0.0.1:11434', '/v1', 'm', 'none'],
  ])('%s %j', (model, more, dialect, baseUrl, apiPath, backend, credential) => {
    const { deployment, provider } = deploymentOf({ model, ...more });
    expect([provider?.dialect, provider?.baseUrl, deployment?.backendModel, provider?.credential.kind]).toEqual([
      dialect,
      baseUrl,
      backend,
      credential,
    ]);
    if (apiPath !== undefined) expect(provider?.apiPath).toBe(apiPath);
  });

  test('one key at one address is one provider, another key another', () => {
    const list = ['a', 'b'].map((model_name) => ({ model_name, litellm_params: { model: `openai/${model_name}` } }));
    const other = { model_name: 'c', litellm_params: { model: 'openai/c', api_key: 'os.environ/SOME_KEY' } };
    expect([...(compileFile({ model_list: [...list, other] }).value?.providers.keys() ?? [])]).toEqual([
      'openai',
      'openai-2',
    ]);
  });
});

describe('spine 2.2: what is not offered', () => {
  const file = {
    model_list: [
      { model_name: 'a', litellm_params: { model: 'bedrock/x' } },
      { model_name: 'b', litellm_params: { model: 'ollama/b' } },
    ],
  };
  test('signed requests are named, and left out under --lenient, alone', () => {
    expect(
      compileFile(file)
        .diagnostics.filter((one) => one.severity === 'error')
        .map((one) => one.code),
    ).toEqual(['unsupported-provider']);
    expect(compileFile(file, { lenient: true }).value?.groups.map((group) => group.name)).toEqual(['b']);
  });

  test.each([
    ['general_settings: {custom_auth: mine.check}', 'key-not-executed', 'error'],
    ['router_settings: {provider_budget_config: {openai: {budget_limit: 1}}}', 'key-not-executed', 'error'],
    ['litellm_settings: {max_budget: 10}', 'key-not-executed', 'error'],
    ['litellm_settings: {success_callback: [langfuse]}', 'key-ignored', 'warning'],
    ['general_settings: {database_url: os.environ/DB}', 'key-ignored', 'warning'],
    ['guardrails: [{guardrail_name: pii}]', 'key-not-executed', 'error'],
    ['router_settings: {routing_stategy: simple-shuffle}', 'unknown-key', 'error'],
    ['litellm_settings: {routing_strategy: simple-shuffle}', 'misplaced-key', 'error'],
    ['modell_list: []', 'unknown-key', 'error'],
  ])('%s', (line, code, severity) => {
    const text = `model_list: [{model_name: m, litellm_params: {model: ollama/m}}]\n${line}\n`;
    expect(compileFile(text).diagnostics.find((one) => one.code === code)).toMatchObject({
      severity,
      span: { line: 2 },
    });
    const { value, diagnostics } = compileFile(text, { lenient: true });
    // A misspelt key is no key of LiteLLM: being lenient does not make it one.
    expect(value === undefined).toBe(code === 'unknown-key');
    expect(diagnostics.map((one) => one.code)).toContain(code);
  });

  test('a key that stands twice is an error, and a warning under --lenient, where the last counts', () => {
    const text =
      'model_list: [{model_name: m, litellm_params: {model: ollama/m}}]\nrouter_settings:\n  num_retries: 1\n  num_retries: 4\n';
    expect(compileFile(text).value).toBeUndefined();
    expect(compileFile(text, { lenient: true }).value?.settings.retry.retries).toBe(4);
  });
});

describe('spine 2.2: the rest of a LiteLLM file', () => {
  test('pools, wildcards, fallbacks, aliases', () => {
    const { value: plan, diagnostics } = compileFile({
      model_list: [
        { model_name: 'chat', litellm_params: { model: 'ollama/a', weight: 2, order: 1 } },
        { model_name: 'chat', litellm_params: { model: 'openai/gpt-4o', order: 2 } },
        { model_name: 'openai/*', litellm_params: { model: 'openai/*' } },
      ],
      router_settings: {
        fallbacks: [{ chat: ['openai/gpt-4o-mini'] }],
        model_group_alias: { fast: 'chat', hidden: { model: 'chat', hidden: true } },
      },
    });
    expect(diagnostics.filter((one) => one.severity === 'error')).toEqual([]);
    expect(plan?.groups.map((group) => [group.name, group.kind, group.members.length])).toEqual([
      ['chat', 'model', 2],
      ['openai/*', 'wildcard', 1],
    ]);
    expect(plan?.groups[0]?.members.map((member) => [member.order, member.weight])).toEqual([
      [1, 2],
      [2, undefined],
    ]);
    const [fallback] = plan?.groups[0]?.fallback ?? [];
    expect(fallback?.kind === 'deployment' && plan?.deployments[fallback.deployment]?.backendModel).toBe('gpt-4o-mini');
    expect(plan?.names.get('hidden')).toMatchObject({ kind: 'alias', hidden: true });
  });

  test.each<[string, object, readonly string[]]>([
    [
      'a fallback’s own before the next, and no name twice',
      [{ m: ['a', 'b'] }, { a: ['c', 'm'] }, { c: ['b'] }],
      ['a', 'c', 'b'],
    ],
    ['under an alias of the group', [{ other: ['b'] }], ['b']],
  ])('fallbacks: %s', (_what, fallbacks, expected) => {
    const { value: plan, diagnostics } = compileFile({
      model_list: ['m', 'a', 'b', 'c'].map((name) => ({
        model_name: name,
        litellm_params: { model: `ollama/${name}` },
      })),
      router_settings: { fallbacks, model_group_alias: { other: 'm' } },
    });
    expect(diagnostics.filter((one) => one.severity === 'error')).toEqual([]);
    const names = plan?.groups[0]?.fallback.map((one) => one.kind === 'group' && plan.groups[one.group]?.name);
    expect(names).toEqual(expected);
  });

  test('environment_variables count as set, included files are merged', () => {
    const { value: plan, environment } = compileFile(
      {
        environment_variables: { OWN_KEY: 'sk-own-0123456789' },
        include: 'more-0.yaml',
        model_list: [{ model_name: 'a', litellm_params: { model: 'openai/a', api_key: 'os.environ/OWN_KEY' } }],
      },
      {
        included: [
          {
            model_list: [{ model_name: 'b', litellm_params: { model: 'ollama/b' } }],
            router_settings: { num_retries: 5 },
          },
        ],
      },
    );
    expect(environment['OWN_KEY']).toBe('sk-own-0123456789');
    expect(plan?.groups.map((group) => group.name)).toEqual(['a', 'b']);
    expect(plan?.settings.retry.retries).toBe(5);
  });

  test('credentials by their name', () => {
    const { value: plan } = compileFile({
      credential_list: [
        {
          credential_name: 'mine',
          credential_values: { api_key: 'os.environ/SOME_KEY', api_base: 'http://box:9000/v1' },
        },
      ],
      model_list: [{ model_name: 'm', litellm_params: { model: 'openai/m', litellm_credential_name: 'mine' } }],
    });
    expect([...(plan?.providers.values() ?? [])]).toMatchObject([
      { baseUrl: 'http://box:9000', credential: { kind: 'bearer', secret: { kind: 'env', name: 'SOME_KEY' } } },
    ]);
  });

  test('drop_params leaves out what a wire does not take, for all or for one', () => {
    const list = [{ model_name: 'm', litellm_params: { model: 'anthropic/m' } }];
    expect(compileFile({ model_list: list }).value?.deployments[0]?.dropParams).toEqual([]);
    expect(
      compileFile({ model_list: list, litellm_settings: { drop_params: true } }).value?.deployments[0]?.dropParams,
    ).toContain('logit_bias');
    const { deployment } = deploymentOf({
      model: 'anthropic/m',
      drop_params: true,
      additional_drop_params: ['x_mine'],
    });
    expect(deployment?.dropParams).toEqual(expect.arrayContaining(['x_mine', 'logit_bias']));
  });

  test('fields of litellm_params that are no settings are defaults of the request', () => {
    const { deployment } = deploymentOf({
      model: 'openai/m',
      temperature: 0.2,
      extra_body: { x: 1 },
      timeout: 30,
      rpm: 60,
    });
    expect(deployment).toMatchObject({
      defaults: { temperature: 0.2 },
      extraBody: { x: 1 },
      timeouts: { totalMs: 30_000 },
      limit: { requestsPerMinute: 60 },
    });
    expect(deploymentOf({ model: 'ollama/m', num_ctx: 8192, keep_alive: '10m' }).deployment).toMatchObject({
      options: { num_ctx: 8192 },
      keepAlive: '10m',
    });
  });

  test('settings by their real meaning', () => {
    const { value: plan } = compileFile({
      model_list: [{ model_name: 'm', litellm_params: { model: 'ollama/m' } }],
      litellm_settings: { request_timeout: 90, num_retries: 1 },
      router_settings: {
        routing_strategy: 'least-busy',
        num_retries: 4,
        timeout: 20,
        cooldown_time: 7,
        allowed_fails: 9,
        retry_policy: { TimeoutErrorRetries: 3 },
      },
      general_settings: { master_key: 'os.environ/SOME_KEY', health_check_interval: 300 },
    });
    expect(plan?.settings).toMatchObject({
      retry: { retries: 4 },
      cooldown: { cooldownMs: 7000, allowedFails: 9 },
      timeouts: { attemptMs: 20_000, requestMs: 90_000 },
      server: { masterKey: { kind: 'env', name: 'SOME_KEY' } },
      routing: { defaultStrategy: { name: 'least_busy' } },
    });
    expect(plan?.settings.retry.policy.get('TimeoutError')).toBe(3);
    expect([...(plan?.providers.values() ?? [])][0]?.probe.intervalMs).toBe(300_000);
  });
});
