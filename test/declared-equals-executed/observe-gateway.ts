import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Files } from '../../scripts/reference/declared-rows.ts';
import { StartRefused } from '../../src/ops/start-refused.ts';
import { milliseconds } from '../../src/plan/ids.ts';
import { type Behaviour, chat, type FakeUpstream, fault, json, startFakeUpstream } from '../support/fake-upstream.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/until.ts';
import { compileFiles, nowhere } from './configuration.ts';
import { type FakeRedis, startFakeRedis } from './fake-redis.ts';
import type { Observer } from './observe.ts';

/** What clients send to a started gateway, and what its providers answer. */
type Question = {
  readonly requests?: readonly Sent[];
  /** Fake a, b or c → what it answers, always or one after the other. */
  readonly answers?: Readonly<Record<string, readonly Answer[]>>;
  /** Seconds that pass while the first request waits for a slow answer. */
  readonly wait?: number;
  /** A request that is sent while the first one waits for a slow answer. */
  readonly meanwhile?: Sent;
  /** The view that is asked for. */
  readonly view?: string;
};

/** A request by its body, beside which its headers and path may stand; `again` waits so many seconds before it. */
type Sent = {
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  /** Seconds that pass before it is sent. */
  readonly after?: number;
};

/** A status, an answer, or one that comes when the time has passed. */
type Answer = number | 'ok' | 'slow' | 'too long' | 'refused by policy' | 'busy';

/** What reaches the providers: who, where, with which headers and which body. */
export const sent: Observer = (input) =>
  withGateway(input.files, input.ask as Question, async ({ fakes, ask }) => {
    await ask();
    return Object.entries(fakes).flatMap(([name, { requests }]) =>
      requests.map(({ path, headers, body }) => ({
        to: name,
        path,
        headers: Object.fromEntries(Object.entries(headers).filter(([key]) => !everywhere.has(key))),
        body: JSON.parse(body) as unknown,
      })),
    );
  });

/** What clients get: the status, headers that say something of the route, and the body. */
export const answered: Observer = (input) => withGateway(input.files, input.ask as Question, async ({ ask }) => ask());

/** What a view of the gateway says. */
export const viewed: Observer = (input) =>
  withGateway(input.files, input.ask as Question, async ({ gateway }) => {
    const { view = '/v1/models' } = input.ask as Question;
    return (await fetch(`${gateway.url}${view}`)).json() as Promise<unknown>;
  });

/** Where the gateway listens, or why it does not. */
export const bound: Observer = async (input) => {
  try {
    return await withGateway(input.files, {}, async ({ gateway }) => gateway.running.address, 'declared');
  } catch (error) {
    // The usual port may have its holder.
    if (error instanceof StartRefused) return { refused: error.kind };
    throw error;
  }
};

/** Where answers are kept: in which folders, in which Redis. */
export const kept: Observer = (input) =>
  withGateway(input.files, input.ask as Question, async ({ ask, redis, folder }) => {
    await ask();
    // Answers are written behind the requests.
    const written = until(
      'a folder of answers',
      () => readdirSync(folder).length > 0 && { folders: readdirSync(folder) },
    );
    return Promise.race([written, redis.heard().then((heard) => ({ redis: heard }))]);
  });

/** Whether an answer that runs when the gateway ends comes to its end. */
export const drained: Observer = (input) =>
  withGateway(input.files, input.ask as Question, async ({ gateway, fakes, clock, release }) => {
    const { wait = 0 } = input.ask as Question;
    const answer = gateway.chat().then(
      ({ status }) => status,
      () => 'cut',
    );
    await fakes.a.received(1);
    const stopped = gateway.running.stop();
    await clock?.advance(wait * 1000);
    release();
    await stopped;
    return answer;
  });

const tls = join(import.meta.dirname, '../support/tls');
const certificateFile = join(tls, 'certificate.pem');
/** What the fakes list. */
const models = ['m', 'x', 'small', 'large'];
/** What Ollama tells of itself, for the fakes that stand in for one. */
const gets = {
  '/api/version': () => ({ version: '0.12.0' }),
  '/api/tags': () => ({ models: models.map((name) => ({ name, model: name })) }),
  '/api/ps': () => ({ models: [] }),
};
/** A certificate that no authority has signed. */
const ofNobody = { key: readFileSync(join(tls, 'key.pem')), cert: readFileSync(certificateFile) };

type Fakes = Readonly<Record<'a' | 'b' | 'c', FakeUpstream>>;

type Standing = {
  readonly gateway: TestGateway;
  readonly fakes: Fakes;
  readonly clock: ManualClock | undefined;
  /** Lets slow answers come. */
  readonly release: () => void;
  readonly redis: FakeRedis;
  /** A folder that a configuration can name. */
  readonly folder: string;
  /** Sends the requests one after the other. */
  readonly ask: () => Promise<readonly unknown[]>;
};

