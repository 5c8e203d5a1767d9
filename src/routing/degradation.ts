import type { Decision, Degradation, PlannedAttempt } from '../plan/decision.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';
import { rankOfTier, tierOf } from './filter.ts';

/** Whether an answer of an attempt is less than what was asked for, and why; told to the client in a header. */
export function degradationOf(
  plan: Plan,
  decision: Decision,
  attempt: Pick<PlannedAttempt, 'deployment' | 'model' | 'source' | 'group'>,
): Degradation | undefined {
  const asked = decision.asked ?? 'auto';
  if (decision.rule.kind === 'default_chain') return { reason: 'default_chain', from: asked, to: attempt.model };
  const group = decision.group === undefined ? undefined : plan.groups[decision.group];
  if (group?.unsatisfied !== undefined && attempt.source === 'group')
    return { reason: 'unsatisfied', from: group.unsatisfied, to: attempt.model };
  const own = decision.candidates.filter((candidate) => candidate.source === 'group');
  const [first] = own;
  if (first === undefined || attempt.source === 'group') return undefined;
  const exclusions = own.map(({ verdict }) => (verdict.kind === 'excluded' ? verdict.reason : undefined));
  // What a person empties comes back; what is disabled rests until the configuration says otherwise.
  if (exclusions.every((one) => one === 'disabled' || one === 'draining'))
    return { reason: exclusions.includes('draining') ? 'draining' : 'disabled', from: asked, to: attempt.model };
  const answering = attempt.group === undefined ? undefined : plan.groups[attempt.group];
  const from = tierOf(plan, deploymentAt(plan, first.deployment), group);
  const to = tierOf(plan, deploymentAt(plan, attempt.deployment), answering);
  return (rankOfTier(to) ?? 0) < (rankOfTier(from) ?? 0) ? { reason: 'tier', from, to } : undefined;
}
