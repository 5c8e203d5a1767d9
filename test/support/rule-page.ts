import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Rules by their anchors, each with the test that proves it: its file and a part of its title. */
export type Proven = Readonly<Record<string, readonly [file: string, title: string]>>;

const root = join(import.meta.dirname, '../..');

/** Checks that each rule of a page has an anchor and each anchor its row, in both directions. */
export function checkRules(path: string, shown: readonly string[], proven: Proven): void {
  const page = readFileSync(join(root, path), 'utf8');

  test.each(Object.entries(proven))('#%s has its test', (_rule, [file, title]) => {
    // Said by hand, since a whole file is no help in a failure.
    expect(readFileSync(join(root, file), 'utf8').includes(title), `${file} has a test "${title}"`).toBe(true);
  });

  test('has an anchor that a row names, and no row names another', () => {
    const anchors = anchorsOf(page);
    expect(new Set(anchors).size).toBe(anchors.length);
    expect([...shown, ...Object.keys(proven)].sort()).toEqual([...anchors].sort());
  });

  test('stands on a line with an anchor, past the introduction', () => {
    const [, ...sections] = page.split(/^## .*$/m);
    const rules = sections.flatMap((section) => section.split('\n').filter(isRule));
    expect(rules.filter((line) => anchorsOf(line).length === 0)).toEqual([]);
  });
}

function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/<a id="([\w-]+)">/g)].map(([, id = '']) => id);
}

/** Whatever says something: not the head of a table, and not what only leads to a list or to another page. */
function isRule(line: string, at: number, lines: readonly string[]): boolean {
  if (line === '' || line.startsWith('| ---') || lines[at + 1]?.startsWith('| ---') === true) return false;
  return !line.endsWith(':');
}
