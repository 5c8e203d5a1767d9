import type { Decision, Degradation, PlannedAttempt } from '../plan/decision.ts';
import type { Plan } from '../plan/plan.ts';
import type { Tier } from '../plan/provider.ts';
import { rankOfTier } from './filter.ts';

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
  const from = tierOf(plan, first);
  const to = tierOf(plan, attempt);
  if (from === undefined || to === undefined) return undefined;
  return (rankOfTier(to) ?? 0) < (rankOfTier(from) ?? 0) ? { reason: 'tier', from, to } : undefined;
}

/** Tier that the name's own chain declares, else that of the provider. */
function tierOf(
  plan: Plan,
  { group, deployment: index }: Pick<PlannedAttempt, 'group' | 'deployment'>,
): Tier | undefined {
  const declared = group === undefined ? undefined : plan.groups[group]?.chain?.tier;
  const deployment = plan.deployments[index];
  return declared ?? (deployment === undefined ? undefined : plan.providers.get(deployment.provider)?.tier);
}
