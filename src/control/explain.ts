import { describeDecision, describeRefusal, unrouted } from '../analysis/describe-decision.ts';
import type { DecisionRecord } from '../contract/decision-record.ts';
import type { ExplainQuestion } from '../contract/explain.ts';
import type { Decision } from '../plan/decision.ts';
import { askedName, readHeaderFacts } from '../plan/header-facts.ts';
import { type Milliseconds, milliseconds, tokens } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { decide } from '../routing/decide.ts';
import { degradationOf } from '../routing/degradation.ts';
import { priorityProblem } from '../routing/priority.ts';
import { type AssumedWorld, assume } from './assume.ts';
import { describeDegradation } from './decision-record.ts';

/** The system that a question is put to. */
export type ExplainInput = {
  readonly plan: Plan;
  readonly state: RoutingState;
  readonly now: Milliseconds;
  /** Waits for a provider's model list. */
  readonly listing: (provider: Plan['deployments'][number]['provider']) => Promise<void>;
  /** Waits until it is known what providers have in memory; absent where nothing can be asked. */
  readonly residency?: (providers: Decision['needsResidency'], limit: Milliseconds) => Promise<void>;
};

/** Decides a request that is never sent, as live traffic would be decided; nothing is changed by it. */
export async function explain(input: ExplainInput, question: ExplainQuestion): Promise<DecisionRecord> {
  const { plan } = input;
  const now = milliseconds(input.now + (question.afterMs ?? 0));
  const facts = explainedFacts(plan, question);
  const wrong = priorityProblem(plan, facts);
  if (wrong !== undefined) return { ...unrouted(facts.asked), plan: plan.hash, refusal: describeRefusal(wrong) };
  // What is waited for changes the state of which things are assumed, so they are assumed anew.
  const assumed = (): AssumedWorld => assume(input, question.assume ?? {});
  // The middle of every draw: an explanation is the same each time it is asked for.
  const choose = (): Decision => decide(plan, assumed().state, facts, now, () => 0.5);
  let decision = choose();
  const { defaultProviders } = plan.settings.routing;
  for (let waits = 0; decision.needsListing !== undefined && waits < defaultProviders.length; waits++) {
    await input.listing(decision.needsListing);
    decision = choose();
  }
  if (decision.needsResidency.length > 0 && input.residency !== undefined) {
    await input.residency(decision.needsResidency, plan.settings.routing.preferWarm.checkTimeoutMs);
    decision = choose();
  }
  const [first] = decision.attempts;
  return {
    ...describeDecision(plan, { ...decision, notes: [...decision.notes, ...assumed().notes] }),
    degraded: first === undefined ? null : describeDegradation(degradationOf(plan, decision, first)),
  };
}

/** A short question to a chat model. */
const usualTokens = 100;

function explainedFacts(plan: Plan, question: ExplainQuestion): RequestFacts {
  const headers = new Map(Object.entries(question.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const { key = 'local' } = question;
  const told = readHeaderFacts(headers);
  const declared = plan.settings.server.keys.find((one) => one.name === key);
  return {
    ...told,
    endpoint: question.endpoint ?? 'chat',
    asked: askedName(question.model, plan),
    stream: question.stream ?? false,
    promptTokens: tokens(question.tokens ?? usualTokens),
    leastPromptTokens: tokens(question.leastTokens ?? question.tokens ?? usualTokens),
    maxOutputTokens: question.maxOutputTokens === undefined ? undefined : tokens(question.maxOutputTokens),
    needs: {
      tools: question.tools ?? false,
      vision: question.vision ?? false,
      jsonSchema: question.jsonSchema ?? false,
    },
    batchSize: question.batchSize ?? 1,
    hasCodeFence: question.code ?? false,
    isMultiStep: question.steps ?? false,
    capability: told.capability ?? question.capability,
    qualityTier: told.qualityTier ?? question.qualityTier,
    minTier: told.minTier ?? question.minTier,
    priority: told.priority ?? question.priority ?? declared?.priority,
    tags: [...(question.tags ?? []), ...told.tags],
    headers,
    key,
    allowedModels: declared?.models ?? [],
    disableFallbacks: question.disableFallbacks ?? false,
    fallbacks: question.fallbacks ?? [],
  };
}
