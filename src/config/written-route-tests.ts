import type { Exclusion, Rule } from '../plan/decision.ts';
import type { AssumedState } from '../plan/routing-state.ts';

/** route-tests.yaml as it is written, checked; what its keys mean stands in shape-route-tests.ts. */
export type RouteTestsShape = { readonly tests: readonly RouteTestShape[] };

export type RouteTestShape = {
  readonly name: string;
  readonly request: RequestShape;
  readonly given?: GivenShape | undefined;
  readonly expect: ExpectShape;
};

export type RequestShape = {
  readonly model?: string | undefined;
  readonly endpoint?: 'chat' | 'completions' | 'embeddings' | undefined;
  readonly stream?: boolean | undefined;
  readonly tokens?: number | undefined;
  readonly max_tokens?: number | undefined;
  readonly tools?: boolean | undefined;
  readonly vision?: boolean | undefined;
  readonly json_schema?: boolean | undefined;
  readonly batch_size?: number | undefined;
  readonly code?: boolean | undefined;
  readonly steps?: boolean | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly key?: string | undefined;
  readonly fallbacks?: readonly string[] | undefined;
  readonly disable_fallbacks?: boolean | undefined;
  readonly after?: string | undefined;
};

export type StateShape = AssumedState | { readonly state: AssumedState; readonly for: string };

export type GivenShape = {
  readonly states?: Readonly<Record<string, StateShape>> | undefined;
  readonly full?: readonly string[] | undefined;
  readonly busy?: Readonly<Record<string, number>> | undefined;
  readonly listed?: Readonly<Record<string, readonly string[]>> | undefined;
};

export type ExpectShape = {
  readonly answer?: string | undefined;
  readonly order?: readonly string[] | undefined;
  readonly chain?: readonly string[] | undefined;
  readonly never?: readonly string[] | undefined;
  readonly rule?: RuleKind | undefined;
  readonly group?: string | undefined;
  readonly strategy?: string | undefined;
  readonly complexity?: 'low' | 'medium' | 'high' | undefined;
  readonly verdicts?: Readonly<Record<string, ExpectedVerdict>> | undefined;
  readonly refused?: string | undefined;
  readonly degraded?: boolean | 'tier' | 'disabled' | 'draining' | 'default_chain' | 'unsatisfied' | undefined;
};

/** What a test may expect of the rule that answers. */
export type RuleKind = Rule['kind'];

/** What a test may expect of a candidate: its place, or why it has none. */
export type ExpectedVerdict = 'chosen' | 'standby' | Exclusion;
