import { asList, asNumber, asObject, type Fields } from './json-shape.ts';
import { createSseFramer } from './sse.ts';

/** Puts streamed chunks together into the whole answer that a client asked for. */
export type AnswerAssembler = {
  /** Takes the bytes of stream parts, in order. */
  add(bytes: Uint8Array): void;
  /** The answer as a JSON body: `chat.completion` or `text_completion`. */
  finish(): Uint8Array;
};

type Choice = {
  /** Fields of all deltas: text is joined, lists are strung together, the rest is the last said. */
  message: Fields;
  /** By their index in the stream. */
  readonly toolCalls: Map<number, Fields>;
  text: string | undefined;
  finish: unknown;
  logprobs: unknown;
  /** Unknown fields of the choice itself. */
  rest: Fields;
};

/** Creates an assembler for one answer. Unknown fields of chunks, choices and deltas are kept. */
export function createAnswerAssembler(): AnswerAssembler {
  const framer = createSseFramer();
  const choices = new Map<number, Choice>();
  let head: Fields = {};
  const take = (data: string): void => {
    if (data === '' || data.startsWith('[DONE]')) return;
    const chunk = asObject(JSON.parse(data)) ?? {};
    const { choices: list, usage, ...others } = chunk;
    // The first id and time are the answer's; Azure's opening has empty ones.
    const [id, created] = [head['id'] || others['id'], head['created'] || others['created']];
    head = { ...head, ...others, id, created, ...(usage === null || usage === undefined ? {} : { usage }) };
    for (const value of asList(list) ?? []) addChoice(choices, asObject(value) ?? {});
  };
  return {
    add(bytes) {
      for (const event of framer.push(bytes)) take(event.data);
    },
    finish() {
      for (const event of framer.end()) take(event.data);
      return Buffer.from(JSON.stringify(wholeAnswer(head, choices)));
    },
  };
}

function addChoice(choices: Map<number, Choice>, chunk: Fields): void {
  const { index: place, delta, text, finish_reason: finish, logprobs, ...rest } = chunk;
  const index = asNumber(place) ?? 0;
  const before: Choice = choices.get(index) ?? {
    message: {},
    toolCalls: new Map(),
    text: undefined,
    finish: null,
    logprobs: undefined,
    rest: {},
  };
  const { tool_calls: calls, ...message } = asObject(delta) ?? {};
  for (const call of asList(calls) ?? []) addToolCall(before.toolCalls, call);
  choices.set(index, {
    message: joinFields(before.message, message),
    toolCalls: before.toolCalls,
    text: typeof text === 'string' ? (before.text ?? '') + text : before.text,
    finish: finish ?? before.finish,
    logprobs: logprobs === undefined ? before.logprobs : join('logprobs', before.logprobs, logprobs),
    rest: { ...before.rest, ...rest },
  });
}

/** A piece of a call belongs to the call of its index; one without an index goes by its id. */
function addToolCall(calls: Map<number, Fields>, value: unknown): void {
  const { index: place, ...piece } = asObject(value) ?? {};
  const isNew = piece['id'] !== undefined && piece['id'] !== null && piece['id'] !== '';
  const index = asNumber(place) ?? (isNew ? calls.size : Math.max(0, calls.size - 1));
  calls.set(index, joinFields(calls.get(index) ?? {}, piece));
}

/** What a stream says once in full, perhaps again and again, as opposed to text that comes in pieces. */
const saidWhole: ReadonlySet<string> = new Set(['role', 'id', 'type', 'name', 'object']);

function joinFields(before: Fields, more: Fields): Fields {
  const joined: { [key: string]: unknown } = { ...before };
  for (const [key, value] of Object.entries(more)) joined[key] = join(key, before[key], value);
  return joined;
}

function join(key: string, before: unknown, value: unknown): unknown {
  if (value === null || value === undefined) return before ?? value;
  if (typeof before === 'string' && typeof value === 'string') {
    if (!saidWhole.has(key)) return before + value;
    return value === '' ? before : value;
  }
  const [list, more] = [asList(before), asList(value)];
  if (list !== undefined && more !== undefined) return [...list, ...more];
  const [fields, others] = [asObject(before), asObject(value)];
  return fields !== undefined && others !== undefined ? joinFields(fields, others) : value;
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
  const calls = [...toolCalls].sort(([a], [b]) => a - b).map(([, call]) => call);
  return {
    ...message,
    role: message['role'] ?? 'assistant',
    // An answer of nothing but calls has no text, which OpenAI says as null.
    content: calls.length > 0 && content === '' ? null : content,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}
