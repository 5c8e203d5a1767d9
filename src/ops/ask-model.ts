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
  const totalMs = elapsed();
  return { ...route, ...read, totalMs, tokensPerSecond: speedOf(read, totalMs) };
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
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null } }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
};

type Read = Omit<AskResult, 'totalMs' | keyof typeof unknownRoute>;

const unknownRoute = { id: null, route: null, degraded: null };
const nothingRead: Read = {
  text: '',
  firstTokenMs: null,
  promptTokens: null,
  completionTokens: null,
  tokensPerSecond: null,
  error: null,
};

async function readStream(answer: Response, onText: (text: string) => void, elapsed: () => number): Promise<Read> {
  let read = nothingRead;
  try {
    for await (const line of linesOf(answer)) {
      if (!line.startsWith('data: ') || line === 'data: [DONE]') continue;
      const chunk = JSON.parse(line.slice('data: '.length)) as Chunk;
      const piece = chunk.choices?.[0]?.delta?.content ?? '';
      if (piece !== '') onText(piece);
      read = {
        ...read,
        text: read.text + piece,
        firstTokenMs: read.firstTokenMs ?? (piece === '' ? null : elapsed()),
        promptTokens: chunk.usage?.prompt_tokens ?? read.promptTokens,
        completionTokens: chunk.usage?.completion_tokens ?? read.completionTokens,
        error: chunk.error?.message ?? read.error,
      };
    }
    return read;
  } catch {
    return { ...read, error: 'The connection broke before the answer was complete' };
  }
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

/** Tokens a second between the first and the last of them. */
function speedOf({ firstTokenMs, completionTokens }: Read, totalMs: number): number | null {
  if (firstTokenMs === null || completionTokens === null || totalMs <= firstTokenMs || completionTokens < 2)
    return null;
  return Math.round(((completionTokens - 1) / (totalMs - firstTokenMs)) * 1000);
}
