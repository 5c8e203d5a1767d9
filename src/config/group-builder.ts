import { type GroupIndex, groupIndex, groupName, type ProviderId } from '../plan/ids.ts';
import type {
  Chain,
  GroupKind,
  Member,
  ModelGroup,
  NameSection,
  Strategy,
  StrategyName,
  Target,
} from '../plan/model-group.ts';
import type { Budget, RateLimit } from '../plan/provider.ts';
import type { Place } from './findings.ts';
import type { Reference } from './reference.ts';

/** A group while its sections are put together. */
export type GroupDraft = {
  readonly name: string;
  readonly kind: GroupKind;
  /** Where it is first declared. */
  readonly place: Place;
  readonly index: GroupIndex;
  readonly declaredIn: NameSection[];
  members: Member[];
  strategy: Strategy | undefined;
  /** The strategy as a section names it, to point at when another section names another. */
  declaredStrategy: Reference | undefined;
  description: string | undefined;
  capability: string | undefined;
  standsInFor: readonly string[];
  fallback: Target[];
  chain: Chain | undefined;
  overflow: readonly Target[];
  contextFallbacks: Target[];
  contentFallbacks: Target[];
  limit: RateLimit;
  limitPlace: Place | undefined;
  budget: Budget | undefined;
  unsatisfied: string | undefined;
  listed: boolean;
};

/** Groups by name, in the order in which they were declared. */
export type GroupDrafts = ReadonlyMap<string, GroupDraft> & {
  /** The group of a name, made if this section is the first that speaks of it. */
  readonly declare: (section: NameSection, draft: Pick<GroupDraft, 'name' | 'kind' | 'place'>) => GroupDraft;
};

/** Creates an empty set of groups. */
export function createGroupDrafts(): GroupDrafts {
  const drafts = new Map<string, GroupDraft>();
  return Object.assign(drafts, {
    declare(section: NameSection, { name, kind, place }: Pick<GroupDraft, 'name' | 'kind' | 'place'>): GroupDraft {
      const known = drafts.get(name);
      if (known !== undefined) {
        if (!known.declaredIn.includes(section)) known.declaredIn.push(section);
        return known;
      }
      const group: GroupDraft = {
        name,
        kind,
        place,
        index: groupIndex(drafts.size),
        declaredIn: [section],
        members: [],
        strategy: undefined,
        declaredStrategy: undefined,
        description: undefined,
        capability: undefined,
        standsInFor: [],
        fallback: [],
        chain: undefined,
        overflow: [],
        contextFallbacks: [],
        contentFallbacks: [],
        limit: { requestsPerMinute: undefined, tokensPerMinute: undefined },
        limitPlace: undefined,
        budget: undefined,
        unsatisfied: undefined,
        listed: true,
      };
      drafts.set(name, group);
      return group;
    },
  });
}

/** A place in a group; it goes first and takes an equal share where nothing else is said. */
export function memberOf(deployment: Member['deployment'], known: Partial<Omit<Member, 'deployment'>> = {}): Member {
  return { deployment, order: 1, weight: undefined, condition: undefined, ...known };
}

/** A strategy without numbers of its own. */
export function plainStrategy(name: StrategyName): Strategy {
  return {
    name,
    classes: new Map(),
    saturationThreshold: undefined,
    complexityBy: undefined,
    latencyBuffer: undefined,
    largeContextTokens: undefined,
    factors: undefined,
  };
}

/** The finished group; one that declares no strategy takes the default. */
export function finishGroup(
  draft: GroupDraft,
  defaultStrategy: Strategy,
  ownerOf: (members: readonly Member[]) => ProviderId | undefined,
): ModelGroup {
  const strategy = draft.strategy ?? defaultStrategy;
  return {
    index: draft.index,
    name: groupName(draft.name),
    kind: draft.kind,
    declaredIn: draft.declaredIn,
    description: draft.description,
    members: draft.members,
    strategy: { ...strategy, latencyBuffer: strategy.latencyBuffer ?? defaultStrategy.latencyBuffer },
    capability: draft.capability,
    standsInFor: draft.standsInFor,
    fallback: draft.fallback,
    chain: draft.chain,
    overflow: draft.overflow,
    contextFallbacks: draft.contextFallbacks,
    contentFallbacks: draft.contentFallbacks,
    limit: draft.limit,
    budget: draft.budget,
    unsatisfied: draft.unsatisfied,
    listed: draft.listed,
    owner: ownerOf(draft.members),
  };
}
