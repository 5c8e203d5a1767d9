import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conditionVariables, parseCondition } from '../src/config/condition-parser.ts';
import type { Condition } from '../src/plan/condition.ts';
import { milliseconds, tokens } from '../src/plan/ids.ts';
import type { RequestFacts } from '../src/plan/request-facts.ts';
import { type ConditionValue, holds } from '../src/routing/condition.ts';
import { decide } from '../src/routing/decide.ts';
import { fullLimit, usesOf } from '../src/routing/limits.ts';
import { measureTokens, tokensThisMinute } from '../src/routing/performance.ts';
import { reserve, sendReserved, settleReservation } from '../src/routing/reservations.ts';
import { createRoutingState } from '../src/routing/state.ts';
import { systemOf, systems } from './support/any-system.ts';
import { factsOf, planOf, seededRandom } from './support/plan-of.ts';

/*
 * What people write and what clients send may be anything. Nothing of it makes routing throw, and
 * its time grows with its length. The bounds of time are far above what is needed, and far below
 * what the square of the length would need.
 */

const secondsAllowed = 2;

function readCondition(source: string): Condition {
  const parsed = parseCondition(source);
  if (parsed.kind !== 'condition') throw new Error(`${source} is not read: ${JSON.stringify(parsed)}`);
  return parsed.condition;
}

function withinTime<Value>(work: () => Value): Value {
  const start = performance.now();
  const value = work();
  expect((performance.now() - start) / 1000).toBeLessThan(secondsAllowed);
  return value;
}

const values: fc.Arbitrary<ConditionValue> = fc.oneof(
  fc.constant(undefined),
  fc.boolean(),
  fc.double(),
  fc.string({ maxLength: 20 }),
);

const word = fc.constantFrom(...conditionVariables, 'header.x-a', 'ollama_unavailable', 'true', 'false');
const operand = fc.oneof(
  word,
  fc.nat(5000).map(String),
  fc.constantFrom('7B', '0.5b', '"13B"', "'a text'", '"high"', '""'),
);
const comparison = fc
  .tuple(operand, fc.array(fc.tuple(fc.constantFrom('==', '!=', '<', '<=', '>', '>='), operand), { maxLength: 3 }))
  .map(([first, others]) => [first, ...others.flat()].join(' '));
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    comparison,
    fc
      .tuple(tie('expression'), fc.constantFrom('AND', 'or', '&&', '||'), tie('expression'))
      .map(([left, sign, right]) => `${left} ${sign} ${right}`),
    fc.tuple(fc.constantFrom('NOT ', '!'), tie('expression')).map(([sign, inner]) => `${sign}(${inner})`),
  ),
}));

describe('4 conditions under attack', () => {
  test('what the grammar makes is read, and is true or false whatever is looked up', () => {
    fc.assert(
      fc.property(expression, fc.array(values, { minLength: 1, maxLength: 9 }), (source, found) => {
        const condition = readCondition(source);
        let asked = 0;
        expect(typeof holds(condition, () => found[asked++ % found.length])).toBe('boolean');
      }),
    );
  });

  test('any text at all is a condition, wrong, or names what is not known', () => {
    const pieces = fc.array(
      fc.oneof(expression, fc.string(), fc.constantFrom('(', ')', '<', '!', '"', "'", '&&', '.')),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          pieces.map((all) => all.join(' ')),
        ),
        (source) => {
          const parsed = parseCondition(source);
          expect(['condition', 'syntax', 'unknown']).toContain(parsed.kind);
          if (parsed.kind === 'condition') expect(typeof holds(parsed.condition, () => 'x')).toBe('boolean');
        },
      ),
    );
  });

  test('a variable that is not known is told by its name', () => {
    const unknown = fc.stringMatching(/^[a-z]{3,9}$/).filter((one) => !/^(and|or|not|true|false)$/.test(one));
    fc.assert(
      fc.property(
        unknown.filter((one) => !conditionVariables.some((known) => known === one)),
        expression,
        (name, rest) => {
          expect(parseCondition(`${name} > 3 && (${rest})`)).toEqual({ kind: 'unknown', name });
        },
      ),
    );
  });

  const long = 100_000;
  const times = (piece: string): string => piece.repeat(Math.ceil(long / piece.length));
  test.each([
    { name: 'joined', source: `${times('tokens > 1 AND ')}stream`, kind: 'condition' },
    { name: 'chained', source: `${times('1 <= ')}tokens`, kind: 'condition' },
    { name: 'followed by nothing', source: `${times('tokens > 1 AND ')}stream${' '.repeat(long)}`, kind: 'condition' },
    { name: 'of one number', source: times('9'), kind: 'condition' },
    { name: 'of one name', source: times('a'), kind: 'unknown' },
    { name: 'of one text', source: `stream == "${times('x')}"`, kind: 'condition' },
    { name: 'of open brackets', source: times('('), kind: 'syntax' },
    { name: 'of brackets', source: `${times('(')}stream${times(')')}`, kind: 'syntax' },
    { name: 'of signs for not', source: `${times('!')}stream`, kind: 'syntax' },
    { name: 'of words for not', source: `${times('NOT ')}stream`, kind: 'syntax' },
    { name: 'of a text that does not end', source: `stream == "${times("' ")}`, kind: 'syntax' },
    { name: 'of space', source: times(' '), kind: 'syntax' },
    { name: 'of names of providers', source: times('_unavailable'), kind: 'condition' },
  ])('100 KB $name are read in time', ({ source, kind }) => {
    const parsed = withinTime(() => parseCondition(source));
    expect(parsed.kind).toBe(kind);
    if (parsed.kind === 'condition') withinTime(() => holds(parsed.condition, () => 5));
  });

  test('a hundred brackets are read, and one more is told', () => {
    const nested = (depth: number): string => `${'('.repeat(depth)}stream${')'.repeat(depth)}`;
    expect(parseCondition(nested(100)).kind).toBe('condition');
    expect(parseCondition(nested(101))).toEqual({ kind: 'syntax', message: 'it is nested more than 100 deep' });
  });
});

