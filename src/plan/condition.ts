/** A parsed condition of the configuration; grammar and variables in routing.md, section 4 (docs/reference/conditions.md). */
export type Condition = {
  /** As written in the file, for the decision record. */
  readonly source: string;
  readonly expression: Expression;
};

export type Expression =
  | { readonly kind: 'literal'; readonly value: boolean | number | string }
  | { readonly kind: 'variable'; readonly variable: Variable }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Expression[] }
  | {
      readonly kind: 'compare';
      readonly operator: '==' | '!=' | '<' | '<=' | '>' | '>=';
      readonly left: Expression;
      readonly right: Expression;
    };

/** How complex a request is, from the least on; a header or a condition may say such a word too. */
export const levels = ['low', 'medium', 'high'] as const;
export type Level = (typeof levels)[number];

/** The closed list of what a condition can ask about. */
export type Variable =
  | {
      readonly kind: 'fact';
      readonly name:
        | 'stream'
        | 'tokens'
        | 'length'
        | 'batch_size'
        | 'batch_mode'
        | 'request_count'
        | 'concurrent_requests'
        | 'complexity'
        | 'quality'
        | 'quality_tier'
        | 'model_size'
        | 'local_saturated'
        | 'always';
    }
  | { readonly kind: 'provider_unavailable'; readonly provider: string }
  | { readonly kind: 'header'; readonly name: string };

/** The header that makes a request one of a batch, where a condition asks for it. */
export const batchHeader = 'x-batch';

/** Headers that conditions ask for, each once. */
export function headersAskedBy(conditions: readonly Condition[]): readonly string[] {
  return [...new Set(conditions.flatMap(({ expression }) => variablesIn(expression).flatMap(headerOf)))];
}

/** Every variable that a condition asks for, as often as it stands there. */
export function variablesIn(expression: Expression): readonly Variable[] {
  switch (expression.kind) {
    case 'literal':
      return [];
    case 'variable':
      return [expression.variable];
    case 'not':
      return variablesIn(expression.operand);
    case 'and':
    case 'or':
      return expression.operands.flatMap(variablesIn);
    case 'compare':
      return [...variablesIn(expression.left), ...variablesIn(expression.right)];
  }
}

function headerOf(variable: Variable): readonly string[] {
  if (variable.kind === 'header') return [variable.name];
  return variable.kind === 'fact' && variable.name === 'batch_mode' ? [batchHeader] : [];
}
