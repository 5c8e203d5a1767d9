import type { CandidateRecord, DecisionRecord } from '../contract/decision-record.ts';
import type { Candidate, Decision, Rule } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failureCatalogue } from '../plan/failure-catalogue.ts';
import type { ModelGroup } from '../plan/model-group.ts';
import type { Plan } from '../plan/plan.ts';

/** A decision that was not taken: `route explain`. */
export function describeDecision(plan: Plan, decision: Decision): DecisionRecord {
  const group = decision.group === undefined ? undefined : plan.groups[decision.group];
  return {
    id: null,
    time: null,
    asked: decision.asked ?? null,
    rule: { kind: decision.rule.kind, text: ruleText(decision.rule, group) },
    group: group?.name ?? null,
    strategy: group?.strategy.name ?? null,
    promptTokens: decision.promptTokens,
    complexity: decision.complexity ?? null,
    facts: null,
    seed: null,
    plan: plan.hash,
    candidates: decision.candidates.map((candidate) => describeCandidate(plan, candidate)),
    order: decision.attempts.map((one) => nameOf(plan, one.deployment, one.model)),
    attempts: [],
    waits: [],
    answeredBy: null,
    degraded: null,
    refusal: decision.refusal === undefined ? null : describeRefusal(decision.refusal),
    state: null,
    notes: decision.notes,
    timing: noTiming,
    usage: null,
    costUsd: null,
    cache: null,
  };
}

/** A failure with its code. */
export function describeRefusal({ kind, message }: Failure): NonNullable<DecisionRecord['refusal']> {
  return { code: failureCatalogue[kind].code, message };
}

/** A request that was refused before routing was asked. */
export function unrouted(asked: string | undefined): DecisionRecord {
  return {
    ...undecided,
    id: null,
    asked: asked ?? null,
    rule: { kind: 'none', text: 'it was refused before it was routed' },
    candidates: [],
    order: [],
    attempts: [],
    timing: noTiming,
  };
}

/** Of a request that was never sent. */
export const noTiming: DecisionRecord['timing'] = {
  totalMs: null,
  receiveMs: null,
  decideMs: null,
  waitMs: null,
  firstTokenMs: null,
  ownMs: null,
};

/** What is known of a request of which nothing is: a base for records of which parts are left out. */
export const undecided: Omit<DecisionRecord, 'id' | 'candidates' | 'attempts' | 'order' | 'timing'> = {
  time: null,
  asked: null,
  rule: { kind: 'none', text: '' },
  group: null,
  strategy: null,
  promptTokens: 0,
  complexity: null,
  facts: null,
  seed: null,
  plan: null,
  waits: [],
  answeredBy: null,
  degraded: null,
  refusal: null,
  state: null,
  notes: [],
  usage: null,
  costUsd: null,
  cache: null,
};

function describeCandidate(plan: Plan, candidate: Candidate): CandidateRecord {
  const { verdict } = candidate;
  const deployment = plan.deployments[candidate.deployment];
  return {
    deployment: nameOf(plan, candidate.deployment, candidate.model),
    provider: deployment?.provider ?? 'unknown',
    model: candidate.model,
    source: candidate.source,
    group: candidate.group === undefined ? null : (plan.groups[candidate.group]?.name ?? null),
    order: candidate.order,
    weight: candidate.weight ?? null,
    verdict: verdict.kind,
    position: verdict.kind === 'excluded' ? null : verdict.position,
    reason: verdict.kind === 'excluded' ? verdict.reason : null,
    detail: verdict.kind === 'excluded' ? verdict.detail : null,
    numbers: candidate.numbers,
  };
}

/** A deployment as records name it: its provider with the model that is sent. */
export function nameOf(plan: Plan, index: number, model: string): string {
  return `${plan.deployments[index]?.provider ?? 'unknown'}/${model}`;
}

/** A rule of name resolution in words. */
function ruleText(rule: Rule, group: ModelGroup | undefined): string {
  switch (rule.kind) {
    case 'name':
      return `"${rule.name}" is a name of ${group?.declaredIn.join(' and ') ?? 'the configuration'}`;
    case 'alias':
      return `"${rule.name}" is an alias`;
    case 'deployment':
      return `"${rule.name}" names one deployment`;
    case 'capability':
      return `the capability "${rule.name}" was asked for in the ${rule.from}`;
    case 'default_model':
      return 'no model was named, so the default model is meant';
    case 'wildcard':
      return `the wildcard "${rule.pattern}" fits`;
    case 'pattern':
      return `the pattern ${rule.pattern} fits`;
    case 'size':
      return `the name carries a size of ${rule.billions}B, which is ${rule.rule}`;
    case 'default_provider':
      return `the default provider "${rule.provider}" lists the name`;
    case 'default_chain':
      return 'no rule knows the name, so the default chain answers';
    case 'none':
      return 'no rule knows the name';
  }
}
