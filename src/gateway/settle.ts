import type { Milliseconds } from '../plan/ids.ts';
import { answerUsd } from '../routing/cost.ts';
import { spend } from '../routing/spending.ts';
import type { PipelineContext } from './dependencies.ts';
import type { GatewayRequest } from './request.ts';

/** Records how a request ended: once, after its last byte, off the way of others. */
export function settle(context: PipelineContext, request: GatewayRequest): void {
  const endedAt = context.clock.now();
  const settled = Object.assign(request, { terminal: request.terminal ?? 'rejected', endedAt });
  count(request, endedAt);
  context.keep(settled);
  context.log.settled(settled, endedAt);
}

/** Counts what the answer cost against the budgets; an answer that was kept costs nothing. */
function count({ snapshot, answeredBy, usage, caching, decision }: GatewayRequest, now: Milliseconds): void {
  const { plan, state } = snapshot;
  if (state.spending.caps.length === 0 || answeredBy === undefined || caching?.answer !== undefined) return;
  const deployment = plan.deployments[answeredBy.deployment];
  const usd = deployment === undefined ? undefined : answerUsd(deployment, usage);
  if (deployment === undefined || usd === undefined) return;
  const groups = [decision?.group, answeredBy.group].filter((one) => one !== undefined);
  spend(state.spending, { provider: deployment.provider, groups }, usd, now);
}
