import { expect, test } from 'vitest';
import { inOneLine, printable } from './printable.ts';

test.each([
  ['plain', 'llama3.1 – “größer” 😀', 'llama3.1 – “größer” 😀', 'llama3.1 – “größer” 😀'],
  ['a colour', '\u001b[31mred\u001b[0m', '\u001b[31mred\u001b[0m', '\\u001b[31mred\\u001b[0m'],
  ['a screen wiped', 'a\u001b[2Jb', 'a\\u001b[2Jb', 'a\\u001b[2Jb'],
  ['a title set', '\u001b]0;x\u0007', '\\u001b]0;x\\u0007', '\\u001b]0;x\\u0007'],
  ['the eight-bit form', '\u009b2J', '\\u009b2J', '\\u009b2J'],
  ['a line written over', 'a\rb', 'a\\u000db', 'a\\u000db'],
  ['a line end that is followed by what begins a colour', 'a\n[1m', 'a\n[1m', 'a\\u000a[1m'],
  ['letters reversed', 'a\u202eb\u2066', 'a\\u202eb\\u2066', 'a\\u202eb\\u2066'],
])('spine 3.10: nothing from outside steers a terminal: %s', (_what, text, lines, value) => {
  expect([printable(text), inOneLine(text)]).toEqual([lines, value]);
});
