/**
 * What limits and seats cost a request that has room and a seat, in microseconds:
 * `node bench/limits/run.ts`. The aim is well under 2 µs together; without any of them nothing.
 */
import type { Exchange } from '../../src/gateway/exchange.ts';
import type { DecidedRequest } from '../../src/gateway/request.ts';
import { createSeats } from '../../src/gateway/seat-queue.ts';
import { deploymentIndex, groupIndex, milliseconds } from '../../src/plan/ids.ts';
import { tokensOf } from '../../src/routing/facts.ts';
import { fullLimit, takeNearlyFull } from '../../src/routing/limits.ts';
import { limitsOfAttempt, limitsOfRequest } from '../../src/routing/limits-of.ts';
import { reserve, sendReserved, settleReservation } from '../../src/routing/reservations.ts';
import { createRoutingState } from '../../src/routing/state.ts';
import { createManualClock } from '../../test/support/manual-clock.ts';
import { factsOf, type PlanOf, planOf } from '../../test/support/plan-of.ts';

const much = { requestsPerMinute: 1e9, tokensPerMinute: 1e12 };
const bare: PlanOf = { deployments: ['a/m'], groups: { m: ['a/m'] } };
const full: PlanOf = {
  deployments: { 'a/m': { limit: much, seats: 1000 } },
  providers: { a: { limit: much, seats: 1000, exclusiveGroup: 'card' } },
  groups: { m: ['a/m'] },
  limits: { m: much },
  keyLimits: { local: much },
};

const attempt = {
  deployment: deploymentIndex(0),
  model: 'm',
  source: 'group',
  group: groupIndex(0),
  repeats: undefined,
} as const;

/** Microseconds of one pass: the median of many rounds. */
function measure(pass: (count: number) => void): number {
  const rounds = 31;
  const perRound = 50_000;
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    for (let count = 0; count < perRound; count++) pass(count);
    times.push(Number(process.hrtime.bigint() - start) / perRound / 1000);
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
}

for (const [title, written] of [
  ['no limit, no seats', bare],
  ['four limits of both kinds, seats of all three', full],
] as const) {
  const plan = planOf(written);
  const state = createRoutingState(plan, milliseconds(0));
  const facts = factsOf({ asked: 'm' });
  const limits = measure((count) => {
    const now = milliseconds(count);
    fullLimit(state, limitsOfRequest(state.limits, facts, groupIndex(0)), tokensOf(facts), now);
    fullLimit(state, state.limits.ofDeployment[0] ?? [], tokensOf(facts), now);
    const taken = reserve(state.limits, limitsOfAttempt(state.limits, facts, groupIndex(0), attempt), 100);
    if (taken !== undefined) takeNearlyFull(state.limits, taken.limits, now);
    if (taken !== undefined) settleReservation(state.limits, sendReserved(state.limits, taken, now), 50, now);
  });
  const seats = createSeats({ clock: createManualClock(), random: Math.random });
  const exchange = { closed: false, whenClosed: () => () => {} } as unknown as Exchange;
  const request = {
    ...{ snapshot: { plan, state }, understood: { facts }, deadline: 1e9, exchange, waits: [] },
  } as unknown as DecidedRequest;
  const seat = measure(() => {
    const taken = seats.take(request, attempt);
    if (!(taken instanceof Promise) && taken.kind === 'seated') taken.leave();
  });
  console.log(
    `${title.padEnd(48)} limits ${limits.toFixed(2).padStart(6)} µs   seat ${seat.toFixed(2).padStart(6)} µs`,
  );
}
