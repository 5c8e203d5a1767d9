import { stringify } from 'yaml';
import { compile } from '../../src/config/compile.ts';
import { cacheInForce } from '../../src/control/cache-in-force.ts';
import { createProber } from '../../src/control/prober.ts';
import type { PipelineContext } from '../../src/gateway/dependencies.ts';
import type { Exchange } from '../../src/gateway/exchange.ts';
import { handleExchange } from '../../src/gateway/pipeline.ts';
import type { SettledRequest } from '../../src/gateway/request.ts';
import { createSeats } from '../../src/gateway/seat-queue.ts';
import type { Snapshot } from '../../src/gateway/snapshot.ts';
import { dialects } from '../../src/main.ts';
import { milliseconds, requestId } from '../../src/plan/ids.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { SeatQueue } from '../../src/plan/seats.ts';
import { seededRandom } from '../../src/plan/seeded.ts';
import { nextOf } from '../../src/routing/seats.ts';
import { createRoutingState } from '../../src/routing/state.ts';
import { createMemoryStore } from '../../src/stores/memory-store.ts';
import type { LogRecord } from '../../src/telemetry/log-record.ts';
import { createRequestLog } from '../../src/telemetry/request-log.ts';
import type { Truth } from '../support/manual-clock.ts';
import { createServer, type Manner, type ScriptedServer } from './servers.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

/*
 * A gateway in front of a scripted cluster, on a clock that jumps from event to event: the product's
 * own pipeline, seats, limits, health and probes; only sockets and servers are scripted.
 */

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** What went through in so many days. */
export type Soaked = {
  readonly plan: Plan;
  readonly snapshot: Snapshot;
  readonly clients: readonly Client[];
  readonly settled: readonly SettledRequest[];
  readonly lines: readonly LogRecord[];
  readonly servers: ReadonlyMap<string, ScriptedServer>;
  /** Longest time after which somebody was to be overtaken no more, at any moment: it follows what loads take. */
  readonly longestPatienceMs: number;
  /** Moments at which somebody waited for a seat that was free, and still did after the queue had to be looked at. */
  readonly vain: readonly number[];
};

/** A client with what it was told. */
export type Client = {
  readonly asked: string;
  readonly at: number;
  /** Its request's. */
  id: string | undefined;
  /** Ends of answers; one and no more. */
  ends: number;
  status: number | undefined;
  text: string;
  hasLeft: boolean;
};

export type Soaking = { readonly days: number; readonly seed: number; readonly requestsPerDay: number };

/** A clock that stands still between its events would hide what two readings of a real one make of one question. */
const truth: Truth = { perReadingMs: 0.05, earlyMs: 0.9 };

/** Lets days of seeded traffic go through. */
export async function soak({ days, seed, requestsPerDay }: Soaking): Promise<Soaked> {
  const clock = createVirtualClock(truth);
  const random = seededRandom(seed);
  const plan = compiledPlan();
  const store = createMemoryStore({ maxBytes: 1024 ** 2, time: clock });
  const servers = new Map(manners(days).map((one) => [one.name, createServer(clock, one)]));
  const snapshot: Snapshot = {
    generation: 1,
    plan,
    state: createRoutingState(plan, clock.now()),
    upstreams: new Map(
      [...plan.providers.keys()].flatMap((id) => {
        const server = servers.get(id);
        if (server === undefined) return [];
        return [
          [id, { connections: server.connections, key: undefined, headers: [], concealed: { secrets: [], hosts: [] } }],
        ];
      }),
    ),
    keys: [],
    cache: cacheInForce({ openStore: () => store, clock, log: { event: () => {} } }, plan.settings.cache, undefined),
  };
  const settled: SettledRequest[] = [];
  const lines: LogRecord[] = [];
  let longestPatienceMs = 10_000;
  const prober = createProber({
    ...{
      current: () => snapshot,
      dialects,
      clock,
      random,
      isKeyless: () => false,
      onReading: () => {},
      onFault: () => {},
    },
    get: (url) => {
      const { hostname, pathname } = new URL(url);
      const server = servers.get(hostname);
      if (server === undefined) throw new Error(`A probe went to ${url}`);
      return Promise.resolve(server.get(pathname));
    },
  });
  let active = 0;
  let ids = 0;
  const log = createRequestLog(
    { write: (record) => void lines.push(record), close: () => Promise.resolve() },
    clock.wall,
  );
  const keep = (request: SettledRequest): void => {
    settled.push(request);
    // As docs/explanation/limits-and-queues.md says it: ten seconds, or three of its loads.
    for (const { speeds } of snapshot.state.observations)
      longestPatienceMs = Math.max(longestPatienceMs, 3 * (speeds.loadMs ?? 0));
  };
  const context: PipelineContext = {
    ...{ current: () => snapshot, dialects, clock, random, log, keep },
    newRequestId: () => requestId(`request-${++ids}`),
    // At once, since the turns of the event loop are none of this clock.
    settled: {
      add(request) {
        keep(request);
        log.settled(request);
      },
      flush() {},
    },
    ...{ listing: prober.listing, residency: prober.residency, look: prober.look, soon: prober.soon },
    ...{ seats: createSeats({ clock, random }), isDraining: () => false, active: () => active },
  };
  prober.start();
  const vain = watchQueues(clock, snapshot, days);
  const clients = arrivals(requestsPerDay * days, days, random).map(({ at, asked, body, headers, leavesAfterMs }) => {
    const client: Client = { asked, at, id: undefined, ends: 0, status: undefined, text: '', hasLeft: false };
    clock.at(at, () => {
      active++;
      const { exchange, leave } = exchangeOf(client, body, headers);
      void handleExchange(context, exchange).finally(() => active--);
      client.id = `request-${ids}`;
      if (leavesAfterMs !== undefined) clock.at(at + leavesAfterMs, leave);
    });
    return client;
  });
  await clock.runUntil(days * day);
  // Nothing comes any more; what is under way has until its deadline.
  await clock.runUntil(days * day + plan.settings.timeouts.requestMs + minute);
  prober.stop();
  return { plan, snapshot, clients, settled, lines, servers, longestPatienceMs, vain };
}

