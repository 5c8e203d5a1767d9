import { nearest } from '../plan/nearest.ts';
import { inside } from './findings.ts';
import type { GroupDraft } from './group-builder.ts';
import { groupNamed, type Lowering } from './lowering.ts';
import { readStrategy } from './read-strategy.ts';
import { type Reference, referencesOf } from './reference.ts';
import { providersNamed } from './references.ts';

/** Gives described strategies to the names that they say they are for, and puts members into their declared order. */
export function applyDescribedStrategies(lowering: Lowering): void {
  for (const { name, shape, at } of lowering.strategies.values()) {
    for (const reference of referencesOf(shape.applicable_to, inside(at, 'applicable_to'))) {
      const group = groupNamed(reference.name, lowering);
      if (group !== undefined) applyTo(group, { name, at: reference.at }, lowering);
      else unknownName(reference, lowering);
    }
    if (shape.priority_order === undefined) continue;
    for (const group of lowering.groups.values()) {
      if (group.declaredStrategy?.name === name) orderMembers(group, shape.priority_order, lowering);
    }
  }
}

function applyTo(group: GroupDraft, strategy: Reference, lowering: Lowering): void {
  const read = readStrategy(strategy, lowering);
  const own = group.declaredStrategy;
  if (own !== undefined && group.strategy !== undefined && group.strategy.name !== read.name) {
    lowering.findings.add(
      'conflicting-declarations',
      strategy.at,
      `"${group.name}" is given the strategy "${strategy.name}" here, and declares another itself`,
      {
        found: strategy.name,
        related: [own.at],
        fix: 'Keep one of the two',
      },
    );
    return;
  }
  group.strategy = { ...read, classes: group.strategy?.classes ?? read.classes };
  group.declaredStrategy = strategy;
}

function unknownName(reference: Reference, { findings, groups }: Lowering): void {
  const [near] = nearest(reference.name, groups.keys(), 1);
  findings.add('unknown-model', reference.at, `The strategy is for "${reference.name}", which no request can ask for`, {
    found: reference.name,
    nearest: near,
    severity: 'warning',
  });
}

/** Models or providers in order of preference; what the order does not name keeps its place behind. */
function orderMembers(group: GroupDraft, order: readonly string[], lowering: Lowering): void {
  const rank = (member: GroupDraft['members'][number]): number => {
    const deployment = lowering.inventory.deployments[member.deployment];
    const found = order.findIndex(
      (name) =>
        deployment !== undefined &&
        (deployment.backendModel === name ||
          `${deployment.provider}/${deployment.backendModel}` === name ||
          providersNamed(lowering.inventory, name).some((one) => one.id === deployment.provider)),
    );
    return found === -1 ? order.length : found;
  };
  group.members = group.members.toSorted((a, b) => rank(a) - rank(b));
}
