import { askedName, readHeaderFacts } from '../plan/header-facts.ts';
import { tokens } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { Endpoint, RequestFacts } from '../plan/request-facts.ts';
import { seededRandom, seedOf } from '../plan/seeded.ts';
import type { Arrival } from './arrival.ts';
import type { Work, World } from './world.ts';

/** A number, or a range in which every number is as likely. */
export type Range = readonly [least: number, most: number];

/** Requests of one kind, as a workload describes them. */
export type RequestKind = {
  /** Absent: the choice is left to the gateway. */
  readonly model: string | undefined;
  readonly count: number;
  /** As they come one by one, at random: a Poisson process. */
  readonly perSecond: number;
  /** When the first may come, in seconds. */
  readonly start: number;
  readonly promptTokens: Range;
  readonly outputTokens: Range;
  readonly maxOutputTokens: number | undefined;
  readonly endpoint: Endpoint;
  readonly stream: boolean;
  readonly needs: RequestFacts['needs'];
  readonly batchSize: number;
  readonly tags: readonly string[];
  readonly headers: ReadonlyMap<string, string>;
};

/** How a provider, or one deployment of it, answers. */
export type ServerPace = {
  readonly firstTokenMs: number;
  readonly msPerToken: number;
  /** Part of the attempts that fail, from 0 to 1. */
  readonly failures: number;
  /** Times without an answer to a connection, in seconds. */
  readonly down: readonly Range[];
};

/** Requests and servers of a simulation. */
export type Workload = {
  readonly requests: readonly RequestKind[];
  /** By provider, or by `provider/model`, which goes before. */
  readonly servers: ReadonlyMap<string, ServerPace>;
};

/** Draws the requests of a workload, in the order in which they come. */
export function arrivalsIn(plan: Plan, { requests }: Workload, seed: number): readonly Arrival[] {
  const arrivals = requests.flatMap((kind, place) => {
    const random = seededRandom(seed + Math.imul(place + 1, 0x9e3779b1));
    let at = kind.start * 1000;
    return Array.from({ length: kind.count }, (_none, index): Arrival => {
      // The first comes at its time; a request alone has no rate.
      if (index > 0) at += (-Math.log(1 - random()) / kind.perSecond) * 1000;
      const facts = factsOfKind(plan, kind, Math.round(within(kind.promptTokens, random())));
      const outputTokens = Math.round(within(kind.outputTokens, random()));
      return { id: `${place + 1}.${index + 1}`, at, facts, seed: seedOf(random()), outputTokens, record: undefined };
    });
  });
  return arrivals.toSorted((a, b) => a.at - b.at);
}

function within([least, most]: Range, part: number): number {
  return least + (most - least) * part;
}

function factsOfKind(plan: Plan, kind: RequestKind, promptTokens: number): RequestFacts {
  const { headers, model } = kind;
  const told = readHeaderFacts(headers);
  return {
    ...told,
    endpoint: kind.endpoint,
    asked: askedName(model, plan),
    stream: kind.stream,
    promptTokens: tokens(promptTokens),
    leastPromptTokens: tokens(promptTokens),
    maxOutputTokens: kind.maxOutputTokens === undefined ? undefined : tokens(kind.maxOutputTokens),
    needs: kind.needs,
    batchSize: kind.batchSize,
    hasCodeFence: false,
    isMultiStep: false,
    tags: [...kind.tags, ...told.tags],
    headers,
    key: 'local',
    allowedModels: [],
    disableFallbacks: false,
    fallbacks: [],
  };
}

/** A server of which nothing is declared and nothing recorded: a small model at home, a large one in a cloud. */
const assumedPace: Readonly<Record<'local' | 'cloud', ServerPace>> = {
  local: { firstTokenMs: 300, msPerToken: 25, failures: 0, down: [] },
  cloud: { firstTokenMs: 600, msPerToken: 15, failures: 0, down: [] },
};

/** Times stray this far from what is declared, to either side. */
const stray = 0.2;
/** A connection that nothing answers is refused at once. */
const refusedMs = 2;

/** A world in which servers are as the workload says, else as they were recorded, else as assumed. */
export function workloadWorld(
  plan: Plan,
  { servers }: Workload,
  { recorded, seed }: { readonly recorded: World; readonly seed: number },
): World {
  const providers = new Map<string, 'local' | 'cloud'>(
    [...plan.providers.values()].map(({ id, tier }) => [id, tier === 'local' ? 'local' : 'cloud']),
  );
  return {
    serve(arrival, deployment, nth) {
      const provider = deployment.slice(0, deployment.indexOf('/'));
      const random = seededRandom(seed ^ arrival.seed ^ Math.imul(nth + 1, 0x85ebca6b));
      const declared = servers.get(deployment) ?? servers.get(provider);
      if (declared !== undefined) return served(declared, arrival, random);
      const seen = recorded.serve(arrival, deployment, nth);
      if (!seen.isGuess) return seen;
      return { ...served(assumedPace[providers.get(provider) ?? 'cloud'], arrival, random), isGuess: true };
    },
    healthAt: () => new Map(),
  };
}

function served(pace: ServerPace, arrival: Arrival, random: () => number): Work {
  const seconds = arrival.at / 1000;
  const nothing = { firstTokenMs: undefined, isGuess: false };
  if (pace.down.some(([from, to]) => seconds >= from && seconds < to))
    return { ...nothing, ms: refusedMs, failure: 'upstream_refused' };
  const speed = 1 - stray + 2 * stray * random();
  const firstMs = pace.firstTokenMs * speed;
  if (random() < pace.failures) return { ...nothing, ms: firstMs, failure: 'upstream_error' };
  const ms = firstMs + pace.msPerToken * (arrival.outputTokens ?? 0) * speed;
  return { ...nothing, ms, firstTokenMs: arrival.facts.stream ? firstMs : undefined, failure: undefined };
}
