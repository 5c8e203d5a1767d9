import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../support/terminal.ts';
import { describeReal } from './real.ts';

const run = promisify(execFile);

/** Ends a shell that waits for something; in seconds. */
const limit = '60';

describeReal('spine 4: completion in real shells', ['shells'], () => {
  /** A home with a folder `config`, so that files can be completed too. */
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'signalbox-shells-'));
    mkdirSync(join(folder, 'config'));
    for (const shell of ['zsh', 'fish'])
      writeFileSync(join(folder, `signalbox.${shell}`), (await runCommand(['completion', shell], { folder })).out);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    ['signalbox pro', ['provider']],
    ['signalbox st', ['status', 'strategy']],
    ['signalbox provider ', ['drain', 'list', 'probe', 'show']],
    ['signalbox provider probe --t', ['--timeout']],
    ['signalbox up --no', ['--no-discover']],
    ['signalbox connect ai', ['aider']],
    ['signalbox completion ', ['bash', 'fish', 'zsh']],
    ['signalbox route explain --endpoint ', ['chat', 'completions', 'embeddings']],
    ['signalbox up --config con', ['config/']],
    ['signalbox route test con', ['config/']],
    // A word that is a verb elsewhere is only a word here.
    ['signalbox ask status --che', []],
    ['signalbox ask provider c', ['config/']],
    ['signalbox nonsense --', []],
  ])('fish completes "%s"', async (line, expected) => {
    const program = `source ./signalbox.fish; complete -C '${line}'`;
    const { stdout, stderr } = await run('timeout', [limit, 'fish', '--no-config', '-c', program], {
      cwd: folder,
    });
    expect(stderr).toBe('');
    const offered = stdout.split('\n').map((one) => one.split('\t')[0]);
    expect(offered.filter((word) => word !== '')).toEqual(expected);
  });

  /** What stands on zsh's line after TAB: as much as is certain. */
  const completed: readonly (readonly [typed: string, becomes: string])[] = [
    ['signalbox pro', 'signalbox provider '],
    ['signalbox provider pr', 'signalbox provider probe '],
    ['signalbox provider probe --t', 'signalbox provider probe --timeout '],
    ['signalbox up --no', 'signalbox up --no-discover '],
    ['signalbox connect ai', 'signalbox connect aider '],
    ['signalbox route explain --endpoint com', 'signalbox route explain --endpoint completions '],
    ['signalbox up --config con', 'signalbox up --config config/'],
    ['signalbox nonsense --x', 'signalbox nonsense --x'],
  ];

  test.each([
    ['a bare zsh', ''],
    ['a zsh that has its own completion on', 'autoload -U compinit && compinit'],
  ])('%s completes at TAB', async (_name, before) => {
    // Ctrl-T writes down what stands on the line, and empties it.
    const rc = [
      "PROMPT='READY '",
      before,
      'source ./signalbox.zsh',
      'show() { print -r -- "$BUFFER" >> seen; BUFFER= }',
      "zle -N show; bindkey '^T' show",
    ];
    writeFileSync(join(folder, '.zshrc'), rc.join('\n'));
    const driver = [
      'zmodload zsh/zpty',
      "zpty shell 'ZDOTDIR=. zsh -i'",
      "zpty -r shell seen '*READY *'",
      'print -r -- "$seen"',
      ...completed.map(([typed]) => `zpty -w -n shell '${typed}'$'\\t\\x14'`),
      "zpty -w -n shell $'exit\\n'",
      'while zpty -r shell rest; do :; done',
    ];
    const environment = { PATH: process.env['PATH'], HOME: folder, TERM: 'xterm' };
    const { stdout } = await run('timeout', [limit, 'zsh', '-f', '-c', driver.join('\n')], {
      cwd: folder,
      env: environment,
    });
    expect(stdout).not.toContain('not found');
    const seen = readFileSync(join(folder, 'seen'), 'utf8').split('\n').slice(0, -1);
    rmSync(join(folder, 'seen'));
    expect(seen).toEqual(completed.map(([, becomes]) => becomes));
  });
});
