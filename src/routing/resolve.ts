import type { Rule } from '../plan/decision.ts';
import type { DeploymentIndex, GroupIndex, ProviderId } from '../plan/ids.ts';
import type { Chain, ModelGroup, NameTarget, Target } from '../plan/model-group.ts';
import { nearest } from '../plan/nearest.ts';
import type { Plan, Wildcard } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import type { SizeRule } from '../plan/settings.ts';

/** What a request's name means, before anything is asked of health or load. */
export type Resolution = {
  readonly rule: Rule;
  readonly notes: readonly string[];
} & (
  | { readonly kind: 'group'; readonly group: ModelGroup }
  /** A provider asked for a literal name: patterns, sizes, the default provider, deployment ids. */
  | { readonly kind: 'target'; readonly target: Target; readonly fallback: readonly Target[] }
  | { readonly kind: 'chain'; readonly chain: Chain }
  /** The default provider's live list is not known yet; ask again once it is. */
  | { readonly kind: 'unlisted'; readonly provider: ProviderId }
  | { readonly kind: 'unknown'; readonly nearest: readonly string[] }
);

/** Finds what a request asks for, by the first of seven rules that knows it (docs/explanation/routing.md). */
export function resolve(plan: Plan, state: RoutingState, facts: RequestFacts): Resolution {
  return facts.asked === undefined ? withoutName(plan, facts) : withName(plan, state, facts, facts.asked);
}

function withName(plan: Plan, state: RoutingState, facts: RequestFacts, asked: string): Resolution {
  const notes =
    facts.capability === undefined ? [] : [`capability "${facts.capability}" is not used, since the model is named`];
  const known = knownName(plan, asked);
  if (known !== undefined) return { ...byName(plan, known, asked), notes };
  const wildcard = plan.wildcards.find((one) => matchesWildcard(one, asked));
  if (wildcard !== undefined) {
    return { kind: 'group', group: wildcard.group, rule: { kind: 'wildcard', pattern: wildcard.pattern }, notes };
  }
  const { patterns, sizes } = plan.settings.routing;
  const pattern = patterns.find((one) => one.matches(asked));
  if (pattern !== undefined) {
    return {
      kind: 'target',
      target: pattern.target,
      fallback: pattern.fallback,
      rule: { kind: 'pattern', pattern: pattern.source },
      notes,
    };
  }
  const billions = sizeInName(asked);
  const size = billions === undefined ? undefined : sizes.find((one) => holdsSize(one, billions));
  if (size !== undefined && billions !== undefined) {
    return {
      kind: 'target',
      target: size.target,
      fallback: size.fallback,
      rule: { kind: 'size', rule: size.source, billions },
      notes,
    };
  }
  return byDefaultProvider(plan, state, asked) ?? byDefaultChain(plan, asked, notes);
}

/** The name as it is, and with or without Ollama's `:latest`. */
function knownName(plan: Plan, asked: string): NameTarget | undefined {
  const known = plan.names.get(asked);
  if (known !== undefined) return known;
  return asked.endsWith(latest) ? plan.names.get(asked.slice(0, -latest.length)) : plan.names.get(`${asked}${latest}`);
}

const latest = ':latest';

function byName(
  plan: Plan,
  known: NameTarget,
  name: string,
): Omit<Extract<Resolution, { kind: 'group' }>, 'notes'> | Omit<Extract<Resolution, { kind: 'target' }>, 'notes'> {
  if (known.kind === 'deployment') {
    return {
      kind: 'target',
      target: { kind: 'deployment', deployment: known.deployment },
      fallback: [],
      rule: { kind: 'deployment', name },
    };
  }
  const rule: Rule = { kind: known.kind === 'alias' ? 'alias' : 'name', name };
  return { kind: 'group', group: groupAt(plan, known.group), rule };
}

