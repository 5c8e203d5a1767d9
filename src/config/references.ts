import type { Deployment } from '../plan/deployment.ts';
import type { DeploymentIndex } from '../plan/ids.ts';
import { otherSpelling } from '../plan/latest-tag.ts';
import type { Target } from '../plan/model-group.ts';
import { nearest } from '../plan/nearest.ts';
import { plainDeployment } from '../plan/plain-deployment.ts';
import type { Provider } from '../plan/provider.ts';
import { quoted } from './findings.ts';
import type { GroupDraft } from './group-builder.ts';
import type { Inventory } from './inventory.ts';
import { groupNamed, type Lowering, tellerAbout } from './lowering.ts';
import type { Reference } from './reference.ts';
import { canonicalSpecialty, specialtyInName } from './specialty.ts';

/** What is known of the model that a reference to a provider is made for. */
export type WantedModel = {
  /** Name under which clients ask; empty where the reference belongs to a rule for many names. */
  readonly name: string;
  /** Model that the entry names at the provider. */
  readonly backendModel: Reference | undefined;
  readonly specialty: string | undefined;
};

/** Whether a name's own provider is meant, or what stands in for it: the latter may be guessed, with a warning. */
export type Role = 'primary' | 'fallback';

/** What a group wants of a provider that it refers to. */
export function wantedBy(
  group: Pick<GroupDraft, 'name' | 'members'>,
  { inventory }: Pick<Lowering, 'inventory'>,
): WantedModel {
  const first = group.members[0];
  const specialty = first === undefined ? undefined : inventory.deployments[first.deployment]?.specialty;
  return {
    name: group.name,
    backendModel: undefined,
    specialty: canonicalSpecialty(specialty) ?? specialtyInName(group.name),
  };
}

/** Providers that a reference stands for: one by its name, or all active ones of a type or group. Other names are told. */
export function resolveProviders({ name, at }: Reference, lowering: Lowering): readonly Provider[] {
  const { inventory, inactive, resolutions } = lowering;
  const found = providersNamed(inventory, name);
  if (found.length === 0) unknownProvider({ name, at }, lowering);
  for (const { id, status } of found) {
    if (status !== 'active') inactive.set(id, [...(inactive.get(id) ?? []), at]);
  }
  const [first] = found;
  if (first !== undefined && first.id !== name) {
    const why =
      first.status === 'active' ? 'what is active of that type or group' : 'nothing of that type or group is active';
    resolutions.add({ reference: name, at, means: found.map((one) => one.id), why });
  }
  return found;
}

/** Providers of a name, type or group; none where there is no such thing. */
export function providersNamed(inventory: Inventory, name: string): readonly Provider[] {
  const all = [...inventory.providers.values()];
  const own = all.find((one) => one.id === name);
  if (own !== undefined) return [own];
  const grouped = all.filter((one) => one.groups.includes(name));
  const active = grouped.filter((one) => one.status === 'active');
  return active.length > 0 ? active : grouped;
}

function unknownProvider({ name, at }: Reference, lowering: Lowering): void {
  const { inventory } = lowering;
  if (!inventory.broken.has(name)) inventory.unknown.add(name);
  const known = [...inventory.providers.values()];
  const names = [...new Set(known.flatMap((one): string[] => [one.id, ...one.groups]))];
  const [near] = nearest(name, names, 1);
  const some = known.slice(0, 12).map((one) => one.id);
  tellerAbout(name, lowering).addToCause('unknown-provider', at, {
    key: name,
    subject: name,
    message: () => `No provider is called "${name}"`,
    details: () => ({
      found: name,
      nearest: near,
      wanted: `one of ${some.join(', ') || 'the providers of providers.yaml'}`,
    }),
  });
}

/**
 * The deployments that "provider X for model M" means: of each provider the named model, else the
 * one of the same name, else its only one, else the only one of the same specialty. A primary
 * reference that fits several is an error; a fallback takes the first declared and says so.
 */
