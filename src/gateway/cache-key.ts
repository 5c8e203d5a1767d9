import { createHash } from 'node:crypto';
import { canonical } from '../plan/canonical.ts';
import { headersAskedBy } from '../plan/condition.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { ModelGroup } from '../plan/model-group.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import { isAllowed, type Resolution, resolve } from '../routing/resolve.ts';
import type { EntryKey } from '../stores/store.ts';
import { timeoutFields } from '../wire/asked-timeouts.ts';
import { canonicalMembers } from '../wire/canonical-body.ts';
import type { BodyScan } from '../wire/scan-body.ts';
import type { Snapshot } from './snapshot.ts';

export type KeyInput = {
  readonly snapshot: Snapshot;
  readonly facts: RequestFacts;
  readonly body: Uint8Array;
  readonly scan: BodyScan;
  /** The request's own namespace. */
  readonly namespace: string | undefined;
};

/**
 * The key of a request's answer: a hash over what was asked, in canonical order, and over what the
 * plan says of the asked name, so that a changed route is another key. Undefined where nothing that
 * may be kept could answer: an unknown name, the default chain, a name that the key may not ask for.
 */
export function cacheKeyOf(input: KeyInput): EntryKey | undefined {
  const { snapshot, facts, body, scan } = input;
  const { plan, state } = snapshot;
  const meaning = resolve(plan, state, facts);
  if (meaning.kind !== 'group' && meaning.kind !== 'target') return undefined;
  if (!isAllowed(plan, facts, meaning)) return undefined;
  const hash = createHash('sha256');
  const take = (piece: Uint8Array | string): void => {
    hash.update(piece);
  };
  const route = routeOf(plan, meaning);
  const headers = route.headers.map((name) => facts.headers.get(name));
  take(canonical([input.namespace, askedOf(plan, facts), headers, route.text]));
  // Rules by metadata make it part of what was asked; otherwise it is for logs.
  const hasMetadataRules = plan.settings.routing.metadata.length > 0;
  canonicalMembers(body, scan, (name) => unimportant.has(name) && !(name === 'metadata' && hasMetadataRules), take);
  return { model: facts.asked ?? facts.capability ?? 'auto', hash: hash.digest('hex') };
}

/**
 * Members that do not change what a deployment of the asked name answers: who asks, how to go on
 * after a failure (such answers are not kept), and what stands in the facts already.
 */
const unimportant: ReadonlySet<string> = new Set([
  'model',
  'cache',
  'metadata',
  'litellm_metadata',
  'litellm_call_id',
  'litellm_trace_id',
  'litellm_session_id',
  'tags',
  'fallbacks',
  'disable_fallbacks',
  'num_retries',
  ...timeoutFields,
]);

/** What routing decides by, besides the body. Priority is no part of it: it is for the queue alone. */
function askedOf(plan: Plan, facts: RequestFacts): readonly unknown[] {
  const { endpoint, asked, capability, qualityTier, minTier, tags } = facts;
  const counted = plan.settings.routing.tagFiltering.enabled ? tags : [];
  return [endpoint, asked, asked === undefined ? capability : undefined, qualityTier, minTier, counted];
}

/** What the plan says of a name: as a text, and the headers that its conditions ask for. */
type Route = { readonly text: string; readonly headers: readonly string[] };

/** Routes of each plan, made once. */
const routes = new WeakMap<Plan, Map<string, Route>>();

function routeOf(plan: Plan, meaning: Extract<Resolution, { kind: 'group' | 'target' }>): Route {
  let known = routes.get(plan);
  if (known === undefined) {
    known = new Map();
    routes.set(plan, known);
  }
  const target = meaning.kind === 'group' ? ({ kind: 'group', group: meaning.group.index } as const) : meaning.target;
  const id = target.kind === 'group' ? `group ${target.group}` : `deployment ${target.deployment}`;
  let route = known.get(id);
  if (route === undefined) {
    const group = target.kind === 'group' ? plan.groups[target.group] : undefined;
    const means =
      target.kind === 'deployment' ? deploymentText(plan, deploymentAt(plan, target.deployment)) : undefined;
    const text = canonical([means, group === undefined ? undefined : groupText(plan, group), settingsText(plan)]);
    route = { text, headers: group === undefined ? [] : headersAsked(plan, group) };
    known.set(id, route);
  }
  return route;
}

/** Headers by which a member takes part or does not. */
function headersAsked(plan: Plan, { members }: ModelGroup): readonly string[] {
  const conditions = [...members, ...plan.settings.routing.metadata].flatMap(({ condition }) => condition ?? []);
  return headersAskedBy(conditions).toSorted();
}

/** Indices differ between plans that say the same, so members are told by what they are. */
function groupText(plan: Plan, group: ModelGroup): unknown {
  const { name, kind, strategy, members, unsatisfied } = group;
  const classes = [...strategy.classes].map(([word, index]) => [word, deploymentAt(plan, index).id]);
  return {
    name,
    kind,
    unsatisfied,
    strategy: { ...strategy, classes },
    members: members.map(({ deployment, order, weight, condition }) => ({
      order,
      weight,
      condition: condition?.source,
      deployment: deploymentText(plan, deploymentAt(plan, deployment)),
    })),
  };
}

/** What of a deployment and its provider makes the answer what it is. */
function deploymentText(plan: Plan, deployment: Deployment): unknown {
  const { id, backendModel, contextTokens, options, defaults, extraBody, dropParams, tags } = deployment;
  const provider = plan.providers.get(deployment.provider);
  if (provider === undefined) return id;
  const { dialect, baseUrl, apiPath, apiVersion, status, tier, headers } = provider;
  return {
    ...{ id, backendModel, contextTokens, options, defaults, extraBody, dropParams, tags },
    provider: { id: provider.id, dialect, baseUrl, apiPath, apiVersion, status, tier, headers },
  };
}

function settingsText({ settings }: Plan): unknown {
  return { usage: settings.server.alwaysIncludeUsage, complexity: settings.routing.complexity };
}
