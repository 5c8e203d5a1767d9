import type { DecisionRecord, FactsRecord } from '../contract/decision-record.ts';
import { tokens } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import { questionsOf } from '../plan/plan-questions.ts';
import type { RequestFacts } from '../plan/request-facts.ts';

/** What routing was told of a request; what is usual is left out, since ten thousand of these are kept. */
export function describeFacts(plan: Plan, facts: RequestFacts): FactsRecord {
  return {
    endpoint: facts.endpoint,
    stream: yes(facts.stream),
    capability: facts.capability,
    maxOutputTokens: facts.maxOutputTokens,
    leastPromptTokens: facts.leastPromptTokens === facts.promptTokens ? undefined : facts.leastPromptTokens,
    tools: yes(facts.needs.tools),
    vision: yes(facts.needs.vision),
    jsonSchema: yes(facts.needs.jsonSchema),
    batchSize: facts.batchSize === 1 ? undefined : facts.batchSize,
    codeFence: yes(facts.hasCodeFence),
    multiStep: yes(facts.isMultiStep),
    priority: facts.priority,
    tags: some(facts.tags),
    qualityTier: facts.qualityTier,
    minTier: facts.minTier,
    headers: headersOf(plan, facts),
    key: facts.key,
    allowedModels: some(facts.allowedModels),
    disableFallbacks: yes(facts.disableFallbacks),
    fallbacks: some(facts.fallbacks),
    retries: facts.retries,
  };
}

function yes(value: boolean): true | undefined {
  return value ? true : undefined;
}

function some(list: readonly string[]): readonly string[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** Headers of credentials are not even in the facts. */
function headersOf(plan: Plan, { headers }: RequestFacts): FactsRecord['headers'] {
  const { headers: names } = questionsOf(plan);
  if (names.length === 0) return undefined;
  const found = names.flatMap((name) => {
    const value = headers.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

/** The facts that routing was told, out of a record. */
export function factsOf({ asked, promptTokens, facts }: DecisionRecord): RequestFacts {
  return {
    endpoint: facts?.endpoint ?? 'chat',
    asked: asked ?? undefined,
    capability: facts?.capability,
    stream: facts?.stream ?? false,
    promptTokens: tokens(promptTokens),
    leastPromptTokens: tokens(facts?.leastPromptTokens ?? promptTokens),
    maxOutputTokens: facts?.maxOutputTokens === undefined ? undefined : tokens(facts.maxOutputTokens),
    needs: {
      tools: facts?.tools ?? false,
      vision: facts?.vision ?? false,
      jsonSchema: facts?.jsonSchema ?? false,
    },
    batchSize: facts?.batchSize ?? 1,
    hasCodeFence: facts?.codeFence ?? false,
    isMultiStep: facts?.multiStep ?? false,
    priority: facts?.priority,
    tags: facts?.tags ?? [],
    qualityTier: facts?.qualityTier,
    minTier: facts?.minTier,
    headers: new Map(Object.entries(facts?.headers ?? {})),
    key: facts?.key ?? 'local',
    allowedModels: facts?.allowedModels ?? [],
    disableFallbacks: facts?.disableFallbacks ?? false,
    fallbacks: facts?.fallbacks ?? [],
    retries: facts?.retries,
  };
}