export function resolveAtProvider(
  reference: Reference,
  { wanted, role }: { readonly wanted: WantedModel; readonly role: Role },
  lowering: Lowering,
): readonly DeploymentIndex[] {
  const providers = resolveProviders(reference, lowering);
  const found = providers.flatMap((provider) => {
    const models = modelsAt(provider, { wanted, role }, lowering);
    const picked = pickModel(models, wanted);
    const query: Query = { reference, provider, models, wanted, role, isOneOfMany: providers.length > 1 };
    if (picked === undefined) return resolveOpenList(query, lowering);
    if (picked.why !== undefined)
      tellResolution(query, { model: picked.model.backendModel, why: picked.why }, lowering);
    return [picked.model.index];
  });
  if (found.length === 0 && providers.length > 1) lackingEverywhere(reference, { providers, wanted }, lowering);
  return [...new Set(found)];
}

/**
 * The models that a reference may mean. What other entries name at a provider that declares none is
 * good enough for a fallback; a name's own provider takes the name, whatever stands before it.
 */
function modelsAt(
  { id }: Provider,
  { wanted, role }: Pick<Query, 'wanted' | 'role'>,
  { inventory }: Lowering,
): readonly Deployment[] {
  const declared = inventory.declared(id);
  const isFree = declared.length === 0 && role === 'fallback' && wanted.backendModel === undefined;
  return isFree ? inventory.known(id) : declared;
}

type Query = {
  readonly reference: Reference;
  readonly provider: Provider;
  readonly models: readonly Deployment[];
  readonly wanted: WantedModel;
  readonly role: Role;
  readonly isOneOfMany: boolean;
};

/** A model of a provider, and the rule by which it is the one; none where its name says so. */
type Picked = { readonly model: Deployment; readonly why: string | undefined };

function pickModel(models: readonly Deployment[], { name, backendModel, specialty }: WantedModel): Picked | undefined {
  const same = models.find((one) => isNamed(one, backendModel?.name ?? name));
  const isSaid = backendModel !== undefined || same?.backendModel === name;
  if (same !== undefined) return { model: same, why: isSaid ? undefined : 'the same name but for its tag' };
  if (backendModel !== undefined) return undefined;
  const [first, ...others] = models;
  if (first !== undefined && others.length === 0) return { model: first, why: 'its only model' };
  const [fitting, ...more] = specialty === undefined ? [] : models.filter((one) => one.specialty === specialty);
  if (fitting === undefined || more.length > 0) return undefined;
  return { model: fitting, why: `its only model for ${specialty}` };
}

/** Whether a deployment is of a model, whatever its tag `:latest` says. */
export function isNamed({ backendModel }: Deployment, name: string): boolean {
  return backendModel === name || backendModel === otherSpelling(name);
}

function tellResolution(
  { reference: { name: reference, at }, provider, wanted: { name } }: Query,
  { model, why }: { readonly model: string; readonly why: string },
  { resolutions }: Lowering,
): void {
  resolutions.add({ reference, at, name, means: [`${provider.id}/${model}`], why });
}

/** None of the provider's declared models is the one: it declares none, lacks the named one, or fits several times. */
function resolveOpenList(query: Query, lowering: Lowering): readonly DeploymentIndex[] {
  const { provider, models, wanted } = query;
  if (models.length > 0)
    return wanted.backendModel === undefined ? resolveAmbiguous(query, lowering) : lacking(query, lowering);
  const name = wanted.backendModel?.name ?? (wanted.name === '' ? '*' : wanted.name);
  const how = wanted.backendModel === undefined ? 'followed' : 'named';
  if (how === 'followed')
    tellResolution(query, { model: name, why: 'it declares no models, and is asked for the name itself' }, lowering);
  return [lowering.inventory.addFromEntry(plainDeployment(provider.id, name), how).index];
}

function lacking(
  { reference, provider, models, wanted, isOneOfMany }: Query,
  lowering: Lowering,
): readonly DeploymentIndex[] {
  const { name, at } = wanted.backendModel ?? reference;
  // Of a group of providers one may lack the model; alone it is a mistake.
  if (isOneOfMany) return [];
  const choices = models.map((one) => one.backendModel);
  const [near] = nearest(name, choices, 1);
  tellerAbout(name, lowering).addToCause('unknown-model', at, {
    key: `${provider.id} ${name}`,
    subject: name,
    message: () => `"${provider.id}" has no model "${name}"`,
    details: () => ({
      found: name,
      nearest: near,
      wanted: `one of ${choices.slice(0, 12).join(', ')}`,
      fix: near === undefined ? `Add "${name}" to the models of ${provider.id}` : `Write "${near}"`,
    }),
  });
  return [];
}

