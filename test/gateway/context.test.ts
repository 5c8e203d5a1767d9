import { describe, expect, test } from 'vitest';
import { closersAfterEach } from '../support/closers.ts';
import { chat, fault, startFakeUpstream } from '../support/fake-upstream.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const closers = closersAfterEach();

const long = [{ role: 'user', content: 'word '.repeat(3000) }];

/** A model `m` of 1,000 tokens, and `large`, which may stand in where the mappings or settings say so. */
async function setup(parts: {
  readonly type?: string;
  readonly mappings?: Record<string, unknown>;
  readonly router?: Record<string, unknown>;
}): Promise<{
  gateway: TestGateway;
  bodies: () => readonly string[];
  script: (status: number, message: string) => void;
}> {
  const upstream = await startFakeUpstream(['m', 'large']);
  const gateway = await startGateway({
    providers: {
      a: {
        type: parts.type ?? 'openai_compatible',
        base_url: upstream.url,
        models: [{ name: 'm', context_length: 1000 }],
      },
      b: { type: 'openai_compatible', base_url: upstream.url, models: [{ name: 'large', context_length: 32_000 }] },
    },
    ...(parts.mappings === undefined ? {} : { mappings: parts.mappings }),
    settings: { router_settings: { num_retries: 0, ...parts.router } },
  });
  closers.push(upstream.close, gateway.close);
  return {
    gateway,
    bodies: () => upstream.requests.map((one) => one.body),
    script: (status, message) => upstream.script(fault(status, message), chat('Hello')),
  };
}

describe('4.3: a prompt that is too long', () => {
  test('is refused before anything is sent, with OpenAI’s code and the numbers', async () => {
    const { gateway, bodies } = await setup({});
    const answer = await gateway.chat({ messages: long });
    expect(answer.status).toBe(400);
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe('context_length_exceeded');
    expect(error.message).toMatch(/about \d+ tokens are asked for, its context is 1000/);
    expect(bodies()).toEqual([]);
  });

  test.each([
    [
      'a member with a larger context',
      {
        mappings: {
          load_balancing: { m: { strategy: 'direct', providers: ['a', { provider: 'b', model: 'large' }] } },
        },
      },
    ],
    ['context_window_fallbacks', { router: { context_window_fallbacks: [{ m: ['large'] }] } }],
    ['its fallback', { mappings: { exact_matches: { m: { provider: 'a', fallback: 'large' } } } }],
  ])('goes to %s', async (_, parts) => {
    const { gateway, bodies } = await setup(parts);
    const answer = await gateway.chat({ messages: long });
    expect([answer.status, answer.headers.get('x-signalbox-route')]).toEqual([200, 'b/large']);
    expect(bodies().length).toBe(1);
  });

  test.each([
    ['llama_cpp', 200],
    ['vllm', 200],
    ['openai_compatible', 400],
    ['lm_studio', 400],
  ])(
    'in a script of which tokenizers make half as many is left to a server that counts itself: %s',
    async (type, status) => {
      const { gateway } = await setup({ type });
      const half = { role: 'user', content: 'รถไฟออกจากสถานี'.repeat(100) };
      expect((await gateway.chat({ messages: [half] })).status).toBe(status);
      const whole = { role: 'user', content: 'รถไฟออกจากสถานี'.repeat(300) };
      expect((await gateway.chat({ messages: [whole] })).status).toBe(400);
    },
  );

  test('F3: enable_pre_call_checks: false leaves it to a server that refuses it itself', async () => {
    const { gateway, bodies, script } = await setup({ router: { enable_pre_call_checks: false } });
    script(400, 'This model’s maximum context length is 1000 tokens');
    const answer = await gateway.chat({ messages: long });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: 'context_length_exceeded' } });
    expect(bodies().length).toBe(1);
  });

  test('F3: for Ollama, which would cut it silently, the estimate counts all the same', async () => {
    const { gateway, bodies } = await setup({ type: 'ollama', router: { enable_pre_call_checks: false } });
    expect((await gateway.chat({ messages: long })).status).toBe(400);
    expect(bodies()).toEqual([]);
  });

  test.each([
    ['a declared context bounds what is asked, and is not sent', { context_length: 8192 }, undefined],
    ['what the options say is', { context_length: 8192, options: { num_ctx: 4096 } }, 4096],
  ])('Ollama loads a model again for another num_ctx: %s', async (_what, declared, sent) => {
    const server = await startFakeUpstream(['m']);
    const gateway = await startGateway({
      providers: { o: { type: 'ollama', base_url: server.url, models: [{ name: 'm', ...declared }] } },
      settings: { router_settings: { num_retries: 0 } },
    });
    await gateway.chat({ model: 'm' });
    const body = JSON.parse(server.requests[0]?.body ?? '{}') as { options?: { num_ctx?: number } };
    expect(body).toMatchObject({ model: 'm' });
    expect(body.options?.num_ctx).toBe(sent);
    // Some 6,000 tokens: what the options say is also what prompts are held to.
    const content = 'word '.repeat(6000);
    const answer = await gateway.chat({ model: 'm', messages: [{ role: 'user', content }] });
    expect((await answer.text()).includes('context_length_exceeded')).toBe(sent !== undefined);
    await Promise.all([gateway.close(), server.close()]);
  });
});
