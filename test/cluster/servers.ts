import type { AnswerHandler, OutgoingRequest, Transfer } from '../../src/gateway/connection.ts';
import type { ConnectionPool } from '../../src/gateway/connection-pool.ts';
import { milliseconds } from '../../src/plan/ids.ts';
import type { ProbeResult } from '../../src/plan/probe.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** A time in which a server does not serve: it is off, or answers with a status of its own. */
export type Outage = { readonly from: number; readonly to: number; readonly kind: 'off' | 503 | 429 };

/** How a server of the cluster behaves. */
export type Manner = {
  readonly name: string;
  readonly kind: 'ollama' | 'llama_cpp' | 'vllm' | 'cloud';
  readonly models: readonly string[];
  /** Requests that it works on at once. */
  readonly seats: number;
  /** What a model takes to come into memory; a server with none has them always there. */
  readonly loadMs: number;
  /** After which an unused model leaves memory. */
  readonly keepAliveMs: number;
  readonly firstTokenMs: number;
  readonly perTokenMs: number;
  /** Requests a minute, from which on it answers 429. */
  readonly requestsPerMinute: number;
  readonly outages: readonly Outage[];
};

/** A server of the cluster. */
export type ScriptedServer = {
  readonly connections: ConnectionPool;
  readonly get: (path: string) => ProbeResult;
  /** When each request came, that was asked of a model. */
  readonly seen: readonly number[];
  readonly loads: () => number;
};

type Job = {
  readonly handler: AnswerHandler;
  readonly model: string;
  readonly stream: boolean;
  readonly tokens: number;
  isOver: boolean;
};

/** Creates a server: a line before so many seats, one model in memory at a time, and its outages. */
export function createServer(clock: VirtualClock, manner: Manner): ScriptedServer {
  const { seats, loadMs, keepAliveMs } = manner;
  const seen: number[] = [];
  const line: Job[] = [];
  const running = new Set<Job>();
  let loaded: string | undefined;
  let loadingUntil = 0;
  let usedAt = 0;
  let loads = 0;

  const outageNow = (): Outage | undefined =>
    manner.outages.find(({ from, to }) => clock.now() >= from && clock.now() < to);
  const inMemory = (): string | undefined => {
    if (running.size === 0 && line.length === 0 && clock.now() - usedAt > keepAliveMs) loaded = undefined;
    return loaded;
  };

  const work = (): void => {
    for (;;) {
      const [job] = line;
      if (job === undefined || running.size >= seats || clock.now() < loadingUntil) return;
      if (loadMs > 0 && inMemory() !== job.model) {
        if (running.size > 0) return;
        loads++;
        loaded = job.model;
        loadingUntil = clock.now() + loadMs;
        clock.at(loadingUntil, work);
        return;
      }
      line.shift();
      if (!job.isOver) begin(job);
    }
  };

  const begin = (job: Job): void => {
    running.add(job);
    usedAt = clock.now();
    const { handler, model, stream } = job;
    const head = {
      status: 200,
      headers: new Map([['content-type', stream ? 'text/event-stream' : 'application/json']]),
    };
    if (stream)
      clock.at(clock.now() + manner.firstTokenMs, () => {
        if (job.isOver) return;
        handler.onHead(head);
        handler.onData(Buffer.from(chunk(model, { role: 'assistant', content: `${manner.name} ` })));
      });
    clock.at(clock.now() + manner.firstTokenMs + job.tokens * manner.perTokenMs, () => {
      if (job.isOver) return;
      if (!stream) handler.onHead(head);
      end(job);
      handler.onData(Buffer.from(stream ? lastChunks(job, manner.name) : whole(job, manner.name)));
      handler.onEnd();
    });
  };

  const end = (job: Job): void => {
    job.isOver = true;
    usedAt = clock.now();
    running.delete(job);
    work();
  };

  for (const { from, kind } of manner.outages)
    if (kind === 'off')
      clock.at(from, () => {
        loaded = undefined;
        for (const job of [...running, ...line.splice(0)]) {
          if (job.isOver) continue;
          end(job);
          job.handler.onProblem({ kind: 'broken', code: 'ECONNRESET' });
        }
      });

  const send = ({ body: bytes }: OutgoingRequest, handler: AnswerHandler): Transfer => {
    const outage = outageNow();
    const isFull = seen.filter((at) => clock.now() - at < 60_000).length >= manner.requestsPerMinute;
    seen.push(clock.now());
    // The gateway sends bodies as bytes.
    const body = JSON.parse(Buffer.from(bytes).toString()) as { model: string; stream?: boolean; max_tokens?: number };
    const job: Job = {
      ...{ handler, model: body.model, stream: body.stream === true },
      ...{ tokens: body.max_tokens ?? 20, isOver: false },
    };
    clock.at(clock.now() + 1, () => {
      if (outage?.kind === 'off') return handler.onProblem({ kind: 'broken', code: 'ECONNREFUSED' });
      if (outage !== undefined) return refuse(job, outage.kind === 429 ? 429 : 503, outage.to - clock.now());
      if (isFull) return refuse(job, 429, 20_000);
      if (!manner.models.includes(body.model)) return refuse(job, 404, undefined);
      line.push(job);
      work();
    });
    return { pause: () => {}, resume: () => {}, abort: () => end(job) };
  };

  return {
    connections: { send, destroy: () => {} },
    seen,
    loads: () => loads,
    get: (path) => {
      if (outageNow()?.kind === 'off') return { kind: 'error', path, code: 'ECONNREFUSED', detail: 'refused' };
      const body = probed(manner, path, {
        loaded: clock.now() < loadingUntil ? undefined : inMemory(),
        busy: running.size,
      });
      return {
        kind: 'answer',
        path,
        status: body === undefined ? 404 : 200,
        body: body ?? '',
        contentType: '',
        location: undefined,
      };
    },
  };
}

