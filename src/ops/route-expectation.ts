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
    unless(answer === undefined || isCalled(decision.order[0], answer), 'answer', answer, decision.order[0]),
    unless(order === undefined || isInOrder(decision.order, order), 'order', order, decision.order),
    unless(chain === undefined || isInOrder(behind, chain), 'chain', chain, behind),
    ...neverMismatches(expected, decision),
    unless(rule === undefined || decision.rule.kind === rule, 'rule', rule, decision.rule.kind),
    unless(group === undefined || decision.group === group, 'group', group, decision.group),
    unless(
      strategy === undefined || decision.strategy === strategyName(strategy),
      'strategy',
      strategy,
      decision.strategy,
    ),
    unless(
      complexity === undefined || decision.complexity?.level === complexity,
      'complexity',
      complexity,
      decision.complexity?.level ?? 'not asked for by the configuration',
    ),
    ...verdictMismatches(expected, decision),
    unless(refused === undefined || decision.refusal?.code === refused, 'refused', refused, refusalText(decision)),
    unless(
      degraded === undefined ||
        (typeof degraded === 'string' ? reason === degraded : (reason !== undefined) === degraded),
      'degraded',
      degraded === undefined ? undefined : String(degraded),
      decision.degraded ?? 'false',
    ),
  ].flat();
}

function unless(
  holds: boolean,
  what: string,
  expected: string | readonly string[] | undefined,
  found: string | readonly string[] | null | undefined,
): readonly Mismatch[] {
  return holds ? [] : [{ what, expected: listText(expected), found: listText(found) }];
}

function listText(value: string | readonly string[] | null | undefined): string {
  if (value === null || value === undefined) return 'nobody';
  if (typeof value === 'string') return value;
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
