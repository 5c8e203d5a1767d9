import { describe, expect, test } from 'vitest';
import type { GatewayDependencies } from '../../src/gateway/dependencies.ts';
import { milliseconds } from '../../src/plan/ids.ts';
import { type BareGateway, startBareGateway } from '../support/bare-gateway.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { closersAfterEach } from '../support/closers.ts';
import {
  type Behaviour,
  chat,
  delta,
  done,
  type FakeUpstream,
  fault,
  finish,
  hang,
  openStream,
  reset,
  startFakeUpstream,
  stream,
} from '../support/fake-upstream.ts';
import { type RawClient, rawPost, sendRaw } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const closers = closersAfterEach();

type Scene = { readonly gateway: BareGateway; readonly upstream: FakeUpstream; readonly client: RawClient };

/** A phase of a request: how it comes about, and what shows that it has begun. */
type Phase = {
  readonly name: string;
  readonly streams?: boolean;
  readonly provider?: Record<string, unknown>;
  readonly mappings?: Record<string, unknown>;
  readonly router?: Record<string, unknown>;
  readonly behaviour?: Behaviour;
  /** Whether nobody picks up at the upstream's address. */
  readonly isBlackHole?: boolean;
  readonly overrides?: Partial<GatewayDependencies>;
  /** Bytes of the request that stay unsent; none where absent. */
  readonly unsent?: number;
  readonly reached: (scene: Scene) => Promise<unknown>;
  /** How often the upstream has been asked by then. */
  readonly asked: number;
};

const never = new Promise<void>(() => {});
const begun = [delta({ role: 'assistant' }), delta({ content: 'Hel' })];

const phases: readonly Phase[] = [
  {
    name: 'in the middle of its body',
    unsent: 5,
    reached: ({ gateway }) => until('the request to begin', () => gateway.gateway.active() === 1),
    asked: 0,
  },
  {
    name: 'while a list of models is waited for',
    provider: { models: ['other'] },
    mappings: { routing_rules: { default_provider: 'u' } },
    overrides: { listing: () => never },
    reached: ({ gateway }) => until('the request to begin', () => gateway.gateway.active() === 1),
    asked: 0,
  },
  {
    name: 'while an upstream is being connected to',
    isBlackHole: true,
    reached: ({ gateway }) => until('the attempt', () => gateway.snapshot.state.inFlight[0] === 1),
    asked: 0,
  },
  {
    name: 'before the first token',
    behaviour: hang,
    reached: ({ upstream }) => upstream.received(1),
    asked: 1,
  },
  {
    name: 'before the answer, not streamed',
    streams: false,
    behaviour: hang,
    reached: ({ upstream }) => upstream.received(1),
    asked: 1,
  },
  {
    name: 'in the pause before a retry',
    router: { num_retries: 1, retry_after: 5 },
    behaviour: fault(500),
    reached: ({ gateway }) => until('the failure', () => gateway.events.some((one) => one.event === 'upstream_error')),
    asked: 1,
  },
  {
    name: 'while it streams',
    behaviour: openStream(begun),
    reached: ({ client }) => client.reads(/Hel/),
    asked: 1,
  },
  {
    name: 'after a heartbeat',
    behaviour: hang,
    reached: async ({ gateway, upstream, client }) => {
      await upstream.received(1);
      await gateway.clock.advance(15_001);
      await client.reads(/: waiting/);
    },
    asked: 1,
  },
  {
    name: 'while its answer is put together',
    streams: false,
    provider: { type: 'llama_cpp' },
    behaviour: openStream(begun),
    reached: ({ upstream }) => upstream.received(1),
    asked: 1,
  },
  {
    name: 'while it reads nothing',
    behaviour: flood,
    reached: async ({ client, upstream }) => {
      client.socket.pause();
      await upstream.received(1);
    },
    asked: 1,
  },
];

/** Writes as long as anything is taken. */
function flood(answer: Parameters<Behaviour>[0]): void {
  if (!answer.headersSent) answer.writeHead(200, { 'content-type': 'text/event-stream' });
  while (!answer.destroyed)
    if (!answer.write(delta({ content: 'x'.repeat(10_000) }))) return void answer.once('drain', () => flood(answer));
}

