import { expect, test } from 'vitest';
import { compile } from '../../src/config/compile.ts';
import { parseCondition } from '../../src/config/condition-parser.ts';
import type { SourceFile } from '../../src/config/source-file.ts';
import { milliseconds, tokens } from '../../src/plan/ids.ts';
import { holds } from '../../src/routing/condition.ts';
import { createLookup } from '../../src/routing/facts.ts';
import { createRoutingState } from '../../src/routing/state.ts';
import { factsOf, planOf } from '../support/plan-of.ts';

/* What a condition means, from its text to whether it holds, row by row of docs/reference/conditions.md. */

const plan = planOf({
  providers: { off: { status: 'disabled' } },
  deployments: { 'near/m': { sizeBillions: 13 }, 'off/m': {} },
  groups: { m: ['near/m'] },
});

/** For a stream of 75 tokens of prompt, a premium one, with two headers. */
const facts = factsOf({
  asked: 'm',
  stream: true,
  promptTokens: tokens(75),
  qualityTier: 'premium',
  headers: new Map([
    ['x-priority', 'High'],
    ['x-team.name', "the day's"],
  ]),
});

test.each<readonly [source: string, isTrue: boolean]>([
  ['tokens == 75', true],
  ['tokens != 75', false],
  ['tokens < 75', false],
  ['tokens <= 75', true],
  ['tokens > 74.5', true],
  ['tokens >= 76', false],
  ['50 <= tokens <= 100', true],
  ['50 <= tokens <= 60', false],
  ['80 <= tokens <= 100', false],
  ['100 > tokens > 50', true],
  // `not` binds closest, then `and`, then `or`; brackets go before all of them.
  ['always or stream and not stream', true],
  ['(always or stream) and not stream', false],
  ['not stream or always', true],
  ['not (stream or always)', false],
  ['not not stream', true],
  // Words in any case, or signs.
  ['stream AND always', true],
  ['stream && !always', false],
  ['!stream || always', true],
  ['NOT stream OR tokens > 1', true],
  // Sizes, bare or quoted, and numbers.
  ['model_size == 13B', true],
  ['model_size >= "13B"', true],
  ["model_size < '70b'", true],
  ['model_size < 1T', true],
  ['model_size > 0.5b', true],
  // Text in either quotes, or bare behind a comparison.
  ["quality == 'premium'", true],
  ['quality == "premium"', true],
  ['quality == premium', true],
  ['quality == standard', false],
  ['stream == true', true],
  ['stream == false', false],
  ['true', true],
  ['false', false],
  ['stream == True', true],
  ['stream == FALSE', false],
  // Levels have their own order, whatever their letters.
  ['complexity >= low', true],
  ['complexity < high', true],
  ['complexity <= medium', true],
  ['header.x-priority > medium', true],
  ['header.x-priority < Low', false],
  // Names with hyphens and dots.
  ['header.x-priority == high', true],
  ['header.x-team.name == "the day\'s"', true],
  ['header.x-none == high', false],
  ['off_unavailable', true],
  ['near_unavailable', false],
])('1.2 %s: %s', (source, isTrue) => {
  const parsed = parseCondition(source);
  if (parsed.kind !== 'condition') throw new Error(JSON.stringify(parsed));
  const state = createRoutingState(plan, milliseconds(0));
  expect(holds(parsed.condition, createLookup({ plan, state, facts, now: milliseconds(0) }, plan.groups[0]))).toBe(
    isTrue,
  );
});

test.each([
  ['tokens >', 'syntax'],
  ['(stream', 'syntax'],
  ['stream always', 'syntax'],
  ['stream & always', 'syntax'],
  ["quality == 'premium", 'syntax'],
  ['', 'syntax'],
  ['token > 5', 'unknown'],
])('1.2 %j is no condition: %s', (source, kind) => {
  expect(parseCondition(source).kind).toBe(kind);
});

test.each([
  ['complexity == hgih', '"complexity" is low, medium or high, and "hgih" is not'],
  ['complexity > 50', '"complexity" is low, medium or high, and 50 is not'],
  ['tokens > "many"', '"tokens" is a number, and "many" is not'],
  ['1 < tokens < true', '"tokens" is a number, and true is not'],
  ['stream == maybe or always', '"stream" is true or false, and "maybe" is not'],
  ['not (near_unavailable == yes)', '"near_unavailable" is true or false, and "yes" is not'],
  ['header.Authorization != "x"', 'the header "authorization" carries a key, which no condition can read'],
])('1.2 %s is true of no request', (condition, why) => {
  const files: readonly SourceFile[] = [
    { kind: 'providers', path: 'providers.yaml', text: 'providers: {near: {type: ollama, models: [m]}}' },
    {
      kind: 'model-mappings',
      path: 'model-mappings.yaml',
      text: `load_balancing: {x: {providers: [{provider: near, condition: '${condition}'}]}}`,
    },
  ];
  const { diagnostics } = compile(files, { environment: {}, lenient: false });
  expect(diagnostics.map(({ code, message }) => ({ code, message }))).toEqual([
    { code: 'bad-condition', message: `The condition "${condition}" asks what never is: ${why}` },
  ]);
});
