import { expect, test } from 'vitest';
import { renderTable } from './render-table.ts';
import { paint } from './style.ts';

const yellow = (text: string): string => paint({ colour: true }, 'yellow', text);

const head = ['provider', 'loaded', 'first token', 'state'];
const rows = [
  ['ollama', 'gemma:latest, tiny:latest', '347 ms', 'ready'],
  ['llama_cpp_native', 'counter (serves tiny)', '3 ms', 'down: the connection is refused'],
];

test.each([
  {
    name: 'every cell in one line where there is room',
    columns: 200,
    lines: [
      'provider          loaded                     first token  state',
      'ollama            gemma:latest, tiny:latest  347 ms       ready',
      'llama_cpp_native  counter (serves tiny)      3 ms         down: the connection is refused',
    ],
  },
  {
    name: 'the last column goes on below itself first',
    columns: 85,
    lines: [
      'provider          loaded                     first token  state',
      'ollama            gemma:latest, tiny:latest  347 ms       ready',
      'llama_cpp_native  counter (serves tiny)      3 ms         down: the connection is',
      '                                                          refused',
    ],
  },
  {
    name: 'then the widest texts, and a head, but no number from its unit',
    columns: 65,
    lines: [
      'provider          loaded         first   state',
      '                                 token',
      'ollama            gemma:latest,  347 ms  ready',
      '                  tiny:latest',
      'llama_cpp_native  counter        3 ms    down: the connection is',
      '                  (serves tiny)          refused',
    ],
  },
  {
    name: 'a list of cells where no column can give more',
    columns: 40,
    lines: [
      'ollama',
      '  loaded       gemma:latest, tiny:latest',
      '  first token  347 ms',
      '  state        ready',
      'llama_cpp_native',
      '  loaded       counter (serves tiny)',
      '  first token  3 ms',
      '  state        down: the connection is refused',
    ],
  },
])('spine 1.2: a table in $columns columns: $name', ({ columns, lines }) => {
  expect(renderTable(head, rows, { columns })).toEqual(lines);
});

test('spine 1.2: a colour ends with its line, so that it paints no column beside it', () => {
  const row = [yellow('one two three four five'), yellow('six seven eight nine ten eleven twelve')];
  expect(renderTable(['first', 'last'], [row], { columns: 39 })).toEqual([
    'first          last',
    `${yellow('one two three')}  ${yellow('six seven eight nine ten')}`,
    `${yellow('four five')}      ${yellow('eleven twelve')}`,
  ]);
});
