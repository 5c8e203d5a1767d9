import { asList, asNumber, asObject, asText, type Fields } from './json-shape.ts';
import { createSseFramer } from './sse.ts';

/** Puts streamed chunks together into the whole answer that a client asked for. */
export type AnswerAssembler = {
  /** Takes the bytes of stream parts, in order. */
  add(bytes: Uint8Array): void;
  /** The answer as a JSON body: `chat.completion` or `text_completion`. */
  finish(): Uint8Array;
};

type Choice = {
  readonly index: number;
  /** Fields of all deltas; text is joined, tool calls are merged by their index, others are the last. */
  message: { [key: string]: unknown };
  text: string | undefined;
  readonly toolCalls: Map<number, { [key: string]: unknown }>;
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
    head = { ...head, ...others, ...(usage === null || usage === undefined ? {} : { usage }) };
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
  const choice = choices.get(index) ?? {
    index,
    message: {},
    text: undefined,
    toolCalls: new Map(),
    finish: null,
    logprobs: undefined,
    rest: {},
  };
  choices.set(index, choice);
  choice.rest = { ...choice.rest, ...rest };
  if (typeof text === 'string') choice.text = (choice.text ?? '') + text;
  if (finish !== undefined && finish !== null) choice.finish = finish;
  if (logprobs !== undefined) choice.logprobs = joinLogprobs(choice.logprobs, logprobs);
  const fields = asObject(delta);
  if (fields === undefined) return;
  for (const [key, value] of Object.entries(fields)) {
    if (key === 'tool_calls') addToolCalls(choice.toolCalls, asList(value) ?? []);
    else if (value !== null && value !== undefined) choice.message[key] = joinField(key, choice.message[key], value);
  }
}

/** The role comes once in the answer however often it was sent; other texts are pieces of one. */
function joinField(key: string, before: unknown, value: unknown): unknown {
  if (key === 'role' || typeof before !== 'string' || typeof value !== 'string') return value;
  return before + value;
}

function addToolCalls(calls: Map<number, { [key: string]: unknown }>, pieces: readonly unknown[]): void {
  for (const piece of pieces) {
    const fields: Fields = asObject(piece) ?? {};
    const { index: place, function: called, ...others } = fields;
    const index = asNumber(place) ?? calls.size;
    const call: Fields = calls.get(index) ?? {};
    const before: Fields = asObject(call['function']) ?? {};
    const next: Fields = asObject(called) ?? {};
    const pieceOfArguments = asText(next['arguments']) ?? '';
    calls.set(index, {
      ...call,
      ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== null && value !== '')),
      function: {
        ...before,
        ...next,
        name: isFilled(next['name']) ? next['name'] : before['name'],
        arguments: (asText(before['arguments']) ?? '') + pieceOfArguments,
      },
    });
  }
}

function isFilled(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function joinLogprobs(before: unknown, value: unknown): unknown {
  const old = asObject(before);
  const next = asObject(value);
  if (old === undefined || next === undefined) return value ?? before;
  const joined: { [key: string]: unknown } = { ...old };
  for (const [key, list] of Object.entries(next)) {
    const known = asList(old[key]);
    const more = asList(list);
    joined[key] = known !== undefined && more !== undefined ? [...known, ...more] : (list ?? old[key]);
  }
  return joined;
}

function wholeAnswer(head: Fields, choices: ReadonlyMap<number, Choice>): Fields {
  const isText =
    head['object'] === 'text_completion' || [...choices.values()].some((choice) => choice.text !== undefined);
  const sorted = [...choices.values()].sort((a, b) => a.index - b.index);
  return {
    ...head,
    object: isText ? 'text_completion' : 'chat.completion',
    choices: sorted.map((choice) => (isText ? textChoice(choice) : chatChoice(choice))),
  };
}

function textChoice(choice: Choice): Fields {
  return {
    ...choice.rest,
    index: choice.index,
    text: choice.text ?? '',
    logprobs: choice.logprobs ?? null,
    finish_reason: choice.finish,
  };
}

function chatChoice(choice: Choice): Fields {
  const calls = [...choice.toolCalls].sort(([a], [b]) => a - b).map(([, call]) => call);
  const content = asText(choice.message['content']);
  return {
    ...choice.rest,
    index: choice.index,
    message: {
      ...choice.message,
      role: choice.message['role'] ?? 'assistant',
      content: calls.length > 0 && (content === undefined || content === '') ? null : (content ?? ''),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    },
    ...(choice.logprobs === undefined ? {} : { logprobs: choice.logprobs }),
    finish_reason: choice.finish,
  };
}
