import { strategyName } from '../config/strategy-name.ts';
import type { ExpectShape } from '../config/written-route-tests.ts';
import type { DecisionRecord } from '../contract/decision-record.ts';
import type { Mismatch } from '../contract/route-test.ts';

/** Everything about a decision that is not as it is expected. */
export function mismatchesOf(expected: ExpectShape, decision: DecisionRecord): readonly Mismatch[] {
  const { answer, order, chain, rule, group, strategy, complexity, refused, degraded } = expected;
  const behind = chainOf(decision);
  const reason = decision.degraded?.split(':')[0];
  return [
    unless('answer', answer, { found: decision.order[0], holds: (one) => isCalled(decision.order[0], one) }),
    unless('order', order, { found: decision.order, holds: (one) => isInOrder(decision.order, one) }),
    unless('chain', chain, { found: behind, holds: (one) => isInOrder(behind, one) }),
    ...neverMismatches(expected, decision),
    unless('rule', rule, { found: decision.rule.kind, holds: (one) => decision.rule.kind === one }),
    unless('group', group, { found: decision.group, holds: (one) => decision.group === one }),
    unless('strategy', strategy, {
      found: decision.strategy,
      holds: (one) => decision.strategy === strategyName(one),
    }),
    unless('complexity', complexity, {
      found: decision.complexity?.level ?? 'not asked for by the configuration',
      holds: (one) => decision.complexity?.level === one,
    }),
    ...verdictMismatches(expected, decision),
    unless('refused', refused, {
      found: refusalText(decision),
      holds: (one) => decision.refusal?.code === one,
    }),
    unless('degraded', degraded, {
      found: decision.degraded ?? 'false',
      holds: (one) => (typeof one === 'string' ? reason === one : (reason !== undefined) === one),
    }),
  ].flat();
}

type Found<Expected> = {
  readonly found: string | readonly string[] | null | undefined;
  readonly holds: (expected: Expected) => boolean;
};

/** What is not expected is as it may. */
function unless<Expected extends string | boolean | readonly string[]>(
  what: string,
  expected: Expected | undefined,
  { found, holds }: Found<Expected>,
): readonly Mismatch[] {
  if (expected === undefined || holds(expected)) return [];
  return [{ what, expected: listText(expected), found: listText(found) }];
}

function listText(value: string | boolean | readonly string[] | null | undefined): string {
  if (value === null || value === undefined) return 'nobody';
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  return value.length === 0 ? 'nobody' : value.join(', ');
}

function refusalText({ refusal, order }: DecisionRecord): string {
  return refusal === null ? `no refusal: ${order[0]} is asked` : refusal.code;
}

/** Whether a deployment is meant by a name: its own, or its provider's. */
function isCalled(deployment: string | undefined, name: string): boolean {
  return deployment === name || deployment?.slice(0, deployment.indexOf('/')) === name;
}

function isInOrder(found: readonly string[], wanted: readonly string[]): boolean {
  return found.length === wanted.length && wanted.every((name, index) => isCalled(found[index], name));
}

/** Who is asked once the deployments of the name itself have failed. */
function chainOf({ order, candidates }: DecisionRecord): readonly string[] {
  const own = candidates.filter((one) => one.source === 'group' && one.position !== null).length;
  return order.slice(own);
}

function neverMismatches({ never = [] }: ExpectShape, { order }: DecisionRecord): readonly Mismatch[] {
  return never.flatMap((name) => {
    const at = order.findIndex((one) => isCalled(one, name));
    return at === -1
      ? []
      : [{ what: 'never', expected: `${name} is not asked`, found: `it is asked as number ${at + 1}` }];
  });
}

function verdictMismatches({ verdicts = {} }: ExpectShape, { candidates }: DecisionRecord): readonly Mismatch[] {
  return Object.entries(verdicts).flatMap(([name, wanted]) => {
    // What has its place by one part of the configuration is met again by another, and left out there.
    const met = candidates.filter((one) => isCalled(one.deployment, name));
    const words = met.map((one) => (one.verdict === 'excluded' ? (one.reason ?? 'excluded') : one.verdict));
    if (words.includes(wanted)) return [];
    const detail = met.find((one) => one.detail !== null)?.detail;
    const found = words.length === 0 ? 'it is no candidate' : words.join(', ');
    return [
      { what: `verdict of ${name}`, expected: wanted, found: detail === undefined ? found : `${found}: ${detail}` },
    ];
  });
}