function lackingEverywhere(
  { name: reference }: Reference,
  { providers, wanted }: { readonly providers: readonly Provider[]; readonly wanted: WantedModel },
  lowering: Lowering,
): void {
  if (wanted.backendModel === undefined) return;
  const { name, at } = wanted.backendModel;
  const choices = providers.flatMap(({ id }) => lowering.inventory.declared(id)).map((one) => one.backendModel);
  const [near] = nearest(name, choices, 1);
  tellerAbout(name, lowering).addToCause('unknown-model', at, {
    key: `${reference} ${name}`,
    subject: name,
    message: () => `None of ${quoted(providers.map(({ id }) => id))} has a model "${name}"`,
    details: () => ({ found: name, nearest: near, wanted: `one of ${choices.slice(0, 12).join(', ')}` }),
  });
}

function resolveAmbiguous(query: Query, lowering: Lowering): readonly DeploymentIndex[] {
  const { reference, provider, models, wanted, role } = query;
  const { findings } = lowering;
  const choices = models.map((one) => one.backendModel);
  if (role === 'primary') {
    const [near] = nearest(wanted.name, choices, 1);
    findings.addToCause('ambiguous-model', reference.at, {
      key: `${provider.id} ${wanted.name}`,
      subject: wanted.name,
      message: () => `"${provider.id}" has several models, and nothing says which one "${wanted.name}" means`,
      details: () => ({
        found: reference.name,
        nearest: near,
        wanted: `one of ${choices.slice(0, 12).join(', ')}`,
        fix:
          near === undefined
            ? 'Name the model with backend_model (in a pool: preferred_model)'
            : `Name the model, for example "${near}"`,
      }),
    });
    return [];
  }
  const [first] = models;
  if (first === undefined) return [];
  findings.addToCause('ambiguous-fallback', reference.at, {
    key: `${provider.id} ${first.index}`,
    subject: wanted.name,
    message: (all) => {
      const names = all.filter((name) => name !== '');
      const of = names.length === 0 ? '' : ` of ${quoted(names)}`;
      return `"${provider.id}" has several models; as fallback${of} the first serves, "${first.backendModel}"`;
    },
    details: () => ({
      found: reference.name,
      wanted: `one of ${choices.slice(0, 12).join(', ')}`,
      fix: 'Name the model instead of the provider to choose another',
    }),
  });
  tellResolution(query, { model: first.backendModel, why: 'the first of its models' }, lowering);
  return [first.index];
}

/**
 * What a fallback or a chain's item names: a group, a deployment by id or `provider/model`, or a
 * provider that stands for one of its models. Nothing falls back on itself.
 */
export function resolveTarget(reference: Reference, wanted: WantedModel, lowering: Lowering): readonly Target[] {
  const { inventory, findings } = lowering;
  const { name, at } = reference;
  const group = wanted.backendModel === undefined ? groupNamed(name, lowering) : undefined;
  if (group !== undefined && group.name === wanted.name) {
    findings.add('cyclic-fallback', at, `"${wanted.name}" is its own fallback`, {
      found: name,
      fix: 'Name another model',
    });
    return [];
  }
  if (group !== undefined) return [{ kind: 'group', group: group.index }];
  const deployment = inventory.named(name);
  if (deployment !== undefined) return [{ kind: 'deployment', deployment: deployment.index }];
  if (providersNamed(inventory, name).length > 0)
    return resolveAtProvider(reference, { wanted, role: 'fallback' }, lowering).map((index) => ({
      kind: 'deployment',
      deployment: index,
    }));
  // A model is named beside it, so that only a provider can be meant.
  if (wanted.backendModel === undefined) unknownTarget(reference, lowering);
  else unknownProvider(reference, lowering);
  return [];
}

function unknownTarget(reference: Reference, lowering: Lowering): void {
  const { name, at } = reference;
  const { inventory, groups, aliases } = lowering;
  if (inventory.unknown.has(name)) return unknownProvider(reference, lowering);
  const [near] = nearest(name, [...groups.keys(), ...aliases.keys(), ...inventory.providers.keys()], 1);
  tellerAbout(name, lowering).addToCause('unknown-fallback', at, {
    key: name,
    subject: name,
    message: () => `No model or provider is called "${name}"`,
    details: () => ({ found: name, nearest: near, wanted: 'a model or a provider' }),
  });
}
