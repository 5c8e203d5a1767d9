import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { strategySpellings } from '../../src/config/strategy-name.ts';
import type { StrategyList } from '../../src/contract/strategy-report.ts';
import { type Ran, runCommand } from '../support/terminal.ts';

const files = {
  providers: `providers:
  home: {type: llama_cpp, base_url: "http://127.0.0.1:8080", models: [shared]}
  den: {type: llama_cpp, base_url: "http://127.0.0.1:8081", models: [shared, other]}
`,
  'model-mappings': `# what our names mean
load_balancing:
  pool:
    providers:
      - home          # the fast one
      - {provider: den, preferred_model: shared, weight: 0.3}   # the patient one
    strategy: direct  # until we know better

capabilities:
  thorough:
    # large ones
    preferred_models: [shared, other]
`,
};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-strategy-'));
  mkdirSync(join(folder, 'config'));
  for (const [name, text] of Object.entries(files)) writeFileSync(pathOf(name), text);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const pathOf = (name: string): string => join(folder, 'config', `${name}.yaml`);
const strategy = (...words: string[]): Promise<Ran> => runCommand(['strategy', ...words], { folder });
const declaredBy = async (name: string): Promise<StrategyList['names'][number] | undefined> => {
  // The shape of --json, which another test proves.
  const { names } = JSON.parse((await strategy('show', name, '--json')).out) as StrategyList;
  return names[0];
};

/** A command changes these lines of this file and no other, and the configuration then says so. */
async function check(words: readonly string[], file: string, diff: readonly string[]): Promise<void> {
  const before = readOrEmpty(pathOf(file));
  const ran = await strategy('set', ...words);
  expect(ran.code, ran.err).toBe(0);
  const after = readFileSync(pathOf(file), 'utf8');
  const [old, young] = [before.split('\n'), after.split('\n')];
  const came = young.filter((line) => !old.includes(line)).map((line) => `+ ${line}`);
  const left = old.filter((line) => !young.includes(line)).map((line) => `- ${line}`);
  expect([...left, ...came]).toEqual(diff);
  for (const line of diff) expect(ran.out).toContain(line);
  expect((await runCommand(['validate'], { folder })).code).toBe(0);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

describe('6.2 strategy set: comments and order stay', () => {
  test('a pool’s strategy', async () => {
    const line = (word: string): string => `    strategy: ${word}  # until we know better`;
    await check(['pool', 'soonest'], 'model-mappings', [`- ${line('direct')}`, `+ ${line('soonest')}`]);
    expect(await declaredBy('pool')).toMatchObject({
      strategy: 'soonest',
      file: 'config/model-mappings.yaml',
      line: 7,
    });
  });

  test('and its weights', async () => {
    await check(['pool', 'weighted', '--weights', 'home=0.6,den/shared=0.4'], 'model-mappings', [
      '-       - home          # the fast one',
      '-       - {provider: den, preferred_model: shared, weight: 0.3}   # the patient one',
      '-     strategy: direct  # until we know better',
      '+       - {provider: home, weight: 0.6}          # the fast one',
      '+       - {provider: den, preferred_model: shared, weight: 0.4}   # the patient one',
      '+     strategy: weighted  # until we know better',
    ]);
    expect((await declaredBy('pool'))?.members.map((one) => one.weight)).toEqual([0.6, 0.4]);
  });

  test('a capability that declares none', async () => {
    await check(['thorough', 'load_balance'], 'model-mappings', ['+     routing_strategy: load_balance']);
    expect(await declaredBy('thorough')).toMatchObject({ strategy: 'weighted_round_robin', from: 'declared' });
  });

  test('a model of two providers becomes a pool of them', async () => {
    await check(['shared', 'least_loaded', '--weights', 'home=0.9,den=0.1'], 'model-mappings', [
      '+   shared: {strategy: least_loaded, providers: [{provider: home, weight: 0.9}, {provider: den, weight: 0.1}]}',
    ]);
    expect(await declaredBy('shared')).toMatchObject({ strategy: 'least_busy', from: 'declared' });
  });
});

describe('C1 runbook "Updating Model Routing Strategy": one command for its two steps', () => {
  test('from simple-shuffle to usage-based-routing-v2, where no settings are written yet', async () => {
    await check(['default', 'usage-based-routing-v2'], 'settings', [
      '+ router_settings:',
      '+   routing_strategy: usage-based-routing-v2',
    ]);
    expect(await declaredBy('shared')).toMatchObject({ strategy: 'usage_based_routing', from: 'usual', line: 2 });
  });

  test('and where they are', async () => {
    writeFileSync(pathOf('settings'), 'router_settings:\n  num_retries: 1   # enough\nserver_settings: {port: 0}\n');
    await check(['default', 'latency-based-routing'], 'settings', ['+   routing_strategy: latency-based-routing']);
  });

  test('where it was edited in the generated file, that edit is what changes', async () => {
    await strategy('set', 'default', 'simple-shuffle');
    await runCommand(['generate'], { folder });
    const unified = pathOf('litellm-unified');
    writeFileSync(unified, readFileSync(unified, 'utf8').replace('simple-shuffle', 'least-busy'));
    expect((await runCommand(['config', 'show', 'routing_strategy'], { folder })).out).toContain(
      'litellm-unified.yaml:',
    );
    await check(['default', 'latency-based-routing'], 'litellm-unified', [
      '-   routing_strategy: least-busy',
      '+   routing_strategy: latency-based-routing',
    ]);
    expect(await declaredBy('shared')).toMatchObject({ strategy: 'latency_based_routing', from: 'usual' });
    rmSync(unified);
  });

  test('the generated file that the runbook edits is told to be written anew, and a change of it is refused', async () => {
    await runCommand(['generate'], { folder });
    const { out } = await strategy('set', 'default', 'least-busy');
    expect(out).toContain('config/litellm-unified.yaml is as it was; write it anew with: signalbox generate');
    rmSync(pathOf('providers'));
    const refused = await strategy('set', 'default', 'least-busy');
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('is written by signalbox generate')]);
  });

  test('a LiteLLM file is edited where it says router_settings', async () => {
    const path = join(folder, 'litellm.yaml');
    const own = 'model_list:\n  - model_name: a\n    litellm_params: {model: ollama/a}\n';
    writeFileSync(path, `${own}router_settings: {routing_strategy: simple-shuffle} # ours\n`);
    const ran = await strategy('set', 'default', 'least-busy', '--config', 'litellm.yaml');
    expect(ran.code, ran.err).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe(`${own}router_settings: {routing_strategy: least-busy} # ours\n`);
  });
});