async function withGateway<Seen>(
  files: Files,
  question: Question,
  look: (standing: Standing) => Promise<Seen>,
  port?: 'declared',
): Promise<unknown> {
  const [a, b] = [await startFakeUpstream(models, { gets }), await startFakeUpstream(models, { gets })];
  const c = await startFakeUpstream(models, { certificate: ofNobody });
  const fakes = { a, b, c };
  const redis = await startFakeRedis();
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-declared-'));
  const free = await freePort();
  const environment = {
    ...nowhere,
    A: a.url,
    B: b.url,
    TLS: c.url,
    CA: certificateFile,
    REDIS: String(redis.port),
    THEIR_REDIS: `redis://127.0.0.1:${redis.port}`,
    FOLDER: folder,
    FREE_PORT: String(free),
  };
  compileFiles(files, environment);
  const clock =
    question.wait !== undefined || question.requests?.some(({ after }) => after !== undefined) === true
      ? createManualClock()
      : undefined;
  const release = Promise.withResolvers<void>();
  for (const [name, answers] of Object.entries(question.answers ?? {}))
    fakes[name as keyof Fakes].script(...answers.map((one) => behaviourOf(one, release.promise)));
  const gateway = await startGateway({
    files: Object.fromEntries(
      Object.entries(files).map(([name, value]) => [name === 'config.yaml' ? name : `config/${name}`, value]),
    ),
    environment,
    random: () => 0.5,
    ...(clock === undefined ? {} : { clock }),
    ...(port === undefined ? {} : { port }),
  });
  try {
    // What probes find decides where requests go, so they come first.
    await gateway.running.report(milliseconds(5000));
    const standing = { gateway, fakes, clock, release: release.resolve, redis, folder };
    const seen = JSON.stringify(await look({ ...standing, ask: () => askAll(standing, question) }));
    return JSON.parse(steady(seen, fakes).replaceAll(String(free), '1')) as unknown;
  } finally {
    await gateway.close();
    redis.close();
    rmSync(folder, { recursive: true });
    for (const fake of Object.values(fakes)) await fake.close();
  }
}

/** What differs from run to run, by one name each time. */
function steady(text: string, fakes: Fakes): string {
  return Object.entries(fakes)
    .reduce((rest, [name, { port }]) => rest.replaceAll(`127.0.0.1:${port}`, name), text)
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID');
}

/** A port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function behaviourOf(answer: Answer, released: Promise<void>): Behaviour {
  switch (answer) {
    case 'ok':
      return chat('Hello');
    case 'slow':
      return async (response, request) => {
        await released;
        await chat('Hello')(response, request);
      };
    case 'busy':
      return fault(429, 'Slow down', { 'retry-after': '1' });
    case 'too long':
      return json({ error: { message: 'maximum context length is 10 tokens', code: 'context_length_exceeded' } }, 400);
    case 'refused by policy':
      return json({ error: { message: 'It is filtered', code: 'content_policy_violation' } }, 400);
    default:
      return fault(answer);
  }
}

type Asking = Pick<Standing, 'gateway' | 'fakes' | 'clock' | 'release'>;

async function askAll(asking: Asking, { requests = [{}], wait, meanwhile }: Question): Promise<readonly unknown[]> {
  const { fakes, clock, release } = asking;
  const answers: unknown[] = [];
  for (const [index, request] of requests.entries()) {
    if (request.after !== undefined) await clock?.advance(request.after * 1000);
    const answer = askOnce(asking, request);
    if ((wait === undefined && meanwhile === undefined) || index > 0) {
      answers.push(await answer);
      continue;
    }
    const all = Object.values(fakes);
    await Promise.any(all.map((fake) => fake.received(1)));
    const before = all.map(({ requests: had }) => had.length);
    const other = meanwhile === undefined ? undefined : askOnce(asking, meanwhile);
    // It is refused, or has reached a provider as well, or waits for a seat, which nobody tells.
    const reached = all.map((fake, place) => fake.received((before[place] ?? 0) + 1));
    if (other !== undefined) await Promise.race([other, ...reached, pause(longestWaitMs)]);
    await clock?.advance((wait ?? 0) * 1000);
    release();
    answers.push(await answer, ...(other === undefined ? [] : [await other]));
  }
  return answers;
}

/** A request that has not come to anything by then waits. */
const longestWaitMs = 2000;

async function askOnce({ gateway }: Asking, { body, headers = {}, path = '/v1/chat/completions' }: Sent) {
  const answer = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...body }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: Object.fromEntries([...answer.headers].filter(([name]) => telling.test(name))),
    // Of a refusal its kind is enough, and its words may hold times.
    body: answer.ok ? text : ((JSON.parse(text) as { error?: { code?: unknown } }).error?.code ?? 'no code'),
  };
}

/** Headers that say something of the route or of limits. */
const telling =
  /^(?:x-signalbox-(?:degraded|cache)|x-litellm-model-api-base|access-control-allow-origin|x-ratelimit-limit)/;

/** Headers of every request, whatever is declared. */
const everywhere: ReadonlySet<string> = new Set(['host', 'connection', 'content-length', 'content-type', 'user-agent']);
