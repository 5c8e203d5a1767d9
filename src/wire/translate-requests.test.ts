import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { chatToMessages, messagesFields } from './chat-to-messages.ts';
import { chatToOllama, completionToOllama, embeddingsToOllama, ollamaFields } from './chat-to-ollama.ts';
import type { Fields } from './json-shape.ts';

/** A request in OpenAI's words, and the same in another wire's: `fixtures/TRANSLATION.json`, a row a pair. */
type Row = {
  readonly name: string;
  readonly body: Fields;
  /** What the deployment says, where it says anything. */
  readonly options?: Fields;
  readonly expect?: Fields;
  /** The field that cannot be said. */
  readonly refused?: string;
};

type Translation = (
  body: Fields,
  options: Fields,
) => { readonly kind: 'body'; readonly body: Fields } | { readonly kind: 'refused'; readonly field: string };

const plain = { model: 'sent', stream: false, maxOutputTokens: undefined, options: {}, keepAlive: undefined };

const translations: Readonly<Record<string, Translation>> = {
  'chat-to-messages': (body, options) => chatToMessages(body, { ...plain, ...options }),
  'chat-to-ollama': (body, options) => chatToOllama(body, { ...plain, ...options }),
  'completion-to-ollama': (body, options) => completionToOllama(body, { ...plain, ...options }),
  'embeddings-to-ollama': (body, options) => embeddingsToOllama(body, { ...plain, ...options }),
};

function rowsOf(name: string): readonly Row[] {
  return JSON.parse(readFileSync(new URL(`./fixtures/${name}.json`, import.meta.url), 'utf8'));
}

describe.each(Object.keys(translations))('spine 3.2: %s', (name) => {
  test.each(rowsOf(name))('$name', (row) => {
    const before = structuredClone(row.body);
    const translated = translations[name]?.(row.body, row.options ?? {});
    if (translated?.kind === 'refused') expect(translated.field).toBe(row.refused);
    // As it goes over the wire, where a field without a value is none.
    else expect(JSON.parse(JSON.stringify(translated?.body))).toEqual(row.expect);
    expect(row.body).toEqual(before);
  });
});

test.each([
  ['chat-to-messages', messagesFields],
  ['chat-to-ollama', ollamaFields],
])('spine 3.2: %s says of every field that it cannot carry what becomes of it', (name, fields) => {
  const messages = [{ role: 'user', content: 'Hi' }];
  for (const field of fields.refused) {
    expect(translations[name]?.({ messages, [field]: ['anything'] }, {})).toEqual({ kind: 'refused', field });
  }
  const bare = translations[name]?.({ messages }, {});
  for (const field of fields.dropped) {
    expect(translations[name]?.({ messages, [field]: 'anything' }, {})).toEqual(bare);
  }
});
