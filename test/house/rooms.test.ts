import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rooms } from '../../import-rules.mjs';

const root = join(import.meta.dirname, '../..');
const source = join(root, 'src');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Comments that open a file and introduce its room: "Routing: which deployments answer …". */
function headersOf(room: string): readonly string[] {
  return readdirSync(join(source, room))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .flatMap(
      (name) =>
        /^\/\*\*\n \* (?:[A-Z]\w+|The command line): [\s\S]*?\*\/\n/.exec(read(`src/${room}/${name}`))?.[0] ?? [],
    );
}

const folders = Object.keys(rooms).filter((room) => room !== 'main');

test.each(folders)(
  'spine 1.4: the room %s opens with one header, of at most 15 lines, that says where to start',
  (room) => {
    const headers = headersOf(room);
    expect(headers).toHaveLength(1);
    expect(headers[0]?.trimEnd().split('\n').length).toBeLessThanOrEqual(15);
    expect(headers[0]).toMatch(/tart reading|\w+\.ts/);
  },
);

test('spine 1.3: every folder of src is a room of the rules, and of ARCHITECTURE.md', () => {
  const found = readdirSync(source, { withFileTypes: true })
    .filter((one) => one.isDirectory())
    .map((one) => one.name);
  expect(found.sort()).toEqual([...folders].sort());
  const described = [...read('ARCHITECTURE.md').matchAll(/^\*\*`src\/([\w-]+)`/gm)].map(([, room]) => room);
  expect(described.sort()).toEqual([...folders].sort());
});

/** Words of the glossary, as its first column has them. */
const words = [...read('docs/reference/glossary.md').matchAll(/^\| ([a-z][a-z -]*?) +\|/gm)].map(
  ([, word = '']) => word,
);

test('spine 1.4: the glossary is in order, and has every word once', () => {
  expect(words.length).toBeGreaterThan(40);
  const order = (a: string, b: string): number => a.localeCompare(b, 'en');
  expect(words.filter((word) => word !== 'word')).toEqual(
    [...new Set(words)].filter((word) => word !== 'word').sort(order),
  );
});

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
  (path) => path.endsWith('.ts') && !path.endsWith('.test.ts'),
);
const text = files.map((path) => readFileSync(join(source, path), 'utf8')).join('\n');

test.each(words.filter((word) => word !== 'word'))('spine 1.4: the code speaks of a %s', (word) => {
  // "model group" in text, modelGroup and ModelGroup in names, model_group in files.
  expect(text).toMatch(new RegExp(word.replaceAll(/[ -]/g, '[ _-]?'), 'i'));
});

/** Words that a name is not made of: they say nothing of what a thing is, or are another word for one of the glossary. */
const refused: readonly (readonly [word: RegExp, instead: string])[] = [
  [/(?:Manager|Helper|Utils?|Service|Processor|Base|Impl)$/, 'what it is or does'],
  [/[a-z](?:Data|Info|Obj)$/, 'what is in it'],
  [/[Vv]endor/, 'provider'],
  [/[Bb]lacklist|[Qq]uarantine|[Ee]ject/, 'cooldown'],
  [/[Ff]ailover/, 'fallback'],
  [/[Mm]odelPool|[Mm]odelAlias(?:es)?Group/, 'model group'],
  [/[Bb]ackend(?!Model)/, 'upstream, provider or deployment'],
];
/** The names of LiteLLM's own paths. */
const allowed = new Set(['answerModelInfo', 'answerGroupInfo']);

test('style 19, 20: exported names are made of the glossary’s words', () => {
  const names = [...text.matchAll(/^export (?:async )?(?:const|function|type|class) (\w+)/gm)].map(
    ([, name = '']) => name,
  );
  expect(names.length).toBeGreaterThan(300);
  const wrong = names.flatMap((name) =>
    refused.flatMap(([word, instead]) => (word.test(name) && !allowed.has(name) ? [`${name}: ${instead}`] : [])),
  );
  expect(wrong).toEqual([]);
});

/** Files that are one list or one algorithm. */
const longFiles = new Set<string>();

test('style 8: no file is longer than 400 lines', () => {
  const long = files.filter((path) => readFileSync(join(source, path), 'utf8').split('\n').length > 401);
  expect(long.filter((path) => !longFiles.has(path))).toEqual([]);
});
