import type { Json } from '../plan/json.ts';

/** The configuration in force, every setting with its effective value; secrets are named by where they come from. */
export type EffectiveConfig = {
  /** Hash of the plan. */
  readonly id: string;
  readonly settings: Json;
  readonly providers: readonly Json[];
  readonly deployments: readonly Json[];
  readonly groups: readonly Json[];
};
