import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RouteTestReport } from '../../src/contract/route-test.ts';
import { type Ran, runCommand } from '../support/terminal.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-route-test-'));
  mkdirSync(join(folder, 'config'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'config', `${name}.yaml`), text);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = {
  providers: `
providers:
  home: {type: llama_cpp, base_url: "http://127.0.0.1:8080", models: [{name: small, context_length: 4096}]}
  den: {type: llama_cpp, base_url: "http://127.0.0.1:8081", models: [{name: small, context_length: 4096}]}
  cloud:
    type: openai_compatible
    base_url: https://models.example/v1
    tier: cloud_premium
    models: [{name: large, context_length: 131072, capabilities: [tools]}]
`,
  'model-mappings': `
load_balancing:
  small:
    strategy: weighted_round_robin
    providers: [{provider: home, weight: 0.7}, {provider: den, weight: 0.3}]
exact_matches:
  large: {provider: cloud, fallback: small}
fallback_chains:
  small: {chain: [large]}
patterns:
  - {pattern: "^tiny-.*", provider: home}
capabilities:
  thorough: {providers: [cloud], preferred_models: [large]}
`,
  settings: `
server_settings:
  keys: [{name: laptop, key: os.environ/LAPTOP_KEY, models: [small]}]
rate_limit_settings:
  limits: {large: {rpm: 10}}
`,
};

const run = (text: string, ...words: string[]): Promise<Ran> => {
  writeFileSync(join(folder, 'config/route-tests.yaml'), text);
  return runCommand(['route', 'test', ...words], { folder, environment: { LAPTOP_KEY: 'sk-0123456789abcdef' } });
};

/** A test that says the truth passes; one that says something else fails, and says what was found. */
async function check(asked: string, truth: string, untruth: string, found: string): Promise<void> {
  const ran = await run(`tests:\n  - {name: it, ${asked}, expect: {${truth}}}\n`);
  expect(ran.code, ran.out + ran.err).toBe(0);
  const wrong = await run(`tests:\n  - {name: it, ${asked}, expect: {${untruth}}}\n`, '--json');
  // The shape of --json, which another test proves.
  const { failed, tests } = JSON.parse(wrong.out) as RouteTestReport;
  expect([wrong.code, failed], wrong.out).toEqual([1, 1]);
  expect(tests[0]?.mismatches.map((one) => one.found).join('; ')).toContain(found);
  expect(tests[0]?.decision?.rule.text).not.toBe('');
}

const small = 'request: {model: small}';
const large = 'request: {model: large}';

