import type { DecisionRecord } from '../contract/decision-record.ts';
import type { SimulateReport } from '../contract/route-play.ts';
import type { Plan } from '../plan/plan.ts';
import { type Arrival, arrivalsOf } from './arrival.ts';
import { play } from './play.ts';
import { recordedWorld } from './recorded-world.ts';
import { summarise } from './summary.ts';
import { arrivalsIn, type Workload, workloadWorld } from './workload.ts';

/** What is simulated: a workload, else the recorded requests. */
export type SimulateInput = {
  readonly plan: Plan;
  readonly workload: Workload | undefined;
  readonly records: readonly DecisionRecord[];
  readonly seed: number;
};

/** Lets a workload, or what was recorded, come to a plan. */
export function simulate({ plan, workload, records, seed }: SimulateInput): SimulateReport {
  const real = arrivalsOf(records);
  const recorded = recordedWorld(plan, real, seed);
  const arrivals = workload === undefined ? real : arrivalsIn(plan, workload, seed);
  const world = workload === undefined ? recorded : workloadWorld(plan, workload, { recorded, seed });
  const report = summarise(play(plan, arrivals, world));
  return {
    ...report,
    seed,
    seconds: ((arrivals.at(-1)?.at ?? 0) - (arrivals[0]?.at ?? 0)) / 1000,
    from: workload === undefined ? 'records' : 'workload',
    assumed: assumptions(report.guessed, workload, arrivals),
  };
}

function assumptions(guessed: number, workload: Workload | undefined, arrivals: readonly Arrival[]): readonly string[] {
  const seats =
    'a deployment at home serves one request at a time where no seats are declared or told, one in a cloud any number';
  if (guessed === 0) return arrivals.length === 0 ? [] : [seats];
  const others =
    workload === undefined
      ? `${guessed} requests went where none was recorded: the times of all others stand for theirs`
      : `${guessed} requests went where nothing is declared or recorded: 300 ms and 25 ms a token at home, 600 ms and 15 ms a token in a cloud are assumed`;
  return [seats, others];
}
