import type { Findings, Place } from '../findings.ts';

/** One declared fallback: a name, or `*` for all, and what answers instead. */
export type DeclaredFallback = { readonly name: string; readonly targets: readonly string[]; readonly place: Place };

/**
 * Reads fallbacks in any of the four forms in which they are written:
 * `[{m: [a, b]}]`, `[{model: m, fallback_models: [a]}]`, `{m: [a]}` and `{m: {fallback_models: [a]}}`;
 * a plain text in a list is a fallback of everything.
 */
export function readFallbacks(value: unknown, place: Place, findings: Findings): readonly DeclaredFallback[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value))
    return value.flatMap((item: unknown, index) =>
      readItem(item, { ...place, path: [...place.path, index] }, findings),
    );
  if (typeof value === 'object') return readMap(value, place, findings);
  findings.add('wrong-type', place, 'Fallbacks are no list', { wanted: 'a list such as [{model: [fallback]}]' });
  return [];
}

function readItem(item: unknown, place: Place, findings: Findings): readonly DeclaredFallback[] {
  if (typeof item === 'string') return [{ name: '*', targets: [item], place }];
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    findings.add('wrong-type', place, 'A fallback is no map', { wanted: '{model: [fallback]}' });
    return [];
  }
  if ('model' in item && 'fallback_models' in item && typeof item.model === 'string') {
    return [{ name: item.model, targets: readTargets(item.fallback_models, place, findings), place }];
  }
  return readMap(item, place, findings);
}

function readMap(map: object, place: Place, findings: Findings): readonly DeclaredFallback[] {
  return Object.entries(map).map(([name, targets]: [string, unknown]) => {
    const at: Place = { ...place, path: [...place.path, name] };
    const inner =
      typeof targets === 'object' && targets !== null && 'fallback_models' in targets
        ? targets.fallback_models
        : targets;
    return { name, targets: readTargets(inner, at, findings), place: at };
  });
}

function readTargets(value: unknown, place: Place, findings: Findings): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.flatMap((one) => {
    if (typeof one === 'string') return [one];
    if (typeof one === 'object' && one !== null && 'model' in one && typeof one.model === 'string') return [one.model];
    findings.add('wrong-type', place, 'A fallback is no name', { wanted: 'a model name' });
    return [];
  });
}
