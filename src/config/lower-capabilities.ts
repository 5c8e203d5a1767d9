import type { DeploymentIndex } from '../plan/ids.ts';
import type { Strategy } from '../plan/model-group.ts';
import { nearest } from '../plan/nearest.ts';
import type { Declaration } from './declarations.ts';
import { inside, keyOf } from './findings.ts';
import { memberOf } from './group-builder.ts';
import { budgetOf } from './lower-providers.ts';
import { groupNamed, type Lowering, tellerAbout } from './lowering.ts';
import { readStrategy } from './read-strategy.ts';
import { type Reference, referenceOf, referencesOf } from './reference.ts';
import { providersNamed, resolveAtProvider, resolveProviders } from './references.ts';
import { readSize } from './size.ts';
import { canonicalSpecialty, specialtyInName } from './specialty.ts';
import type { CapabilityShape } from './written-mappings.ts';

/** Lowers a capability: a name that stands for the models which can do something. */
export function lowerCapability({ name, shape, at }: Declaration<CapabilityShape>, lowering: Lowering): void {
  const { groups, findings } = lowering;
  const same = groups.get(name);
  if (same !== undefined) {
    findings.add(
      'alias-collision',
      keyOf(at),
      `The capability "${name}" has the name of a ${same.kind === 'load_balancing' ? 'pool' : 'model'}`,
      {
        found: name,
        related: [same.place],
        fix: 'Give one of them another name',
      },
    );
    return;
  }
  const group = groups.declare('capabilities', { name, kind: 'capability', place: at });
  const errors = findings.errorCount();
  group.description = shape.description;
  group.capability = name;
  group.budget = budgetOf(shape.budget);
  const classes = classesOf({ name, shape, at }, lowering);
  // What a class names serves, though no list has it.
  const found = [...new Set([...deploymentsOf({ name, shape, at }, lowering), ...classes.values()])];
  if (found.length === 0 && findings.errorCount() === errors)
    findings.add('empty-pool', keyOf(at), `The capability "${name}" has no model`, {
      found: name,
      wanted: 'preferred_models, provider or providers',
    });
  const fitting = found.filter((index) => isLargeEnough(index, { name, shape, at }, lowering));
  if (fitting.length === 0 && found.length > 0) {
    group.unsatisfied = wishOf(shape);
    findings.add(
      'unsatisfied-capability',
      keyOf(at),
      `No model of "${name}" has ${wishOf(shape)}; those that there are serve, marked as degraded`,
      {
        fix: 'Add a larger model, or lower min_model_size or min_context',
      },
    );
  }
  const serving = fitting.length > 0 ? fitting : found;
  if (modelsOf({ shape, at }).length === 0) tellMembers({ name, shape, at }, serving, lowering);
  group.members = serving.map((index) => memberOf(index));
  const key = shape.routing_strategy === undefined ? 'strategy' : 'routing_strategy';
  const spelling = shape.routing_strategy ?? shape.strategy;
  group.declaredStrategy = referenceOf(spelling, inside(at, key));
  const strategy = readStrategy({ name: spelling ?? strategyOfClasses(shape), at: inside(at, key) }, lowering);
  group.strategy = { ...strategy, classes };
  checkClasses({ name, shape, at }, strategy, lowering);
}

const readBy = { complexity_thresholds: 'complexity_based', context_thresholds: 'context_based' } as const;
const thresholds = ['complexity_thresholds', 'context_thresholds'] as const;

/** A capability that says which class goes where needs no word more. */
function strategyOfClasses(shape: CapabilityShape): string {
  const key = thresholds.find((one) => shape[one] !== undefined);
  return key === undefined ? 'direct' : readBy[key];
}

/** Thresholds that the strategy does not read do nothing. */
function checkClasses(
  { name, shape, at }: Declaration<CapabilityShape>,
  strategy: Strategy,
  { findings }: Lowering,
): void {
  for (const key of thresholds) {
    if (shape[key] === undefined || strategy.name === readBy[key]) continue;
    const words = `"${key}" of "${name}" does nothing: its strategy is not ${readBy[key]}`;
    findings.add('conflicting-declarations', keyOf(inside(at, key)), words, {
      severity: 'warning',
      fix: `Write strategy: ${readBy[key]}, or leave "${key}" out`,
    });
  }
}

