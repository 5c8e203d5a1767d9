import type { Decision, Degradation, PlannedAttempt } from '../plan/decision.ts';
import type { DeploymentIndex } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { Tier } from '../plan/provider.ts';
import { rankOfTier } from './filter.ts';

/** Whether an answer of an attempt is less than what was asked for, and why; told to the client in a header. */
export function degradationOf(
  plan: Plan,
  decision: Decision,
  attempt: Pick<PlannedAttempt, 'deployment' | 'model' | 'source'>,
): Degradation | undefined {
  const to = tierOf(plan, attempt.deployment);
  const asked = decision.asked ?? 'auto';
  if (decision.rule.kind === 'default_chain') return { reason: 'default_chain', from: asked, to: attempt.model };
  const group = decision.group === undefined ? undefined : plan.groups[decision.group];
  if (group?.unsatisfied !== undefined && attempt.source === 'group')
    return { reason: 'unsatisfied', from: group.unsatisfied, to: attempt.model };
  const own = decision.candidates.filter((candidate) => candidate.source === 'group');
  const [first] = own;
  if (first === undefined || attempt.source === 'group') return undefined;
  const isDisabled = own.every(
    ({ verdict }) => verdict.kind === 'excluded' && (verdict.reason === 'disabled' || verdict.reason === 'draining'),
  );
  if (isDisabled) return { reason: 'disabled', from: asked, to: attempt.model };
  const from = tierOf(plan, first.deployment);
  if (from === undefined || to === undefined) return undefined;
  return (rankOfTier(to) ?? 0) < (rankOfTier(from) ?? 0) ? { reason: 'tier', from, to } : undefined;
}

function tierOf(plan: Plan, index: DeploymentIndex): Tier | undefined {
  const deployment = plan.deployments[index];
  return deployment === undefined ? undefined : plan.providers.get(deployment.provider)?.tier;
}
