import { describeDecision } from '../analysis/describe-decision.ts';
import type { DecisionRecord } from '../contract/decision-record.ts';
import type { AssumedState, ExplainQuestion } from '../contract/explain.ts';
import type { Decision } from '../plan/decision.ts';
import { type Milliseconds, milliseconds, tokens } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { DeploymentHealth, RoutingState } from '../plan/routing-state.ts';
import { decide } from '../routing/decide.ts';

/** The system that a question is put to. */
export type ExplainInput = {
  readonly plan: Plan;
  readonly state: RoutingState;
  readonly now: Milliseconds;
  /** Waits for a provider's model list; absent where nothing can be asked. */
  readonly listing?: (provider: Plan['deployments'][number]['provider']) => Promise<void>;
  /** Waits until it is known what providers have in memory; absent where nothing can be asked. */
  readonly residency?: (providers: Decision['needsResidency'], limit: Milliseconds) => Promise<void>;
};

/** Decides a request that is never sent, as live traffic would be decided; nothing is changed by it. */
export async function explain(input: ExplainInput, question: ExplainQuestion): Promise<DecisionRecord> {
  const { plan, now } = input;
  const facts = explainedFacts(question);
  const state = assume(input, question.assume ?? {});
  // The middle of every draw: an explanation is the same each time it is asked for.
  const choose = (): ReturnType<typeof decide> => decide(plan, state, facts, now, () => 0.5);
  let decision = choose();
  for (let waits = 0; decision.needsListing !== undefined && waits < 2; waits++) {
    if (input.listing === undefined) state.listed.set(decision.needsListing, new Set());
    else await input.listing(decision.needsListing);
    decision = choose();
  }
  if (decision.needsResidency.length > 0 && input.residency !== undefined) {
    await input.residency(decision.needsResidency, plan.settings.routing.preferWarm.checkTimeoutMs);
    decision = choose();
  }
  return describeDecision(plan, decision);
}

/** A short question to a chat model. */
const usualTokens = 100;

function explainedFacts(question: ExplainQuestion): RequestFacts {
  const headers = new Map(Object.entries(question.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const { model } = question;
  return {
    endpoint: question.endpoint ?? 'chat',
    asked: model === undefined || model === 'auto' || model === 'default' || model === '' ? undefined : model,
    capability: headers.get('x-capability'),
    stream: question.stream ?? false,
    promptTokens: tokens(question.tokens ?? usualTokens),
    maxOutputTokens: question.maxOutputTokens === undefined ? undefined : tokens(question.maxOutputTokens),
    needs: {
      tools: question.tools ?? false,
      vision: question.vision ?? false,
      jsonSchema: question.jsonSchema ?? false,
    },
    batchSize: 1,
    hasCodeFence: false,
    isMultiStep: false,
    priority: headers.get('x-priority'),
    tags: question.tags ?? [],
    qualityTier: headers.get('x-quality-tier'),
    minTier: headers.get('x-signalbox-min-tier'),
    headers,
    key: 'local',
    allowedModels: [],
    disableFallbacks: false,
    fallbacks: [],
    retries: undefined,
  };
}

/** The state as it would be if providers were as assumed; the running one is not touched. */
function assume({ plan, state, now }: ExplainInput, assumed: Readonly<Record<string, AssumedState>>): RoutingState {
  if (Object.keys(assumed).length === 0) return state;
  const health = state.health.map((one, index): DeploymentHealth => {
    const provider = plan.deployments[index]?.provider;
    const word = provider === undefined || !Object.hasOwn(assumed, provider) ? undefined : assumed[provider];
    return word === undefined ? one : assumedHealth(word, now);
  });
  return { ...state, health };
}

function assumedHealth(word: AssumedState, since: Milliseconds): DeploymentHealth {
  switch (word) {
    case 'ready':
      return { kind: 'ready' };
    case 'disabled':
    case 'missing':
      return { kind: word, since };
    case 'loading':
      return { kind: 'loading', since, readyAt: undefined };
    case 'cooling':
      return { kind: 'cooling', since, until: milliseconds(since + 60_000), why: 'failures', round: 0 };
    case 'down':
      return { kind: 'down', since, why: 'assumed' };
  }
}
