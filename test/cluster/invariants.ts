import { describeSettled } from '../../src/control/decision-record.ts';
import type { SettledRequest } from '../../src/gateway/request.ts';
import type { AttemptOutcome } from '../../src/plan/decision.ts';
import type { Client, Soaked } from './cluster.ts';

/** What has to hold of every day, each by its name; gives what does not, with the first cases of it. */
export function broken(soaked: Soaked): Readonly<Record<string, readonly string[]>> {
  const found = Object.entries(invariants).map(([name, check]) => [name, check(soaked).slice(0, 5)] as const);
  return Object.fromEntries(found.filter(([, cases]) => cases.length > 0));
}

/** What went through, in numbers, for people. */
export function tallied({ settled, servers, snapshot }: Soaked): Readonly<Record<string, unknown>> {
  const count = (nameOf: (one: SettledRequest) => string): Record<string, number> =>
    Object.fromEntries([...Map.groupBy(settled, nameOf)].map(([name, list]) => [name, list.length]));
  const waits = settled.flatMap(({ waits: list }) => list.map((one) => one.endedAt - one.since));
  return {
    requests: settled.length,
    ended: count((one) => one.terminal),
    failures: count((one) => one.failure?.kind ?? 'none'),
    attempts: settled.reduce((sum, one) => sum + one.outcomes.length, 0),
    waited: waits.length,
    shared: snapshot.cache?.counts.shared,
    longestWaitSeconds: Math.round(Math.max(0, ...waits) / 1000),
    loads: Object.fromEntries([...servers].map(([name, one]) => [name, one.loads()])),
    served: Object.fromEntries([...servers].map(([name, one]) => [name, one.seen.length])),
  };
}

/** By so much the clock may have gone on in one turn, which reads it often. */
const driftMs = 100;

