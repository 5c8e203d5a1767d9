import type { Milliseconds } from '../plan/ids.ts';
import { answerUsd } from '../routing/cost.ts';
import { spend } from '../routing/spending.ts';
import type { GatewayDependencies, PipelineContext, Settled } from './dependencies.ts';
import type { GatewayRequest, SettledRequest } from './request.ts';

/**
 * Creates the place where requests end. Those of one turn of the event loop are written down
 * together at its end, off the way of others that are still being answered.
 */
export function createSettled({ keep, log }: Pick<GatewayDependencies, 'keep' | 'log'>): Settled {
  let ended: SettledRequest[] = [];
  const flush = (): void => {
    const requests = ended;
    ended = [];
    for (const request of requests) {
      try {
        keep(request);
        log.settled(request);
      } catch (error) {
        log.internalError(error, request.id);
      }
    }
  };
  return {
    flush,
    add(request) {
      ended.push(request);
      if (ended.length === 1) setImmediate(flush);
    },
  };
}

/** Ends a request, once, after its last byte. */
export function settle({ clock, settled }: PipelineContext, request: GatewayRequest): void {
  const endedAt = clock.now();
  count(request, endedAt);
  settled.add(Object.assign(request, { terminal: request.terminal ?? 'rejected', endedAt, endedWallMs: clock.wall() }));
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
