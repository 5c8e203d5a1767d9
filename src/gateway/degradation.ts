import type { Degradation, PlannedAttempt } from '../plan/decision.ts';
import type { DeploymentIndex } from '../plan/ids.ts';
import type { Tier } from '../plan/provider.ts';
import { rankOfTier } from '../routing/filter.ts';
import type { GatewayRequest } from './request.ts';

/** Whether an answer is less than what was asked for, and why; told to the client in a header. */
export function degradationOf(request: GatewayRequest, attempt: PlannedAttempt): Degradation | undefined {
  const { decision } = request;
  if (decision === undefined) return undefined;
  const to = tierOf(request, attempt.deployment);
  const asked = decision.asked ?? 'auto';
  if (decision.rule.kind === 'default_chain') return { reason: 'default_chain', from: asked, to: attempt.model };
  const group = decision.group === undefined ? undefined : request.snapshot.plan.groups[decision.group];
  if (group?.unsatisfied !== undefined && attempt.source === 'group')
    return { reason: 'unsatisfied', from: group.unsatisfied, to: attempt.model };
  const own = decision.candidates.filter((candidate) => candidate.source === 'group');
  const [first] = own;
  if (first === undefined || attempt.source === 'group') return undefined;
  const isDisabled = own.every(
    ({ verdict }) => verdict.kind === 'excluded' && (verdict.reason === 'disabled' || verdict.reason === 'draining'),
  );
  if (isDisabled) return { reason: 'disabled', from: asked, to: attempt.model };
  const from = tierOf(request, first.deployment);
  if (from === undefined || to === undefined) return undefined;
  return (rankOfTier(to) ?? 0) < (rankOfTier(from) ?? 0) ? { reason: 'tier', from, to } : undefined;
}

function tierOf({ snapshot }: GatewayRequest, index: DeploymentIndex): Tier | undefined {
  const deployment = snapshot.plan.deployments[index];
  return deployment === undefined ? undefined : snapshot.plan.providers.get(deployment.provider)?.tier;
}
