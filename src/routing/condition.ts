import { type Condition, type Expression, levels, type Variable } from '../plan/condition.ts';

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

/** Whether a value is meant as true: any but nothing, zero and the word false. */
export function truth(value: ConditionValue): boolean {
  if (typeof value === 'string') return value !== '' && value.toLowerCase() !== 'false';
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

/** Headers are text: against a number or a truth value they are read as one. Levels have an order, other texts that of their letters. */
function comparable(
  left: boolean | number | string,
  right: boolean | number | string,
): [number | string, number | string] {
  if (typeof left !== 'string' || typeof right !== 'string') return [asNumber(left), asNumber(right)];
  const [a, b] = [left.toLowerCase(), right.toLowerCase()];
  const [levelA, levelB] = [ordered.indexOf(a), ordered.indexOf(b)];
  return levelA === -1 || levelB === -1 ? [a, b] : [levelA, levelB];
}

/** By their letters low would be more than high. */
const ordered: readonly string[] = levels;

function asNumber(value: boolean | number | string): number {
  if (typeof value !== 'string') return Number(value);
  const text = value.trim().toLowerCase();
  if (text === 'true') return 1;
  if (text === 'false') return 0;
  return text === '' ? Number.NaN : Number(text);
}
