import { type Condition, headersAskedBy, variablesIn } from './condition.ts';
import type { Plan } from './plan.ts';

/** What a plan asks of requests besides what every request is asked. */
export type PlanQuestions = {
  /** Headers by which its conditions decide: the only ones that a record keeps. */
  readonly headers: readonly string[];
  /** Whether anything depends on how complex a request is. */
  readonly complexity: boolean;
};

/** A plan never changes, so it is looked through once. */
const answered = new WeakMap<Plan, PlanQuestions>();

/** What the conditions and strategies of a plan ask of requests. */
export function questionsOf(plan: Plan): PlanQuestions {
  const before = answered.get(plan);
  if (before !== undefined) return before;
  const conditions = conditionsOf(plan);
  const questions = {
    headers: headersAskedBy(conditions),
    complexity:
      plan.groups.some(({ strategy }) => strategy.name === 'complexity_based') || conditions.some(asksForComplexity),
  };
  answered.set(plan, questions);
  return questions;
}

function conditionsOf({ groups, settings: { routing } }: Plan): readonly Condition[] {
  const chains = [...groups.map(({ chain }) => chain), routing.defaultChain];
  return [
    ...groups.flatMap(({ members }) => members.flatMap(({ condition }) => condition ?? [])),
    ...chains.flatMap((chain) => (chain?.items ?? []).flatMap(({ condition }) => condition ?? [])),
    ...routing.metadata.map(({ condition }) => condition),
  ];
}

function asksForComplexity({ expression }: Condition): boolean {
  return variablesIn(expression).some((one) => one.kind === 'fact' && one.name === 'complexity');
}