describe('6.2 route test: what can be asked and expected', () => {
  test.each([
    ['who answers, by provider', small, 'answer: home', 'answer: den', 'home/small'],
    ['who answers, by deployment', small, 'answer: home/small', 'answer: home/large', 'home/small'],
    ['the whole order', small, 'order: [home, den, cloud]', 'order: [home, den]', 'cloud/large'],
    ['the chain behind the name', small, 'chain: [cloud/large]', 'chain: []', 'cloud/large'],
    ['the rule: a name', small, 'rule: name', 'rule: pattern', 'name'],
    ['the rule: a pattern', 'request: {model: tiny-1}', 'rule: pattern', 'rule: name', 'pattern'],
    [
      'the group and its strategy, in any spelling',
      small,
      'group: small, strategy: load_balance',
      'strategy: direct',
      'weighted_round_robin',
    ],
    ['a provider that is down', `${small}, given: {states: {home: down}}`, 'answer: den', 'answer: home', 'den/small'],
    [
      'a provider that is disabled',
      `${small}, given: {states: {home: disabled}}`,
      'verdicts: {home: disabled}',
      'verdicts: {home: down}',
      'is disabled',
    ],
    [
      'a type of providers',
      `${small}, given: {states: {llama_cpp: down}}`,
      'answer: cloud, degraded: false',
      'degraded: true',
      'false',
    ],
    [
      'one deployment',
      `${small}, given: {states: {home/small: draining}}`,
      'answer: den',
      'verdicts: {home/small: chosen}',
      'draining',
    ],
    [
      'a model that loads',
      `${small}, given: {states: {home: {state: loading, for: 30s}}}`,
      'answer: den',
      'answer: home',
      'den/small',
    ],
    [
      'a model that is missing is tried last',
      `${small}, given: {states: {home: missing}}`,
      'order: [den, home, cloud]',
      'answer: home',
      'den/small',
    ],
    [
      'a cooldown',
      `${small}, given: {states: {home: {state: cooling, for: 60s}}}`,
      'verdicts: {home: cooling}',
      'verdicts: {home: chosen}',
      'cooling',
    ],
    [
      'a cooldown that has ended',
      `request: {model: small, after: 61s}, given: {states: {home: {state: cooling, for: 60s}}}`,
      'answer: home',
      'answer: den',
      'home/small',
    ],
    [
      'a limit that is full',
      `${large}, given: {full: [large]}`,
      'refused: rate_limit_exceeded',
      'answer: cloud',
      'nobody',
    ],
    [
      'a limit that has room again',
      `request: {model: large, after: 62s}, given: {full: [large]}`,
      'answer: cloud',
      'refused: rate_limit_exceeded',
      'no refusal',
    ],
    [
      'a lower tier is degraded',
      `${large}, given: {states: {cloud: down}}`,
      'answer: home, degraded: tier',
      'degraded: disabled',
      'tier',
    ],
    [
      'a disabled name is degraded',
      `${large}, given: {states: {cloud: disabled}}`,
      'degraded: disabled',
      'degraded: false',
      'disabled',
    ],
    [
      'the least tier',
      `request: {model: large, headers: {X-Signalbox-Min-Tier: cloud_premium}}, given: {states: {cloud: down}}`,
      'refused: no_deployment_ready',
      'answer: home',
      'nobody',
    ],
    [
      'a long prompt',
      'request: {model: small, tokens: 20000}',
      'answer: cloud, verdicts: {home: context}, never: [den]',
      'never: [cloud]',
      'number 1',
    ],
    [
      'a capability by its header',
      'request: {headers: {x-capability: thorough}}',
      'rule: capability, answer: cloud',
      'rule: name',
      'capability',
    ],
    [
      'no fallbacks',
      `request: {model: small, disable_fallbacks: true}`,
      'order: [home, den]',
      'chain: [cloud]',
      'nobody',
    ],
    [
      'the request’s own fallback',
      `request: {model: small, fallbacks: [large]}`,
      'chain: [cloud/large]',
      'chain: []',
      'cloud/large',
    ],
    [
      'the rights of a key',
      `request: {model: large, key: laptop}`,
      'refused: key_not_allowed',
      'answer: cloud',
      'nobody',
    ],
    [
      'a name that nobody knows',
      `request: {model: nothing-such}`,
      'refused: model_not_found, rule: none',
      'rule: name',
      'none',
    ],
  ])('%s', (_title, asked, truth, untruth, found) => check(asked, truth, untruth, found));
});