async function begin(phase: Phase): Promise<Scene> {
  const upstream = await startFakeUpstream(['m']);
  const hole = phase.isBlackHole === true ? await startBlackHole() : undefined;
  if (hole !== undefined) closers.push(hole.close);
  upstream.script(phase.behaviour ?? chat('Hello'));
  const gateway = await startBareGateway(
    {
      providers: {
        u: { type: 'openai_compatible', base_url: hole?.url ?? upstream.url, models: ['m'], ...phase.provider },
      },
      ...(phase.mappings === undefined ? {} : { mappings: phase.mappings }),
      settings: {
        router_settings: { num_retries: 0, ...phase.router },
        server_settings: { stream_heartbeat_after: 15 },
      },
    },
    phase.overrides,
  );
  closers.push(upstream.close, gateway.close);
  const bytes = post(phase.streams ?? true);
  const client = sendRaw(gateway.port, bytes.slice(0, bytes.length - (phase.unsent ?? 0)));
  await phase.reached({ gateway, upstream, client });
  return { gateway, upstream, client };
}

const post = (streams: boolean): string =>
  rawPost('/v1/chat/completions', `{"model":"m","stream":${streams},"messages":[{"role":"user","content":"Hi"}]}`);

/** One line for each request, in one state. */
const states = ({ events }: BareGateway): readonly unknown[] =>
  events.filter(({ event }) => event === 'request_routed').map(({ fields }) => fields['state']);

describe('spine 3.4: the client leaves, and nothing of its request is left', () => {
  test.each(phases)('$name', async (phase) => {
    const { gateway, upstream, client } = await begin(phase);
    client.socket.destroy();
    expect(await gateway.leftovers()).toEqual([]);
    expect(upstream.requests).toHaveLength(phase.asked);
    if (phase.behaviour !== undefined && phase.name !== 'in the pause before a retry')
      await upstream.requests[0]?.cancelled;
    expect(states(gateway)).toEqual(['client_closed']);
    expect(gateway.events.filter(({ event }) => event === 'internal_error')).toEqual([]);
  });
});

describe('spine 3.10: SIGTERM in every phase', () => {
  test.each(phases)('$name: what runs is cut when its time is over', async (phase) => {
    const { gateway, client } = await begin(phase);
    const drained = gateway.gateway.drain(milliseconds(30_000));
    await gateway.clock.advance(30_001);
    await drained;
    client.socket.resume();
    await client.closed;
    expect(await gateway.leftovers()).toEqual([]);
    expect(states(gateway)).toHaveLength(1);
  });

  test.each(phases)('$name: a second signal cuts it at once, and both are through', async (phase) => {
    const { gateway } = await begin(phase);
    await Promise.all([gateway.gateway.drain(milliseconds(30_000)), gateway.gateway.drain(milliseconds(0))]);
    expect(await gateway.leftovers()).toEqual([]);
    expect(states(gateway)).toHaveLength(1);
  });

  test.each([false, true])('an answer tells that its connection ends with it (stream: %s)', async (streams) => {
    let goOn = (): void => {};
    const waits = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { gateway, client } = await begin({
      name: 'an answer that is still to come',
      streams,
      behaviour: async (answer, request) => {
        await waits;
        await (streams ? stream([delta({ content: 'Hello' }), finish(), done]) : chat('Hello'))(answer, request);
      },
      reached: ({ upstream }) => upstream.received(1),
      asked: 1,
    });
    const drained = gateway.gateway.drain(milliseconds(30_000));
    goOn();
    expect(await client.closed).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)*connection: close\r\n/i);
    await drained;
    expect(states(gateway)).toEqual(['completed']);
  });

  test.each([false, true])(
    'a stream whose head is out ends whole, and its connection with it (another request behind it: %s)',
    async (hasAnother) => {
      let goOn = (): void => {};
      const waits = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      const { gateway, upstream, client } = await begin({
        name: 'a stream that has begun',
        behaviour: async (answer) => {
          answer.writeHead(200, { 'content-type': 'text/event-stream' });
          answer.write(begun.join(''));
          await waits;
          answer.end([delta({ content: 'lo' }), finish(), done].join(''));
        },
        reached: ({ client }) => client.reads(/Hel/),
        asked: 1,
      });
      upstream.script(chat('the next answer'));
      if (hasAnother) {
        client.socket.write(post(false));
        await upstream.received(2);
      }
      const drained = gateway.gateway.drain(milliseconds(30_000));
      goOn();
      // The clock stands still: no limit in time has closed it.
      const text = await client.closed;
      await drained;
      const [stream = '', ...others] = text.split(/(?=HTTP\/1\.1 )/);
      // Its head went out when nobody knew of an end, and a client would keep the connection.
      expect(stream).not.toMatch(/^connection: close/im);
      expect(stream).toMatch(/Hel[\s\S]*lo[\s\S]*data: \[DONE\]\n\n\r\n0\r\n\r\n$/);
      expect(others).toEqual(hasAnother ? [expect.stringMatching(/^HTTP\/1\.1 200 OK[\s\S]*the next answer/)] : []);
      expect(states(gateway)).toEqual(others.length === 1 ? ['completed', 'completed'] : ['completed']);
    },
  );

  test('two requests on one connection are both answered', async () => {
    const answers: (() => void)[] = [];
    const held: Behaviour = (answer, request) => {
      answers.push(() => void chat(`answer ${answers.length}`)(answer, request));
    };
    const { gateway, upstream, client } = await begin({
      name: 'two on one connection',
      streams: false,
      behaviour: held,
      reached: ({ upstream }) => upstream.received(1),
      asked: 1,
    });
    client.socket.write(post(false));
    await upstream.received(2);
    const drained = gateway.gateway.drain(milliseconds(30_000));
    answers[0]?.();
    await client.reads(/answer 2/);
    await until('the first request to end', () => gateway.gateway.active() === 1);
    answers[1]?.();
    await drained;
    expect((await client.closed).match(/200 OK/g)).toHaveLength(2);
    expect(states(gateway)).toEqual(['completed', 'completed']);
  });
});

