import type { ProviderStatus } from '../contract/status.ts';
import type { Plan } from '../plan/plan.ts';

/** Providers of a plan that nothing runs: what is declared is known, how they are is not. */
export function restingProviders(plan: Plan): readonly ProviderStatus[] {
  return [...plan.providers.values()].map((provider) => {
    const deployments = plan.deployments.filter(
      (one) => one.provider === provider.id && !one.backendModel.includes('*'),
    );
    const state = provider.status === 'active' ? 'unknown' : 'disabled';
    return {
      name: provider.id,
      type: provider.dialect,
      status: provider.status,
      state,
      why: null,
      since: null,
      models: deployments.length,
      address: provider.dialect === 'echo' ? 'built in' : new URL(provider.baseUrl).host,
      version: null,
      checkedAt: null,
      latencyMs: null,
      listed: null,
      deployments: deployments.map((one) => ({
        id: one.id,
        model: one.backendModel,
        state,
        why: null,
        since: null,
        until: null,
        inFlight: null,
        context: one.contextTokens ?? null,
        declaredContext: one.contextTokens ?? null,
        loaded: null,
        residency: null,
        speeds: null,
        queue: null,
      })),
    };
  });
}