describe('6.2 route test: a test that would prove nothing is an error at its line', () => {
  test.each([
    [
      'a state of nobody',
      `${small}, given: {states: {hme: down}}, expect: {answer: home}`,
      'no provider or deployment "hme"',
      'Write "home"',
    ],
    [
      'a limit that is not declared',
      `${small}, given: {full: [small]}, expect: {answer: home}`,
      'no limit of "small"',
      '',
    ],
    ['never, and nobody', `${small}, expect: {never: [clod]}`, 'no provider or deployment "clod"', 'Write "cloud"'],
    ['no expectation', `${small}, expect: {}`, 'expects nothing', ''],
    ['an answer of nobody', `${small}, expect: {answer: hom}`, 'no provider or deployment "hom"', 'Write "home"'],
    ['an order of nobody', `${small}, expect: {order: [hom]}`, 'no provider or deployment "hom"', 'Write "home"'],
    ['a chain of nobody', `${small}, expect: {chain: [clod]}`, 'no provider or deployment "clod"', 'Write "cloud"'],
    [
      'a verdict of nobody',
      `${small}, expect: {verdicts: {hom: down}}`,
      'no provider or deployment "hom"',
      'Write "home"',
    ],
    ['a group that is no name', `${small}, expect: {group: smal}`, 'no name "smal"', 'Write "small"'],
    [
      'work of nobody',
      `${small}, given: {busy: {hme: 1}}, expect: {answer: home}`,
      'no provider or deployment "hme"',
      'Write "home"',
    ],
    [
      'a list of nobody',
      `${small}, given: {listed: {hme: [x]}}, expect: {answer: home}`,
      'no provider "hme"',
      'Write "home"',
    ],
    [
      'a key that is not known',
      `request: {modle: small}, expect: {answer: home}`,
      'Unknown key "modle"',
      'Write "model"',
    ],
    ['a state that is none', `${small}, given: {states: {home: dwon}}, expect: {answer: den}`, '"home"', ''],
    [
      'a strategy that is none',
      `${small}, expect: {strategy: loadbalance}`,
      'no strategy "loadbalance"',
      'Write "load_balance"',
    ],
    [
      'a key of nobody',
      `request: {model: small, key: lapto}, expect: {answer: home}`,
      'no key "lapto"',
      'Write "laptop"',
    ],
  ])('%s', async (_title, line, message, fix) => {
    const ran = await run(`tests:\n  - {name: it, ${line}}\n`);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain(message);
    expect(ran.err).toContain(fix);
    expect(ran.err).toContain('config/route-tests.yaml:2:');
  });
});

test('6.2 route test: what a person reads', async () => {
  const ran = await run(`# yaml-language-server: $schema=schemas/route-tests.schema.json
tests:
  - name: the pool is asked before the cloud
    request: {model: small}
    expect: {order: [home, den, cloud]}
  - name: nobody leaves the house
    request: {model: small}
    given: {states: {home: down}}
    expect: {answer: den, never: [cloud]}
`);
  await expect(ran.out).toMatchFileSnapshot(join(import.meta.dirname, 'goldens/frames/route test.txt'));
});

test('6.2 route test: a file of any name, and none', async () => {
  writeFileSync(join(folder, 'night.yaml'), `tests:\n  - {name: it, ${small}, expect: {answer: home}}\n`);
  expect((await runCommand(['route', 'test', 'night.yaml'], { folder })).code).toBe(0);
  const none = await runCommand(['route', 'test', 'noon.yaml'], { folder });
  expect([none.code, none.err]).toEqual([1, expect.stringContaining('no tests in "noon.yaml"')]);
});

test('6.1 route explain: what is assumed of nobody is told, and full limits can be supposed', async () => {
  const assumed = ['--assume', 'hme=down', '--assume', 'cloud/lrge=down', '--full', 'lrge'];
  const explained = await runCommand(['route', 'explain', 'small', ...assumed], { folder });
  expect(explained.out).toMatch(/what is assumed of "hme" changes nothing: .*did you mean "home"\?/);
  expect(explained.out).toMatch(/what is assumed of "cloud\/lrge" changes nothing: .*did you mean "cloud\/large"\?/);
  expect(explained.out).toMatch(/no limit of "lrge" is there to be full; did you mean "large"\?/);
  const full = await runCommand(['route', 'explain', 'large', '--full', 'large'], { folder });
  expect([full.code, full.out]).toEqual([1, expect.stringContaining('10 of 10 requests a minute')]);
  const lower = await runCommand(['route', 'explain', 'large', '--assume', 'cloud=down'], { folder });
  expect(lower.out).toContain('degraded  tier: from cloud_premium to local');
});
