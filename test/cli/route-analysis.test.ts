import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { recordsOf } from '../../src/analysis/fixtures/records-of-play.ts';
import { play } from '../../src/analysis/play.ts';
import { recordedWorld } from '../../src/analysis/recorded-world.ts';
import { toStored } from '../../src/analysis/stored-decision.ts';
import { arrivalsIn, workloadWorld } from '../../src/analysis/workload.ts';
import { compile } from '../../src/config/compile.ts';
import { readSources } from '../../src/config/read-sources.ts';
import { readWorkload } from '../../src/ops/read-workload.ts';
import { type Ran, runCommand } from '../support/terminal.ts';

const workload = {
  requests: [
    { model: 'fast', count: 400, per_second: 0.6, prompt_tokens: [100, 300], output_tokens: [50, 200], stream: true },
    { model: 'deep', count: 20, per_second: 0.05 },
  ],
  servers: {
    near: { first_token_ms: 200, ms_per_token: 15 },
    far: { first_token_ms: 400, ms_per_token: 10, failures: 0.02 },
    big: { first_token_ms: 900, ms_per_token: 30, down: [[60, 120]] },
  },
};
const provider = (models: readonly string[], more: object = {}): object => ({
  type: 'openai_compatible',
  base_url: 'http://127.0.0.1:1',
  models,
  ...more,
});
const providers = {
  near: provider(['small'], { max_parallel_requests: 1 }),
  far: provider(['small'], { max_parallel_requests: 1 }),
  big: provider(['deep']),
};
const poolOf = (near: number, far: number): object => ({
  load_balancing: {
    fast: {
      providers: [
        { provider: 'near', weight: near },
        { provider: 'far', weight: far },
      ],
      strategy: 'weighted_round_robin',
    },
  },
  fallback_chains: { deep: { chain: ['fast'] } },
});

describe('6.2 recorded requests, where no gateway runs', () => {
  let folder = '';
  const write = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const writeConfig = (name: string, mappings: object): void => {
    write(`${name}/providers.yaml`, stringify({ providers }));
    write(`${name}/model-mappings.yaml`, stringify(mappings));
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'signalbox-analysis-'));
    writeConfig('config', poolOf(0.9, 0.1));
    writeConfig('config-even', poolOf(0.5, 0.5));
    write('workload.yaml', stringify(workload));
    const sources = await readSources(join(folder, 'config'));
    const plan =
      sources.kind === 'sources' ? compile(sources.files, { environment: {}, lenient: true }).value : undefined;
    if (plan === undefined) throw new Error('What the test is made of is wrong');
    const read = readWorkload({ kind: 'other', path: 'workload.yaml', text: stringify(workload) }, plan);
    if (read.kind === 'wrong') throw new Error(read.message);
    const world = workloadWorld(plan, read.workload, { recorded: recordedWorld(plan, [], 5), seed: 5 });
    const records = recordsOf(plan, play(plan, arrivalsIn(plan, read.workload, 5), world), Date.UTC(2026, 10, 24, 8));
    write('.signalbox/decisions.jsonl', records.map((one) => `${JSON.stringify(toStored(one))}\n`).join(''));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const golden = (name: string, { out, err }: Ran): Promise<void> =>
    expect(`${out}${err}`.replaceAll(/\b[0-9a-f]{12}\b/g, 'HASH')).toMatchFileSnapshot(
      join(import.meta.dirname, 'goldens/analysis', `${name}.txt`),
    );

  test.each([
    ['stats', 'route stats --since 2026-11-24T08:00:00Z', 0],
    ['simulate a workload', 'route simulate --workload workload.yaml', 0],
    ['simulate what was recorded', 'route simulate', 0],
    ['replay through itself', 'route replay --plan config', 0],
    ['replay through another', 'route replay --plan config-even', 2],
    ['compare', 'route compare --before 2026-11-24T08:05:00Z --after 2026-11-24T08:05:00Z..2026-11-24T09:00:00Z', 0],
    ['advise', 'route advise', 0],
    ['wrong side', 'route compare --before nonsense --after 10m', 64],
    ['no plan', 'route replay', 64],
  ])('%s', async (name, line, code) => {
    const ran = await runCommand(line.split(' '), { folder });
    await golden(name, ran);
    expect(ran.code, ran.err).toBe(code);
  });

  test('6.2 compare: a side with no request has no part of errors, and no shares', async () => {
    const ran = await runCommand(
      'route compare --before 2026-11-23T08:00:00Z..2026-11-23T09:00:00Z --after 2026-11-24T08:00:00Z'.split(' '),
      { folder },
    );
    expect(ran.out.replaceAll(/ +/g, ' ')).toMatch(/^errors - 0 \(0\.0 %\)\n[\s\S]*^share of near - \d/m);
    expect(ran.out).toContain('times   the sample is too small to tell');
  });

  test('6.2 replay: a plan that is not there is another one to name', async () => {
    const ran = await runCommand('route replay --plan config-evn'.split(' '), { folder });
    expect([ran.code, ran.err]).toEqual([1, expect.stringMatching(/There is no ".*config-evn"\n.*--plan PATH/)]);
  });

  test('spine 4: where no gateway runs it is unknown what runs at a provider', async () => {
    const ran = await runCommand('provider show near --json'.split(' '), { folder });
    expect(JSON.parse(ran.out)).toMatchObject({ deployments: [{ inFlight: null }] });
    expect((await runCommand('provider show near'.split(' '), { folder })).out).not.toMatch(/ 0 /);
  });

  test('6.2 simulate says why requests would be refused', async () => {
    write('unknown.yaml', 'requests: [{model: nope, count: 5}]');
    const ran = await runCommand(['route', 'simulate', '--workload', 'unknown.yaml'], { folder });
    expect(ran.out).toContain('5 refused: The model "nope" does not exist');
  });

  test('why finds a request by its id', async () => {
    const ran = await runCommand(['why', '1.17', '--json'], { folder });
    expect(JSON.parse(ran.out)).toMatchObject({ id: '1.17', asked: 'fast' });
  });
});
