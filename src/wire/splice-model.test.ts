import fc from 'fast-check';
import { expect, test } from 'vitest';
import { spliceModel } from './splice-model.ts';

test('spine 5.4: the root model is set and every other byte kept', () => {
  const other = fc.dictionary(
    fc.string().filter((key) => key !== 'model'),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const nested = fc.record({ model: fc.string(), deep: fc.array(fc.record({ model: fc.string() })) });
  fc.assert(
    fc.property(other, nested, fc.string(), fc.string(), fc.boolean(), (rest, inner, served, asked, isFirst) => {
      const object = isFirst
        ? { id: 'x', model: served, inner, ...rest }
        : { inner, ...rest, model: served, last: '"model":"y"' };
      const prefix = 'data: ';
      const bytes = Buffer.from(`${prefix}${JSON.stringify(object)}\n\n`);
      const spliced = spliceModel(bytes, prefix.length, bytes.length - 2, asked);
      expect(Buffer.from(spliced).toString('utf8')).toBe(`${prefix}${JSON.stringify({ ...object, model: asked })}\n\n`);
    }),
  );
});

test.each([['{"id":"x"}'], ['{"inner":{"model":"a"}}'], ['{"text":"\\"model\\":\\"a\\""}']])(
  'spine 5.4: %s has no root model and stays as it is',
  (text) => {
    const bytes = Buffer.from(text);
    expect(Buffer.from(spliceModel(bytes, 0, bytes.length, 'asked')).toString('utf8')).toBe(text);
  },
);
