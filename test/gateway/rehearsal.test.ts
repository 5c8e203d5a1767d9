import { describe, expect, test } from 'vitest';
import { closersAfterEach } from '../support/closers.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const closers = closersAfterEach();

type Setup = { readonly upstream: FakeUpstream; readonly gateway: TestGateway };

/** LiteLLM's own file: a pool of two under `m`, and a group of its own for each kind of fallback. */
async function setup(router: Record<string, unknown> = {}): Promise<Setup> {
  const upstream = await startFakeUpstream(['m', 'other', 'long', 'mild']);
  const entry = (name: string, model = name): object => ({
    model_name: name,
    litellm_params: { model: `openai/${model}`, api_base: `${upstream.url}/v1`, api_key: 'none' },
  });
  const gateway = await startGateway({
    litellm: {
      model_list: [entry('m'), entry('m', 'm2'), entry('other'), entry('long'), entry('mild')],
      router_settings: {
        num_retries: 1,
        fallbacks: [{ m: ['other'] }],
        context_window_fallbacks: [{ m: ['long'] }],
        content_policy_fallbacks: [{ m: ['mild'] }],
        ...router,
      },
    },
  });
  closers.push(upstream.close, gateway.close);
  return { upstream, gateway };
}

describe('1.2 mock_testing_*: a failure that a request asks for', () => {
  test.each([
    ['mock_testing_fallbacks', /\/other$/],
    ['mock_testing_context_fallbacks', /\/long$/],
    ['mock_testing_context_window_fallbacks', /\/long$/],
    ['mock_testing_content_policy_fallbacks', /\/mild$/],
    ['mock_testing_rate_limit_error', /\/m2?$/],
  ])('%s: what is declared for it answers', async (field, route) => {
    const { upstream, gateway } = await setup();
    const answer = await gateway.chat({ [field]: true });
    expect(answer.status, await answer.clone().text()).toBe(200);
    expect(answer.headers.get('x-signalbox-route')).toMatch(route);
    // One request in all: the failure was never sent, and no upstream hears of the wish.
    expect(upstream.requests.map((one) => Object.keys(JSON.parse(one.body)))).toEqual([['model', 'messages']]);
    expect((await gateway.logged('request_routed'))['attempts']).toHaveLength(2);
  });

  test('where nothing stands in, the client is told that it asked for it', async () => {
    const { upstream, gateway } = await setup({ fallbacks: [] });
    const answer = await gateway.chat({ mock_testing_fallbacks: true });
    expect([answer.status, upstream.requests.length]).toEqual([500, 0]);
    expect(await answer.json()).toMatchObject({
      error: { code: 'rehearsed_failure', message: expect.stringContaining('mock_testing_fallbacks') },
    });
  });

  test('false asks for nothing', async () => {
    const { gateway } = await setup();
    const answer = await gateway.chat({ mock_testing_fallbacks: false });
    expect(answer.headers.get('x-signalbox-route')).toMatch(/\/m2?$/);
  });

  test('it counts against nobody, however often', async () => {
    const { gateway } = await setup({ allowed_fails: 0, cooldown_time: 60 });
    for (const field of ['mock_testing_fallbacks', 'mock_testing_rate_limit_error', 'mock_testing_context_fallbacks'])
      for (let count = 0; count < 4; count++) await gateway.chat({ [field]: true });
    expect(gateway.log().filter((line) => line['event'] === 'cooldown')).toEqual([]);
    expect((await gateway.chat({})).headers.get('x-signalbox-route')).toMatch(/\/m2?$/);
  });
});

describe('1.2 mock_testing_*: who may', () => {
  const environment = {
    MASTER: 'sk-master-0123456789abcdef',
    PLAIN: 'sk-plain-0123456789abcdef',
    TESTER: 'sk-tester-0123456789abcd',
  };
  test.each([
    ['MASTER', 200],
    ['TESTER', 200],
    ['PLAIN', 403],
  ] as const)('%s: %i', async (name, status) => {
    const gateway = await startGateway({
      providers: { a: { type: 'echo', models: ['m'] }, b: { type: 'echo', models: ['n'] } },
      mappings: { exact_matches: { m: { provider: 'a', fallback: 'n' } } },
      settings: {
        general_settings: { master_key: 'os.environ/MASTER' },
        server_settings: {
          keys: [
            { name: 'plain', key: 'os.environ/PLAIN' },
            { name: 'tester', key: 'os.environ/TESTER', allow_client_mock_response: true },
          ],
        },
      },
      environment,
    });
    closers.push(gateway.close);
    const answer = await gateway.chat(
      { mock_testing_fallbacks: true },
      { headers: { authorization: `Bearer ${environment[name]}` } },
    );
    expect(answer.status, await answer.clone().text()).toBe(status);
    if (status === 200) expect(answer.headers.get('x-signalbox-route')).toBe('b/n');
    else expect(await answer.json()).toMatchObject({ error: { param: 'mock_testing_fallbacks' } });
  });
});
