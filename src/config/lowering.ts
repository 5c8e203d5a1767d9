import { type ProviderId, seconds } from '../plan/ids.ts';
import { otherSpelling } from '../plan/latest-tag.ts';
import type { ProbeSettings, Provider } from '../plan/provider.ts';
import type { Environment } from '../plan/secret.ts';
import type { Declaration } from './declarations.ts';
import type { Findings, Place, Teller } from './findings.ts';
import type { GroupDraft, GroupDrafts } from './group-builder.ts';
import type { Inventory } from './inventory.ts';
import type { Resolutions } from './resolutions.ts';
import type { DescribedStrategyShape } from './written-mappings.ts';

/** What lowering reads from and writes to, in every section. */
export type Lowering = {
  readonly inventory: Inventory;
  readonly groups: GroupDrafts;
  readonly findings: Findings;
  readonly environment: Environment;
  /** What references came to by a rule; `validate` prints them. */
  readonly resolutions: Resolutions;
  /** Other names, as declared: alias → name. */
  readonly aliases: Map<string, string>;
  /** Strategies that the mappings describe, by the name they give them. */
  readonly strategies: ReadonlyMap<string, Declaration<DescribedStrategyShape>>;
  /** How providers are probed of which nothing else is said. */
  readonly probe: ProbeSettings;
  /** Seats of a deployment that says nothing of them. */
  readonly seats: number | undefined;
  /** How certificates are checked where nothing else is said. */
  readonly tls: Provider['tls'];
  /** Whether request fields are left out that a wire does not take, where nothing else is said. */
  readonly dropsParams: boolean;
  /** Where providers that are not active are referred to: one note for each provider. */
  readonly inactive: Map<ProviderId, Place[]>;
};

/** Where it is told that a name is not known: where its own declaration may be what is wrong, only if nothing else is. */
export function tellerAbout(name: string, { findings, inventory }: Pick<Lowering, 'findings' | 'inventory'>): Teller {
  return inventory.broken.has(name) ? findings.ifNothingElse : findings;
}

/** The group that a name or an alias means, with or without Ollama's `:latest`. */
export function groupNamed(
  name: string,
  { groups, aliases }: Pick<Lowering, 'groups' | 'aliases'>,
): GroupDraft | undefined {
  const followed = new Set<string>();
  // An alias may stand for another one, so that it is followed, but not in a circle.
  for (let one: string | undefined = name; one !== undefined && !followed.has(one); ) {
    const own = groups.get(one) ?? groups.get(otherSpelling(one));
    if (own !== undefined) return own;
    followed.add(one);
    one = aliases.get(one) ?? aliases.get(otherSpelling(one));
  }
  return undefined;
}

/** How a provider is probed of which nothing is said: once a minute, with five seconds to answer. */
export const usualProbe: ProbeSettings = {
  enabled: true,
  path: undefined,
  intervalMs: seconds(60),
  timeoutMs: seconds(5),
  retries: 0,
};
