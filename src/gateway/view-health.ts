import type { Milliseconds } from '../plan/ids.ts';
import type { DeploymentHealth } from '../plan/routing-state.ts';
import { standingOf } from '../routing/health.ts';
import { identify } from './identify.ts';
import type { Snapshot } from './snapshot.ts';
import { type Seen, sendJson, type ViewInput } from './view.ts';

/** `GET /health`: the verdict from what probes and requests have told; it calls no model. */
export function answerHealth(view: ViewInput): void {
  const { exchange, snapshot, isDraining } = view;
  const counts = countDeployments(view);
  const status = isDraining
    ? 'draining'
    : counts.serving === 0 && counts.total > 0
      ? 'unhealthy'
      : counts.serving < counts.total
        ? 'degraded'
        : 'healthy';
  const wantsDetails = /(?:^|&)details=(?:true|1)(?:&|$)/.test(exchange.query);
  const mayKnow = identify(snapshot.keys, exchange).kind === 'known';
  // Who may not list the models learns the verdict only.
  const details =
    wantsDetails && mayKnow
      ? { generation: snapshot.generation, deployments: counts, providers: providerDetails(snapshot) }
      : {};
  sendJson(exchange, 200, { status, ...details });
}

/** `GET /health/liveliness`: the process answers. LiteLLM's own words, which tools compare with. */
export function answerLiveness({ exchange }: ViewInput): void {
  sendJson(exchange, 200, "I'm alive!");
}

/** `GET /health/readiness`: whether requests should be sent here. */
export function answerReadiness({ exchange, isDraining }: ViewInput): void {
  if (isDraining) sendJson(exchange, 503, { status: 'draining' });
  else sendJson(exchange, 200, { status: 'healthy' });
}

/** Words for a deployment's state, the same in every view. */
export function stateWord(health: DeploymentHealth | undefined): string {
  return health?.kind ?? 'unknown';
}

/** Whether a deployment is expected to answer: requests are sent there, and its server does not say that the model is missing. */
export function isServing(health: DeploymentHealth | undefined, now: Milliseconds): boolean {
  return standingOf(health, now) === 'serves' && health?.kind !== 'missing';
}

function countDeployments({ snapshot: { plan, state }, now }: Seen): {
  readonly total: number;
  readonly serving: number;
} {
  const counted = plan.deployments.filter((one) => plan.providers.get(one.provider)?.status === 'active');
  return { total: counted.length, serving: counted.filter((one) => isServing(state.health[one.index], now)).length };
}

function providerDetails({ plan, state }: Snapshot): readonly unknown[] {
  return [...plan.providers.values()].map((provider) => ({
    provider: provider.id,
    type: provider.dialect,
    deployments: plan.deployments
      .filter((one) => one.provider === provider.id)
      .map((one) => ({ model: one.backendModel, ...healthDetails(state.health[one.index]) })),
  }));
}

function healthDetails(health: DeploymentHealth | undefined): { readonly state: string; readonly why?: string } {
  const why = health !== undefined && 'why' in health ? health.why : undefined;
  return { state: stateWord(health), ...(why === undefined ? {} : { why }) };
}
