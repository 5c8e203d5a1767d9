import { expect, test } from 'vitest';
import { startProduct } from '../support/product.ts';
import { runCommand } from '../support/terminal.ts';
import { until } from '../support/until.ts';
import { describeReal } from './real.ts';
import { startLlama } from './servers.ts';

describeReal('6: a llama.cpp server that is asked for another name than its own', ['llama'], () => {
  test('is not missing it, and what it really serves is shown beside it', async () => {
    const server = await startLlama('counting');
    const providers = { llama: { type: 'llama_cpp', base_url: server.url, models: ['mine'] } };
    const product = await startProduct({ files: { 'config/providers.yaml': JSON.stringify({ providers }) } });
    const screen = async (line: string): Promise<string> =>
      (await runCommand(line.split(' '), { folder: product.folder, columns: 160 })).out;
    try {
      await until('its list to be known', async () => (await screen('provider show llama')).includes('lists    tiny'));
      expect(await screen('model list')).toMatch(/^mine .* ready .*llama\/mine \(serves tiny\)$/m);
      expect(await screen('provider show llama')).toMatch(/^mine \(serves tiny\) +ready/m);
      expect(await screen('status')).toMatch(/^llama .* mine \(serves tiny\) .*ready$/m);
      expect(JSON.parse(await screen('model list --json'))).toMatchObject({
        names: [{ members: [{ model: 'mine', served: 'tiny', state: 'ready' }] }],
      });
    } finally {
      await product.stop();
      await server.stop();
    }
  }, 60_000);
});
