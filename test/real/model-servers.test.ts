import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Product, startProduct } from '../support/product.ts';
import { until } from '../support/until.ts';
import { describeReal } from './real.ts';
import { type RealServer, startLlama, startOllama } from './servers.ts';

const words = 'one two three four five six seven eight nine ten';
const tool = {
  type: 'function',
  function: {
    name: 'f',
    description: 'Does it',
    parameters: { type: 'object', properties: { a: { type: 'boolean' } } },
  },
};

/** One name for each thing that a server is asked; every table below runs for every server. */
type Names = {
  readonly chat: string;
  readonly tool: string;
  readonly embed: string;
  readonly slow: string;
  readonly narrow: string;
};

/** A server behind the gateway, and how it is declared there. */
type Backend = {
  readonly title: string;
  readonly needs: readonly ('llama' | 'gemma' | 'ollama')[];
  start(): Promise<{ readonly servers: readonly RealServer[]; readonly providers: object; readonly names: Names }>;
};

const backends: readonly Backend[] = [
  {
    title: 'a real llama.cpp server',
    needs: ['llama', 'gemma'],
    async start() {
      const servers = await Promise.all([
        startLlama('counting', { slots: 2 }),
        startLlama('tool'),
        startLlama('embedding'),
        startLlama('gemma'),
        startLlama('counting', { context: 256 }),
      ]);
      const kinds = ['chat', 'tool', 'embed', 'slow', 'narrow'] as const;
      const entries = kinds.map((kind, index) => [
        `llama-${kind}`,
        provider('llama_cpp', servers[index], [kind === 'slow' ? 'gemma' : 'tiny']),
      ]);
      const names = Object.fromEntries(
        kinds.map((kind) => [kind, `llama-${kind}/${kind === 'slow' ? 'gemma' : 'tiny'}`]),
      );
      // Every kind has its name.
      return { servers, providers: Object.fromEntries(entries) as object, names: names as Names };
    },
  },
  {
    title: 'a real Ollama, its /v1 untouched',
    needs: ['ollama'],
    async start() {
      const server = await startOllama({ gemma: true, environment: { ...verbose, OLLAMA_CONTEXT_LENGTH: '512' } });
      const names = { chat: 'tiny', tool: 'tiny-tool', embed: 'tiny', slow: 'gemma', narrow: 'tiny' };
      return {
        servers: [server],
        providers: { ollama: provider('ollama', server, ['tiny', 'tiny-tool', 'gemma']) },
        names,
      };
    },
  },
  {
    title: 'a real Ollama by its own wire, since options are declared',
    needs: ['ollama'],
    async start() {
      const server = await startOllama({ gemma: true, environment: verbose });
      const models = ['tiny', 'tiny-tool', 'gemma'].map((name) => ({
        name,
        options: { num_ctx: 512 },
        keep_alive: '5m',
      }));
      const names = { chat: 'tiny', tool: 'tiny-tool', embed: 'tiny', slow: 'gemma', narrow: 'tiny' };
      return { servers: [server], providers: { ollama: provider('ollama', server, models) }, names };
    },
  },
];

/** The server of the slow model: the fourth of the llama.cpp ones, the only Ollama. */
function slow(servers: readonly RealServer[]): RealServer {
  const server = servers[3] ?? servers[0];
  if (server === undefined) throw new Error('No server was started');
  return server;
}

function provider(type: string, server: RealServer | undefined, models: readonly unknown[]): object {
  return { type, base_url: server?.url, models };
}

