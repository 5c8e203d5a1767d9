import type { AskReport } from '../contract/ask-report.ts';

/** One question through a running gateway. */
export type AskOptions = {
  readonly url: string;
  readonly key: string | undefined;
  readonly model: string;
  readonly question: string;
  readonly system: string | undefined;
  readonly maxTokens: number | undefined;
  /** Whether nobody else may answer. */
  readonly alone?: boolean;
  /** Called with each piece of the answer as it comes. */
  readonly onText: (text: string) => void;
};

/** An answer with how it came about; its price stands in the decision record. */
export type AskResult = Omit<AskReport, 'costUsd'>;

/** Asks as a client does, over HTTP and streaming; failures are part of the result. */
export async function askModel(options: AskOptions): Promise<AskResult> {
  const began = performance.now();
  const elapsed = (): number => Math.round(performance.now() - began);
  let answer: Response;
  try {
    answer = await fetch(`${options.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }),
      },
      body: JSON.stringify(bodyOf(options)),
    });
  } catch {
    return {
      ...nothingRead,
      ...unknownRoute,
      totalMs: elapsed(),
      error: `The gateway at ${options.url} does not answer`,
    };
  }
  const route = {
    id: answer.headers.get('x-request-id'),
    route: answer.headers.get('x-signalbox-route'),
    degraded: answer.headers.get('x-signalbox-degraded'),
  };
  if (!answer.ok) return { ...nothingRead, ...route, totalMs: elapsed(), error: await errorOf(answer) };
  const read = await readStream(answer, options.onText, elapsed);
  const { lastTokenMs: _, pieces: __, ...result } = read;
  return { ...route, ...result, totalMs: elapsed(), tokensPerSecond: speedOf(read) };
}

function bodyOf({ model, question, system, maxTokens, alone }: AskOptions): object {
  return {
    model,
    stream: true,
    stream_options: { include_usage: true },
    messages: [
      ...(system === undefined ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: question },
    ],
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    ...(alone === true ? { disable_fallbacks: true } : {}),
  };
}

async function errorOf(answer: Response): Promise<string> {
  const text = await answer.text();
  try {
    // The gateway's errors have OpenAI's form.
    return (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    return `The gateway answers with ${answer.status}`;
  }
}

/** The parts of a chunk that are of interest here; the gateway sends OpenAI's. */
type Chunk = {
  readonly error?: { readonly message: string };
  readonly choices?: readonly { readonly delta?: Delta }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
};

type Delta = {
  readonly content?: string | null;
  readonly reasoning_content?: string | null;
  readonly reasoning?: string | null;
};

type Told = Omit<AskResult, 'totalMs' | 'tokensPerSecond' | keyof typeof unknownRoute>;

/** What a stream has told so far. */
export type Read = Told & {
  readonly lastTokenMs: number | null;
  /** Events with text of the answer or of the thoughts before it. */
  readonly pieces: number;
};

const unknownRoute = { id: null, route: null, degraded: null };
const nothingTold: Told = { text: '', firstTokenMs: null, promptTokens: null, completionTokens: null, error: null };
/** What an answer that failed at once tells. */
const nothingRead = { ...nothingTold, tokensPerSecond: null };
/** What is known before the first event. */
export const unread: Read = { ...nothingTold, lastTokenMs: null, pieces: 0 };

async function readStream(answer: Response, onText: (text: string) => void, elapsed: () => number): Promise<Read> {
  let read = unread;
  try {
    for await (const line of linesOf(answer)) {
      if (!line.startsWith('data: ') || line === 'data: [DONE]') continue;
      const before = read.text.length;
      read = readEvent(read, line.slice('data: '.length), elapsed());
      if (read.text.length > before) onText(read.text.slice(before));
    }
    return read;
  } catch {
    return { ...read, error: 'The connection broke before the answer was complete' };
  }
}

/** What a stream has told after one more event, which came at a moment. */
export function readEvent(read: Read, data: string, atMs: number): Read {
  const { choices, usage, error } = JSON.parse(data) as Chunk;
  const { content, reasoning_content: thoughts, reasoning } = choices?.[0]?.delta ?? {};
  const isPiece = [content, thoughts, reasoning].some((text) => text != null && text !== '');
  return {
    text: read.text + (content ?? ''),
    firstTokenMs: read.firstTokenMs ?? (isPiece ? atMs : null),
    lastTokenMs: isPiece ? atMs : read.lastTokenMs,
    pieces: read.pieces + (isPiece ? 1 : 0),
    promptTokens: usage?.prompt_tokens ?? read.promptTokens,
    completionTokens: usage?.completion_tokens ?? read.completionTokens,
    error: error?.message ?? read.error,
  };
}

async function* linesOf(answer: Response): AsyncGenerator<string> {
  if (answer.body === null) return;
  let rest = '';
  for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** Tokens a second between the first event and the last: the first has its share of them, which took no time here. */
export function speedOf({ firstTokenMs, lastTokenMs, completionTokens, pieces }: Read): number | null {
  if (firstTokenMs === null || lastTokenMs === null || completionTokens === null || lastTokenMs <= firstTokenMs)
    return null;
  const tokens = completionTokens - completionTokens / pieces;
  return Math.round((tokens / (lastTokenMs - firstTokenMs)) * 10_000) / 10;
}
