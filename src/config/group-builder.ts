import { type GroupIndex, groupIndex, groupName, type ProviderId } from '../plan/ids.ts';
import type { Chain, GroupKind, Member, ModelGroup, Strategy, StrategyName, Target } from '../plan/model-group.ts';
import type { RateLimit } from '../plan/provider.ts';
import type { Place } from './findings.ts';

/** A group while its sections are put together. */
export type GroupDraft = {
  readonly name: string;
  readonly kind: GroupKind;
  /** Where it is first declared. */
  readonly place: Place;
  readonly index: GroupIndex;
  members: Member[];
  /** Set once a section has said who the members are. */
  membersFrom: 'provider' | 'exact' | 'load_balancing' | 'capability' | 'model_list';
  strategy: Strategy | undefined;
  description: string | undefined;
  capability: string | undefined;
  fallback: Target[];
  chain: Chain | undefined;
  contextFallbacks: Target[];
  contentFallbacks: Target[];
  limit: RateLimit;
  listed: boolean;
  owner: ProviderId | undefined;
};

/** Groups by name, in the order in which they were declared. */
export type GroupDrafts = ReadonlyMap<string, GroupDraft> & {
  readonly add: (draft: Pick<GroupDraft, 'name' | 'kind' | 'place' | 'membersFrom'>) => GroupDraft;
};

/** Creates an empty set of groups. */
export function createGroupDrafts(): GroupDrafts {
  const drafts = new Map<string, GroupDraft>();
  return Object.assign(drafts, {
    add(draft: Pick<GroupDraft, 'name' | 'kind' | 'place' | 'membersFrom'>): GroupDraft {
      const group: GroupDraft = {
        ...draft,
        index: groupIndex(drafts.size),
        members: [],
        strategy: undefined,
        description: undefined,
        capability: undefined,
        fallback: [],
        chain: undefined,
        contextFallbacks: [],
        contentFallbacks: [],
        limit: { requestsPerMinute: undefined, tokensPerMinute: undefined },
        listed: true,
        owner: undefined,
      };
      drafts.set(draft.name, group);
      return group;
    },
  });
}

/** A strategy without numbers of its own. */
export function plainStrategy(name: StrategyName): Strategy {
  return {
    name,
    classes: new Map(),
    saturationThreshold: undefined,
    latencyBuffer: undefined,
    largeContextTokens: undefined,
    factors: undefined,
  };
}

/** The finished group; one that declares no strategy takes the default. */
export function finishGroup(
  draft: GroupDraft,
  defaultStrategy: StrategyName,
  ownerOf: (member: Member) => ProviderId | undefined,
): ModelGroup {
  const first = draft.members.toSorted((a, b) => a.order - b.order)[0];
  return {
    index: draft.index,
    name: groupName(draft.name),
    kind: draft.kind,
    description: draft.description,
    members: draft.members,
    strategy: draft.strategy ?? plainStrategy(defaultStrategy),
    capability: draft.capability,
    fallback: draft.fallback,
    chain: draft.chain,
    contextFallbacks: draft.contextFallbacks,
    contentFallbacks: draft.contentFallbacks,
    limit: draft.limit,
    listed: draft.listed,
    owner: draft.owner ?? (first === undefined ? undefined : ownerOf(first)),
  };
}
