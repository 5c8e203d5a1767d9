import type { Candidate, Decision, PlannedAttempt, Repeats, Rule, Source, Verdict } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { Failure } from '../plan/failure.ts';
import type { GroupIndex, ProviderId } from '../plan/ids.ts';
import type { Member, ModelGroup, Target } from '../plan/model-group.ts';
import { deploymentAt, groupAt } from '../plan/plan.ts';
import { questionsOf } from '../plan/plan-questions.ts';
import type { MetadataRule } from '../plan/settings.ts';
import { holds } from './condition.ts';
import { complexityOf, createLookup } from './facts.ts';
import { type Excluded, exclusionOf, longerOf } from './filter.ts';
import { type OrderInput, orderGroup, type Ranked } from './order.ts';
import { type ModelOf, modelNamer, type Resolution } from './resolve.ts';
import { noNumbers } from './shares.ts';

/** A decision in the making: attempts are only ever added, and so are candidates; the last resort may change a verdict. */
export type Draft = {
  readonly input: OrderInput;
  readonly rule: Rule;
  readonly group: ModelGroup | undefined;
  readonly modelOf: ModelOf;
  readonly attempts: PlannedAttempt[];
  readonly candidates: Candidate[];
  readonly notes: string[];
  readonly visited: Set<GroupIndex>;
  /** 1 for each deployment that stands among the attempts; it has one place there, its first. */
  readonly planned: Uint8Array;
  rotation: Decision['rotation'];
  needsResidency: Decision['needsResidency'];
  /** Why everything is passed over that was asked for by a name whose limit is full. */
  passedOver: Excluded | undefined;
};

/** Creates the draft for what a request's name means, with nothing in it yet. */
export function createDraft(input: OrderInput, resolution: Resolution): Draft {
  const group = resolution.kind === 'group' ? resolution.group : undefined;
  const rules = matchingRules(input, group);
  return {
    // What a rule by metadata prefers stands at the front of every group.
    input: rules.length === 0 ? input : { ...input, preferred: rules.flatMap((one) => one.providers) },
    rule: resolution.rule,
    group,
    modelOf: modelNamer(input.plan, input.facts.asked, resolution.rule),
    attempts: [],
    candidates: [],
    notes: [
      ...resolution.notes,
      ...rules.map(({ name, providers }) => `"${name}" holds: ${providers.join(', ')} first`),
    ],
    visited: new Set(),
    planned: new Uint8Array(input.plan.deployments.length),
    rotation: undefined,
    needsResidency: [],
    passedOver: undefined,
  };
}

function matchingRules(input: OrderInput, group: ModelGroup | undefined): readonly MetadataRule[] {
  const { metadata } = input.plan.settings.routing;
  if (metadata.length === 0) return metadata;
  const lookup = createLookup(input, group);
  return metadata.filter(({ condition }) => holds(condition, lookup));
}

/** Adds the members of a group in their order, and those that cannot serve with the reason; a group is added once. */
export function addGroup(draft: Draft, group: ModelGroup, source: Source, repeats?: Repeats): void {
  if (draft.visited.has(group.index)) return;
  draft.visited.add(group.index);
  const { serving, further, excluded, rotation } = orderGroup(draft.input, group);
  if (source === 'group') {
    // Where another deployment was meant first, it is no turn of the group's.
    if (draft.attempts.length === 0) draft.rotation = rotation;
    draft.needsResidency = staleResidency(draft.input, serving);
    notePreference(draft, serving);
  }
  if (further > 0) draft.notes.push(`${further} more members of "${group.name}" could serve and stand behind these`);
  const origin: Origin = { source, group: group.index, repeats };
  for (const one of serving) addUnlessPassedOver(draft, one, origin);
  for (const { deployment, member, why } of excluded)
    addExcluded(draft, { deployment, member, numbers: noNumbers }, origin, whyPassedOver(draft, origin, why));
}

/** A reading of what is in memory that is younger is as good as a new one. */
const freshMs = 2000;

/** Providers whose models may have come into memory or left it since they were last seen, where that decides. */
function staleResidency({ plan, state, now }: OrderInput, serving: readonly Ranked[]): readonly ProviderId[] {
  if (!plan.settings.routing.preferWarm.enabled || serving.length < 2) return [];
  const stale = serving.filter(({ deployment }) => {
    const residency = state.observations[deployment.index]?.residency;
    return residency !== undefined && now - residency.at > freshMs;
  });
  return [...new Set(stale.map(({ deployment }) => deployment.provider))];
}

