import { type Command, type CommandEntry, defineCommand, exitCode, jsonOption } from './command.ts';
import { printJson } from './print-json.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** `signalbox completion SHELL`: a script that completes verbs, their options and what these may be. */
export function createCompletion(commands: readonly CommandEntry[]): Command {
  return defineCommand({
    words: ['completion'],
    summary: 'print a completion script for a shell',
    arguments: [{ name: 'SHELL', help: 'bash, zsh or fish', required: true, oneOf: shells }],
    options: { json: jsonOption },
    examples: [
      { line: 'source <(signalbox completion bash)', does: 'complete in this shell' },
      { line: 'signalbox completion fish > ~/.config/fish/completions/signalbox.fish', does: 'complete in every fish' },
    ],
    async run({ options, arguments: [asked] }, terminal) {
      const shell = shells.find((one) => one === asked) ?? 'bash';
      const script = scripts[shell](await Promise.all(commands.map(completed)));
      if (options.json) printJson<'completion'>(terminal, { shell, script });
      else terminal.out(script);
      return exitCode.done;
    },
  });
}

/** What can follow the words of a verb. */
type Completed = {
  readonly words: readonly string[];
  readonly summary: string;
  /** What its argument may be, where that is known. */
  readonly names: readonly string[];
  readonly options: readonly CompletedOption[];
};

type CompletedOption = {
  readonly flag: string;
  readonly help: string;
  /** What its value may be: nothing is known of most values, and a flag has none. */
  readonly values: readonly string[] | undefined;
};

async function completed({ words, summary, load }: CommandEntry): Promise<Completed> {
  const command = await load();
  const options = Object.entries(command.options).map(([name, option]): CompletedOption => {
    const isNegated = option.kind === 'flag' && option.negatable === true;
    const values = option.kind === 'flag' ? undefined : option.kind === 'text' ? (option.oneOf ?? []) : [];
    return { flag: `--${isNegated ? 'no-' : ''}${name}`, help: option.help, values };
  });
  const help = { flag: '--help', help: 'print its help', values: undefined };
  return {
    words,
    summary,
    names: command.arguments[0]?.oneOf ?? [],
    options: [...options, help],
  };
}

/** Nouns with the verbs that follow them. */
function nounsOf(verbs: readonly Completed[]): ReadonlyMap<string, readonly Completed[]> {
  return Map.groupBy(
    verbs.filter(({ words }) => words.length > 1),
    ({ words }) => words[0] ?? '',
  );
}

function firstWords(verbs: readonly Completed[]): readonly string[] {
  return [...new Set(verbs.map(({ words }) => words[0] ?? ''))];
}

function bashScript(verbs: readonly Completed[]): string {
  const nouns = nounsOf(verbs);
  const offer = (before: string, words: readonly string[]): string => `    "${before}") words="${words.join(' ')}" ;;`;
  const values = verbs.flatMap(({ words, options }) =>
    options.flatMap((option) =>
      option.values === undefined ? [] : [offer(`${words.join(' ')} ${option.flag}`, option.values)],
    ),
  );
  return [
    '_signalbox() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" before="" words=""',
    '  [ "$COMP_CWORD" -gt 1 ] && before="${COMP_WORDS[1]}"',
    // Only a noun is followed by a verb: after any other first word stands an argument.
    `  case "$before" in ${[...nouns.keys()].join('|')}) [ "$COMP_CWORD" -gt 2 ] && before="$before \${COMP_WORDS[2]}" ;; esac`,
    '  case "$before" in',
    offer('', firstWords(verbs)),
    ...[...nouns].map(([noun, following]) =>
      offer(
        noun,
        following.map(({ words }) => words[1] ?? ''),
      ),
    ),
    ...verbs.map(({ words, names, options }) => offer(words.join(' '), [...names, ...options.map(({ flag }) => flag)])),
    '  esac',
    // After an option that takes a value stands that value: a known word, else whatever bash completes, such as a file.
    '  case "$before ${COMP_WORDS[COMP_CWORD-1]}" in',
    ...values,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _signalbox signalbox',
  ].join('\n');
}

function zshScript(verbs: readonly Completed[]): string {
  // Its own completion is not on in every zsh, and bash's stands on it.
  const needed = '(( $+functions[compdef] )) || { autoload -U compinit && compinit }';
  return [needed, 'autoload -U +X bashcompinit && bashcompinit', bashScript(verbs)].join('\n');
}

/** What fish asks of the words before the one that is typed: whether they are these, and whether they begin so. */
const fishQuestions = [
  'function __signalbox_are',
  '  set -l words (commandline -opc)',
  '  set -e words[1]',
  '  test "$words" = "$argv"',
  'end',
  'function __signalbox_begin',
  '  set -l words (commandline -opc)',
  '  set -e words[1]',
  '  test "$words[1..$(count $argv)]" = "$argv"',
  'end',
];

function fishScript(verbs: readonly Completed[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;
  const offer = (when: string, what: string, meaning: string): string =>
    `complete -c signalbox -n '${when}' ${what} -d ${quoted(meaning)}`;
  const nouns = [...nounsOf(verbs)].flatMap(([noun, following]) => [
    offer('__signalbox_are', `-f -a ${noun}`, `${noun} commands`),
    ...following.map(({ words, summary }) => offer(`__signalbox_are ${noun}`, `-f -a ${words[1]}`, summary)),
  ]);
  const single = verbs.filter(({ words }) => words.length === 1);
  const options = verbs.flatMap(({ words, names, options: own }) => {
    const when = `__signalbox_begin ${words.join(' ')}`;
    return [
      ...names.map((name) => offer(when, `-f -a ${name}`, name)),
      ...own.map(({ flag, help, values }) => {
        const option = `-l ${flag.slice(2)}`;
        if (values === undefined) return offer(when, option, help);
        return offer(
          when,
          values.length === 0 ? `${option} -r -F` : `${option} -x -a ${quoted(values.join(' '))}`,
          help,
        );
      }),
    ];
  });
  return [
    ...fishQuestions,
    ...single.map(({ words, summary }) => offer('__signalbox_are', `-f -a ${words[0]}`, summary)),
    ...nouns,
    ...options,
  ].join('\n');
}

const scripts: Readonly<Record<(typeof shells)[number], (verbs: readonly Completed[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};
