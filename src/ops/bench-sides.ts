import type { BenchLoad } from '../contract/bench-report.ts';
import type { Deployment } from '../plan/deployment.ts';
import { nearest } from '../plan/nearest.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';

/** What is asked to measure a name, and who may answer. */
export type BenchSides =
  | {
      readonly kind: 'sides';
      readonly sides: readonly string[];
      readonly deployments: readonly Deployment[];
      /** Who may answer and is not on this machine or its network. */
      readonly remote: readonly string[];
    }
  | { readonly kind: 'unknown'; readonly message: string; readonly fix: string };

/** The name itself, or its deployment at each of the providers that are to be compared. */
export function benchSides(plan: Plan, name: string, compared: readonly string[]): BenchSides {
  const target = plan.names.get(name);
  if (target === undefined) {
    const [near] = nearest(name, plan.names.keys(), 1);
    return unknown(
      `No name is called "${name}"`,
      near === undefined ? 'signalbox model list' : `Did you mean "${near}"?`,
    );
  }
  const behind =
    target.kind === 'deployment'
      ? [deploymentAt(plan, target.deployment)]
      : (plan.groups[target.group]?.members ?? []).map((one) => deploymentAt(plan, one.deployment));
  if (compared.length === 0) return found(plan, [name], behind);
  const chosen: Deployment[] = [];
  for (const provider of compared) {
    const models = new Set(behind.map((one) => one.backendModel));
    const own =
      behind.find((one) => one.provider === provider) ??
      plan.deployments.find((one) => one.provider === provider && models.has(one.backendModel));
    if (own === undefined) {
      const known = [...new Set(behind.map((one) => one.provider))];
      return unknown(`"${provider}" does not serve "${name}"`, `Compare some of these: ${known.join(', ')}`);
    }
    chosen.push(own);
  }
  return found(
    plan,
    chosen.map((one) => `${one.provider}/${one.backendModel}`),
    chosen,
  );
}

function unknown(message: string, fix: string): BenchSides {
  return { kind: 'unknown', message, fix };
}

function found(plan: Plan, sides: readonly string[], deployments: readonly Deployment[]): BenchSides {
  const away = deployments.filter(({ provider }) => plan.providers.get(provider)?.tier !== 'local');
  return { kind: 'sides', sides, deployments, remote: [...new Set(away.map((one) => one.provider))] };
}

/** The most that a measurement can cost, in US dollars; null where a price is not known. */
export function mostCost(
  deployments: readonly Deployment[],
  sides: number,
  load: Omit<BenchLoad, 'prompt'>,
): number | null {
  const requests = load.requests + 1;
  const each = deployments.map(({ price }) =>
    price === undefined
      ? undefined
      : price.inputUsdPerToken * load.promptTokens + price.outputUsdPerToken * load.maxTokens,
  );
  const known = each.flatMap((one) => one ?? []);
  if (known.length < each.length || known.length === 0) return null;
  // With several sides each has its own deployment; with one any of its deployments may answer.
  const sum = sides > 1 ? known.reduce((total, one) => total + one, 0) : Math.max(...known);
  return sum * requests;
}
