import { parseArgs } from 'node:util';
import { nearest } from '../plan/nearest.ts';
import type { Command, Input, OptionDefinitions } from './command.ts';

/** Arguments as a verb takes them, or what is wrong with them in words for the person who typed them. */
export type Parsed =
  | { readonly kind: 'input'; readonly input: Input<OptionDefinitions> }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string };

/** Reads the words after a verb by its definition. */
export function parseInput(command: Command, words: readonly string[]): Parsed {
  const known = parserOptions(command.options);
  const { tokens, values, positionals } = parseArgs({
    args: [...words],
    options: known,
    allowPositionals: true,
    allowNegative: true,
    strict: false,
    tokens: true,
  });
  if (values['help'] === true) return { kind: 'help' };
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const problem = optionProblem(command, token);
    if (problem !== undefined) return { kind: 'wrong', message: problem };
  }
  const missing = command.arguments.filter((argument) => argument.required)[positionals.length];
  if (missing !== undefined) return { kind: 'wrong', message: `${missing.name} is missing: ${missing.help}` };
  for (const [index, word] of positionals.entries()) {
    const { name = '', oneOf = undefined } = command.arguments[index] ?? {};
    if (oneOf !== undefined && !oneOf.includes(word)) return { kind: 'wrong', message: wrongWord(name, word, oneOf) };
  }
  const extra = positionals[command.arguments.length];
  if (extra !== undefined) return { kind: 'wrong', message: `Found "${extra}", but nothing more is expected` };
  return typedInput(command.options, values, positionals);
}

type OptionToken = { readonly name: string; readonly rawName: string; readonly value?: string | undefined };

function optionProblem(command: Command, token: OptionToken): string | undefined {
  const definition = definitionOf(command.options, token.name);
  if (definition === undefined) {
    const flags = [...Object.keys(command.options), 'help'].map((name) => `--${name}`);
    const [near] = nearest(token.rawName, flags, 1);
    return `Unknown option "${token.rawName}"${near === undefined ? '' : `: did you mean "${near}"?`}`;
  }
  if (definition.kind === 'flag') {
    return token.value === undefined ? undefined : `${token.rawName} takes no value, found "${token.value}"`;
  }
  if (token.value === undefined) return `${token.rawName} wants a value: ${definition.value}`;
  if (definition.kind === 'number' && !/^\d+(\.\d+)?$/.test(token.value)) {
    return `${token.rawName} wants a number, found "${token.value}"`;
  }
  if (definition.kind === 'number' && definition.whole !== undefined) {
    const { least, most } = definition.whole;
    const number = Number(token.value);
    if (!Number.isInteger(number) || number < least || number > most)
      return `${token.rawName} wants a whole number from ${least} to ${most}, found "${token.value}"`;
  }
  if (definition.kind === 'text' && definition.oneOf !== undefined && !definition.oneOf.includes(token.value)) {
    return wrongWord(token.rawName, token.value, definition.oneOf);
  }
  return undefined;
}

function wrongWord(what: string, found: string, oneOf: readonly string[]): string {
  const [near] = nearest(found, oneOf, 1);
  return `${what} wants one of ${oneOf.join(', ')}; found "${found}"${near === undefined ? '' : `: did you mean "${near}"?`}`;
}

/** `--no-discover` reaches the parser as `discover` where the flag is declared as negatable. */
function definitionOf(options: OptionDefinitions, name: string): OptionDefinitions[string] | undefined {
  if (name === 'help') return { kind: 'flag', help: '' };
  return Object.hasOwn(options, name) ? options[name] : undefined;
}

type ParserOption = { type: 'boolean' | 'string'; short?: string; multiple?: boolean };

function parserOptions(options: OptionDefinitions): Record<string, ParserOption> {
  const known: Record<string, ParserOption> = { help: { type: 'boolean', short: 'h' } };
  for (const [name, definition] of Object.entries(options)) {
    known[name] = {
      type: definition.kind === 'flag' ? 'boolean' : 'string',
      ...(definition.short === undefined ? {} : { short: definition.short }),
      ...(definition.kind === 'list' ? { multiple: true } : {}),
    };
  }
  return known;
}

function typedInput(
  options: OptionDefinitions,
  values: Readonly<Record<string, unknown>>,
  positionals: readonly string[],
): Parsed {
  const typed: Record<string, unknown> = {};
  for (const [name, definition] of Object.entries(options)) {
    const value = values[name];
    if (definition.kind === 'flag') typed[name] = value ?? definition.negatable === true;
    else if (definition.kind === 'list') typed[name] = value ?? [];
    else if (definition.kind === 'number') typed[name] = value === undefined ? undefined : Number(value);
    else typed[name] = value;
  }
  // Filled from the definitions just above, name by name.
  return { kind: 'input', input: { options: typed as Input<OptionDefinitions>['options'], arguments: positionals } };
}