test.each(strategySpellings)('C1 every spelling is taken as argument and kept: %s', async (spelling) => {
  const ran = await strategy('set', 'pool', spelling);
  expect(ran.code, ran.err).toBe(0);
  expect(await declaredBy('pool')).toMatchObject({ spelling });
});

test.each([
  ['a name that is none', ['pol', 'direct'], 'No name is called "pol"', 'Did you mean "pool"?'],
  ['a strategy that is none', ['pool', 'loadbalance'], 'No strategy is called "loadbalance"', 'load_balance'],
  ['a member that is none', ['pool', 'weighted', '--weights', 'hme=1'], '"pool" has no member "hme"', 'home'],
  ['weights of a capability', ['thorough', 'direct', '--weights', 'home=1'], 'have no weights', 'load_balancing'],
  ['weights of everything', ['default', 'direct', '--weights', 'home=1'], 'belong to one name', 'a pool'],
  ['one deployment', ['other', 'direct'], 'has one deployment', 'load_balancing'],
])('6.2 strategy set refuses, and nothing is written: %s', async (_title, words, message, fix) => {
  const ran = await strategy('set', ...words);
  expect(ran.code).toBe(1);
  expect(ran.err).toContain(message);
  expect(ran.err).toContain(fix);
  for (const [name, text] of Object.entries(files)) expect(readFileSync(pathOf(name), 'utf8')).toBe(text);
});

test('6.2 strategy set: what would not compile is not written', async () => {
  const mappings = `${files['model-mappings']}routing_strategies:\n  careful: {weight_factors: {latency: 1}, applicable_to: [shared]}\n`;
  writeFileSync(pathOf('model-mappings'), mappings);
  const ran = await strategy('set', 'shared', 'direct');
  expect([ran.code, ran.err]).toEqual([1, expect.stringContaining('conflicting-declarations')]);
  expect(ran.err).toContain('stays as it is');
  expect(readFileSync(pathOf('model-mappings'), 'utf8')).toBe(mappings);
});

test('6.2 strategy set: weights that are none are wrong usage', async () => {
  const ran = await strategy('set', 'pool', 'weighted', '--weights', 'home');
  expect([ran.code, ran.err]).toEqual([64, expect.stringContaining('NAME=NUMBER')]);
});

test('6.2 strategy show: what a person reads', async () => {
  const frame = (name: string): string => join(import.meta.dirname, `goldens/frames/strategy show${name}.txt`);
  await expect((await runCommand(['strategy', 'show'], { folder, columns: 140 })).out).toMatchFileSnapshot(
    frame(', 140 columns'),
  );
  await expect((await runCommand(['strategy', 'show', 'pool'], { folder, columns: 140 })).out).toMatchFileSnapshot(
    frame(' pool, 140 columns'),
  );
  await expect((await runCommand(['strategy', 'show', 'default'], { folder, columns: 140 })).out).toMatchFileSnapshot(
    frame(' default, 140 columns'),
  );
  await expect((await strategy('set', 'pool', 'least_loaded')).out).toMatchFileSnapshot(
    join(import.meta.dirname, 'goldens/frames/strategy set pool.txt'),
  );
});
