import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { describeReal } from './real.ts';
import { startOllama } from './servers.ts';

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
