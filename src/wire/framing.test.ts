import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TooLarge } from './limits.ts';
import { createNdjsonFramer } from './ndjson.ts';
import { createSseFramer } from './sse.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function cut(bytes: Uint8Array, positions: readonly number[]): Uint8Array[] {
  const sorted = [...new Set(positions.map((position) => position % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...sorted, bytes.length].map((end, index) => bytes.slice(index === 0 ? 0 : (sorted[index - 1] ?? 0), end));
}

function sseData(pieces: readonly Uint8Array[]): string[] {
  const framer = createSseFramer();
  const events = [...pieces.flatMap((piece) => framer.push(piece)), ...framer.end()];
  return events.filter((event) => event.data !== '').map((event) => `${event.event ?? ''}|${event.data}`);
}

test.each([
  ['data: a\n\ndata: b\n\n', ['|a', '|b']],
  ['data: a\r\n\r\ndata: b\r\n\r\n', ['|a', '|b']],
  ['data: a\r\rdata: b\r\r', ['|a', '|b']],
  ['data:a\ndata:b\n\n', ['|a\nb']],
  [': ping\n\ndata: a\n\n', ['|a']],
  ['event: error\ndata: {"x":1}\n\n', ['error|{"x":1}']],
  ['id: 1\nretry: 5\ndata: a\n\n', ['|a']],
  ['\n\n\ndata: a\n\n', ['|a']],
  ['data: a\n\ndata: b', ['|a', '|b']],
  ['\uFEFFdata: a\n\n', ['|a']],
  ['data: [DONE]\n\n', ['|[DONE]']],
  ['data\n\ndata: é€😀\n\n', ['|é€😀']],
])('spine 3.4: the stream %j is cut at every byte and read the same', (text, wanted) => {
  const bytes = encode(text);
  expect(sseData([bytes])).toEqual(wanted);
  for (let at = 0; at <= bytes.length; at++) expect(sseData([bytes.slice(0, at), bytes.slice(at)])).toEqual(wanted);
  expect(sseData(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(wanted);
});

test('spine 5.4: SSE framing does not depend on how bytes are cut, and loses none', () => {
  const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
  const event = fc.record({
    data: fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 3 }),
    end: lineEnd,
    space: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 6 }), fc.array(fc.nat()), (events, positions) => {
      const text = events
        .map(({ data, end, space }) => {
          const lines = data.map((line) => `data:${space ? ' ' : ''}${line.replaceAll(/[\r\n]/g, '_')}`);
          return `${lines.join(end)}${end}${end}`;
        })
        .join('');
      const bytes = encode(text);
      const whole = sseData([bytes]);
      expect(sseData(cut(bytes, positions))).toEqual(whole);
      const framer = createSseFramer();
      const raw = cut(bytes, positions)
        .flatMap((piece) => framer.push(piece))
        .map((one) => one.raw);
      const tail = framer.end().map((one) => one.raw);
      if (tail.length === 0 && !text.endsWith('\r')) expect(Buffer.concat(raw).toString()).toBe(text);
    }),
  );
});

test('spine 5.4: NDJSON framing does not depend on how bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 6 }), fc.array(fc.nat()), (values, positions) => {
      const bytes = encode(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
      const framer = createNdjsonFramer();
      const lines = [...cut(bytes, positions).flatMap((piece) => framer.push(piece)), ...framer.end()];
      expect(lines.map((line) => JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(values)));
    }),
  );
});

test('spine 7: an endless event is refused before it fills the memory', () => {
  const framer = createSseFramer(1000);
  expect(() => {
    for (let piece = 0; piece < 100; piece++) framer.push(encode(`data: ${'x'.repeat(50)}`));
  }).toThrow(TooLarge);
});