describe('4 requests under attack', () => {
  const plan = planOf({
    deployments: ['a/m', 'b/m', 'c/*'],
    groups: {
      m: { members: [{ at: 'a/m', condition: readCondition('header.x-a == "b" || quality_tier > 3') }, 'b/m'] },
    },
    routing: { sizes: [{ source: '8B - 13B', minBillions: 8, maxBillions: 13, target: 'c/*' }] },
  });
  const megabyte = 2 ** 20;
  const hostile = ['a', '1', '-1', ':7', '1x', '1.', '/', ' ', ':', '\u0000', 'é', '\ud800'].map((piece) => ({
    piece: JSON.stringify(piece),
    text: piece.repeat(megabyte / piece.length),
  }));
  const places: readonly { readonly place: string; readonly facts: (text: string) => Partial<RequestFacts> }[] = [
    { place: 'name', facts: (text) => ({ asked: text }) },
    { place: 'capability', facts: (text) => ({ asked: undefined, capability: text }) },
    { place: 'header', facts: (text) => ({ asked: 'm', headers: new Map([['x-a', text]]) }) },
    { place: 'quality tier', facts: (text) => ({ asked: 'm', qualityTier: text }) },
    { place: 'least tier', facts: (text) => ({ asked: 'm', minTier: text }) },
    { place: 'priority', facts: (text) => ({ asked: 'm', priority: text }) },
    { place: 'tags', facts: (text) => ({ asked: 'm', tags: [text] }) },
    { place: 'fallback', facts: (text) => ({ asked: 'm', fallbacks: [text] }) },
  ];
  test.each(places)('a megabyte as $place is decided in time', ({ facts }) => {
    const state = createRoutingState(plan, milliseconds(0));
    for (const { text } of hostile) {
      const decision = withinTime(() => decide(plan, state, factsOf(facts(text)), milliseconds(1), () => 0.5));
      expect(decision.attempts.length > 0).toBe(decision.refusal === undefined);
    }
  });
});

describe('4 clocks under attack', () => {
  const beginning = milliseconds(0);
  const year2100 = milliseconds(Date.UTC(2100, 0));
  const clocks = fc.constantFrom(beginning, milliseconds(1), year2100, milliseconds(Number.MAX_SAFE_INTEGER));

  test('whatever the clock says, a decision is made, and is an attempt or a refusal', () => {
    fc.assert(
      fc.property(systems, clocks, (sample, now) => {
        const { plan, state, facts } = systemOf(sample);
        const { attempts, refusal } = withinTime(() => decide(plan, state, facts, now, seededRandom(sample.seed)));
        expect(refusal === undefined).toBe(attempts.length > 0);
      }),
    );
  });

  const limited = planOf({
    deployments: { 'a/m': { limit: { requestsPerMinute: 1, tokensPerMinute: 500, parallelRequests: undefined } } },
    groups: { m: { strategy: 'usage_based_routing', members: ['a/m'] } },
  });
  test.each([
    { name: 'from the beginning to 2100', used: beginning, asked: year2100, isFree: true },
    { name: 'within 2100', used: year2100, asked: year2100, isFree: false },
    { name: 'from 2100 back to the beginning', used: year2100, asked: beginning, isFree: false },
  ])('limits and counts that go $name are read in time', ({ used, asked, isFree }) => {
    const state = createRoutingState(limited, used);
    const { limits, performance: measured } = state;
    const [deployment] = limited.deployments;
    const indices = limits.ofDeployment[0] ?? [];
    const reservation = reserve(limits, indices, 100);
    if (reservation !== undefined) settleReservation(limits, sendReserved(limits, reservation, used), undefined, used);
    if (deployment !== undefined) measureTokens(measured, deployment.index, tokens(100), used);
    const full = withinTime(() => fullLimit(state, indices, 1, asked));
    expect(full === undefined).toBe(isFree);
    withinTime(() => indices.flatMap((index) => usesOf(limits, index, asked)));
    if (deployment !== undefined) withinTime(() => tokensThisMinute(measured, deployment.index, asked));
  });
});
