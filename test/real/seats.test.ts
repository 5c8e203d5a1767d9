import { expect, test } from 'vitest';
import { milliseconds } from '../../src/plan/ids.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { describeReal } from './real.ts';
import { startOllama } from './servers.ts';
import { askOnce, runTwoModels, twoModels } from './two-models.ts';

describeReal('4.1: two models in turn on an Ollama that holds one', ['ollama'], () => {
  test('20 requests, 50 ms apart, load two models and no more', async () => {
    const server = await startOllama({ environment: { OLLAMA_MAX_LOADED_MODELS: '1' } });
    const models = ['tiny', 'tiny-tool'] as const;
    // As in the measurement that the bound is from, the model asked for first is in memory.
    await askOnce(server.url, models[0]);
    const gateway = await startGateway({
      providers: {
        ollama: {
          type: 'ollama',
          base_url: server.url,
          models: [...models],
          exclusive_group: 'card',
          max_parallel_requests: 1,
        },
      },
    });
    try {
      await until('the probe', async () => {
        const { providers } = await gateway.running.report(milliseconds(0));
        return providers.every((one) => one.deployments.every(({ residency }) => residency !== null));
      });
      const { statuses, loads } = await runTwoModels({ url: gateway.url, server, models }, { kind: 'in turn' });
      expect(statuses).toEqual(Array.from({ length: twoModels.count }, () => 200));
      expect(loads).toBeLessThanOrEqual(2);
      await until('every line', () => gateway.log().filter((one) => one['event'] === 'request_routed').length === 20);
      const waits = gateway.log().flatMap((one) => (typeof one['queue_ms'] === 'number' ? [one['queue_ms']] : []));
      expect(waits.length).toBeGreaterThan(0);
      // Patience is ten seconds at least; past it a request goes before whoever came later.
      expect(Math.max(...waits)).toBeLessThan(10_000);
    } finally {
      await gateway.close();
      await server.stop();
    }
  }, 120_000);
});