function refuse({ handler }: Job, status: number, waitMs: number | undefined): void {
  const headers = new Map([['content-type', 'application/json']]);
  if (waitMs !== undefined) headers.set('retry-after', String(Math.ceil(milliseconds(waitMs) / 1000)));
  handler.onHead({ status, headers });
  handler.onData(Buffer.from('{"error":{"message":"no","type":"server_error"}}'));
  handler.onEnd();
}

function chunk(model: string, delta: object, more: object = {}): string {
  const event = {
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model,
    choices: [{ index: 0, delta, finish_reason: null }],
  };
  return `data: ${JSON.stringify({ ...event, ...more })}\n\n`;
}

function lastChunks({ model, tokens }: Job, name: string): string {
  const finish = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
  const usage = { choices: [], usage: { prompt_tokens: 9, completion_tokens: tokens, total_tokens: 9 + tokens } };
  return `${chunk(model, { content: name })}${chunk(model, {}, finish)}${chunk(model, {}, usage)}data: [DONE]\n\n`;
}

function whole({ model, tokens }: Job, name: string): string {
  return JSON.stringify({
    ...{ id: 'c', object: 'chat.completion', created: 1, model },
    choices: [{ index: 0, message: { role: 'assistant', content: `${name} ${name}` }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 9, completion_tokens: tokens, total_tokens: 9 + tokens },
  });
}

/** What each kind of server tells who asks how it is. */
function probed(manner: Manner, path: string, now: { loaded: string | undefined; busy: number }): string | undefined {
  const list = JSON.stringify({
    object: 'list',
    data: manner.models.map((id) => ({ id, object: 'model', owned_by: manner.kind })),
  });
  if (path.endsWith('/models')) return list;
  switch (`${manner.kind} ${path}`) {
    case 'ollama /api/version':
      return '{"version":"0.24.0"}';
    case 'ollama /api/tags':
      return JSON.stringify({ models: manner.models.map((name) => ({ name, model: name, size: 1 })) });
    case 'ollama /api/ps':
      return JSON.stringify({
        models: now.loaded === undefined ? [] : [{ name: now.loaded, model: now.loaded, size_vram: 1 }],
      });
    case 'llama_cpp /health':
      return '{"status":"ok"}';
    case 'llama_cpp /props':
      return JSON.stringify({ default_generation_settings: { n_ctx: 4096 }, total_slots: manner.seats });
    case 'llama_cpp /slots':
      return JSON.stringify(Array.from({ length: manner.seats }, (_, id) => ({ id, is_processing: id < now.busy })));
    case 'vllm /health':
      return '';
    case 'vllm /metrics':
      return `vllm:num_requests_running{model_name="${manner.models[0]}"} ${now.busy}\nvllm:num_requests_waiting{model_name="${manner.models[0]}"} 0\n`;
    default:
      return undefined;
  }
}
