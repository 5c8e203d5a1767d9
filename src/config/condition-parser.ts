import { type Condition, type Expression, type Variable, variablesIn } from '../plan/condition.ts';

/** A condition that was read, or what is wrong with it. */
export type ParsedCondition =
  | {
      readonly kind: 'condition';
      readonly condition: Condition;
      /** Providers whose availability it asks for: PROVIDER_unavailable. */
      readonly providers: readonly string[];
    }
  | { readonly kind: 'syntax'; readonly message: string }
  | { readonly kind: 'unknown'; readonly name: string };

/** Every variable that a condition can ask for, besides header.NAME and PROVIDER_unavailable. */
export const conditionVariables: readonly FactName[] = [
  'stream',
  'tokens',
  'length',
  'batch_size',
  'batch_mode',
  'request_count',
  'concurrent_requests',
  'complexity',
  'quality',
  'quality_tier',
  'model_size',
  'local_saturated',
  'always',
];

/** A variable that stands for itself. */
export type FactName = Extract<Variable, { kind: 'fact' }>['name'];

/**
 * Reads a condition: comparisons, which may be chained (`50 <= tokens <= 100`), joined by AND, OR
 * and NOT or their signs, with brackets. Bare words after a comparison (`complexity == high`) are
 * text where they name no variable.
 */
export function parseCondition(source: string): ParsedCondition {
  try {
    const reader: Reader = { tokens: tokenize(source.trimEnd()), at: 0, depth: 0 };
    const expression = readOr(reader);
    const rest = reader.tokens[reader.at];
    if (rest !== undefined) return { kind: 'syntax', message: `found "${rest.text}" where it should end` };
    return { kind: 'condition', condition: { source, expression }, providers: providersIn(expression) };
  } catch (error) {
    if (error instanceof UnknownVariable) return { kind: 'unknown', name: error.variable };
    if (error instanceof BadCondition) return { kind: 'syntax', message: error.message };
    throw error;
  }
}

function providersIn(expression: Expression): readonly string[] {
  return variablesIn(expression).flatMap((one) => (one.kind === 'provider_unavailable' ? [one.provider] : []));
}

class BadCondition extends Error {}
class UnknownVariable extends Error {
  readonly variable: string;
  constructor(variable: string) {
    super(variable);
    this.variable = variable;
  }
}

type Token = { readonly kind: 'word' | 'number' | 'text' | 'sign'; readonly text: string };
type Reader = { readonly tokens: readonly Token[]; at: number; depth: number };

const pattern =
  /\s*(?:(&&|\|\||==|!=|<=|>=|[<>!()])|'([^']*)'|"([^"]*)"|(\d+(?:\.\d+)?)([bBtT])?(?![\w.])|([A-Za-z_][\w.-]*))/y;

function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  pattern.lastIndex = 0;
  while (pattern.lastIndex < source.length) {
    const at = pattern.lastIndex;
    const found = pattern.exec(source);
    if (found === null) throw tokenProblem(source, at);
    const [, sign, single, double, number, unit, word] = found;
    if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else if (number !== undefined)
      tokens.push({ kind: 'number', text: String(Number(number) * (unit?.toLowerCase() === 't' ? 1000 : 1)) });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else tokens.push(textToken(single ?? double ?? ''));
  }
  return tokens;
}

function tokenProblem(source: string, at: number): BadCondition {
  return new BadCondition(`found "${source.slice(at).trim().slice(0, 20)}", which is no part of a condition`);
}

/** "13B" in quotes is a size, as the files write it. */
function textToken(text: string): Token {
  const size = /^(\d+(?:\.\d+)?)([bBtT])$/.exec(text);
  if (size === null) return { kind: 'text', text };
  return { kind: 'number', text: String(Number(size[1]) * (size[2]?.toLowerCase() === 't' ? 1000 : 1)) };
}

function readOr(reader: Reader): Expression {
  return readJoined(reader, 'or', readAnd);
}

function readAnd(reader: Reader): Expression {
  return readJoined(reader, 'and', readNot);
}

const joiners = { or: ['or', '||'], and: ['and', '&&'] } as const;

function readJoined(reader: Reader, kind: keyof typeof joiners, read: (reader: Reader) => Expression): Expression {
  const operands = [read(reader)];
  while (takes(reader, joiners[kind])) operands.push(read(reader));
  const [only] = operands;
  return operands.length === 1 && only !== undefined ? only : { kind, operands };
}

function takes(reader: Reader, signs: readonly string[]): boolean {
  const token = reader.tokens[reader.at];
  if (token === undefined || token.kind === 'text' || !signs.includes(token.text.toLowerCase())) return false;
  reader.at++;
  return true;
}

function readNot(reader: Reader): Expression {
  return takes(reader, ['not', '!']) ? { kind: 'not', operand: deeper(reader, readNot) } : readComparison(reader);
}

/** Far more than people nest, and far less than the stack takes, here and wherever a condition is walked. */
const mostNested = 100;

function deeper(reader: Reader, read: (reader: Reader) => Expression): Expression {
  if (reader.depth === mostNested) throw new BadCondition(`it is nested more than ${mostNested} deep`);
  reader.depth++;
  const expression = read(reader);
  reader.depth--;
  return expression;
}

const operators = ['==', '!=', '<=', '>=', '<', '>'] as const;

function readComparison(reader: Reader): Expression {
  const first = readOperand(reader);
  const parts: Expression[] = [];
  let left = first;
  for (;;) {
    const token = reader.tokens[reader.at];
    const operator = operators.find((one) => token?.kind === 'sign' && token.text === one);
    if (operator === undefined) break;
    reader.at++;
    const right = readOperand(reader, true);
    parts.push({ kind: 'compare', operator, left, right });
    left = right;
  }
  const [only] = parts;
  if (only === undefined) return first;
  return parts.length === 1 ? only : { kind: 'and', operands: parts };
}

function readOperand(reader: Reader, isRight = false): Expression {
  const token = reader.tokens[reader.at];
  if (token === undefined) throw new BadCondition('it ends where a value should stand');
  reader.at++;
  switch (token.kind) {
    case 'number':
      return { kind: 'literal', value: Number(token.text) };
    case 'text':
      return { kind: 'literal', value: token.text };
    case 'word':
      return readWord(token.text, isRight);
    case 'sign': {
      if (token.text !== '(') throw new BadCondition(`found "${token.text}" where a value should stand`);
      const inner = deeper(reader, readOr);
      if (!takes(reader, [')'])) throw new BadCondition('a bracket is not closed');
      return inner;
    }
  }
}

function readWord(word: string, isRight: boolean): Expression {
  if (/^(true|false)$/i.test(word)) return { kind: 'literal', value: word.toLowerCase() === 'true' };
  if (word.startsWith('header.') || word.startsWith('headers.')) {
    return { kind: 'variable', variable: { kind: 'header', name: word.slice(word.indexOf('.') + 1).toLowerCase() } };
  }
  const fact = conditionVariables.find((name) => name === word);
  if (fact !== undefined) return { kind: 'variable', variable: { kind: 'fact', name: fact } };
  const provider = /^(.+)_unavailable$/.exec(word)?.[1];
  if (provider !== undefined) return { kind: 'variable', variable: { kind: 'provider_unavailable', provider } };
  if (isRight) return { kind: 'literal', value: word };
  throw new UnknownVariable(word);
}
