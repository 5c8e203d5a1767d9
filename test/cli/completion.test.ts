import { execFileSync } from 'node:child_process';
import { beforeAll, expect, test } from 'vitest';
import { runCommand } from '../support/terminal.ts';

let script = '';
beforeAll(async () => {
  script = (await runCommand(['completion', 'bash'], { folder: '/' })).out;
});

/** What a bash that has read the script offers for a line; the last word is the one that is being typed. */
function offered(line: string): readonly string[] {
  const words = line.split(' ');
  const program = `${script}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_signalbox; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const printed = execFileSync('bash', ['--norc', '-c', program], { encoding: 'utf8' });
  return printed.split('\n').filter((word) => word !== '');
}

test.each([
  ['signalbox st', ['status', 'strategy']],
  ['signalbox cache ', ['stats', 'flush']],
  ['signalbox cache flush --m', ['--model']],
  ['signalbox pro', ['provider']],
  ['signalbox provider ', ['list', 'show', 'probe', 'drain']],
  ['signalbox provider pr', ['probe']],
  ['signalbox provider probe --t', ['--timeout']],
  ['signalbox up --no', ['--no-discover']],
  ['signalbox up --port 4001 --le', ['--lenient']],
  ['signalbox route explain fast --as', ['--assume']],
  ['signalbox route explain --en', ['--endpoint']],
  ['signalbox connect ai', ['aider']],
  ['signalbox connect aider --w', ['--write']],
  ['signalbox completion ', ['bash', 'zsh', 'fish', '--json', '--help']],
  ['signalbox route explain fast --endpoint ', ['chat', 'completions', 'embeddings']],
  ['signalbox up --config con', []],
  ['signalbox ask fast --sys', ['--system']],
  ['signalbox nonsense --', []],
])('spine 4: bash completes "%s"', (line, expected) => {
  expect(offered(line)).toEqual(expected);
});

test('spine 4: the script that bash sources is the one of the help’s example', () => {
  const registered = execFileSync('bash', ['--norc', '-c', `${script}\ncomplete -p signalbox`], { encoding: 'utf8' });
  expect(registered).toContain('-F _signalbox signalbox');
});
