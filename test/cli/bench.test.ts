import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BenchReport } from '../../src/contract/bench-report.ts';
import { type Running, start } from '../../src/main.ts';
import { type Ran, runCommand } from '../support/terminal.ts';

let folder = '';
let running: Running;
const bench = (...words: string[]): Promise<Ran> => runCommand(['bench', ...words], { folder });
const measured = async (...words: string[]): Promise<BenchReport> => {
  const { out, err } = await bench(...words, '--json');
  expect(out, err).toContain('"sides"');
  // The shape of --json, which another test proves.
  return JSON.parse(out) as BenchReport;
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  mkdirSync(join(folder, 'config'));
  const price = 'input_cost_per_token: 0.001, output_cost_per_token: 0.01';
  writeFileSync(
    join(folder, 'config/providers.yaml'),
    `providers:
  near: {type: echo, models: [word]}
  far: {type: echo, tier: cloud_premium, models: [{name: word, ${price}}, {name: alone, ${price}}]}
  gone: {type: openai_compatible, base_url: "http://127.0.0.1:1", models: [lost]}
`,
  );
  writeFileSync(
    join(folder, 'config/model-mappings.yaml'),
    'exact_matches:\n  here: {provider: near, backend_model: word}\n  lost: {provider: gone, fallback: alone}\n',
  );
  running = await start({ folder, port: 0, environment: {}, log: { output: undefined, file: false } });
});
afterAll(async () => {
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('6.2 F6 bench', () => {
  test('measures a name through the running gateway; the warm-up is not counted', async () => {
    const { asked, sides } = await measured('here', '--requests', '4', '--concurrency', '2', '--prompt-tokens', '50');
    expect(asked).toMatchObject({ requests: 4, concurrency: 2, promptTokens: 50, maxTokens: 64 });
    const [side] = sides;
    expect(side).toMatchObject({ asked: 'here', answered: 4, failed: 0, routes: { 'near/word': 4 } });
    expect(side?.samples).toHaveLength(4);
    // Nobody has stated a price, and four answers have no twentieth part.
    expect([side?.costUsd, side?.firstTokenP95Ms, side?.totalP95Ms]).toEqual([null, null, null]);
    expect(side?.throughput).toBeGreaterThan(0);
    expect(side?.promptTokens).toBeGreaterThan(30);
  });

  test('providers side by side, each alone, with what was paid', async () => {
    const report = await measured('word', '--compare', 'near', '--compare', 'far', '--requests', '3', '--yes');
    expect(report.sides.map((one) => [one.asked, one.routes])).toEqual([
      ['near/word', { 'near/word': 3 }],
      ['far/word', { 'far/word': 3 }],
    ]);
    const [near, far] = report.sides;
    expect(near?.costUsd).toBeNull();
    // The prompt's and the answer's tokens of four requests; the echo answers with what it is asked.
    expect(far?.costUsd).toBeCloseTo(4 * 0.011 * (far?.completionTokens ?? 0), 1);
    expect(report.comparisons).toMatchObject([{ before: 'near/word', total: { verdict: 'too_few', p: null } }]);
  });

  test('before and after: what was saved is held against what is measured', async () => {
    expect((await bench('here', '--requests', '30', '--save', 'before.json')).code).toBe(0);
    const { comparisons } = await measured('here', '--requests', '30', '--against', 'before.json');
    expect(comparisons).toHaveLength(1);
    expect(comparisons[0]?.before).toMatch(/^here \(\d{4}-.*Z\)$/);
    expect(comparisons[0]?.total.p).toBeTypeOf('number');
    // Times that were ten seconds differ from these by more than chance.
    const saved = readFileSync(join(folder, 'before.json'), 'utf8').replaceAll(/"totalMs": \d+/g, '"totalMs": 10000');
    writeFileSync(join(folder, 'slow.json'), saved);
    const slower = await measured('here', '--requests', '30', '--against', 'slow.json');
    expect(slower.comparisons[0]?.total.verdict).toBe('differs');
  }, 30_000);

  test('a result of another load is not compared', async () => {
    await bench('here', '--requests', '1', '--save', 'short.json');
    const ran = await bench('here', '--max-tokens', '8', '--against', 'short.json');
    expect([ran.code, ran.err]).toEqual([1, expect.stringContaining('with 64 max tokens, and this is 8')]);
    const none = await bench('here', '--against', 'nothing.json');
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('is no result of a measurement')]);
  });

  test('who is not local is asked only after a yes, with how many requests and what they cost at most', async () => {
    const ran = await bench('alone', '--requests', '4', '--prompt-tokens', '100', '--max-tokens', '10');
    expect(ran.code).toBe(1);
    // Five requests of 100 × 0.001 + 10 × 0.01.
    expect(ran.err).toContain('5 requests of about 100 tokens, answers of at most 10; they cost about $1.00 at most');
    expect(ran.err).toContain('far is not local');
    expect(ran.err).toContain('--yes');
    const last = await runCommand(['why', 'last', '--json'], { folder });
    expect(last.out).not.toContain('"asked":"alone"');
  });

  test('a name or a provider that is none is told before anything is asked', async () => {
    expect((await bench('her')).err).toContain('Did you mean "here"?');
    expect((await bench('here', '--compare', 'gone')).err).toContain('"gone" does not serve "here"');
  });

  test('a side that gives no answer fails, in the gateway’s words', async () => {
    const ran = await bench('lost', '--requests', '2');
    expect([ran.code, ran.out]).toEqual([1, expect.stringContaining('0 of 2')]);
    expect(ran.out).toMatch(/lost: .*(refused|reach|connect)/i);
    // Its fallback costs money, to which nobody has said yes.
    const last = await runCommand(['why', 'last', '--json'], { folder });
    expect(last.out).not.toContain('"answeredBy":"far/alone"');
  });

  test('a person reads how few there were', async () => {
    const { out, err } = await bench('here', '--requests', '2');
    expect(out).toContain('here: 2 answers, too few to tell a p95');
    expect(out).toContain('prompt: "Measurement 0. Count up');
    expect(err).toContain('what they cost is not known');
  });
});
