import type { Span } from './diagnostic.ts';
import { byPlace, type Place, spanOf } from './findings.ts';

/** What a reference came to by a rule, where it does not name the thing itself. */
export type Resolution = {
  readonly reference: string;
  /** Names that it stands behind; none where it belongs to a rule for many. */
  readonly names: readonly string[];
  /** Providers, deployments as `provider/model`, or a name. */
  readonly means: readonly string[];
  /** The rule, as a sentence ends: "its only model". */
  readonly why: string;
  /** The first place that has it. */
  readonly span: Span;
};

type Resolved = {
  readonly reference: string;
  readonly at: Place;
  readonly means: readonly string[];
  readonly why: string;
  /** The name that the reference is made for. */
  readonly name?: string;
};

/** Collects what references came to: a reference that means the same for several names stands there once. */
export type Resolutions = {
  add(resolved: Resolved): void;
  /** In the order of files and lines. */
  list(): readonly Resolution[];
};

/** Creates an empty collection. */
export function createResolutions(): Resolutions {
  const found = new Map<string, Resolution>();
  return {
    add({ reference, at, means, why, name = '' }) {
      const key = JSON.stringify([reference, means, why]);
      const before = found.get(key) ?? { reference, names: [], means, why, span: spanOf(at) };
      const names = name === '' || before.names.includes(name) ? before.names : [...before.names, name];
      const [first = before] = [before, { span: spanOf(at) }].toSorted(byPlace);
      found.set(key, { ...before, names, span: first.span });
    },
    list: () => [...found.values()].toSorted(byPlace),
  };
}
