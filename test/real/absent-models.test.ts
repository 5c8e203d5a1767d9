import { expect, test } from 'vitest';
import { startProduct } from '../support/product.ts';
import { until } from '../support/until.ts';
import { describeReal } from './real.ts';
import { startLlama, startOllama } from './servers.ts';

const chat = (url: string, model: string): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, max_tokens: 3, messages: [{ role: 'user', content: 'Hi' }] }),
  });

describeReal('spine 5.1: a model that is loading', ['llama', 'gemma'], () => {
  test('its request waits and is answered', async () => {
    const server = await startLlama('gemma', { ready: false });
    const providers = { llama: { type: 'llama_cpp', base_url: server.url, models: ['gemma'] } };
    const product = await startProduct({ files: { 'config/providers.yaml': JSON.stringify({ providers }) } });
    try {
      const answer = await chat(product.url, 'gemma');
      expect(answer.status, await answer.clone().text()).toBe(200);
    } finally {
      await product.stop();
      await server.stop();
    }
  }, 60_000);
});

describeReal('spine 5.1: a model that the server does not have', ['ollama'], () => {
  test('is missing, and its fallback answers', async () => {
    const server = await startOllama();
    const providers = {
      ollama: { type: 'ollama', base_url: server.url, models: ['not-there', 'not-there-either', 'tiny'] },
    };
    const mappings = { exact_matches: { 'not-there': { provider: 'ollama', fallback: 'tiny' } } };
    const product = await startProduct({
      files: {
        'config/providers.yaml': JSON.stringify({ providers }),
        'config/model-mappings.yaml': JSON.stringify(mappings),
      },
    });
    try {
      await until('its state to be known', async () => {
        const { data } = (await (await fetch(`${product.url}/v1/models`)).json()) as {
          data: { id: string; state: string }[];
        };
        return data.find((one) => one.id === 'not-there')?.state === 'missing';
      });
      const answer = await chat(product.url, 'not-there');
      expect([answer.status, answer.headers.get('x-signalbox-route')]).toEqual([200, 'ollama/tiny']);
      const alone = await chat(product.url, 'not-there-either');
      expect(alone.status).toBe(404);
      expect(await alone.text()).toContain('does not have the model');
    } finally {
      await product.stop();
      await server.stop();
    }
  }, 60_000);
});
