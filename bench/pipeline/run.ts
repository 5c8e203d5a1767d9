/**
 * What a request costs within the gateway, without sockets, and what each part of it is:
 * `node bench/pipeline/run.ts`. An exchange and a connection pool of this file stand in for HTTP, so
 * what is left is our own work: the number to hold against the cost of HTTP to both sides.
 */
import { randomUUID } from 'node:crypto';
import { describeSettled } from '../../src/control/decision-record.ts';
import { createDecisionStore } from '../../src/control/decision-store.ts';
import { answerHeaders } from '../../src/gateway/answer-headers.ts';
import { systemClock } from '../../src/gateway/clock.ts';
import type { ConnectionPool } from '../../src/gateway/connection-pool.ts';
import type { PipelineContext } from '../../src/gateway/dependencies.ts';
import type { Exchange } from '../../src/gateway/exchange.ts';
import { handleExchange } from '../../src/gateway/pipeline.ts';
import type { SettledRequest } from '../../src/gateway/request.ts';
import { createSeats } from '../../src/gateway/seat-queue.ts';
import { createSettled } from '../../src/gateway/settle.ts';
import type { Snapshot } from '../../src/gateway/snapshot.ts';
import { understand } from '../../src/gateway/understand.ts';
import { dialects } from '../../src/main.ts';
import { milliseconds, requestId } from '../../src/plan/ids.ts';
import { decide } from '../../src/routing/decide.ts';
import { createRoutingState } from '../../src/routing/state.ts';
import { createLogWriter } from '../../src/telemetry/log-writer.ts';
import { createRequestLog } from '../../src/telemetry/request-log.ts';
import { planOf } from '../../test/support/plan-of.ts';

const body = Buffer.from(
  JSON.stringify({
    model: 'bench',
    messages: [
      { role: 'system', content: 'You are a concise assistant.' },
      { role: 'user', content: 'What does a railway signal box do, and why does it matter for safety?' },
    ],
    temperature: 0.2,
    max_tokens: 64,
  }),
);
const answer = Buffer.from(
  '{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"bench-backend","choices":[{"index":0,"message":{"role":"assistant","content":"It sets routes."},"finish_reason":"stop"}],"usage":{"prompt_tokens":30,"completion_tokens":4,"total_tokens":34}}',
);

const plan = planOf({
  deployments: ['first/bench-backend', 'second/bench-backend'],
  groups: {
    bench: {
      strategy: 'weighted_round_robin',
      members: [
        { at: 'first/bench-backend', weight: 0.7 },
        { at: 'second/bench-backend', weight: 0.3 },
      ],
    },
  },
});
const snapshot: Snapshot = {
  generation: 1,
  plan,
  state: createRoutingState(plan, systemClock.now()),
  upstreams: new Map(
    [...plan.providers.keys()].map((id) => [
      id,
      { connections: instantConnections(), key: undefined, headers: [], concealed: { secrets: [], hosts: [] } },
    ]),
  ),
  keys: [],
  cache: undefined,
};
const store = createDecisionStore();
const output = { write: (_bytes: Uint8Array, done: () => void) => done(), style: 'json', colour: false } as const;
const log = createRequestLog(createLogWriter({ output, file: undefined }), systemClock.wall);
let settled: SettledRequest | undefined;
const keep = (request: SettledRequest): void => {
  settled = request;
  store.add(describeSettled(request));
};
const ends = createSettled({ keep, log });
const context: PipelineContext = {
  settled: ends,
  current: () => snapshot,
  dialects,
  clock: systemClock,
  random: Math.random,
  newRequestId: () => requestId(randomUUID()),
  log,
  keep,
  listing: () => Promise.resolve(),
  residency: () => Promise.resolve(),
  look: () => Promise.resolve(),
  soon: () => {},
  seats: createSeats({ clock: systemClock, random: Math.random }),
  isDraining: () => false,
  active: () => 1,
};

// As many as end in one turn of a busy event loop are written down together.
let turn = 0;
await measure('a request, whole', async () => {
  await handleExchange(context, createExchange());
  turn = (turn + 1) % 8;
  if (turn === 0) ends.flush();
});
if (settled?.terminal !== 'completed' || settled.understood === undefined || settled.answeredBy === undefined)
  throw new Error(`The request was not answered: ${JSON.stringify(settled?.failure)}`);
const { answeredBy, principal } = settled;
const { facts } = settled.understood;
const request = settled;
const received = {
  exchange: createExchange(),
  endpoint: 'chat',
  principal: principal ?? { name: 'local', models: [], mayRehearse: false },
  snapshot,
} as const;
await measure('  understand', () => understand(received, body));
await measure('  decide', () => decide(plan, snapshot.state, facts, milliseconds(1), Math.random));
await measure('  headers', () => answerHeaders(request, answeredBy, systemClock.now()));
await measure('  decision record', () => store.add(describeSettled(request)));
await measure('  log line', () => log.settled(request));
process.exit(0);

/** Prints the median of many rounds, in microseconds. */
async function measure(name: string, work: () => unknown): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < 60; round++) {
    const start = process.hrtime.bigint();
    for (let count = 0; count < 1000; count++) await work();
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  const sorted = times.slice(20).sort((a, b) => a - b);
  console.log(`${name.padEnd(20)} ${(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN).toFixed(2).padStart(6)} µs`);
}

function createExchange(): Exchange {
  return {
    method: 'POST',
    path: '/v1/chat/completions',
    query: '',
    header: (name) => (name === 'host' ? '127.0.0.1:4000' : undefined),
    remoteAddress: '127.0.0.1',
    extraHeaders: [],
    body: () => Promise.resolve(body),
    whenClosed: () => () => {},
    closed: false,
    started: false,
    answer: () => {},
    start: () => {},
    write: () => true,
    drained: () => Promise.resolve(),
    end: () => {},
    destroy: () => {},
  };
}

/** Answers every request at the next turn of the microtask queue. */
function instantConnections(): ConnectionPool {
  const transfer = { pause: () => {}, resume: () => {}, abort: () => {} };
  const head = { status: 200, headers: new Map([['content-type', 'application/json']]) };
  return {
    send(_request, handler) {
      queueMicrotask(() => {
        handler.onHead(head);
        handler.onData(answer);
        handler.onEnd();
      });
      return transfer;
    },
    destroy: () => {},
  };
}
