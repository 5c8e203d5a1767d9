import { type Expression, levels, type Variable } from '../plan/condition.ts';
import { credentialHeaders } from '../plan/header-facts.ts';
import type { FactName } from './condition-parser.ts';

type Literal = Extract<Expression, { kind: 'literal' }>['value'];

/** What a variable can be, in words, and whether a value is of that kind. */
type Kind = { readonly words: string; readonly has: (value: Literal) => boolean };

const number: Kind = { words: 'a number', has: (value) => typeof value !== 'boolean' && isNumeric(value) };
const truth: Kind = { words: 'true or false', has: (value) => /^(true|false|0|1)$/i.test(String(value)) };
const level: Kind = {
  words: 'low, medium or high',
  has: (value) => levels.some((one) => one === String(value).toLowerCase()),
};
/** Text of the request's own. */
const anything: Kind = { words: 'any text', has: () => true };

const kinds: Readonly<Record<FactName, Kind>> = {
  stream: truth,
  tokens: number,
  length: number,
  batch_size: number,
  batch_mode: truth,
  request_count: number,
  concurrent_requests: number,
  complexity: level,
  quality: anything,
  quality_tier: anything,
  model_size: number,
  local_saturated: truth,
  always: truth,
};

function isNumeric(value: Literal): boolean {
  return String(value).trim() !== '' && !Number.isNaN(Number(value));
}

/** The first thing in a condition that can be of no request, in words; undefined where there is none. */
export function neverTrue(expression: Expression): string | undefined {
  switch (expression.kind) {
    case 'literal':
      return undefined;
    case 'variable':
      return unreadable(expression.variable);
    case 'not':
      return neverTrue(expression.operand);
    case 'and':
    case 'or':
      return firstOf(expression.operands);
    case 'compare': {
      const { left, right } = expression;
      return firstOf([left, right]) ?? unlike(left, right) ?? unlike(right, left);
    }
  }
}

function firstOf(expressions: readonly Expression[]): string | undefined {
  for (const one of expressions) {
    const found = neverTrue(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

function unreadable(variable: Variable): string | undefined {
  if (variable.kind !== 'header' || !credentialHeaders.has(variable.name)) return undefined;
  return `the header "${variable.name}" carries a key, which no condition can read`;
}

/** A variable beside a value that it cannot have. */
function unlike(one: Expression, other: Expression): string | undefined {
  if (one.kind !== 'variable' || other.kind !== 'literal') return undefined;
  const { variable } = one;
  const kind = variable.kind === 'fact' ? kinds[variable.name] : variable.kind === 'header' ? anything : truth;
  if (kind.has(other.value)) return undefined;
  const name = variable.kind === 'provider_unavailable' ? `${variable.provider}_unavailable` : variable.name;
  return `"${name}" is ${kind.words}, and ${JSON.stringify(other.value)} is not`;
}