describe('spine 3.4: after a heartbeat the stream itself tells how it went', () => {
  const heartbeat = phases.find((one) => one.name === 'after a heartbeat');

  test.each<[what: string, behaviour: Behaviour, wanted: RegExp]>([
    ['an error', fault(500), /upstream_error/],
    ['a reset', reset(), /upstream_reset/],
    ['an error as first event', stream(['data: {"error":{"message":"no","code":500}}\n\n']), /upstream_error/],
    ['a stream that ends at once', stream([]), /upstream_truncated/],
    ['a stream that breaks off', stream(begun), /Hel[\s\S]*upstream_truncated/],
  ])('%s: one error event, no [DONE]', async (_what, behaviour, wanted) => {
    if (heartbeat === undefined) throw new Error('There is no such phase');
    let goOn = (): void => {};
    const waits = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { gateway, client } = await begin({
      ...heartbeat,
      behaviour: async (answer, request) => {
        await waits;
        await behaviour(answer, request);
      },
    });
    goOn();
    const text = await client.reads(/"error":[\s\S]*0\r\n\r\n$/);
    expect(text).toMatch(wanted);
    expect(text.match(/"error":/g)).toHaveLength(1);
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(text).not.toContain('[DONE]');
    expect(await gateway.leftovers()).toEqual([]);
    expect(states(gateway)).toHaveLength(1);
    client.socket.destroy();
  });
});

describe('spine 7: an upstream that is reset at any byte leaves nothing behind', () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
  const body = [...begun, finish(), done].map((event) => `${event.length.toString(16)}\r\n${event}\r\n`).join('');
  const bytes = `${head}${body}0\r\n\r\n`;

  test.each([true, false])('streamed: %s', async (streams) => {
    const upstream = await startFakeUpstream(['m']);
    const gateway = await startBareGateway({
      providers: { u: { type: 'llama_cpp', base_url: upstream.url, models: ['m'] } },
      settings: { router_settings: { num_retries: 0, disable_cooldowns: true } },
    });
    closers.push(upstream.close, gateway.close);
    let cut = 0;
    upstream.script((answer) => {
      const { socket } = answer;
      socket?.write(bytes.slice(0, cut), () => socket.destroy());
    });
    const outcomes = new Set<unknown>();
    for (; cut <= bytes.length; cut += 11) {
      const client = sendRaw(gateway.port, post(streams));
      const text = await client.reads(/\}$|\r\n0\r\n\r\n$/);
      client.socket.destroy();
      const isWhole = text.includes('"finish_reason":"stop"');
      expect(text.includes('"error"'), text).toBe(!isWhole);
      if (streams) expect(text.includes('[DONE]')).toBe(isWhole);
      outcomes.add(states(gateway).at(-1));
    }
    expect(await gateway.leftovers()).toEqual([]);
    expect(states(gateway)).toHaveLength(upstream.requests.length);
    expect(outcomes).toContain('completed');
    expect(outcomes).toContain('upstream_error');
  });
});
