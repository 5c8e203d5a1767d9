import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { milliseconds } from '../../src/plan/ids.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts';
import { startGateway, type TestGatewayOptions } from '../support/gateway.ts';

let dear: FakeUpstream;
let cheap: FakeUpstream;
let stateFolder = '';

beforeAll(async () => {
  dear = await startFakeUpstream();
  cheap = await startFakeUpstream();
  stateFolder = mkdtempSync(join(tmpdir(), 'signalbox-budgets-'));
});
afterAll(async () => {
  await dear.close();
  await cheap.close();
  rmSync(stateFolder, { recursive: true, force: true });
});

/** The fake answers with 3 tokens of prompt and 2 of answer: a quarter of a dollar for each of the two. */
const model = { name: 'm', output_cost_per_token: 0.25 };
const budget = { max_budget_usd: 0.5, budget_window: '1h' };

/** Statuses and times to wait of some requests, one after the other, with the gateway's plan. */
async function ask(options: Partial<TestGatewayOptions>, count: number) {
  const gateway = await startGateway(options);
  await gateway.running.report(milliseconds(5000));
  const answers: { status: number; wait: number; text: string }[] = [];
  for (let asked = 0; asked < count; asked++) {
    const answer = await gateway.chat();
    answers.push({ status: answer.status, wait: Number(answer.headers.get('retry-after')), text: await answer.text() });
  }
  await gateway.close();
  return answers;
}

describe('1.4: budgets', () => {
  test('a spent provider is passed over for its peer', async () => {
    const providers = {
      dear: { type: 'custom', base_url: dear.url, budget, models: [model] },
      cheap: { type: 'custom', base_url: cheap.url, models: ['m'] },
    };
    const settings = { router_settings: { routing_strategy: 'direct' } };
    const [before, after] = [dear.requests.length, cheap.requests.length];
    const answers = await ask({ providers, settings }, 3);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect([dear.requests.length - before, cheap.requests.length - after]).toEqual([1, 2]);
  });

  test('alone it answers 429 until its window ends, and a restart changes nothing of it', async () => {
    const providers = { dear: { type: 'custom', base_url: dear.url, budget, models: [model] } };
    const options = { providers, stateFolder };
    const [first, second] = await ask(options, 2);
    expect(first?.status).toBe(200);
    expect(second?.status).toBe(429);
    expect(second?.wait).toBeGreaterThan(3500);
    expect(second?.text).toContain('the budget of provider \\"dear\\" is spent: $0.50 of $0.50');
    expect((await ask(options, 1))[0]?.status).toBe(429);
    const path = join(stateFolder, 'spending.json');
    const { spent } = JSON.parse(readFileSync(path, 'utf8')) as { spent: { id: string; usd: number; since: number }[] };
    expect(spent).toMatchObject([{ id: 'provider dear', usd: 0.5 }]);
    // An hour ago is another window; a file that is broken holds nothing.
    for (const text of [
      JSON.stringify({ spent: spent.map((one) => ({ ...one, since: one.since - 3_700_000 })) }),
      '{',
    ]) {
      writeFileSync(path, text);
      expect((await ask(options, 1))[0]?.status, text).toBe(200);
    }
    // The broken one is kept for people.
    expect(readFileSync(`${path}.broken`, 'utf8')).toBe('{');
  });

  test('a spent name is refused, and its models serve by other names', async () => {
    const providers = { dear: { type: 'custom', base_url: dear.url, models: [model] } };
    const mappings = {
      exact_matches: { m: { provider: 'dear', budget, fallback: ['n'] }, n: { provider: 'dear', backend_model: 'm' } },
    };
    const gateway = await startGateway({ providers, mappings });
    const statuses: number[] = [];
    for (const name of ['m', 'm', 'n']) statuses.push((await gateway.chat({ model: name })).status);
    await gateway.close();
    expect(statuses).toEqual([200, 429, 200]);
  });
});
