import { describe, expect, test } from 'vitest';
import { declaredKeys, fileSchemas } from '../../scripts/reference/declared-keys.ts';
import { declaredRows, type Row } from '../../scripts/reference/declared-rows.ts';
import { documentedKeys } from '../../src/config/documented-keys.ts';
import { withoutKey } from './configuration.ts';
import { type Observer, observers } from './observe.ts';

const rows = declaredRows();
const keys = declaredKeys();
const nameOf = ({ file, key }: { readonly file: string; readonly key: string }): string => `${file}: ${key}`;
const allObservers = new Map(Object.values(observers).flatMap((kind) => Object.entries(kind)));

describe('1.4: no inert key: what is declared is executed', () => {
  test('every key has a row, or stands among those that every start tells as not executed yet', () => {
    const known = new Set(rows.map(nameOf));
    expect(keys.filter((one) => one.later === undefined && !known.has(nameOf(one))).map(nameOf)).toEqual([]);
  });

  test('every row is of a key, and says what differs', () => {
    const known = new Set(keys.map(nameOf));
    expect(rows.filter((row) => !known.has(nameOf(row))).map(nameOf)).toEqual([]);
    expect(rows.filter(({ what }) => !/^\S.*\.$/.test(what)).map(nameOf)).toEqual([]);
  });

  test('only what people write for people is content with being shown', () => {
    const shown = rows.filter(({ seen }) => Object.hasOwn(observers.shown, seen));
    expect(shown.filter((row) => !isForPeople(row)).map(nameOf)).toEqual([]);
  });

  test('a key that changes nothing is found', async () => {
    const files = { 'providers.yaml': { providers: { a: { type: 'vllm', 'x-mine': 1, models: ['m'] } } } };
    const key = 'providers.*.x-mine';
    for (const seen of ['decided', 'sent', 'told', 'named', 'noted']) {
      const idle: Row = { file: 'providers.yaml', key, what: '', seen, ask: {}, files, instead: undefined };
      expect(await looking(idle)(files), seen).toEqual(await looking(idle)(withoutKey(idle)));
    }
  });

  test.concurrent.each(rows.map((row) => [nameOf(row), row.what, row] as const))(
    '%s: %s',
    async (_name, _what, row) => {
      const look = looking(row);
      const without = await look(withoutKey(row));
      const seen = await look(row.files);
      expect(await look(row.files), 'the same configuration looks the same twice').toEqual(seen);
      expect(seen, 'nothing differs without the key').not.toEqual(without);
    },
  );
});

/** Keys that say something to people alone, besides those that their schema says it of. */
const descriptive: ReadonlySet<string> = new Set([
  'description',
  'model_list[].model_info.base_model',
  'model_list[].model_info.notes',
  'model_list[].model_info.provider',
  'model_list[].model_info.status',
  'model_list[].model_info.supports_reasoning',
]);

function isForPeople({ file, key }: Row): boolean {
  if (descriptive.has(key) || descriptive.has(key.split('.').at(-1) ?? '')) return true;
  const schema = fileSchemas[file];
  const known = schema === undefined ? [] : documentedKeys(schema);
  return known.some(({ path, meta }) => path === key && meta.forPeople === true);
}

/** How a row looks at files: by its observer, with its question. */
function looking({ seen, ask }: Row): (files: Row['files']) => ReturnType<Observer> {
  const observe = allObservers.get(seen);
  if (observe === undefined) throw new Error(`No observer is called "${seen}"`);
  return (files) => observe({ files, ask });
}
