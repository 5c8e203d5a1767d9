import type { Deployment } from './deployment.ts';
import type { PlanHash, ProviderId } from './ids.ts';
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