/** Looks at the queues throughout the days. What a probe told of unheard is seen within a second, everything else at once. */
function watchQueues(clock: VirtualClock, snapshot: Snapshot, days: number): readonly number[] {
  const vain: number[] = [];
  const isVain = (queue: SeatQueue): boolean => nextOf(snapshot, queue, clock.now()).kind === 'goes';
  const look = (): void => {
    for (const queue of snapshot.state.seats.queues)
      if (isVain(queue)) clock.after(milliseconds(1100), () => isVain(queue) && vain.push(clock.now()));
    if (clock.now() < days * day) clock.after(milliseconds(5000), look);
  };
  look();
  return vain;
}

function compiledPlan(): Plan {
  const provider = (type: string, name: string, models: readonly string[], more: object = {}): [string, object] => [
    name,
    { type, base_url: `http://${name}`, models, ...more },
  ];
  const providers = Object.fromEntries([
    provider('ollama', 'box', ['small', 'large'], { tier: 'local', exclusive_group: 'card', max_parallel_requests: 1 }),
    provider('llama_cpp', 'desk', ['chat'], { tier: 'local' }),
    provider('vllm', 'rack', ['chat'], { tier: 'local' }),
    provider('openai_compatible', 'cloud', ['big'], { tier: 'cloud_standard' }),
    provider('openai_compatible', 'resting', ['asleep'], { status: 'disabled' }),
  ]);
  const mappings = {
    load_balancing: {
      chat: {
        strategy: 'weighted_round_robin',
        providers: [
          { provider: 'desk', weight: 0.3 },
          { provider: 'rack', weight: 0.7 },
        ],
        fallback: 'big',
      },
    },
    exact_matches: {
      small: { provider: 'box', fallback: 'big' },
      asleep: { provider: 'resting', fallback: 'small' },
    },
    fallback_chains: { large: { chain: ['chat', 'big'] } },
    routing_rules: { unknown_model: 'reject' },
  };
  const settings = {
    router_settings: { num_retries: 1, timeout: 300, allowed_fails: 1, cooldown_time: 60 },
    server_settings: { max_queue_wait: 120 },
    rate_limit_settings: { enabled: true, limits: { big: { rpm: 20 } } },
    litellm_settings: { cache: true, cache_params: { mode: 'default_off', ttl: 30 } },
  };
  const { value, diagnostics } = compile(
    [
      { kind: 'providers', path: 'providers.yaml', text: stringify({ providers }) },
      { kind: 'model-mappings', path: 'model-mappings.yaml', text: stringify(mappings) },
      { kind: 'settings', path: 'settings.yaml', text: stringify(settings) },
    ],
    { environment: {}, lenient: false },
  );
  if (value === undefined) throw new Error(diagnostics.map((one) => one.message).join('\n'));
  return value;
}

