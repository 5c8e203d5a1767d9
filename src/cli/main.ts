import { productVersion } from '../ops/product-version.ts';
import { nearest } from '../plan/nearest.ts';
import { type Command, type CommandEntry, exitCode } from './command.ts';
import { commands } from './commands.ts';
import { fail } from './fail.ts';
import { renderHelp, renderOverview } from './help.ts';
import { parseInput } from './parse.ts';
import { problemOfError } from './problem-of-error.ts';
import type { Terminal } from './terminal.ts';

/** Runs the command line and gives the exit code; nothing below this ends the process itself. */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  const [first] = words;
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') {
    return help(words.slice(1), terminal);
  }
  if (first === '--version' || first === '-v' || first === 'version') {
    terminal.out(`signalbox ${productVersion()}`);
    return exitCode.done;
  }
  const entry = findCommand(words);
  if (entry === undefined) return unknownCommand(words, terminal);
  const command = await entry.load();
  const parsed = parseInput(command, words.slice(entry.words.length));
  switch (parsed.kind) {
    case 'help':
      terminal.out(renderHelp(command));
      return exitCode.done;
    case 'wrong':
      terminal.err(parsed.message);
      terminal.err(`See: signalbox ${entry.words.join(' ')} --help`);
      return exitCode.wrongUsage;
    case 'input':
      return runCommand(command, parsed.input, terminal);
  }
}

async function runCommand(command: Command, input: Parameters<Command['run']>[0], terminal: Terminal): Promise<number> {
  try {
    return await command.run(input, terminal);
  } catch (error) {
    const problem = problemOfError(error);
    if (problem === undefined) throw error;
    return fail(problem, terminal, { json: Boolean(input.options['json']) });
  }
}

async function help(words: readonly string[], terminal: Terminal): Promise<number> {
  const entry = findCommand(words);
  if (entry === undefined && words.length > 0 && nounVerbs(words[0]).length === 0)
    return unknownCommand(words, terminal);
  if (entry === undefined) terminal.out(overview(nounVerbs(words[0])));
  else terminal.out(renderHelp(await entry.load()));
  return exitCode.done;
}

const title = 'Signalbox: one OpenAI-compatible endpoint in front of every model you run.';

function overview(listed: readonly CommandEntry[]): string {
  return renderOverview(title, listed.length === 0 ? commands : listed);
}

function findCommand(words: readonly string[]): CommandEntry | undefined {
  return commands.find((entry) => entry.words.every((word, position) => words[position] === word));
}

function nounVerbs(noun: string | undefined): readonly CommandEntry[] {
  return commands.filter((entry) => entry.words.length > 1 && entry.words[0] === noun);
}

function unknownCommand(words: readonly string[], terminal: Terminal): number {
  const [noun = '', verb] = words;
  const verbs = nounVerbs(noun);
  if (verbs.length > 0 && (verb === '--help' || verb === '-h')) {
    terminal.out(overview(verbs));
    return exitCode.done;
  }
  const names = (verbs.length > 0 ? verbs : commands).map((entry) => entry.words.join(' '));
  const [near] = [...nearest(words.slice(0, 2).join(' '), names, 1), ...nearest(noun, names, 1)];
  const typed = verbs.length > 0 ? `${noun} ${verb}` : noun;
  if (verbs.length > 0 && verb === undefined) terminal.err(`"${noun}" wants a verb: ${names.join(', ')}`);
  else terminal.err(`Unknown command "${typed}"${near === undefined ? '' : `: did you mean "${near}"?`}`);
  terminal.err(`See: signalbox ${verbs.length > 0 ? `${noun} ` : ''}--help`);
  return exitCode.wrongUsage;
}
