/**
 * Plan: the nouns, as types and makers of values. A plan is what a configuration comes to, a
 * decision what routing says of a request, a failure one of a closed list. This room imports
 * nothing, has no effects, and every other room speaks in its words (docs/reference/glossary.md).
 * Start reading here, then request-facts.ts, decision.ts and failure-catalogue.ts.
 */
import type { Deployment } from './deployment.ts';
import type { DeploymentIndex, GroupIndex, PlanHash, ProviderId } from './ids.ts';
import type { ModelGroup, NameTarget } from './model-group.ts';
import type { Provider } from './provider.ts';
import type { Settings } from './settings.ts';

/**
 * The compiled configuration: immutable, whole, and without secrets. Everything that a request
 * needs to be routed is resolved here; nothing looks at a file afterwards.
 */
export type Plan = {
  readonly hash: PlanHash;
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly deployments: readonly Deployment[];
  readonly groups: readonly ModelGroup[];
  /**
   * Every name that is known as it is: groups, aliases, deployment ids, `provider/backend_model`,
   * each with and without `:latest`.
   */
  readonly names: ReadonlyMap<string, NameTarget>;
  /** Wildcard groups, the more specific first. */
  readonly wildcards: readonly Wildcard[];
  readonly settings: Settings;
};

/** A LiteLLM wildcard name such as `openai/*`. */
export type Wildcard = {
  readonly pattern: string;
  /** Pieces between the stars, in order; a name matches when they stand in it in that order. */
  readonly pieces: readonly string[];
  readonly group: ModelGroup;
};

/** The deployment at an index of the plan; the compiler makes only indices that exist. */
export function deploymentAt(plan: Plan, index: DeploymentIndex): Deployment {
  const deployment = plan.deployments[index];
  if (deployment === undefined) throw new RangeError(`The plan has no deployment ${index}`);
  return deployment;
}

/** The group at an index of the plan; the compiler makes only indices that exist. */
export function groupAt(plan: Plan, index: GroupIndex): ModelGroup {
  const group = plan.groups[index];
  if (group === undefined) throw new RangeError(`The plan has no group ${index}`);
  return group;
}
