import { afterAll, beforeAll, expect, test } from 'vitest';
import { milliseconds } from '../../src/plan/ids.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { describeReal } from './real.ts';
import { type RealServer, startOllama } from './servers.ts';

/** A template that knows the system and the user, as most do. */
const template =
  '{{- range .Messages }}{{- if eq .Role "system" }}{{ .Content }}{{- else if eq .Role "user" }}{{ .Content }}{{- end }}{{- end }}';

describeReal('3.2 and 3.3 what a real Ollama says otherwise', ['ollama'], () => {
  let server: RealServer;
  let gateway: TestGateway;
  const post = (path: string, body: object): Promise<Response> =>
    fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
  beforeAll(async () => {
    server = await startOllama();
    await post('/api/copy', { source: 'tiny', destination: 'other-name' });
    await post('/api/create', { model: 'strict', from: 'tiny', template, stream: false });
    const models = ['tiny', 'other-name', 'strict'];
    gateway = await startGateway({
      providers: { o: { type: 'ollama', base_url: server.url, models, health_check: { interval_seconds: 1 } } },
    });
  }, 60_000);
  afterAll(async () => {
    await gateway?.close();
    await server?.stop();
  });

  test('a model that was loaded by one name is in memory by its others', async () => {
    await post('/api/generate', { model: 'tiny', stream: false });
    const isLoaded = async (model: string): Promise<boolean | null | undefined> => {
      const { providers } = await gateway.running.report(milliseconds(0));
      return providers.flatMap(({ deployments }) => deployments).find((one) => one.model === model)?.loaded;
    };
    await until('its other name to be known as loaded', async () => (await isLoaded('other-name')) === true);
    expect(await isLoaded('strict')).toBe(false);
  }, 60_000);

  test('a developer is heard as the system is', async () => {
    const promptTokens = async (messages: readonly object[]): Promise<number> => {
      const answer = await gateway.chat({ model: 'strict', messages, max_tokens: 1 });
      const { usage } = (await answer.json()) as { usage: { prompt_tokens: number } };
      return usage.prompt_tokens;
    };
    const user = { role: 'user', content: 'one' };
    const content = 'two three four five six seven eight nine ten';
    const heard = await promptTokens([{ role: 'system', content }, user]);
    expect(await promptTokens([{ role: 'developer', content }, user])).toBe(heard);
    expect(await promptTokens([user])).toBeLessThan(heard);
  }, 60_000);
});
