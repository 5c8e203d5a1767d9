import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { DecisionRecord } from '../../src/contract/decision-record.ts';
import type { ReplayReport } from '../../src/contract/route-play.ts';
import type { StatsReport } from '../../src/contract/route-stats.ts';
import { type Running, start } from '../../src/main.ts';
import { chat, type FakeUpstream, fault, startFakeUpstream } from '../support/fake-upstream.ts';
import { runCommand } from '../support/terminal.ts';

const words = 'a sentence that nobody else should read';
const canary = 'sk-canary-0123456789abcdef';

describe('6.1 decisions outlive the process', () => {
  let folder: string;
  let upstream: FakeUpstream;
  let running: Running;
  const json = async <Shape>(line: string): Promise<Shape> => {
    const ran = await runCommand([...line.split(' '), '--json'], { folder });
    // Every verb prints one JSON object of its own shape.
    return JSON.parse(ran.out) as Shape;
  };
  const file = (): string => readFileSync(join(folder, '.signalbox/decisions.jsonl'), 'utf8');
  const up = (): Promise<Running> =>
    start({ folder, port: 0, environment: {}, log: { output: undefined, file: true } });
  const ask = async (model: string, headers: Record<string, string> = {}): Promise<void> => {
    const body = {
      model,
      max_tokens: 9,
      messages: [{ role: 'user', content: `${words}\n\`\`\`x\`\`\`` }],
      tools: [{}],
    };
    const answer = await fetch(`${running.address.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${canary}`, 'x-canary': canary, ...headers },
      body: JSON.stringify(body),
    });
    await answer.text();
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'signalbox-decisions-'));
    upstream = await startFakeUpstream(['m', 'n']);
    mkdirSync(join(folder, 'config'));
    const provider = { type: 'openai_compatible', base_url: upstream.url };
    const pool = [
      { provider: 'a', weight: 0.7 },
      { provider: 'b', weight: 0.3 },
    ];
    const write = (name: string, value: unknown): void => writeFileSync(join(folder, 'config', name), stringify(value));
    write('providers.yaml', { providers: { a: { ...provider, models: ['m'] }, b: { ...provider, models: ['n'] } } });
    write('model-mappings.yaml', {
      exact_matches: { m: { provider: 'a', fallback: 'b' } },
      load_balancing: {
        turns: { providers: pool, strategy: 'weighted_round_robin' },
        draws: { providers: pool, strategy: 'simple-shuffle' },
      },
      routing_rules: { request_metadata_routing: { urgent: { provider: 'a', condition: 'header.x-urgent == "yes"' } } },
    });
    write('settings.yaml', { router_settings: { num_retries: 0 } });
    running = await up();
    await ask('m', { 'x-urgent': 'yes' });
    upstream.script(fault(500), chat('instead'));
    await ask('m');
  });
  afterAll(async () => {
    await running.cut();
    await upstream.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a command sees what is only in memory yet, since the gateway writes it first', async () => {
    const stats = await json<StatsReport>('route stats --since 10m');
    expect(stats).toMatchObject({ requests: 2, answered: 2, errors: 0, from: { records: 2, log: 0 } });
    expect(stats.providers).toMatchObject([
      { provider: 'a', requests: 1, errors: 1, fallbacks: 0 },
      { provider: 'b', requests: 1, errors: 0, fallbacks: 1 },
    ]);
    expect(await json<StatsReport>('route stats --provider b')).toMatchObject({ requests: 1 });
  });

  test('M9 stats show who behind a name could serve now', async () => {
    const { chains } = await json<StatsReport>('route stats');
    expect(chains).toEqual([
      {
        group: 'm',
        hops: [
          { deployment: 'a/m', source: 'group', ready: true, why: null },
          { deployment: 'b/n', source: 'fallback', ready: true, why: null },
        ],
      },
    ]);
  });

  test('a record has the facts that decided, the headers that conditions ask for, and nobody’s words or keys', async () => {
    const { facts, seed, plan, timing, attempts } = await json<DecisionRecord>('why');
    expect(facts).toEqual({ endpoint: 'chat', maxOutputTokens: 9, tools: true, codeFence: true, key: 'local' });
    expect([typeof seed, typeof plan]).toEqual(['number', 'string']);
    expect(attempts.map((one) => one.startMs)).toEqual([expect.any(Number), expect.any(Number)]);
    for (const ms of Object.values(timing)) expect(ms).toBeGreaterThanOrEqual(0);
    expect(file()).toContain('"headers":{"x-urgent":"yes"}');
    expect(file()).not.toContain(words);
    expect(file()).not.toContain(canary);
    expect(file()).not.toContain('x-canary');
  });

  test('the file is its owner’s alone; without a gateway and after a restart, decisions are found in it', async () => {
    const last = await json<DecisionRecord>('why');
    await running.stop();
    expect(statSync(join(folder, '.signalbox/decisions.jsonl')).mode & 0o077).toBe(0);
    expect(await json<DecisionRecord>('why')).toEqual(last);
    expect(await json<DecisionRecord>(`why ${last.id?.slice(0, 8)}`)).toEqual(last);
    expect(await json<StatsReport>('route stats')).toMatchObject({ requests: 2, chains: [] });
    running = await up();
    expect(await json<DecisionRecord>(`why ${last.id}`)).toEqual(last);
  });

  test('the line in the log says the same as the record', async () => {
    const record = await json<DecisionRecord>('why');
    const lines = readFileSync(join(folder, 'logs/signalbox.jsonl'), 'utf8').split('\n').slice(0, -1);
    const line = lines
      .map((one) => JSON.parse(one))
      .find((one) => one.event === 'request_routed' && one.request_id === record.id);
    expect(line).toMatchObject({
      model: record.asked,
      rule: record.rule.kind,
      state: record.state,
      prompt_tokens: record.usage?.promptTokens,
      completion_tokens: record.usage?.completionTokens,
      attempts: record.attempts.map(({ deployment, source, outcome }) => ({ deployment, source, outcome })),
    });
    expect(`${line.provider}/${line.backend_model}`).toBe(record.answeredBy);
    expect(Math.abs(line.latency_ms - (record.timing.totalMs ?? 0))).toBeLessThan(0.1);
    expect(Math.abs(line.ttft_ms - (record.timing.firstTokenMs ?? 0))).toBeLessThan(0.1);
  });

  test('6.2 what was really routed, by turns, by draws and after a failure, is chosen again by its replay', async () => {
    for (let count = 0; count < 25; count++) await Promise.all([ask('turns'), ask('draws'), ask('n')]);
    const report = await json<ReplayReport>('route replay --plan config');
    expect(report).toMatchObject({ requests: 77, moved: 0, agreement: 1, otherPlan: 0 });
    const { pools } = await json<StatsReport>('route stats');
    expect(pools.map(({ group, requests }) => [group, requests]).sort()).toEqual([
      ['draws', 25],
      ['turns', 25],
    ]);
  }, 30_000);

  test('what an upstream says of a prompt is not kept', async () => {
    upstream.script(fault(400, `I do not take: ${words}`));
    await ask('n');
    const { attempts, refusal, state } = await json<DecisionRecord>('why');
    expect([state, attempts.length]).toEqual(['upstream_error', 1]);
    expect(attempts[0]?.detail?.length).toBeGreaterThan(10);
    expect(refusal?.message).toBe(attempts[0]?.detail);
    await json<StatsReport>('route stats');
    expect(file()).not.toContain(words);
  });

  test.each([
    ['wrong_type', `{"model": "n", "messages": "${words}"}`],
    ['bad_json', `{"model": "n", "messages": [{"role": "user", "content": "${words}"]}`],
    ['duplicate_key', `{"model": "n", "messages": [], "${words}": 1, "${words}": 2}`],
    ['bad_request', `{"model": "${words} \\ud800", "messages": [{"role": "user", "content": "x"}]}`],
  ])('nothing of a request that is refused is kept: %s', async (_kind, body) => {
    const answer = await fetch(`${running.address.url}/v1/chat/completions`, { method: 'POST', body });
    expect(answer.status).toBe(400);
    await answer.text();
    const { refusal, state } = await json<DecisionRecord>('why');
    expect([state, refusal?.message]).toEqual(['rejected', expect.not.stringContaining(words.slice(0, 20))]);
    expect(file()).not.toContain(words.slice(0, 20));
  });

  test('explain supposes states, and times at which a cooldown is over', async () => {
    const first = async (more: string): Promise<unknown> =>
      (await json<DecisionRecord>(`route explain turns${more}`)).order;
    expect(await first(' --assume a=down')).toEqual(['b/n']);
    upstream.script(...Array.from({ length: 8 }, () => fault(500)));
    for (let count = 0; count < 4; count++) await ask('m');
    const now = await json<DecisionRecord>('route explain m');
    expect(now.candidates[0]).toMatchObject({ deployment: 'a/m', reason: 'cooling' });
    const later = await json<DecisionRecord>('route explain m --at 2h');
    expect(later.order[0]).toBe('a/m');
    expect((await runCommand(['route', 'explain', 'm', '--at', 'yesterday'], { folder })).code).toBe(64);
  });

  test('6.2 requests from before the first record are counted by the log', async () => {
    const before = await json<StatsReport>('route stats');
    await running.stop();
    rmSync(join(folder, '.signalbox/decisions.jsonl'));
    running = await up();
    await ask('m');
    const stats = await json<StatsReport>('route stats');
    expect(stats).toMatchObject({ requests: before.requests + 1, from: { records: 1, log: before.requests } });
    const over = (all: StatsReport): number => all.answered + all.errors;
    expect(over(stats)).toBe(over(before) + 1);
    expect(stats.providers.map(({ provider }) => provider)).toEqual(before.providers.map(({ provider }) => provider));
  });
});
