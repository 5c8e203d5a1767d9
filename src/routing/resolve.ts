import type { Rule } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { ProviderId } from '../plan/ids.ts';
import { otherSpelling } from '../plan/latest-tag.ts';
import type { Chain, ModelGroup, NameTarget, Target } from '../plan/model-group.ts';
import { nearest } from '../plan/nearest.ts';
import { deploymentAt, groupAt, type Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { holdsSize, sizeInName } from '../plan/size-in-name.ts';
import { wildcardRest } from '../plan/wildcard.ts';

/** What a request's name means, before anything is asked of health or load. */
export type Resolution = {
  readonly rule: Rule;
  readonly notes: readonly string[];
} & (
  | {
      readonly kind: 'group';
      readonly group: ModelGroup;
      /** The one of its deployments that is meant before the others. */
      readonly first?: Target;
    }
  /** A provider asked for a literal name: patterns, sizes, the default provider, deployment ids. */
  | { readonly kind: 'target'; readonly target: Target; readonly fallback: readonly Target[] }
  | { readonly kind: 'chain'; readonly chain: Chain }
  /** The default provider's live list is not known yet; ask again once it is. */
  | { readonly kind: 'unlisted'; readonly provider: ProviderId }
  | { readonly kind: 'unknown'; readonly nearest: readonly string[] }
);

/** A resolution without the notes, which all its rules share. */
type Meaning = Resolution extends infer One ? (One extends Resolution ? Omit<One, 'notes'> : never) : never;

/** Finds what a request asks for, by the first rule that knows it (docs/explanation/routing.md). */
export function resolve(plan: Plan, state: RoutingState, facts: RequestFacts): Resolution {
  const { asked, capability } = facts;
  if (asked === undefined) return { ...withoutName(plan, facts), notes: [] };
  const notes = capability === undefined ? [] : [`capability "${capability}" is not used, since the model is named`];
  const meaning =
    byName(plan, asked) ??
    byPattern(plan, asked) ??
    bySize(plan, asked) ??
    byDefaultProvider(plan, state, asked) ??
    byDefaultChain(plan, asked);
  return { ...meaning, notes };
}

/** The name as it is declared, with or without Ollama's `:latest`, or by a wildcard. */
export function byName(plan: Plan, asked: string): Extract<Meaning, { kind: 'group' | 'target' }> | undefined {
  const known = knownName(plan, asked);
  if (known === undefined) {
    const wildcard = plan.wildcards.find((one) => wildcardRest(one, asked) !== undefined);
    if (wildcard === undefined) return undefined;
    return { kind: 'group', group: wildcard.group, rule: { kind: 'wildcard', pattern: wildcard.pattern } };
  }
  if (known.kind === 'deployment') {
    const target = { kind: 'deployment', deployment: known.deployment } as const;
    return { kind: 'target', target, fallback: [], rule: { kind: 'deployment', name: asked } };
  }
  const rule: Rule = { kind: known.kind === 'alias' ? 'alias' : 'name', name: asked };
  return { kind: 'group', group: groupAt(plan, known.group), rule };
}

function knownName(plan: Plan, asked: string): NameTarget | undefined {
  return plan.names.get(asked) ?? plan.names.get(otherSpelling(asked));
}

function withoutName(plan: Plan, { capability, headers }: RequestFacts): Meaning {
  if (capability !== undefined) {
    const known = knownName(plan, capability);
    if (known === undefined || known.kind === 'deployment') {
      return { kind: 'unknown', nearest: nearest(capability, capabilityNames(plan)), rule: { kind: 'none' } };
    }
    const from = headers.get('x-capability') !== undefined ? 'header' : 'metadata';
    return { kind: 'group', group: groupAt(plan, known.group), rule: { kind: 'capability', name: capability, from } };
  }
  const { defaultModel } = plan.settings.routing;
  if (defaultModel === undefined) return { kind: 'unknown', nearest: [], rule: { kind: 'none' } };
  const { deployment, group } = defaultModel;
  const rule: Rule = { kind: 'default_model' };
  const target: Target = { kind: 'deployment', deployment };
  if (group === undefined) return { kind: 'target', target, fallback: [], rule };
  return { kind: 'group', group: groupAt(plan, group), first: target, rule };
}

function capabilityNames(plan: Plan): string[] {
  return plan.groups.filter((group) => group.kind === 'capability').map((group) => group.name);
}

function byPattern(plan: Plan, asked: string): Meaning | undefined {
  const pattern = plan.settings.routing.patterns.find((one) => one.matches(asked));
  if (pattern === undefined) return undefined;
  const { target, fallback, source } = pattern;
  return { kind: 'target', target, fallback, rule: { kind: 'pattern', pattern: source } };
}

function bySize(plan: Plan, asked: string): Meaning | undefined {
  const billions = sizeInName(asked);
  if (billions === undefined) return undefined;
  const size = plan.settings.routing.sizes.find((one) => holdsSize(one, billions));
  if (size === undefined) return undefined;
  const { target, fallback, source } = size;
  return { kind: 'target', target, fallback, rule: { kind: 'size', rule: source, billions } };
}

/** The default provider if its server lists the name, else its fallback likewise; others that list it stand behind. */
function byDefaultProvider(plan: Plan, state: RoutingState, asked: string): Meaning | undefined {
  const found: { readonly provider: ProviderId; readonly target: Target }[] = [];
  for (const provider of plan.settings.routing.defaultProviders) {
    const literal = literalDeployment(plan, provider);
    if (literal === undefined) continue;
    const listed = state.listed.get(provider);
    // A list that nobody waits for any more: the first provider has the name already.
    if (listed === undefined && found.length > 0) continue;
    if (listed === undefined) return { kind: 'unlisted', provider, rule: { kind: 'none' } };
    if (lists(listed, asked)) found.push({ provider, target: { kind: 'deployment', deployment: literal.index } });
  }
  const [first, ...others] = found;
  if (first === undefined) return undefined;
  return {
    kind: 'target',
    target: first.target,
    fallback: others.map((one) => one.target),
    rule: { kind: 'default_provider', provider: first.provider },
  };
}

/** The deployment of an active provider that stands for whatever name is asked. */
function literalDeployment(plan: Plan, provider: ProviderId): Deployment | undefined {
  if (plan.providers.get(provider)?.status !== 'active') return undefined;
  return plan.deployments.find((one) => one.provider === provider && one.backendModel === '*');
}

function lists(listed: ReadonlySet<string>, asked: string): boolean {
  return listed.has(asked) || listed.has(otherSpelling(asked));
}

function byDefaultChain(plan: Plan, asked: string): Meaning {
  const { defaultChain, unknownModel } = plan.settings.routing;
  if (defaultChain !== undefined && unknownModel === 'default_chain') {
    return { kind: 'chain', chain: defaultChain, rule: { kind: 'default_chain' } };
  }
  return { kind: 'unknown', nearest: nearest(asked, listedNames(plan)), rule: { kind: 'none' } };
}

function* listedNames(plan: Plan): Iterable<string> {
  for (const group of plan.groups) if (group.listed) yield group.name;
  for (const [name, target] of plan.names) if (target.kind === 'alias' && !target.hidden) yield name;
}

/** The model name that each deployment is asked for: its own, or what stands for its `*`. */
export type ModelOf = (deployment: Deployment) => string;

/** Gives the names that a request sends. */
export function modelNamer(plan: Plan, asked: string | undefined, rule: Rule): ModelOf {
  const name = asked ?? '';
  const wildcard = rule.kind === 'wildcard' ? plan.wildcards.find((one) => one.pattern === rule.pattern) : undefined;
  const rest = wildcard === undefined ? undefined : wildcardRest(wildcard, name);
  return ({ backendModel }) => {
    if (!backendModel.includes('*')) return backendModel;
    // A lone star is the whole name for patterns and sizes, and what the star stood for in a wildcard.
    let star = 0;
    return backendModel.replaceAll('*', () => rest?.[star++] ?? name);
  };
}

/** Whether a key that may ask for some names only may ask for this. */
export function isAllowed(plan: Plan, { asked, allowedModels }: RequestFacts, meaning: Meaning): boolean {
  if (allowedModels.length === 0) return true;
  const names = asked === undefined ? [] : [asked];
  if (meaning.kind === 'group') names.push(meaning.group.name);
  if (meaning.kind === 'target' && meaning.target.kind === 'deployment') {
    const { provider, backendModel } = deploymentAt(plan, meaning.target.deployment);
    names.push(`${provider}/${backendModel}`);
    if (meaning.rule.kind === 'default_model') names.push(backendModel);
  }
  return names.some((name) => allowedModels.includes(name));
}