function deploymentsOf(
  { name, shape, at }: Declaration<CapabilityShape>,
  lowering: Lowering,
): readonly DeploymentIndex[] {
  const models = modelsOf({ shape, at });
  const providers = [
    ...referencesOf(shape.provider, inside(at, 'provider')),
    ...referencesOf(shape.providers, inside(at, 'providers')),
  ];
  const served = providers.flatMap((reference) => resolveProviders(reference, lowering)).map((one) => one.id);
  if (models.length === 0) return served.flatMap((id) => lowering.inventory.of(id)).map((one) => one.index);
  return models.flatMap((reference) => {
    const found = modelDeployments(reference, name, lowering);
    // Providers named beside the models say where those are asked, as far as they have them.
    const there = found.filter((index) => served.some((id) => id === lowering.inventory.deployments[index]?.provider));
    return there.length > 0 ? there : found;
  });
}

function modelsOf({ shape, at }: Pick<Declaration<CapabilityShape>, 'shape' | 'at'>): readonly Reference[] {
  return [
    ...referencesOf(shape.preferred_models, inside(at, 'preferred_models')),
    ...referencesOf(shape.models, inside(at, 'models')),
  ];
}

/** Nobody wrote down which models a capability has that names providers alone. */
function tellMembers(
  { name, shape, at }: Declaration<CapabilityShape>,
  members: readonly DeploymentIndex[],
  { inventory, resolutions }: Lowering,
): void {
  const means = members
    .flatMap((index) => inventory.deployments[index] ?? [])
    .map((one) => `${one.provider}/${one.backendModel}`);
  const wish = wishOf(shape);
  const why = `what its providers have${wish === '' ? '' : `, but for models known to have less than ${wish}`}`;
  if (means.length > 0) resolutions.add({ reference: name, at: keyOf(at), means, why });
}

/** A capability lists models, and now and then a provider in a model's place. */
function modelDeployments(reference: Reference, capability: string, lowering: Lowering): readonly DeploymentIndex[] {
  const { inventory, groups } = lowering;
  const group = groupNamed(reference.name, lowering);
  if (group !== undefined) return group.members.map((member) => member.deployment);
  const deployment = inventory.named(reference.name);
  if (deployment !== undefined) return [deployment.index];
  if (providersNamed(inventory, reference.name).length > 0) {
    const specialty = specialtyInName(capability) ?? canonicalSpecialty(capability);
    const wanted = { name: capability, backendModel: undefined, specialty };
    return resolveAtProvider(reference, { wanted, role: 'fallback' }, lowering);
  }
  const [near] = nearest(reference.name, groups.keys(), 1);
  tellerAbout(reference.name, lowering).add('unknown-model', reference.at, `No model is called "${reference.name}"`, {
    found: reference.name,
    nearest: near,
  });
  return [];
}

function isLargeEnough(
  index: DeploymentIndex,
  { shape, at }: Declaration<CapabilityShape>,
  { inventory, findings }: Lowering,
): boolean {
  const deployment = inventory.deployments[index];
  const least = shape.min_model_size === undefined ? undefined : readSize(shape.min_model_size);
  if (shape.min_model_size !== undefined && least === undefined) {
    findings.add('bad-size', inside(at, 'min_model_size'), `"min_model_size" has "${shape.min_model_size}"`, {
      found: shape.min_model_size,
      wanted: 'a number of parameters such as "13B"',
    });
  }
  // What is not known of a model does not count against it.
  const { sizeBillions = Number.MAX_VALUE, contextTokens = Number.MAX_VALUE } = deployment ?? {};
  return (
    (least === undefined || sizeBillions >= least) &&
    (shape.min_context === undefined || contextTokens >= shape.min_context)
  );
}

function wishOf({ min_model_size: size, min_context: context }: CapabilityShape): string {
  return [
    ...(size === undefined ? [] : [`${size} parameters`]),
    ...(context === undefined ? [] : [`a context of ${context} tokens`]),
  ].join(' and ');
}

function classesOf(
  { name, shape, at }: Declaration<CapabilityShape>,
  lowering: Lowering,
): ReadonlyMap<string, DeploymentIndex> {
  const classes = new Map<string, DeploymentIndex>();
  for (const key of thresholds) {
    for (const [level, model] of Object.entries(shape[key] ?? {})) {
      const [first] = modelDeployments({ name: model, at: inside(at, key, level) }, name, lowering);
      if (first !== undefined) classes.set(level, first);
    }
  }
  return classes;
}
