import { milliseconds } from '../plan/ids.ts';
import type { Chain, ChainItem } from '../plan/model-group.ts';
import { inside, type Place } from './findings.ts';
import type { Lowering } from './lowering.ts';
import { readCondition } from './read-condition.ts';
import { type Reference, referenceOf } from './reference.ts';
import { isNamed, providersNamed, resolveTarget, type WantedModel } from './references.ts';
import type { ChainItemShape, ChainShape, LongChainShape } from './written-mappings.ts';

/** Lowers a chain of fallbacks in either of its forms. */
export function lowerChain(
  { shape, at }: { readonly shape: ChainShape; readonly at: Place },
  wanted: WantedModel,
  lowering: Lowering,
): Chain {
  const long: LongChainShape = 'chain' in shape ? shape : { chain: shape };
  const list = 'chain' in shape ? inside(at, 'chain') : at;
  return {
    items: long.chain.flatMap((item, index) => lowerItem({ item, at: inside(list, index) }, wanted, lowering)),
    tier: long.tier,
    strategy: long.strategy ?? 'immediate',
    retryAttempts: long.retry_attempts,
    retryDelayMs: long.retry_delay_ms === undefined ? undefined : milliseconds(long.retry_delay_ms),
  };
}

function lowerItem(
  { item, at }: { readonly item: ChainItemShape; readonly at: Place },
  wanted: WantedModel,
  lowering: Lowering,
): readonly ChainItem[] {
  if (typeof item === 'string')
    return resolveTarget({ name: item, at }, wanted, lowering).map((target) => ({ target, condition: undefined }));
  const condition =
    item.condition === undefined
      ? undefined
      : readCondition({ name: item.condition, at: inside(at, 'condition') }, lowering);
  const references = providersOf(item, at);
  const model =
    referenceOf(item.preferred_model, inside(at, 'preferred_model')) ??
    (references.length > 0 ? referenceOf(item.model, inside(at, 'model')) : undefined);
  if (references.length === 0 && item.model !== undefined)
    references.push({ name: item.model, at: inside(at, 'model') });
  if (references.length === 0)
    lowering.findings.add('missing-key', at, 'A chain item names nothing', { wanted: 'primary, provider or model' });
  // A model that stands beside several providers is asked for where there is one.
  const havers = model === undefined ? [] : references.filter(({ name }) => mayHave(name, model.name, lowering));
  const askedForIt = havers.length > 0 ? havers : references;
  return references.flatMap((reference) => {
    const backendModel = askedForIt.includes(reference) ? model : undefined;
    return resolveTarget(reference, { ...wanted, backendModel }, lowering).map((target) => ({ target, condition }));
  });
}

function mayHave(provider: string, model: string, { inventory }: Lowering): boolean {
  return providersNamed(inventory, provider).some(({ id }) => {
    const declared = inventory.declared(id);
    return declared.length === 0 || declared.some((one) => isNamed(one, model));
  });
}

function providersOf(item: Exclude<ChainItemShape, string>, at: Place): Reference[] {
  return (['primary', 'secondary', 'tertiary', 'provider'] as const).flatMap((key) => {
    const name = item[key];
    return name === undefined ? [] : [{ name, at: inside(at, key) }];
  });
}
