import type { GroupIndex } from '../plan/ids.ts';
import { otherSpelling } from '../plan/latest-tag.ts';
import { nearest } from '../plan/nearest.ts';
import type { Declarations } from './declarations.ts';
import { keyOf, type Place, quoted } from './findings.ts';
import { groupNamed, type Lowering, tellerAbout } from './lowering.ts';
import type { Reference } from './reference.ts';
import type { Launch } from './shape-llamacpp-models.ts';

/** Another name of a group. */
export type Alias = { readonly name: string; readonly group: GroupIndex; readonly hidden: boolean };

/** Another name as it is declared, by whichever section. */
export type DeclaredAlias = {
  readonly name: string;
  readonly at: Place;
  readonly target: Reference;
  /** Answered, but not listed. */
  readonly hidden: boolean;
};

/** The aliases of model-mappings.yaml. */
export function declaredAliases({ aliases }: Declarations): readonly DeclaredAlias[] {
  return [...aliases.values()].map(({ name, shape, at }) => ({
    name,
    at: keyOf(at),
    target: { name: shape, at },
    hidden: false,
  }));
}

/**
 * Lowers aliases to the groups that they mean. Aliases of llama.cpp's model files count where
 * their backend_model is a name and nothing else is called so: they are wishes for a launch first.
 */
export function lowerAliases(
  declared: readonly DeclaredAlias[],
  launches: readonly Launch[],
  lowering: Lowering,
): readonly Alias[] {
  const aliases = declared.flatMap((one) => lowerAlias(one, lowering) ?? []);
  for (const { alias, at, backendModel } of launches) {
    const group = backendModel === undefined ? undefined : groupNamed(backendModel, lowering);
    if (group === undefined || isTaken(alias, aliases, lowering)) continue;
    aliases.push({ name: alias, group: group.index, hidden: true });
    lowering.resolutions.add({ reference: alias, at, means: [group.name], why: 'the backend_model of that file' });
  }
  return aliases;
}

function isTaken(name: string, aliases: readonly Alias[], { groups }: Lowering): boolean {
  return groups.has(name) || groups.has(otherSpelling(name)) || aliases.some((one) => one.name === name);
}

function lowerAlias({ name, at, target, hidden }: DeclaredAlias, lowering: Lowering): Alias | undefined {
  const { findings, groups } = lowering;
  const same = groups.get(name);
  if (same !== undefined) {
    findings.add(
      'alias-collision',
      at,
      `The alias "${name}" is the name of ${same.kind === 'model' ? 'a model' : `a ${same.kind.replace('_', ' ')} group`} too`,
      {
        found: name,
        related: [same.place],
        fix: 'Give the alias another name',
      },
    );
    return undefined;
  }
  const group = groupNamed(target.name, lowering);
  if (group !== undefined) return { name, group: group.index, hidden };
  if (tellCircle({ name, target }, lowering)) return undefined;
  const [near] = nearest(target.name, groups.keys(), 1);
  tellerAbout(target.name, lowering).add(
    'unknown-model',
    target.at,
    `The alias "${name}" stands for "${target.name}", which does not exist`,
    {
      found: target.name,
      nearest: near,
    },
  );
  return undefined;
}

/** Tells of aliases that stand for each other only: once for all of a circle, not for those that lead into it. */
function tellCircle({ name, target }: Pick<DeclaredAlias, 'name' | 'target'>, lowering: Lowering): boolean {
  const { aliases, findings } = lowering;
  const circle = new Set<string>();
  for (let one: string | undefined = target.name; one !== undefined && !circle.has(one); one = aliases.get(one))
    circle.add(one);
  if (!circle.has(name)) return false;
  findings.addToCause('cyclic-alias', target.at, {
    key: [...circle].toSorted().join(' '),
    subject: name,
    message: (names) =>
      `${quoted(names)} ${names.length === 1 ? 'stands for itself' : 'stand for each other'}, and for no model`,
    details: () => ({ found: target.name, fix: 'Let one of them stand for a model, a pool or a capability' }),
  });
  return true;
}
