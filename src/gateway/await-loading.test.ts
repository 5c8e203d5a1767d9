import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createManualClock } from '../../test/support/manual-clock.ts';
import { factsOf, planOf } from '../../test/support/plan-of.ts';
import { deploymentIndex, milliseconds } from '../plan/ids.ts';
import { seededRandom } from '../plan/seeded.ts';
import { decide } from '../routing/decide.ts';
import { createRoutingState } from '../routing/state.ts';
import { awaitLoading } from './await-loading.ts';
import type { GatewayDependencies } from './dependencies.ts';
import type { DecidedRequest } from './request.ts';

const lookMs = 500;
/** What a turn of this clock may add to a time, by being read. */
const driftMs = 5;

const waits = fc.array(
  fc.record({
    at: fc.nat(8000),
    deadlineMs: fc.integer({ min: 1, max: 12_000 }),
    leavesAfterMs: fc.option(fc.nat(6000)),
  }),
  { minLength: 1, maxLength: 20, size: 'max' },
);

test('3.4: whoever waits for a load goes on within a look of it, or with its deadline or client, and leaves nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(
      waits,
      fc.nat(10_000),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      async (coming, loadMs, earlyMs) => {
        const clock = createManualClock({ perReadingMs: 0.1, earlyMs });
        const plan = planOf({ providers: { p: { dialect: 'llama_cpp' } }, deployments: ['p/m'] });
        const state = createRoutingState(plan, clock.now());
        state.health[0] = { kind: 'loading', since: clock.now(), readyAt: undefined };
        const decision = decide(plan, state, factsOf({ asked: 'm' }), clock.now(), seededRandom(1));
        const snapshot = { plan, state } as unknown as DecidedRequest['snapshot'];
        let looking: Promise<void> | undefined;
        const dependencies = {
          ...{ clock, random: () => 0.5, current: () => snapshot },
          look: () => {
            looking ??= new Promise((resolve) => {
              clock.after(milliseconds(lookMs), () => {
                looking = undefined;
                if (clock.now() >= loadMs) state.health[0] = { kind: 'ready' };
                resolve();
              });
            });
            return looking;
          },
        } as unknown as GatewayDependencies;
        const watchers = new Set<() => void>();
        let ended = 0;
        const wait = async ({ deadlineMs, leavesAfterMs }: (typeof coming)[number]): Promise<void> => {
          const began = clock.now();
          const exchange = {
            closed: false,
            whenClosed(listener: () => void) {
              watchers.add(listener);
              own.add(listener);
              return () => watchers.delete(listener);
            },
          };
          const own = new Set<() => void>();
          const request = {
            ...{ snapshot, decision, exchange, outcomes: [], understood: { facts: factsOf({ asked: 'm' }) } },
            deadline: milliseconds(began + deadlineMs),
          } as unknown as DecidedRequest;
          if (leavesAfterMs !== null)
            clock.after(milliseconds(leavesAfterMs), () => {
              exchange.closed = true;
              for (const listener of own) if (watchers.has(listener)) listener();
            });
          const attempt = {
            deployment: deploymentIndex(0),
            model: 'm',
            source: 'group',
            group: undefined,
            repeats: undefined,
          } as const;
          const failed = await awaitLoading(dependencies, request, attempt);
          ended++;
          const latest = Math.min(
            Math.max(loadMs, began) + lookMs,
            began + deadlineMs,
            began + (leavesAfterMs ?? Number.POSITIVE_INFINITY),
          );
          expect(clock.now()).toBeLessThanOrEqual(latest + driftMs);
          expect(failed?.failure.kind).toBeOneOf([undefined, 'client_closed', 'deadline_exceeded']);
          if (failed === undefined) expect(clock.now()).toBeGreaterThanOrEqual(Math.max(loadMs, began));
          expect(request.waiting).toBeUndefined();
        };
        const all: Promise<void>[] = [];
        for (const one of coming) clock.after(milliseconds(one.at), () => void all.push(wait(one)));
        await clock.advance(40_000);
        expect([ended, state.seats.awaitingLoad[0], watchers.size, clock.pending()]).toEqual([coming.length, 0, 0, 0]);
        await Promise.all(all);
      },
    ),
    { numRuns: 100 },
  );
}, 30_000);