for (const backend of backends) {
  describeReal(`spine 5.1: ${backend.title}`, backend.needs, () => {
    let servers: readonly RealServer[] = [];
    let names: Names;
    let product: Product;

    beforeAll(async () => {
      const started = await backend.start();
      ({ servers, names } = started);
      // JSON is YAML.
      product = await startProduct({
        files: { 'config/providers.yaml': JSON.stringify({ providers: started.providers }) },
      });
    }, 180_000);

    afterAll(async () => {
      await product?.stop();
      await Promise.all(servers.map((server) => server.stop()));
    });

    const post = (path: string, body: object, signal?: AbortSignal): Promise<Response> =>
      fetch(`${product.url}${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        ...(signal === undefined ? {} : { signal }),
      });
    const chat = (model: string, more: object = {}, signal?: AbortSignal): Promise<Response> =>
      post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Count' }], ...more }, signal);

    test('answers a chat whole', async () => {
      const answer = await chat(names.chat);
      expect(answer.status, await answer.clone().text()).toBe(200);
      const body = (await answer.json()) as Chat;
      expect(body.choices[0]?.message?.content?.trim()).toBe(words);
      expect(body.model).toBe(names.chat);
      expect(body.choices[0]?.finish_reason).toBe('stop');
      expect(body.usage?.completion_tokens).toBeGreaterThan(5);
      expect(answer.headers.get('x-signalbox-route')).toMatch(/\/(tiny)/);
    });

    test('streams the same chat, with usage where it is asked for', async () => {
      const events = await eventsOf(await chat(names.chat, { stream: true, stream_options: { include_usage: true } }));
      expect(events.at(-1)).toBe('[DONE]');
      const chunks = events.slice(0, -1).map((text) => JSON.parse(text) as Chat);
      expect(
        chunks
          .map((one) => one.choices[0]?.delta?.content ?? '')
          .join('')
          .trim(),
      ).toBe(words);
      expect(new Set(chunks.map((one) => one.model))).toEqual(new Set([names.chat]));
      expect(chunks.filter((one) => one.usage != null)).toHaveLength(1);
    });

    test('streams without usage where nobody asked, and knows it all the same', async () => {
      const answer = await chat(names.chat, { stream: true });
      const events = await eventsOf(answer);
      expect(events.filter((text) => text.includes('"choices":[]'))).toEqual([]);
      expect(events.filter((text) => text === '[DONE]')).toHaveLength(1);
      const id = answer.headers.get('x-request-id');
      const line = await until('the line of the request', () =>
        product.log().find((one) => one['request_id'] === id && one['event'] === 'request_routed'),
      );
      expect(line['tokens_out'] ?? line['completion_tokens'], JSON.stringify(line)).toBeGreaterThan(5);
    });

    test('completes a text', async () => {
      const answer = await post('/v1/completions', { model: names.chat, prompt: 'one two', max_tokens: 16 });
      expect(answer.status, await answer.clone().text()).toBe(200);
      const body = (await answer.json()) as Chat;
      expect(body.choices[0]?.text).toContain('three four');
      expect(body.model).toBe(names.chat);
    });

    test.each([false, true])('calls a tool (stream: %s)', async (stream) => {
      const answer = await chat(names.tool, { tools: [tool], stream });
      expect(answer.status, await answer.clone().text()).toBe(200);
      const calls = stream
        ? (await eventsOf(answer))
            .slice(0, -1)
            .flatMap((text) => (JSON.parse(text) as Chat).choices[0]?.delta?.tool_calls ?? [])
        : (((await answer.json()) as Chat).choices[0]?.message?.tool_calls ?? []);
      expect(calls.find((one) => one.function?.name !== undefined)?.function?.name).toBe('f');
      expect(JSON.parse(calls.map((one) => one.function?.arguments ?? '').join(''))).toEqual({ a: true });
    });

    test('embeds one text and several', async () => {
      const answer = await post('/v1/embeddings', { model: names.embed, input: ['a', 'b'] });
      expect(answer.status, await answer.clone().text()).toBe(200);
      const body = (await answer.json()) as { data: { embedding: number[] }[]; model: string };
      expect(body.data.map((one) => one.embedding.length)).toEqual([256, 256]);
      expect(body.model).toBe(names.embed);
    });

    test('refuses a prompt that does not fit as a context that is too small', async () => {
      const long = Array.from({ length: 3000 }, () => 'one').join(' ');
      const answer = await post('/v1/chat/completions', {
        model: names.narrow,
        messages: [{ role: 'user', content: long }],
      });
      // Ollama cuts a prompt in silence unless it is told otherwise; what it says of it is passed on.
      if (backend.needs.includes('ollama')) expect([200, 400]).toContain(answer.status);
      else {
        expect(answer.status).toBe(400);
        expect(((await answer.json()) as Failure).error.code).toBe('context_length_exceeded');
      }
    });

    test('answers two at once', async () => {
      const answers = await Promise.all([chat(names.chat), chat(names.chat)]);
      for (const answer of answers)
        expect(((await answer.json()) as Chat).choices[0]?.message?.content?.trim()).toBe(words);
    });

    test('stops when the client goes (spine 3.4)', async () => {
      const working = watch(slow(servers));
      const gone = new AbortController();
      const answer = await chat(names.slow, { stream: true, max_tokens: 2000 }, gone.signal);
      const reader = answer.body?.getReader();
      await reader?.read();
      await until('the server to work on it', working.begun);
      gone.abort();
      await until('the server to be idle again', working.over);
      const id = answer.headers.get('x-request-id');
      const line = await until('the line of the request', () =>
        product.log().find((one) => one['request_id'] === id && one['event'] === 'request_routed'),
      );
      expect(line['outcome'] ?? line['state'], JSON.stringify(line)).toBe('client_closed');
    }, 60_000);

    test('stops when a client that does not stream goes', async () => {
      const working = watch(slow(servers));
      const gone = new AbortController();
      const asked = chat(names.slow, { max_tokens: 2000 }, gone.signal).catch(() => 'gone');
      await until('the server to begin', working.begun);
      gone.abort();
      expect(await asked).toBe('gone');
      await until('the server to be idle again', working.over);
    }, 60_000);
  });
}

/** Ollama says when a runner takes up a request and when it is done, if it is asked to say all. */
const verbose = { OLLAMA_DEBUG: '1' };

/**
 * Watches the slow model's server from now: whether it took up a request, and whether it is done
 * with it. llama.cpp tells of its slots; Ollama writes a line when a runner begins, and one with
 * the runner's name when nothing holds it any more.
 */
function watch({ url, log }: RealServer): { begun(): Promise<boolean>; over(): Promise<boolean> } {
  const begins = /msg="completion request"/g;
  const ends = /runner\.name=\S*gemma.*refCount=0/g;
  const before = { begun: count(log(), begins), ended: count(log(), ends) };
  const processing = async (): Promise<boolean | undefined> => {
    const answer = await fetch(`${url}/slots`);
    if (!answer.ok) return undefined;
    // What llama.cpp documents of its slots.
    const slots = (await answer.json()) as readonly { readonly is_processing: boolean }[];
    return slots.some((slot) => slot.is_processing);
  };
  return {
    begun: async () => (await processing()) ?? count(log(), begins) > before.begun,
    async over() {
      const busy = await processing();
      return busy === undefined ? count(log(), ends) > before.ended : !busy;
    },
  };
}

function count(text: string, what: RegExp): number {
  return text.match(what)?.length ?? 0;
}

type ToolCall = { readonly function?: { readonly name?: string; readonly arguments?: string } };
type Chat = {
  readonly model: string;
  readonly choices: readonly {
    readonly text?: string;
    readonly finish_reason?: string | null;
    readonly message?: { readonly content?: string | null; readonly tool_calls?: readonly ToolCall[] };
    readonly delta?: { readonly content?: string | null; readonly tool_calls?: readonly ToolCall[] };
  }[];
  readonly usage?: { readonly completion_tokens: number } | null;
};
type Failure = { readonly error: { readonly code: string; readonly message: string } };

/** The data of every event of a stream. */
async function eventsOf(answer: Response): Promise<string[]> {
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  const text = await answer.text();
  return text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []));
}
