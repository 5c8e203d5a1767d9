import type { Command, OptionDefinition } from './command.ts';

/** What the table of all verbs knows of one before it is loaded. */
export type Listed = { readonly words: readonly string[]; readonly summary: string };

/** Help of one verb. */
export function renderHelp(command: Command): string {
  const name = ['signalbox', ...command.words].join(' ');
  const usage = [
    name,
    ...command.arguments.map((argument) => (argument.required ? argument.name : `[${argument.name}]`)),
  ];
  const options = [
    ...Object.entries(command.options).map(
      ([option, definition]) => [spelling(option, definition), definition.help] as const,
    ),
    ['-h, --help', 'print this'] as const,
  ];
  return [
    `${command.summary}`,
    '',
    `Usage: ${usage.join(' ')}${Object.keys(command.options).length === 0 ? '' : ' [options]'}`,
    ...paragraph(command.details),
    ...section(
      'Arguments',
      command.arguments.map((argument) => [argument.name, argument.help]),
    ),
    ...section('Options', options),
    ...section(
      'Examples',
      command.examples.map((example) => [example.line, example.does]),
    ),
  ].join('\n');
}

/** Help of the whole program: every verb with its summary, by noun. */
export function renderOverview(title: string, commands: readonly Listed[]): string {
  return [
    title,
    '',
    'Usage: signalbox COMMAND [options]',
    ...section(
      'Commands',
      commands.map((command) => [command.words.join(' '), command.summary]),
    ),
    '',
    'signalbox COMMAND --help shows its options and examples.',
  ].join('\n');
}

function spelling(name: string, definition: OptionDefinition): string {
  const short = definition.short === undefined ? '' : `-${definition.short}, `;
  if (definition.kind === 'flag') return `${short}--${definition.negatable === true ? 'no-' : ''}${name}`;
  return `${short}--${name} ${definition.value}`;
}

function paragraph(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', ...lines];
}

/** Two columns; a left side that is too wide for its column stands on a line of its own. */
function section(title: string, rows: readonly (readonly [left: string, right: string])[]): string[] {
  if (rows.length === 0) return [];
  const width = Math.min(30, Math.max(...rows.map(([left]) => left.length)));
  const lines = rows.flatMap(([left, right]) =>
    left.length > width ? [`  ${left}`, `  ${' '.repeat(width)}  ${right}`] : [`  ${left.padEnd(width)}  ${right}`],
  );
  return ['', `${title}:`, ...lines];
}
