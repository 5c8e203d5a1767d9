import fc from 'fast-check';
import { expect, test } from 'vitest';
import { convertEmbeddings } from './embeddings.ts';

const answer = (embedding: unknown): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding, x_new: 1 }],
      model: 'm',
      y: 2,
    }),
  );
const read = (bytes: Uint8Array): { data: { embedding: unknown }[] } => JSON.parse(Buffer.from(bytes).toString('utf8'));

test('spine 3.2: vectors survive the way to base64 and back, to the last bit', () => {
  const vector = fc.array(
    fc.float({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
    {
      minLength: 1,
    },
  );
  fc.assert(
    fc.property(vector, (numbers) => {
      const base64 = convertEmbeddings(answer(numbers), 'base64');
      expect(typeof read(base64).data[0]?.embedding).toBe('string');
      expect(read(convertEmbeddings(base64, 'float'))).toEqual(read(answer(numbers)));
    }),
  );
});

test('spine 3.3: an answer in the form that was asked keeps its bytes', () => {
  const floats = answer([0.5]);
  const base64 = answer('AAAAPw==');
  expect(convertEmbeddings(floats, 'float')).toBe(floats);
  expect(convertEmbeddings(floats, undefined)).toBe(floats);
  expect(convertEmbeddings(base64, 'base64')).toBe(base64);
});

test('spine 3.2: an answer without vectors stays as it is', () => {
  const empty = Buffer.from('{"object":"list","data":[],"model":"m"}');
  expect(convertEmbeddings(empty, 'base64')).toBe(empty);
});
