import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createOpenAiStreamReader } from './read-open-ai-stream.ts';

type Chunk = { readonly [key: string]: unknown };

/** Chunks in the orders of keys that servers have, with what differs from one to the next. */
const chunkMaker = fc.record({
  modelLast: fc.boolean(),
  created: fc.boolean(),
  textKey: fc.constantFrom('content', 'reasoning_content', 'refusal'),
  repeatsRole: fc.boolean(),
  name: fc.constantFrom('asked', 'served', 'mod"el', 'modèle'),
});

const texts = fc.array(
  fc.oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('"finish_reason":"stop"', '\n', '', '"model":"x"', '","content":"', 'content', 'error', '\\'),
  ),
  { minLength: 1, maxLength: 12 },
);

test('spine 3.3: every chunk says what it said, under the asked name', () => {
  fc.assert(
    fc.property(chunkMaker, texts, fc.boolean(), (form, said, inOnePiece) => {
      const delta = (text: string): Chunk => ({
        ...(form.repeatsRole ? { role: 'assistant' } : {}),
        [form.textKey]: text,
      });
      const chunk = (index: number, choice: Chunk): Chunk => {
        const choices = [{ index: 0, ...choice }];
        const created = form.created ? 1_700_000_000 + index : 1_700_000_000;
        const head = { id: 'chatcmpl-1', created, object: 'chat.completion.chunk' };
        return form.modelLast ? { choices, ...head, model: form.name } : { ...head, model: form.name, choices };
      };
      const chunks = [
        ...said.map((text, index) => chunk(index, { delta: delta(text), finish_reason: null })),
        chunk(said.length, { delta: {}, finish_reason: 'stop' }),
      ];
      const events = chunks.map((one) => Buffer.from(`data: ${JSON.stringify(one)}\n\n`));
      const reader = createOpenAiStreamReader('asked');
      const pieces = inOnePiece ? [Buffer.concat(events)] : events;
      const parts = [...pieces.flatMap((piece) => reader.read(piece)), ...reader.end()];
      const sent = parts.flatMap((part) => ('bytes' in part ? [Buffer.from(part.bytes).toString('utf8')] : []));
      const wanted = chunks.map((one) => `data: ${JSON.stringify({ ...one, model: 'asked' })}\n\n`);
      expect(sent.join('')).toBe(wanted.join(''));
      expect(parts.at(-1)).toEqual({ kind: 'done' });
    }),
    { numRuns: 500 },
  );
});

test('spine 3.4: a choice that goes on after another finished keeps the stream open', () => {
  const event = (index: number, choice: Chunk): string =>
    `data: ${JSON.stringify({ model: 'asked', choices: [{ index, ...choice }] })}\n\n`;
  const reader = createOpenAiStreamReader('asked');
  const stream = [
    event(0, { delta: { content: 'a' }, finish_reason: null }),
    event(0, { delta: { content: 'b' }, finish_reason: null }),
    event(1, { delta: { content: 'c' }, finish_reason: null }),
    event(0, { delta: {}, finish_reason: 'stop' }),
    event(1, { delta: { content: 'd' }, finish_reason: null }),
  ];
  const parts = [...stream.flatMap((one) => reader.read(Buffer.from(one))), ...reader.end()];
  expect(parts.at(-1)).toMatchObject({ kind: 'failed', failure: { kind: 'upstream_truncated' } });
});

test('spine 7: an event that never ends is a failure, not an exception', () => {
  const reader = createOpenAiStreamReader('asked');
  const megabyte = Buffer.alloc(1024 * 1024, 0x61);
  const parts = Array.from({ length: 20 }, () => reader.read(megabyte)).flat();
  expect(parts).toMatchObject([{ kind: 'failed', failure: { kind: 'upstream_too_large' } }]);
});
