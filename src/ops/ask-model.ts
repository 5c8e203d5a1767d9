/** One question through a running gateway. */
export type AskOptions = {
  readonly url: string;
  readonly key: string | undefined;
  readonly model: string;
  readonly question: string;
  readonly system: string | undefined;
  readonly maxTokens: number | undefined;
  /** Called with each piece of the answer as it comes. */
  readonly onText: (text: string) => void;
};

/** An answer with how it came about; what the gateway does not tell is absent. */
export type AskResult = {
  readonly text: string;
  readonly id?: string;
  readonly route?: string;
  readonly degraded?: string;
  readonly firstTokenMs?: number;
  readonly totalMs: number;
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  readonly tokensPerSecond?: number;
  /** What went wrong, in the gateway’s words. */
  readonly error?: string;
};

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
    return { text: '', totalMs: elapsed(), error: `The gateway at ${options.url} does not answer` };
  }
  const facts = {
    ...present('id', answer.headers.get('x-request-id')),
    ...present('route', answer.headers.get('x-signalbox-route')),
    ...present('degraded', answer.headers.get('x-signalbox-degraded')),
  };
  if (!answer.ok) return { text: '', ...facts, totalMs: elapsed(), error: await errorOf(answer) };
  const read = await readStream(answer, options.onText, elapsed);
  return { ...facts, ...read, totalMs: elapsed(), ...speedOf(read, elapsed()) };
}

function bodyOf({ model, question, system, maxTokens }: AskOptions): object {
  return {
    model,
    stream: true,
    stream_options: { include_usage: true },
    messages: [
      ...(system === undefined ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: question },
    ],
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
  };
}

function present<Name extends string>(name: Name, value: string | null): { readonly [Key in Name]?: string } {
  // One entry under the name that the type carries.
  return (value === null ? {} : { [name]: value }) as { readonly [Key in Name]?: string };
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

type Read = Pick<AskResult, 'text' | 'firstTokenMs' | 'promptTokens' | 'completionTokens' | 'error'>;

async function readStream(answer: Response, onText: (text: string) => void, elapsed: () => number): Promise<Read> {
  let read: Read = { text: '' };
  try {
    for await (const line of linesOf(answer)) {
      if (!line.startsWith('data: ') || line === 'data: [DONE]') continue;
      const chunk = JSON.parse(line.slice('data: '.length)) as Chunk;
      const piece = chunk.choices?.[0]?.delta?.content ?? '';
      if (piece !== '') onText(piece);
      read = {
        ...read,
        text: read.text + piece,
        ...(piece === '' || read.firstTokenMs !== undefined ? {} : { firstTokenMs: elapsed() }),
        ...(chunk.usage == null
          ? {}
          : { promptTokens: chunk.usage.prompt_tokens, completionTokens: chunk.usage.completion_tokens }),
        ...(chunk.error === undefined ? {} : { error: chunk.error.message }),
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
function speedOf({ firstTokenMs, completionTokens }: Read, totalMs: number): Pick<AskResult, 'tokensPerSecond'> {
  if (firstTokenMs === undefined || completionTokens === undefined || totalMs <= firstTokenMs || completionTokens < 2)
    return {};
  return { tokensPerSecond: Math.round(((completionTokens - 1) / (totalMs - firstTokenMs)) * 1000) };
}
