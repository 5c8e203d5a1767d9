import { nearest } from '../plan/nearest.ts';
import type { Declaration, Declarations } from './declarations.ts';
import { inside, keyOf, type Place } from './findings.ts';
import { type GroupDraft, memberOf } from './group-builder.ts';
import { lowerCapability } from './lower-capabilities.ts';
import { lowerChain } from './lower-chains.ts';
import { lowerExact } from './lower-exact.ts';
import { lowerPool } from './lower-pools.ts';
import { applyDescribedStrategies } from './lower-strategies.ts';
import { groupNamed, type Lowering, tellerAbout } from './lowering.ts';
import { type Reference, referencesOf } from './reference.ts';
import { resolveTarget, wantedBy } from './references.ts';
import type { CapabilityShape } from './written-mappings.ts';

/** Every model of every provider is a name of its own; equal names at several providers form one pool. */
export function lowerProviderModels(lowering: Lowering): void {
  const { inventory, groups } = lowering;
  for (const deployment of inventory.deployments) {
    const place = inventory.places.get(deployment.provider);
    if (place === undefined || deployment.backendModel.includes('*')) continue;
    const group = groups.declare('providers', { name: deployment.backendModel, kind: 'model', place });
    group.description ??= deployment.description;
    group.members.push(memberOf(deployment.index));
  }
}

/** Puts names and their members into the groups: who answers, before who stands in. */
export function lowerNames(declarations: Declarations, lowering: Lowering): void {
  const { exact, pools, capabilities } = declarations;
  for (const one of exact.values()) lowerExact(one, pools.get(one.name), lowering);
  for (const one of pools.values()) lowerPool(one, exact.get(one.name), lowering);
  for (const one of namedFirst(capabilities)) lowerCapability(one, lowering);
  applyDescribedStrategies(lowering);
}

/** A capability may name another one, which is then known before it, wherever it stands. */
function namedFirst(capabilities: Declarations['capabilities']): readonly Declaration<CapabilityShape>[] {
  const visited = new Set<Declaration<CapabilityShape>>();
  const ordered: Declaration<CapabilityShape>[] = [];
  const visit = (one: Declaration<CapabilityShape>): void => {
    if (visited.has(one)) return;
    visited.add(one);
    const { preferred_models: preferred = [], models = [] } = one.shape;
    for (const name of [...preferred, ...models]) {
      const other = capabilities.get(name);
      if (other !== undefined) visit(other);
    }
    ordered.push(one);
  };
  for (const one of capabilities.values()) visit(one);
  return ordered;
}

/** Puts fallbacks and chains into the groups; they may name any group, so all are known by now. */
export function lowerFallbacks({ exact, pools, capabilities, chains }: Declarations, lowering: Lowering): void {
  for (const { name, shape, at } of exact.values()) {
    addFallbacks(
      name,
      [
        ...referencesOf(shape.fallback, inside(at, 'fallback')),
        ...referencesOf(shape.fallback_chain, inside(at, 'fallback_chain')),
      ],
      lowering,
    );
  }
  for (const { name, shape, at } of pools.values()) {
    const overflow = inside(at, 'saturation_overflow', 'overflow_to');
    addOverflow(name, referencesOf(shape.saturation_overflow?.overflow_to, overflow), lowering);
    addFallbacks(
      name,
      [
        ...referencesOf(shape.fallback, inside(at, 'fallback')),
        ...referencesOf(shape.fallback_chain, inside(at, 'fallback_chain')),
      ],
      lowering,
    );
  }
  for (const { name, shape, at } of capabilities.values())
    addFallbacks(name, referencesOf(shape.fallback, inside(at, 'fallback')), lowering);
  const placed = new Map<GroupDraft, Place>();
  for (const { name, shape, at } of chains.values()) {
    if (name === 'default') continue;
    const group = groupNamed(name, lowering);
    if (group === undefined) {
      const [near] = nearest(name, lowering.groups.keys(), 1);
      tellerAbout(name, lowering).add(
        'unknown-model',
        keyOf(at),
        `A chain is declared for "${name}", which no request can ask for`,
        {
          found: name,
          nearest: near,
        },
      );
      continue;
    }
    const before = placed.get(group);
    if (before === undefined) placed.set(group, at);
    else tellTwoChains({ name: group.name, at, before }, lowering);
    group.chain = lowerChain({ shape, at }, wantedBy(group, lowering), lowering);
  }
}

/** An alias and Ollama's other spelling mean the same name, which has one chain. */
function tellTwoChains(
  { name, at, before }: { readonly name: string; readonly at: Place; readonly before: Place },
  { findings }: Lowering,
): void {
  findings.add('conflicting-declarations', keyOf(at), `"${name}" has two chains, one of them by another name of it`, {
    found: name,
    related: [keyOf(before)],
    fix: 'Keep one of the two',
  });
}

function addFallbacks(name: string, references: readonly Reference[], lowering: Lowering): void {
  const group = lowering.groups.get(name);
  if (group === undefined) return;
  const wanted = wantedBy(group, lowering);
  for (const reference of references) {
    for (const target of resolveTarget(reference, wanted, lowering)) group.fallback.push(target);
  }
}

/** What takes what is too much also stands in for what fails. */
function addOverflow(name: string, references: readonly Reference[], lowering: Lowering): void {
  const group = lowering.groups.get(name);
  const before = group?.fallback.length;
  addFallbacks(name, references, lowering);
  if (group !== undefined) group.overflow = group.fallback.slice(before);
}
