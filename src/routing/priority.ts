import type { Expression } from '../plan/condition.ts';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import type { Plan } from '../plan/plan.ts';
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
  if (isReadByConditions(plan)) return undefined;
  const wanted = [...batchWords, ...otherWords].join(', ');
  return failure('wrong_type', `The header "${header}" wants one of ${wanted}, found "${word.slice(0, 40)}"`, {
    param: header,
  });
}

function isReadByConditions({ groups, settings: { routing } }: Plan): boolean {
  const chains = [...groups.map(({ chain }) => chain), routing.defaultChain].flatMap((chain) => chain?.items ?? []);
  return [...groups.flatMap(({ members }) => members), ...routing.metadata, ...chains].some(
    ({ condition }) => condition !== undefined && readsHeader(condition.expression),
  );
}

function readsHeader(expression: Expression): boolean {
  switch (expression.kind) {
    case 'literal':
      return false;
    case 'variable':
      return expression.variable.kind === 'header' && expression.variable.name === header;
    case 'not':
      return readsHeader(expression.operand);
    case 'and':
    case 'or':
      return expression.operands.some(readsHeader);
    case 'compare':
      return readsHeader(expression.left) || readsHeader(expression.right);
  }
}
