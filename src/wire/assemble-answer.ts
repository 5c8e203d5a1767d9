import { asList, asNumber, asObject, asText, type Fields } from './json-shape.ts';
import { largestAssembled, mostParts } from './limits.ts';
import { createSseFramer } from './sse.ts';

/** Puts streamed chunks together into the whole answer that a client asked for. */
export type AnswerAssembler = {
  /** Takes the bytes of stream parts, in order; false says that the answer is larger than is held. */
  add(bytes: Uint8Array): boolean;
  /** The answer as a JSON body: `chat.completion` or `text_completion`. */
  finish(): Uint8Array;
};

/** Fields that grow from chunk to chunk; they are the assembler's own, so they grow in place. */
type Growing = { [key: string]: unknown };

type Choice = {
  /** Fields of all deltas: text is joined, lists are strung together, the rest is the last said. */
  readonly message: Growing;
  /** In the order in which they began. */
  readonly toolCalls: Call[];
  text: string | undefined;
  finish: unknown;
  logprobs: unknown;
  /** Unknown fields of the choice itself. */
  readonly rest: Growing;
};

/** A call of a tool, at its place among them. */
type Call = { readonly place: number; readonly fields: Growing };

/** How much is held; what a chunk merely repeats does not count, and so long answers stay possible. */
type Held = { size: number };

/** Creates an assembler for one answer. Unknown fields of chunks, choices and deltas are kept. */
export function createAnswerAssembler(limit: number = largestAssembled): AnswerAssembler {
  const framer = createSseFramer();
  const choices = new Map<number, Choice>();
  const held: Held = { size: 0 };
  const head: Growing = {};
  const take = (data: string): void => {
    if (data === '' || data.startsWith('[DONE]')) return;
    const chunk = asObject(JSON.parse(data)) ?? {};
    const { choices: list, usage, ...others } = chunk;
    // The first id and time are the answer's; Azure's opening has empty ones.
    const [id, created] = [head['id'] || others['id'], head['created'] || others['created']];
    setFields(held, head, { ...others, id, created, ...(usage === null || usage === undefined ? {} : { usage }) });
    for (const value of asList(list) ?? []) addChoice(held, choices, asObject(value) ?? {});
  };
  return {
    add(bytes) {
      for (const event of framer.push(bytes)) take(event.data);
      return held.size <= limit;
    },
    finish() {
      for (const event of framer.end()) take(event.data);
      return Buffer.from(JSON.stringify(wholeAnswer(head, choices)));
    },
  };
}

function addChoice(held: Held, choices: Map<number, Choice>, chunk: Fields): void {
  const { index: place, delta, text, finish_reason: finish, logprobs, ...rest } = chunk;
  const choice = entry(held, choices, asNumber(place) ?? 0, newChoice);
  const { tool_calls: calls, ...message } = asObject(delta) ?? {};
  for (const call of asList(calls) ?? []) addToolCall(held, choice.toolCalls, call);
  joinFields(held, choice.message, message);
  if (typeof text === 'string') {
    held.size += text.length;
    choice.text = (choice.text ?? '') + text;
  }
  choice.finish = finish || choice.finish;
  if (logprobs !== undefined) choice.logprobs = join(held, 'logprobs', choice.logprobs, logprobs);
  setFields(held, choice.rest, rest);
}

function newChoice(): Choice {
  return { message: {}, toolCalls: [], text: undefined, finish: null, logprobs: undefined, rest: {} };
}

/**
 * A piece belongs to the last call that its index and id allow: some servers give no index, some
 * give one index to several calls, and some repeat the id with every piece.
 */
function addToolCall(held: Held, calls: Call[], value: unknown): void {
  const { index, ...piece } = asObject(value) ?? {};
  const place = asNumber(index);
  const id = asText(piece['id']) || undefined;
  let call = calls.findLast(
    (one) => (place ?? one.place) === one.place && (id === undefined || (one.fields['id'] || id) === id),
  );
  if (call === undefined) {
    call = { place: place ?? calls.length, fields: {} };
    held.size += calls.length < mostParts ? overhead : Number.POSITIVE_INFINITY;
    calls.push(call);
  }
  joinFields(held, call.fields, piece);
}

/** What anything that is held takes besides its letters, roughly. */
const overhead = 64;

function entry<Value>(held: Held, map: Map<number, Value>, index: number, make: () => Value): Value {
  const known = map.get(index);
  if (known !== undefined) return known;
  const made = make();
  held.size += overhead;
  map.set(index, made);
  return made;
}

/** What a stream says once in full, perhaps again and again, as opposed to text that comes in pieces. */
const saidWhole: ReadonlySet<string> = new Set(['role', 'id', 'type', 'name', 'object']);

function joinFields(held: Held, fields: Growing, more: Fields): void {
  for (const key of Object.keys(more)) {
    if (!Object.hasOwn(fields, key)) held.size += overhead;
    fields[key] = join(held, key, fields[key], more[key]);
  }
}

function setFields(held: Held, fields: Growing, more: Fields): void {
  for (const key of Object.keys(more)) {
    if (!Object.hasOwn(fields, key)) held.size += overhead;
    fields[key] = more[key];
  }
}

function join(held: Held, key: string, before: unknown, value: unknown): unknown {
  if (value === null || value === undefined) return before ?? value;
  if (typeof before === 'string' && typeof value === 'string' && saidWhole.has(key))
    return value === '' ? before : value;
  const fields = growing(before);
  const others = asObject(value);
  if (fields !== undefined && others !== undefined) {
    joinFields(held, fields, others);
    return fields;
  }
  held.size += sizeOf(value);
  if (typeof before === 'string' && typeof value === 'string') return before + value;
  if (!Array.isArray(before) || !Array.isArray(value)) return value;
  for (const one of value) before.push(one);
  return before;
}

function growing(value: unknown): Growing | undefined {
  // What was parsed for this answer is nobody else's.
  return asObject(value) as Growing | undefined;
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let size = overhead;
  for (const one of Object.values(value)) size += sizeOf(one);
  return size;
}

function wholeAnswer(head: Fields, choices: ReadonlyMap<number, Choice>): Fields {
  const sorted = [...choices].sort(([a], [b]) => a - b);
  const isText = head['object'] === 'text_completion' || sorted.some(([, choice]) => choice.text !== undefined);
  return {
    ...head,
    object: isText ? 'text_completion' : 'chat.completion',
    choices: sorted.map(([index, choice]) => ({
      ...choice.rest,
      index,
      ...(isText ? { text: choice.text ?? '' } : { message: wholeMessage(choice) }),
      logprobs: choice.logprobs ?? null,
      finish_reason: choice.finish,
    })),
  };
}

function wholeMessage({ message, toolCalls }: Choice): Fields {
  const content = message['content'] ?? '';
  const calls = toolCalls.toSorted((a, b) => a.place - b.place).map(({ fields }) => fields);
  return {
    ...message,
    role: message['role'] ?? 'assistant',
    // An answer of nothing but calls has no text, which OpenAI says as null.
    content: calls.length > 0 && content === '' ? null : content,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}
