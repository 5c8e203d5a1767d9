import { expect, test } from 'vitest';
import { planOf } from '../../test/support/plan-of.ts';
import { deploymentIndex, milliseconds } from '../plan/ids.ts';
import { enterQueue } from './enter-queue.ts';
import { takeSeat } from './seats.ts';
import { createRoutingState } from './state.ts';

const deployment = deploymentIndex(0);
const now = milliseconds(1000);
const plan = planOf({ deployments: { 'a/m': { seats: 1 } } });

/** A request that comes to the one seat of a deployment: what becomes of it, and how many stand in the queue then. */
type Row = {
  readonly name: string;
  readonly running: number;
  readonly waiting?: number;
  /** How long an answer takes, where that was learned. */
  readonly answerMs?: number;
  readonly maxWaitMs?: number;
  readonly maxLength?: number;
  readonly deadlineInMs?: number;
  readonly entry: string;
  readonly stands: number;
};

test.each<Row>([
  { name: 'a free seat', running: 0, entry: 'go', stands: 0 },
  { name: 'a free seat, though its deadline is over', running: 0, deadlineInMs: -5, entry: 'go', stands: 0 },
  { name: 'until its deadline', running: 1, entry: 'wait 9000', stands: 1 },
  { name: 'until its deadline, sooner than the bound', running: 1, maxWaitMs: 9500, entry: 'wait 9000', stands: 1 },
  { name: 'until the bound', running: 1, maxWaitMs: 2000, entry: 'wait 2000', stands: 1 },
  { name: 'as long as is predicted', running: 1, answerMs: 4000, maxWaitMs: 2000, entry: 'wait 2000', stands: 1 },
  {
    ...{ name: 'longer than the bound', running: 1, answerMs: 4002, maxWaitMs: 2000 },
    ...{ entry: 'refused too_long 2000', stands: 0 },
  },
  {
    ...{ name: 'longer than its deadline, behind another', running: 1, waiting: 1, answerMs: 6001 },
    ...{ entry: 'refused too_long 9000', stands: 1 },
  },
  { name: 'past its deadline', running: 1, answerMs: 1, deadlineInMs: -5, entry: 'refused too_long 0', stands: 0 },
  { name: 'the last that may wait', running: 1, waiting: 1, maxLength: 2, entry: 'wait 9000', stands: 2 },
  { name: 'one too many', running: 1, waiting: 2, maxLength: 2, entry: 'refused too_many 9000', stands: 2 },
  { name: 'one where nobody may wait', running: 1, maxLength: 0, entry: 'refused too_many 9000', stands: 0 },
  { name: 'a free seat where nobody may wait', running: 0, maxLength: 0, entry: 'go', stands: 0 },
])('4.1: who comes to a queue: $name', (row) => {
  const { running, waiting = 0, answerMs, maxWaitMs, maxLength = 256, deadlineInMs = 9000 } = row;
  const { server } = plan.settings;
  const queueSettings = { maxLength, maxWaitMs: maxWaitMs === undefined ? undefined : milliseconds(maxWaitMs) };
  const bounded = { ...plan, settings: { ...plan.settings, server: { ...server, queue: queueSettings } } };
  const state = createRoutingState(bounded, milliseconds(0));
  const [seen] = state.observations;
  if (seen !== undefined) state.observations[0] = { ...seen, speeds: { ...seen.speeds, answerMs } };
  const asking = { deployment, model: 'm', isBatch: false, since: now };
  const queue = state.seats.queueOf[0];
  if (queue === undefined) throw new Error('The plan has a queue');
  for (let count = 0; count < running; count++) takeSeat(state, asking, milliseconds(0));
  for (let count = 0; count < waiting; count++) queue.waiting.push({ ...asking });
  const entry = enterQueue({ plan: bounded, state }, asking, { queue, deadline: now + deadlineInMs });
  const words = [entry.kind, 'why' in entry ? entry.why : [], 'limitMs' in entry ? entry.limitMs : []].flat();
  expect(words.join(' ')).toBe(row.entry);
  expect(queue.waiting.length).toBe(row.stands);
  expect(queue.waiting.includes(asking)).toBe(entry.kind === 'wait');
});
