import type { Condition, Expression, Variable } from '../plan/condition.ts';

/** Value of a fact that a condition asks for; absent where the request does not have it. */
export type ConditionValue = boolean | number | string | undefined;

/** Looks a variable up for one request. */
export type Lookup = (variable: Variable) => ConditionValue;

/** Whether a condition holds. A comparison with something absent does not hold. */
export function holds(condition: Condition, lookup: Lookup): boolean {
  return truth(evaluate(condition.expression, lookup));
}

function evaluate(expression: Expression, lookup: Lookup): ConditionValue {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'variable':
      return lookup(expression.variable);
    case 'not':
      return !truth(evaluate(expression.operand, lookup));
    case 'and':
      return expression.operands.every((operand) => truth(evaluate(operand, lookup)));
    case 'or':
      return expression.operands.some((operand) => truth(evaluate(operand, lookup)));
    case 'compare':
      return compare(expression.operator, evaluate(expression.left, lookup), evaluate(expression.right, lookup));
  }
}

function truth(value: ConditionValue): boolean {
  if (typeof value === 'string') return value !== '' && value !== 'false';
  return value === true || (typeof value === 'number' && value !== 0);
}

type Operator = Extract<Expression, { kind: 'compare' }>['operator'];

function compare(operator: Operator, left: ConditionValue, right: ConditionValue): boolean {
  if (left === undefined || right === undefined) return operator === '!=' && left !== right;
  const [a, b] = comparable(left, right);
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
  }
}

/** Headers are text: against a number or a truth value they are read as one. */
function comparable(
  left: boolean | number | string,
  right: boolean | number | string,
): [number | string, number | string] {
  if (typeof left === 'string' && typeof right === 'string') return [left.toLowerCase(), right.toLowerCase()];
  return [asNumber(left), asNumber(right)];
}

function asNumber(value: boolean | number | string): number {
  if (typeof value !== 'string') return Number(value);
  if (value === 'true') return 1;
  if (value === 'false') return 0;
  return value.trim() === '' ? Number.NaN : Number(value);
}
