import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import type { Plan } from '../plan/plan.ts';
import { questionsOf } from '../plan/plan-questions.ts';
import type { RequestFacts } from '../plan/request-facts.ts';

/** Work that nobody watches, by its declared priority: it waits for a seat while others want one. */
export function isBatch({ priority }: RequestFacts): boolean {
  return priority !== undefined && batchWords.has(priority.toLowerCase());
}

const header = 'x-priority';
const batchWords: ReadonlySet<string> = new Set(['batch', 'low', 'background', 'bulk']);
const otherWords: ReadonlySet<string> = new Set([
  ...['interactive', 'normal', 'medium', 'default'],
  ...['high', 'urgent', 'critical', 'realtime'],
]);

/**
 * A header with a word that means nothing here is a typing error: the request would wait as another
 * one than was meant. Where a condition of the plan reads the header its words are the plan's own.
 */
export function priorityProblem(plan: Plan, { headers }: RequestFacts): Failure | undefined {
  const word = headers.get(header);
  const known = word?.trim().toLowerCase() ?? '';
  if (word === undefined || known === '' || batchWords.has(known) || otherWords.has(known)) return undefined;
  if (questionsOf(plan).headers.includes(header)) return undefined;
  const wanted = [...batchWords, ...otherWords].join(', ');
  return failure('wrong_type', `The header "${header}" wants one of ${wanted}, found "${word.slice(0, 40)}"`, {
    param: header,
  });
}
