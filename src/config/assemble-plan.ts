import { createHash } from 'node:crypto';
import { canonical } from '../plan/canonical.ts';
import type { Deployment } from '../plan/deployment.ts';
import { type ProviderId, planHash } from '../plan/ids.ts';
import type { Member, ModelGroup, NameTarget } from '../plan/model-group.ts';
import type { Plan, Wildcard } from '../plan/plan.ts';
import type { Settings } from '../plan/settings.ts';
import { finishGroup } from './group-builder.ts';
import type { Alias } from './lower-aliases.ts';
import type { Lowering } from './lowering.ts';

/** Puts what was lowered together to the plan, with the table of every name and the plan's hash. */
export function assemblePlan(settings: Settings, aliases: readonly Alias[], lowering: Lowering): Plan {
  const { inventory } = lowering;
  const owner = (members: readonly Member[]): ProviderId | undefined => ownerOf(members, lowering);
  const groups = [...lowering.groups.values()].map((draft) =>
    finishGroup(draft, settings.routing.defaultStrategy, owner),
  );
  const plan = {
    providers: inventory.providers,
    deployments: inventory.deployments.map((one) => withSeats(one, lowering)),
    groups,
    names: namesOf(groups, aliases, lowering),
    wildcards: wildcardsOf(groups),
    settings,
  };
  return { ...plan, hash: planHash(createHash('sha256').update(canonical(plan)).digest('hex').slice(0, 16)) };
}

/** A deployment that says nothing of its seats has those that are declared for all. */
function withSeats(deployment: Deployment, { seats }: Lowering): Deployment {
  return seats === undefined || deployment.seats !== undefined ? deployment : { ...deployment, seats };
}

/** A group belongs to the provider of its first member that serves, else of its first. */
function ownerOf(members: readonly Member[], { inventory }: Lowering): ProviderId | undefined {
  const providers = members.flatMap((member) => inventory.deployments[member.deployment]?.provider ?? []);
  return providers.find((id) => inventory.providers.get(id)?.status === 'active') ?? providers[0];
}

/** What is declared as a name wins over what only follows from it. */
function namesOf(
  groups: readonly ModelGroup[],
  aliases: readonly Alias[],
  { inventory }: Lowering,
): ReadonlyMap<string, NameTarget> {
  const names = new Map<string, NameTarget>();
  for (const one of inventory.deployments) {
    if (one.backendModel.includes('*')) continue;
    names.set(one.id, { kind: 'deployment', deployment: one.index });
    const full = `${one.provider}/${one.backendModel}`;
    // Of several deployments of one model the first declared has its plain name.
    if (!names.has(full)) names.set(full, { kind: 'deployment', deployment: one.index });
  }
  for (const { name, group, hidden } of aliases) names.set(name, { kind: 'alias', group, hidden });
  for (const group of groups)
    if (group.kind !== 'wildcard') names.set(group.name, { kind: 'group', group: group.index });
  return names;
}

function wildcardsOf(groups: readonly ModelGroup[]): readonly Wildcard[] {
  const wildcards = groups
    .filter((group) => group.kind === 'wildcard')
    .map((group) => ({ pattern: group.name, pieces: group.name.split('*'), group }));
  // The more letters a pattern has, the less it leaves to the star.
  return wildcards.sort((a, b) => b.pattern.length - a.pattern.length || a.pieces.length - b.pieces.length);
}