/** The servers, and what befalls them every day. */
function manners(days: number): readonly Manner[] {
  const daily = (from: number, lasts: number, kind: Manner['outages'][number]['kind']): Manner['outages'] =>
    Array.from({ length: days }, (_, index) => ({ from: index * day + from, to: index * day + from + lasts, kind }));
  const plain = { loadMs: 0, keepAliveMs: Number.POSITIVE_INFINITY, requestsPerMinute: Number.POSITIVE_INFINITY };
  return [
    {
      ...{ name: 'box', kind: 'ollama', models: ['small', 'large'], seats: 1, loadMs: 8000, keepAliveMs: 5 * minute },
      ...{ firstTokenMs: 300, perTokenMs: 15, requestsPerMinute: Number.POSITIVE_INFINITY },
      outages: daily(14 * hour, 10 * minute, 'off'),
    },
    {
      ...plain,
      name: 'desk',
      kind: 'llama_cpp',
      models: ['chat'],
      seats: 2,
      firstTokenMs: 200,
      perTokenMs: 20,
      outages: daily(9 * hour, 30 * minute, 'off'),
    },
    {
      ...plain,
      name: 'rack',
      kind: 'vllm',
      models: ['chat'],
      seats: 64,
      firstTokenMs: 80,
      perTokenMs: 5,
      outages: [...daily(11 * hour, 5 * minute, 503), ...daily(14 * hour + 2 * minute, 5 * minute, 'off')],
    },
    {
      ...plain,
      name: 'cloud',
      kind: 'cloud',
      models: ['big'],
      seats: 1000,
      firstTokenMs: 400,
      perTokenMs: 8,
      requestsPerMinute: 60,
      outages: [...daily(16 * hour, 10 * minute, 429), ...daily(20 * hour, 20 * minute, 503)],
    },
    {
      ...plain,
      name: 'resting',
      kind: 'cloud',
      models: ['asleep'],
      seats: 9,
      firstTokenMs: 1,
      perTokenMs: 1,
      outages: [],
    },
  ];
}

type Coming = {
  readonly at: number;
  readonly asked: string;
  readonly body: Uint8Array;
  readonly headers: ReadonlyMap<string, string>;
  readonly leavesAfterMs: number | undefined;
};

type Moment = { readonly at: number; readonly names: readonly string[] };

/** Names as often as they are asked, most of the day. */
const usualNames = ['chat', 'chat', 'chat', 'small', 'small', 'large', 'large', 'big', 'asleep', 'nobody'];
/** In the rush a card is asked for one of its models again and again, so that the other never has its turn by itself. */
const rushNames = [...Array.from({ length: 9 }, () => 'small'), 'large'];

/** Requests of a day that has a morning, an evening and bursts, and a rush at noon. */
function arrivals(count: number, days: number, random: () => number): readonly Coming[] {
  const moments: Moment[] = [];
  while (moments.length < count) {
    const at = random() * days * day;
    const busy = 0.5 - 0.5 * Math.cos((2 * Math.PI * at) / day);
    if (random() > 0.1 + 0.9 * busy) continue;
    const burst = random() < 0.05 ? 8 : 1;
    for (let one = 0; one < burst; one++) moments.push({ at: at + one * 50, names: usualNames });
  }
  for (let noon = 12 * hour; noon < days * day; noon += day)
    for (let one = 0; one < 400; one++) moments.push({ at: noon + random() * 10 * minute, names: rushNames });
  return moments.map(({ at, names }) => {
    const asked = names[Math.floor(random() * names.length)] ?? 'chat';
    // Equal ones that come together wait for one of them.
    const isShared = random() < 0.2;
    const body = {
      model: asked,
      stream: random() < 0.5,
      max_tokens: isShared ? 100 : 10 + Math.floor(random() * 150),
      ...(isShared ? { cache: { 'use-cache': true } } : {}),
      messages: [{ role: 'user', content: 'Hi' }],
    };
    return {
      at,
      asked,
      body: Buffer.from(JSON.stringify(body)),
      headers: new Map([['host', '127.0.0.1'], ...(random() < 0.2 ? [['x-priority', 'batch'] as const] : [])]),
      leavesAfterMs: random() < 0.02 ? random() * 3000 : undefined,
    };
  });
}

function exchangeOf(
  client: Client,
  body: Uint8Array,
  headers: ReadonlyMap<string, string>,
): { readonly exchange: Exchange; readonly leave: () => void } {
  const listeners = new Set<() => void>();
  let isOver = false;
  const over = (): void => {
    isOver = true;
    listeners.clear();
  };
  const exchange: Exchange = {
    ...{ method: 'POST', path: '/v1/chat/completions', query: '', remoteAddress: '127.0.0.1', extraHeaders: [] },
    header: (name) => headers.get(name),
    body: () => Promise.resolve(body),
    whenClosed(listener) {
      if (client.hasLeft) listener();
      else listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    get closed() {
      return client.hasLeft;
    },
    get started() {
      return client.status !== undefined;
    },
    answer(status, _headers, bytes) {
      client.status = status;
      client.text += Buffer.from(bytes).toString();
      client.ends++;
      over();
    },
    start(status) {
      client.status = status;
    },
    write(bytes) {
      client.text += Buffer.from(bytes).toString();
      return true;
    },
    drained: () => Promise.resolve(),
    end(bytes) {
      client.text += Buffer.from(bytes ?? '').toString();
      client.ends++;
      over();
    },
    destroy: over,
  };
  const leave = (): void => {
    if (isOver) return;
    client.hasLeft = true;
    for (const listener of [...listeners]) listener();
  };
  return { exchange, leave };
}