const invariants: Readonly<Record<string, (soaked: Soaked) => readonly string[]>> = {
  'no request reaches a disabled provider': ({ servers }) =>
    (servers.get('resting')?.seen ?? []).map((at) => `at ${at}`),

  'every request ends once, in one state, with one line and one record': ({ clients, settled, lines }) => {
    const routed = lines.filter((line) => line.event === 'request_routed');
    const ids = new Set(settled.map((one) => one.id));
    const counts = [settled.length, ids.size, routed.length].filter((count) => count !== clients.length);
    const errors = lines.filter((line) => line.event === 'internal_error').map((line) => String(line['message']));
    return [...counts.map((count) => `${count} of ${clients.length}`), ...errors];
  },

  'every client that stays is answered once': ({ clients }) =>
    clients.filter((one) => one.ends !== 1 && !one.hasLeft).map(told),

  'an answer is one server’s alone, and the one that the record names': ({ clients, settled }) => {
    const clientOf = new Map(clients.map((one) => [one.id, one]));
    return settled.flatMap(({ id, terminal, snapshot, answeredBy, caching }) => {
      if (terminal !== 'completed') return [];
      const provider = caching?.answer?.provider ?? snapshot.plan.deployments[answeredBy?.deployment ?? -1]?.provider;
      const text = clientOf.get(id)?.text ?? '';
      const servers = ['box', 'desk', 'rack', 'cloud', 'resting'].filter((name) => text.includes(`"${name} `));
      return servers.join() === provider ? [] : [`${id}: ${servers.join()} for ${provider}`];
    });
  },

  'every request is explained, each attempt in its record and in its line': ({ settled, lines }) => {
    const lineOf = new Map(
      lines.map((line) => [line.event === 'request_routed' ? line['request_id'] : undefined, line]),
    );
    return settled.flatMap((request) => {
      const record = describeSettled(request);
      const inLine = lineOf.get(request.id)?.['attempts'];
      const isTold =
        Array.isArray(inLine) &&
        inLine.length === request.outcomes.length &&
        record.state !== null &&
        record.rule.text !== '' &&
        (record.refusal !== null || record.answeredBy !== null) &&
        record.attempts.length === request.outcomes.length &&
        // Nothing is chosen for what was answered before, nor for who leaves while an equal request is under way.
        (record.candidates.length > 0 ||
          record.rule.kind === 'cache' ||
          (request.decision === undefined && request.terminal === 'client_closed') ||
          record.refusal?.code === 'model_not_found');
      return isTold ? [] : [`${request.id}: ${JSON.stringify(record.refusal)}`];
    });
  },

  'what servers saw is what records tell': ({ settled, servers }) =>
    [...servers].flatMap(([name, { seen }]) => {
      const told = settled.flatMap(({ outcomes, snapshot }) =>
        outcomes.filter(
          ({ attempt, failure }) =>
            snapshot.plan.deployments[attempt.deployment]?.provider === name && failure?.kind !== 'no_seat',
        ),
      );
      // A client that left before its turn was told of no attempt that reached a server.
      const unsent = told.filter(
        (one) => one.failure?.kind === 'client_closed' && one.endedAt === one.startedAt,
      ).length;
      return seen.length <= told.length && seen.length >= told.length - unsent
        ? []
        : [`${name}: ${seen.length} seen, ${told.length} told`];
    }),

  'nothing is left behind': ({ snapshot: { state, cache } }) => {
    const left = {
      flights: cache?.flights.size ?? 0,
      loads: state.seats.awaitingLoad.reduce((sum, one) => sum + one, 0),
      inFlight: state.inFlight.reduce((sum, one) => sum + one, 0),
      groups: state.groupInFlight.reduce((sum, one) => sum + one, 0),
      providers: state.seats.busyAtProvider.reduce((sum, one) => sum + one, 0),
      limits: state.limits.counts.reduce((sum, { running }) => sum + running, 0),
      queues: state.seats.queues.reduce((sum, one) => sum + one.busy + one.waiting.length, 0),
    };
    return Object.entries(left).flatMap(([name, count]) => (count === 0 ? [] : [`${name}: ${count}`]));
  },

  'no minute sees more at a server than the limit of its model': ({ servers, plan }) => {
    const most = plan.settings.limits.find(({ name }) => name === 'big')?.limit.requestsPerMinute ?? 0;
    const seen = (servers.get('cloud')?.seen ?? []).toSorted((a, b) => a - b);
    return seen
      .filter((at, place) => at - (seen[place - most] ?? Number.NEGATIVE_INFINITY) < 60_000)
      .map((at) => `at ${at}`);
  },

  'no request takes longer than its deadline': ({ settled, plan }) =>
    settled
      .filter((one) => one.endedAt - one.startedAt > plan.settings.timeouts.requestMs + driftMs)
      .map((one) => `${one.id}: ${one.endedAt - one.startedAt} ms`),

  'nobody waits while what it waits for is free': ({ vain }) => vain.map((at) => `at ${at}`),

  'nobody waits longer than the bound': ({ settled, plan }) => {
    const most = (plan.settings.server.queue.maxWaitMs ?? Number.POSITIVE_INFINITY) + driftMs;
    return settled.flatMap(({ id, waits }) =>
      waits.filter((one) => one.endedAt - one.since > most).map((one) => `${id}: ${one.endedAt - one.since} ms`),
    );
  },

  'who has waited past its patience is overtaken by nobody who came later': ({
    settled,
    snapshot: { state },
    longestPatienceMs,
  }) => {
    const waits = settled
      .flatMap(({ waits: list, outcomes }) =>
        list.map((one) => ({ ...one, isSeated: outcomes.some((each) => isBegun(one, each)) })),
      )
      .filter((one) => state.seats.queueOf[one.attempt.deployment]?.isExclusive === true)
      .toSorted((a, b) => a.since - b.since);
    return waits.flatMap((early, place) => {
      const due = early.since + longestPatienceMs;
      if (early.endedAt <= due) return [];
      const over = waits
        .slice(place + 1)
        .find(
          (late) => late.isSeated && late.since > early.since && late.endedAt > due && late.endedAt < early.endedAt,
        );
      return over === undefined ? [] : [`from ${early.since} to ${early.endedAt}, overtaken at ${over.endedAt}`];
    });
  },

  'shares are as declared while all are ready': ({ settled, plan }) => {
    const chat = plan.groups.find((one) => one.name === 'chat');
    const even = settled.flatMap(({ decision }) => {
      const candidates =
        decision?.candidates.filter((one) => one.group === chat?.index && one.source === 'group') ?? [];
      const isWhole =
        candidates.length === 2 &&
        candidates.every((one) => Math.abs((one.numbers['share'] ?? 0) - (one.weight ?? 0)) < 1e-9);
      return isWhole ? [decision?.attempts[0]?.deployment] : [];
    });
    const rack = plan.deployments.find((one) => one.provider === 'rack')?.index;
    const share = even.filter((one) => one === rack).length / even.length;
    return even.length > 100 && Math.abs(share - 0.7) < 0.01 ? [] : [`${share} of ${even.length}`];
  },

  'whatever comes back is used again, for its share': ({ servers, clients }) => {
    const evening = Math.max(...clients.map((one) => one.at)) - 3 * 3_600_000;
    const seenAt = (name: string): number => servers.get(name)?.seen.filter((at) => at > evening).length ?? 0;
    const idle = [...servers.keys()].filter((name) => name !== 'resting' && seenAt(name) === 0);
    const share = seenAt('rack') / (seenAt('rack') + seenAt('desk'));
    const isEven = Math.abs(share - 0.7) < 0.1;
    return [...idle.map((name) => `${name} is asked no more`), ...(isEven ? [] : [`rack is asked ${share} of chat`])];
  },
};

/** Whether a wait ended with its attempt, and not with its client or its bound. */
function isBegun(wait: SettledRequest['waits'][number], { attempt, startedAt, failure }: AttemptOutcome): boolean {
  const isRefused = failure?.kind === 'no_seat' || (failure?.kind === 'client_closed' && startedAt === wait.endedAt);
  return attempt === wait.attempt && startedAt === wait.endedAt && !isRefused;
}

function told(client: Client): string {
  return `${client.asked} at ${client.at}: ${client.ends} ends, status ${client.status}`;
}
