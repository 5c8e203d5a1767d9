import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { runCommand } from '../support/terminal.ts';

const goldens = join(import.meta.dirname, 'goldens/help');
const verbs = commands.map((entry) => entry.words.join(' '));

/** The picture of one help text. */
const compare = (name: string, text: string): Promise<void> =>
  expect(text).toMatchFileSnapshot(join(goldens, `${name}.txt`));

test.each(verbs)('spine 4: signalbox %s --help', async (verb) => {
  const { code, out, err } = await runCommand([...verb.split(' '), '--help'], { folder: '/' });
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('Examples:');
  // It has to fit a terminal of a usual width.
  for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(120);
  await compare(verb.replaceAll(' ', '-'), out);
});

test('spine 4: signalbox --help names every verb', async () => {
  const { code, out } = await runCommand(['--help'], { folder: '/' });
  expect(code).toBe(0);
  for (const verb of verbs) expect(out).toContain(verb);
  await compare('overview', out);
});

test('spine 4: there is no picture of a verb that is gone', () => {
  const wanted = [...verbs.map((verb) => `${verb.replaceAll(' ', '-')}.txt`), 'overview.txt'];
  expect(readdirSync(goldens).sort()).toEqual(wanted.sort());
});

test.each([
  ['an unknown verb', ['stattus'], 64, 'did you mean "status"'],
  ['an unknown option', ['status', '--jsno'], 64, '--json'],
  ['an option without its value', ['up', '--port'], 64, 'port'],
  ['a number that is none', ['up', '--port', 'many'], 64, 'port'],
  ['a word out of a closed list', ['route', 'explain', 'x', '--endpoint', 'chta'], 64, 'did you mean "chat"?'],
  ['an argument out of a closed list', ['completion', 'bahs'], 64, 'did you mean "bash"?'],
  ['an unknown verb of a noun', ['provider', 'lsit'], 64, 'did you mean "provider list"?'],
  ['a flag with a value', ['status', '--json=yes'], 64, 'takes no value'],
  ['a port that is none', ['up', '--port', '99999'], 64, 'from 0 to 65535, found "99999"'],
  ['half a port', ['doctor', '--port', '80.5'], 64, 'wants a whole number'],
  ['a missing argument', ['ask'], 64, 'NAME'],
  ['a noun alone', ['provider'], 64, 'provider list'],
  ['too many words', ['status', 'now'], 64, 'now'],
])('spine 4: %s is wrong usage', async (_what, words, code, said) => {
  const ran = await runCommand(words, { folder: '/' });
  expect(ran.code).toBe(code);
  expect(ran.err).toContain(said);
  expect(ran.out).toBe('');
});
