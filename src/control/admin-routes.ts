import type { DecisionRecord } from '../contract/decision-record.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { listModels } from '../gateway/view-models.ts';
import { milliseconds, requestId, tokens } from '../plan/ids.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { DeploymentHealth, RoutingState } from '../plan/routing-state.ts';
import { decide } from '../routing/decide.ts';
import type { AdminRoutes } from './admin-socket.ts';
import type { Control } from './control.ts';
import { describeDecision, describeEntry } from './decision-record.ts';

/** The questions that the admin socket answers in this version; all read only. */
export function adminRoutes(control: Control, gateway: Gateway): AdminRoutes {
  return {
    '/status': () => control.status(gateway),
    '/models': () => ({ data: listModels(control.current()) }),
    '/decisions': (query) => ({
      decisions: gateway.decisions.last(Math.min(1000, Number(query.get('count') ?? 20))).map(describeEntry),
    }),
    '/decision': (query): DecisionRecord | undefined => {
      const id = query.get('id') ?? 'last';
      const entry = id === 'last' ? gateway.decisions.last(1)[0] : gateway.decisions.byId(requestId(id));
      return entry === undefined ? undefined : describeEntry(entry);
    },
    '/explain': async (_query, body) => {
      const question = readQuestion(body);
      const { plan, state } = control.current();
      const assumed = assume(plan, state, question.assume);
      let decision = decide(plan, assumed, question.facts, control.now(), () => 0.5);
      if (decision.needsListing !== undefined) {
        await control.prober.listing(decision.needsListing);
        decision = decide(plan, assumed, question.facts, control.now(), () => 0.5);
      }
      return describeDecision(plan, decision);
    },
  };
}

/** What `route explain` asks: a name, and what to take for granted. */
export type ExplainQuestion = {
  readonly model?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tokens?: number;
  readonly stream?: boolean;
  readonly endpoint?: 'chat' | 'completions' | 'embeddings';
  /** Provider → state, for what-if. */
  readonly assume?: Readonly<Record<string, string>>;
};

function readQuestion(body: unknown): {
  readonly facts: RequestFacts;
  readonly assume: Readonly<Record<string, string>>;
} {
  // Only the command line of the same version asks here.
  const question = (typeof body === 'object' && body !== null ? body : {}) as ExplainQuestion;
  return { facts: explainedFacts(question), assume: question.assume ?? {} };
}

/** Facts of a request that was never sent. */
export function explainedFacts(question: ExplainQuestion): RequestFacts {
  const headers = new Map(Object.entries(question.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const { model } = question;
  return {
    endpoint: question.endpoint ?? 'chat',
    asked: model === undefined || model === 'auto' || model === 'default' || model === '' ? undefined : model,
    capability: headers.get('x-capability'),
    stream: question.stream ?? false,
    promptTokens: tokens(question.tokens ?? 100),
    maxOutputTokens: undefined,
    needs: { tools: false, vision: false, jsonSchema: false },
    batchSize: 1,
    hasCodeFence: false,
    priority: headers.get('x-priority'),
    tags: [],
    qualityTier: headers.get('x-quality-tier'),
    minTier: headers.get('x-signalbox-min-tier'),
    headers,
    allowedModels: [],
    disableFallbacks: false,
    fallbacks: [],
    retries: undefined,
  };
}

/** The state as it would be if providers were as assumed; the running one is not touched. */
export function assume(
  plan: Parameters<typeof decide>[0],
  state: RoutingState,
  assumed: Readonly<Record<string, string>>,
): RoutingState {
  const names = Object.keys(assumed);
  if (names.length === 0) return state;
  const health = state.health.map((one, index): DeploymentHealth => {
    const provider = plan.deployments[index]?.provider;
    const word = provider === undefined ? undefined : assumed[provider];
    if (word === undefined) return one;
    const since = milliseconds(0);
    switch (word) {
      case 'ready':
      case 'up':
        return { kind: 'ready' };
      case 'disabled':
        return { kind: 'disabled', since };
      case 'loading':
        return { kind: 'loading', since, readyAt: undefined };
      case 'missing':
        return { kind: 'missing', since };
      default:
        return { kind: 'down', since, why: 'assumed' };
    }
  });
  return { ...state, health };
}