function withoutName(plan: Plan, facts: RequestFacts): Resolution {
  const capability = facts.capability;
  if (capability !== undefined) {
    const known = plan.names.get(capability);
    const group = known === undefined || known.kind === 'deployment' ? undefined : groupAt(plan, known.group);
    if (group !== undefined) {
      const from = facts.headers.has('x-capability') ? 'header' : 'metadata';
      return { kind: 'group', group, rule: { kind: 'capability', name: capability, from }, notes: [] };
    }
    return { kind: 'unknown', nearest: nearest(capability, capabilityNames(plan)), rule: { kind: 'none' }, notes: [] };
  }
  const deployment = plan.settings.routing.defaultDeployment;
  if (deployment === undefined) return { kind: 'unknown', nearest: [], rule: { kind: 'none' }, notes: [] };
  return {
    kind: 'target',
    target: { kind: 'deployment', deployment },
    fallback: [],
    rule: { kind: 'default_model' },
    notes: [],
  };
}

function capabilityNames(plan: Plan): string[] {
  return plan.groups.filter((group) => group.kind === 'capability').map((group) => group.name);
}

function byDefaultProvider(plan: Plan, state: RoutingState, asked: string): Resolution | undefined {
  const { defaultProvider, defaultFallback } = plan.settings.routing;
  for (const provider of [defaultProvider, defaultFallback]) {
    if (provider === undefined || plan.providers.get(provider)?.status !== 'active') continue;
    const deployment = literalDeployment(plan, provider);
    if (deployment === undefined) continue;
    const listed = state.listed.get(provider);
    if (listed === undefined) return { kind: 'unlisted', provider, rule: { kind: 'none' }, notes: [] };
    if (!listed.has(asked) && !listed.has(`${asked}${latest}`)) continue;
    return {
      kind: 'target',
      target: { kind: 'deployment', deployment },
      fallback: [],
      rule: { kind: 'default_provider', provider },
      notes: [],
    };
  }
  return undefined;
}

/** The deployment of a provider that stands for whatever name is asked. */
function literalDeployment(plan: Plan, provider: ProviderId): DeploymentIndex | undefined {
  return plan.deployments.find((one) => one.provider === provider && one.backendModel === '*')?.index;
}

function byDefaultChain(plan: Plan, asked: string, notes: readonly string[]): Resolution {
  const { defaultChain, unknownModel } = plan.settings.routing;
  if (defaultChain !== undefined && unknownModel === 'default_chain') {
    return { kind: 'chain', chain: defaultChain, rule: { kind: 'default_chain' }, notes };
  }
  return { kind: 'unknown', nearest: nearest(asked, listedNames(plan)), rule: { kind: 'none' }, notes };
}

function* listedNames(plan: Plan): Iterable<string> {
  for (const group of plan.groups) if (group.listed) yield group.name;
  for (const [name, target] of plan.names) if (target.kind === 'alias' && !target.hidden) yield name;
}

/** The group at an index of the plan; the compiler makes only indices that exist. */
export function groupAt(plan: Plan, index: GroupIndex): ModelGroup {
  const group = plan.groups[index];
  if (group === undefined) throw new RangeError(`The plan has no group ${index}`);
  return group;
}

/** Size in billions that a name carries after a separator (`:7b`, `-13B`, `8x7b` counts as 56); undefined where none. */
export function sizeInName(name: string): number | undefined {
  const found = /(?:^|[:\-_/ ])(?:(\d+)x)?(\d+(?:\.\d+)?)([bt])(?=$|[:\-_/ .])/i.exec(name);
  if (found === null) return undefined;
  const [, experts, size, unit] = found;
  return Number(size) * Number(experts ?? 1) * (unit?.toLowerCase() === 't' ? 1000 : 1);
}

function holdsSize(rule: SizeRule, billions: number): boolean {
  const above = rule.minInclusive ? billions >= rule.minBillions : billions > rule.minBillions;
  const below = rule.maxInclusive ? billions <= rule.maxBillions : billions < rule.maxBillions;
  return above && below;
}

/** Whether a name fits a wildcard: its pieces stand in the name in order, the first and last at its ends. */
export function matchesWildcard(wildcard: Wildcard, name: string): boolean {
  return wildcardRest(wildcard, name) !== undefined;
}

/** What the stars of a wildcard stand for in a name, in order; undefined where it does not fit. */
export function wildcardRest(wildcard: Wildcard, name: string): readonly string[] | undefined {
  const { pieces } = wildcard;
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return undefined;
  const rest: string[] = [];
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, at);
    if (found === -1 || found + piece.length > name.length - last.length) return undefined;
    rest.push(name.slice(at, found));
    at = found + piece.length;
  }
  rest.push(name.slice(at, name.length - last.length));
  return rest;
}
