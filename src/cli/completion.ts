import { type Command, type CommandEntry, defineCommand, exitCode, jsonOption } from './command.ts';
import { printJson } from './print-json.ts';

/** `signalbox completion SHELL`: a script that completes verbs and their options. */
export function createCompletion(commands: readonly CommandEntry[]): Command {
  return defineCommand({
    words: ['completion'],
    summary: 'print a completion script for a shell',
    arguments: [{ name: 'SHELL', help: 'bash, zsh or fish', required: true }],
    options: { json: jsonOption },
    examples: [
      { line: 'source <(signalbox completion bash)', does: 'complete in this shell' },
      { line: 'signalbox completion fish > ~/.config/fish/completions/signalbox.fish', does: 'complete in every fish' },
    ],
    async run({ options, arguments: [shell = ''] }, terminal) {
      const write = scripts.get(shell);
      if (write === undefined) {
        terminal.err(`SHELL wants ${[...scripts.keys()].join(', ')}, found "${shell}"`);
        return exitCode.wrongUsage;
      }
      const script = write(await completionLines(commands));
      if (options.json) printJson<'completion'>(terminal, { shell, script });
      else terminal.out(script);
      return exitCode.done;
    },
  });
}

/** What may follow a beginning: the words typed so far → the next word with its meaning. */
type Completion = { readonly after: string; readonly next: string; readonly meaning: string };

async function completionLines(commands: readonly CommandEntry[]): Promise<readonly Completion[]> {
  const lines: Completion[] = [];
  for (const entry of commands) {
    const loaded = await entry.load();
    const [noun, verb] = entry.words;
    if (noun === undefined) continue;
    const isNew = !lines.some((line) => line.after === '' && line.next === noun);
    if (isNew) lines.push({ after: '', next: noun, meaning: verb === undefined ? entry.summary : `${noun} commands` });
    if (verb !== undefined) lines.push({ after: noun, next: verb, meaning: entry.summary });
    for (const [name, option] of Object.entries(loaded.options)) {
      const negatable = option.kind === 'flag' && option.negatable === true;
      lines.push({ after: entry.words.join(' '), next: `--${negatable ? 'no-' : ''}${name}`, meaning: option.help });
    }
    lines.push({ after: entry.words.join(' '), next: '--help', meaning: 'print its help' });
  }
  return lines;
}

/** Words grouped by what stands before them. */
function byBeginning(lines: readonly Completion[]): ReadonlyMap<string, readonly Completion[]> {
  return Map.groupBy(lines, (line) => line.after);
}

function bashScript(lines: readonly Completion[]): string {
  const cases = [...byBeginning(lines)].map(
    ([after, following]) => `    "${after}") words="${following.map((line) => line.next).join(' ')}" ;;`,
  );
  return [
    '_signalbox() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" one="${COMP_WORDS[1]}" two="${COMP_WORDS[2]}" words=""',
    '  local before=""',
    '  [ "$COMP_CWORD" -gt 1 ] && before="$one"',
    '  [ "$COMP_CWORD" -gt 2 ] && case "$two" in -*) ;; *) before="$one $two" ;; esac',
    '  case "$before" in',
    ...cases,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _signalbox signalbox',
  ].join('\n');
}

function zshScript(lines: readonly Completion[]): string {
  return ['autoload -U +X bashcompinit && bashcompinit', bashScript(lines)].join('\n');
}

function fishScript(lines: readonly Completion[]): string {
  return lines
    .map((line) => {
      const quoted = line.meaning.replaceAll("'", "\\'");
      const seen =
        line.after === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${line.after.split(' ').at(-1)}`;
      const word = line.next.startsWith('--') ? `-l ${line.next.slice(2)}` : `-a ${line.next}`;
      return `complete -c signalbox -f -n '${seen}' ${word} -d '${quoted}'`;
    })
    .join('\n');
}

type Script = (lines: readonly Completion[]) => string;

const scripts: ReadonlyMap<string, Script> = new Map([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
]);
