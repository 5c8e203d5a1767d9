import { expect, test } from 'vitest';
import { milliseconds } from '../../src/plan/ids.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { describeReal } from './real.ts';
import { startLlama, startOllama } from './servers.ts';

/** Some 6,000 tokens, as the tiny models count them too. */
const long = [{ role: 'user', content: 'seven '.repeat(6000) }];

describeReal('4.3: a prompt that is longer than Ollama’s context', ['ollama'], () => {
  test('is refused, where Ollama alone would cut it without a word; a declared num_ctx is what it grants', async () => {
    const server = await startOllama();
    const gateway = await startGateway({
      providers: {
        ollama: {
          type: 'ollama',
          base_url: server.url,
          models: ['tiny', { name: 'tiny-tool', options: { num_ctx: 8192 } }],
        },
      },
    });
    try {
      const alone = await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'tiny', max_tokens: 1, messages: long }),
      });
      const cut = (await alone.json()) as { usage: { prompt_tokens: number } };
      expect([alone.status, cut.usage.prompt_tokens < 6000]).toEqual([200, true]);

      const refused = await gateway.chat({ model: 'tiny', max_tokens: 1, messages: long });
      expect(refused.status, await refused.clone().text()).toBe(400);
      expect(await refused.json()).toMatchObject({ error: { code: 'context_length_exceeded' } });

      const granted = await gateway.chat({
        model: 'tiny-tool',
        max_tokens: 1,
        messages: [{ role: 'user', content: 'Hi' }],
      });
      expect(granted.status).toBe(200);
      const { models } = (await (await fetch(`${server.url}/api/ps`)).json()) as {
        models: { name: string; context_length: number }[];
      };
      expect(models.find((one) => one.name.startsWith('tiny-tool'))?.context_length).toBe(8192);
    } finally {
      await gateway.close();
      await server.stop();
    }
  }, 120_000);
});

describeReal('4.3: a prompt in a script for which tokenizers differ', ['llama', 'gemma'], () => {
  test('is answered where it fits by the server’s own count, and refused by the server where it does not', async () => {
    const server = await startLlama('gemma', { context: 512 });
    const gateway = await startGateway({
      providers: { local: { type: 'llama_cpp', base_url: server.url, models: ['gemma'] } },
    });
    const ask = (sentences: number): Promise<Response> => {
      const content = 'นายสถานีสับรางก่อนที่รถไฟจะออกจากสถานี '.repeat(sentences);
      return gateway.chat({ model: 'gemma', max_tokens: 1, messages: [{ role: 'user', content }] });
    };
    try {
      await until('the probe', async () => {
        const { providers } = await gateway.running.report(milliseconds(0));
        return providers.every((one) => one.deployments.every(({ context }) => context === 512));
      });
      // Of 20 sentences the estimate makes 640 tokens, of 44 it makes at least 460.
      const fits = await ask(20);
      expect(fits.status, await fits.clone().text()).toBe(200);
      const { usage } = (await fits.json()) as { usage: { prompt_tokens: number } };
      expect(usage.prompt_tokens).toBeLessThan(400);
      const refused = await ask(44);
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({ error: { code: 'context_length_exceeded' } });
    } finally {
      await gateway.close();
      await server.stop();
    }
  }, 120_000);
});