/** A rule that finds none of its providers changes nothing, which the record says. */
function notePreference({ input, notes }: Draft, serving: readonly Ranked[]): void {
  const { preferred } = input;
  if (preferred === undefined || serving.some(({ deployment }) => preferred.includes(deployment.provider))) return;
  notes.push('what the request’s metadata prefers cannot serve here');
}

/** Adds a group, or one deployment. */
export function addTarget(draft: Draft, target: Target, source: Source, repeats?: Repeats): void {
  if (target.kind === 'group') return addGroup(draft, groupAt(draft.input.plan, target.group), source, repeats);
  const deployment = deploymentAt(draft.input.plan, target.deployment);
  const considered: Considered = { deployment, member: undefined, numbers: noNumbers };
  const origin: Origin = { source, group: undefined, repeats };
  const why = exclusionOf(draft.input, deployment);
  if (why === undefined) addUnlessPassedOver(draft, considered, origin);
  else addExcluded(draft, considered, origin, whyPassedOver(draft, origin, why));
}

/** A deployment that was considered, as a member where it is one. */
type Considered = {
  readonly deployment: Deployment;
  readonly member: Member | undefined;
  readonly numbers: Candidate['numbers'];
};

/** The part of the configuration that led to a deployment. */
type Origin = {
  readonly source: Source;
  readonly group: GroupIndex | undefined;
  readonly repeats: Repeats | undefined;
};

function addUnlessPassedOver(draft: Draft, considered: Considered, origin: Origin): void {
  if (draft.passedOver !== undefined && origin.source === 'group')
    addExcluded(draft, considered, origin, draft.passedOver);
  else addAttempt(draft, considered, origin);
}

/** What is full itself may be free sooner than the name that it was asked by. */
function whyPassedOver({ passedOver }: Draft, { source }: Origin, own: Excluded): Excluded {
  if (source !== 'group' || (own.reason !== 'limit' && own.reason !== 'budget')) return own;
  return longerOf(own, passedOver) ?? own;
}

function addAttempt(draft: Draft, considered: Considered, origin: Origin): void {
  const { attempts, planned } = draft;
  const { index } = considered.deployment;
  if (planned[index] === 1) return addExcluded(draft, considered, origin, alreadyPlanned);
  planned[index] = 1;
  const position = attempts.length;
  const { model } = addCandidate(draft, considered, origin, position === 0 ? chosen : { kind: 'standby', position });
  const { source, group, repeats } = origin;
  attempts.push({ deployment: index, model, source, group, repeats });
}

const chosen: Verdict = { kind: 'chosen', position: 0 };
const alreadyPlanned: Excluded = { reason: 'visited', detail: 'it has its place already' };

function addExcluded(
  draft: Draft,
  considered: Considered,
  origin: Origin,
  { reason, detail, numbers }: Excluded,
): void {
  const told = numbers === undefined ? considered : { ...considered, numbers };
  addCandidate(draft, told, origin, { kind: 'excluded', reason, detail });
}

function addCandidate(draft: Draft, considered: Considered, origin: Origin, verdict: Verdict): Candidate {
  const { deployment, member, numbers } = considered;
  const candidate = {
    deployment: deployment.index,
    model: draft.modelOf(deployment),
    source: origin.source,
    group: origin.group,
    order: member?.order ?? 1,
    weight: member?.weight,
    verdict,
    numbers,
  };
  draft.candidates.push(candidate);
  return candidate;
}

/** The decision that the draft has become; with a refusal where nothing may be attempted. */
export function concluded(draft: Draft, refusal: Failure | undefined): Decision {
  const { input, rule, group, attempts, candidates, notes, rotation, needsResidency } = draft;
  return {
    asked: input.facts.asked,
    rule,
    group: group?.index,
    attempts,
    refusal,
    candidates,
    notes,
    promptTokens: input.facts.promptTokens,
    complexity: questionsOf(input.plan).complexity
      ? complexityOf(input.plan, input.state, input.facts, group)
      : undefined,
    rotation,
    needsListing: undefined,
    needsResidency,
  };
}
