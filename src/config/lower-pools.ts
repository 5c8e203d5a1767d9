import type { Member, Strategy } from '../plan/model-group.ts';
import type { Declaration } from './declarations.ts';
import { inside, keyOf, type Place } from './findings.ts';
import { memberOf } from './group-builder.ts';
import { orderOf } from './lower-exact.ts';
import type { Lowering } from './lowering.ts';
import { readCondition } from './read-condition.ts';
import { readStrategy } from './read-strategy.ts';
import { type Reference, referenceOf } from './reference.ts';
import { providersNamed, resolveAtProvider, type WantedModel, wantedBy } from './references.ts';
import type { ExactShape, PoolShape } from './written-mappings.ts';

type Exact = Declaration<ExactShape> | undefined;

/** Lowers a pool: its members replace whoever had the name; an exact entry of the name adds model and priority. */
export function lowerPool({ name, shape, at }: Declaration<PoolShape>, exact: Exact, lowering: Lowering): void {
  const { groups, findings } = lowering;
  const group = groups.declare('load_balancing', { name, kind: 'load_balancing', place: at });
  const wanted = wantedBy(group, lowering);
  const errors = findings.errorCount();
  group.description = shape.description ?? group.description;
  const entries = shape.providers.map((one, index) => readEntry(one, inside(at, 'providers', index)));
  group.members = entries.flatMap((entry) => membersOf(entry, { wanted, exact }, lowering));
  if (group.members.length === 0 && findings.errorCount() === errors)
    findings.add('empty-pool', keyOf(at), `The pool "${name}" has no member`, {
      found: name,
      wanted: 'at least one provider',
    });
  if (exact !== undefined && !isAnsweredBy(entries, exact.shape.provider, lowering))
    reportConflict({ name, shape, at }, exact, lowering);
  checkWeights({ name, shape, at }, lowering);
  const strategy = shape.strategy ?? 'weighted_round_robin';
  group.declaredStrategy = referenceOf(shape.strategy, inside(at, 'strategy'));
  group.strategy = {
    ...readStrategy({ name: strategy, at: inside(at, 'strategy') }, lowering),
    complexityBy: readDetection(shape.parameters?.complexity_detection),
    saturationThreshold: shape.parameters?.saturation_threshold ?? shape.saturation_overflow?.threshold,
  };
}

type Entry = {
  readonly shape: Exclude<PoolShape['providers'][number], string>;
  readonly provider: Reference | undefined;
  readonly model: Reference | undefined;
  readonly at: Place;
};

function readEntry(one: PoolShape['providers'][number], at: Place): Entry {
  if (typeof one === 'string') return { shape: {}, provider: { name: one, at }, model: undefined, at };
  const provider = one.provider ?? one.name;
  return {
    shape: one,
    provider: referenceOf(provider, inside(at, one.provider === undefined ? 'name' : 'provider')),
    model:
      referenceOf(one.preferred_model, inside(at, 'preferred_model')) ?? referenceOf(one.model, inside(at, 'model')),
    at,
  };
}

function membersOf(
  { shape, provider, model, at }: Entry,
  { wanted, exact }: { readonly wanted: WantedModel; readonly exact: Exact },
  lowering: Lowering,
): readonly Member[] {
  if (provider === undefined) {
    lowering.findings.add('missing-key', at, 'The key "provider" is missing', { wanted: 'a provider' });
    return [];
  }
  const isExact = exact !== undefined && isSameProvider(provider.name, exact.shape.provider, lowering);
  const stated = isExact ? referenceOf(exact.shape.backend_model, inside(exact.at, 'backend_model')) : undefined;
  if (stated !== undefined && model !== undefined && stated.name !== model.name) {
    lowering.findings.add(
      'conflicting-declarations',
      model.at,
      `"${wanted.name}" has two models at "${provider.name}": "${model.name}" in its pool, "${stated.name}" in its exact match`,
      {
        found: model.name,
        related: [stated.at],
        fix: 'Keep one of the two',
      },
    );
  }
  const condition =
    shape.condition === undefined
      ? undefined
      : readCondition({ name: shape.condition, at: inside(at, 'condition') }, lowering);
  const found = resolveAtProvider(
    provider,
    { wanted: { ...wanted, backendModel: model ?? stated }, role: 'primary' },
    lowering,
  );
  const order = isExact ? orderOf(exact.shape.priority) : 1;
  return found.map((deployment) => memberOf(deployment, { order, weight: shape.weight, condition }));
}

function isSameProvider(one: string, other: string, { inventory }: Lowering): boolean {
  if (one === other) return true;
  const ids = new Set(providersNamed(inventory, other).map(({ id }) => id));
  return providersNamed(inventory, one).some(({ id }) => ids.has(id));
}

/** Whether the pool has a provider; of one that is not known that was told already. */
function isAnsweredBy(entries: readonly Entry[], provider: string, lowering: Lowering): boolean {
  return (
    providersNamed(lowering.inventory, provider).length === 0 ||
    entries.some((one) => one.provider !== undefined && isSameProvider(one.provider.name, provider, lowering))
  );
}

/** The pool decides who answers; an exact entry for a provider outside of it would do nothing. */
function reportConflict(
  pool: Declaration<PoolShape>,
  { shape: { provider }, at }: Declaration<ExactShape>,
  { findings }: Lowering,
): void {
  findings.add(
    'conflicting-declarations',
    inside(at, 'provider'),
    `"${pool.name}" is answered by its pool, in which "${provider}" is not`,
    {
      found: provider,
      severity: 'warning',
      related: [keyOf(pool.at)],
      fix: `Add "${provider}" to the pool, or name one of its members here`,
    },
  );
}

function checkWeights({ name, shape, at }: Declaration<PoolShape>, { findings }: Lowering): void {
  const weights = shape.providers.flatMap((one) =>
    typeof one === 'string' || one.weight === undefined ? [] : [one.weight],
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (weights.length < 2 || Math.abs(sum - 1) <= 0.01 || weights.some((weight) => weight > 1)) return;
  findings.add(
    'weights-sum',
    inside(at, 'providers'),
    `The weights of "${name}" add up to ${Number(sum.toFixed(3))}; their proportions count`,
    {
      found: Number(sum.toFixed(3)),
    },
  );
}

function readDetection(spelling: 'token_count' | 'tokens' | 'score' | undefined): Strategy['complexityBy'] {
  return spelling === 'token_count' ? 'tokens' : spelling;
}
