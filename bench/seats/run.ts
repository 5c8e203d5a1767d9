/**
 * Two models on an Ollama that holds one: `node bench/seats/run.ts`. Twenty requests in turn, 50 ms
 * apart, one token each, against the server alone and through the gateway; beside them the same
 * requests grouped by model, one as soon as the one before is answered. Of the groupings the first
 * has all requests at hand from the beginning, the others send none before it comes: who knows the
 * future can wait for all of the model in memory, or change once more. The less of these two is what
 * no order of service can beat. Each round runs all of them, so that a busy machine slows them alike.
 * The model asked for first is in memory; in the last row the other one is, which nobody who does not
 * know the future can make use of.
 */

import { startOllama } from '../../test/real/servers.ts';
import { askOnce, type Order, runTwoModels, type TwoModelsRun, twoModels } from '../../test/real/two-models.ts';
import { startGateway } from '../../test/support/gateway.ts';

const rounds = 8;
const models: Pair = ['tiny', 'gemma'];

const inTurn: Order = { kind: 'in turn' };
const half = twoModels.count / 2;
const allAtHand: Order = { kind: 'grouped', first: half, asTheyCome: false };
const oneChange: Order = { kind: 'grouped', first: half, asTheyCome: true };
const twoChanges: Order = { kind: 'grouped', first: 1, asTheyCome: true };

const server = await startOllama({ gemma: true, environment: { OLLAMA_MAX_LOADED_MODELS: '1' } });
const gateway = await startGateway({
  providers: {
    ollama: {
      type: 'ollama',
      base_url: server.url,
      models: [...models],
      exclusive_group: 'card',
      max_parallel_requests: 1,
    },
  },
});
try {
  for (const asked of [models, [models[1], models[0]]] as const) await compare(asked);
} finally {
  await gateway.close();
  await server.stop();
}

type Pair = readonly [string, string];

/** Measures with the first of them asked for first. */
async function compare(asked: Pair): Promise<void> {
  const rows: readonly Row[] = [
    { title: 'Ollama alone, all at hand', via: server, order: allAtHand, inMemory: 0, runs: [] },
    { title: 'Ollama alone, one change', via: server, order: oneChange, inMemory: 0, runs: [] },
    { title: 'Ollama alone, two changes', via: server, order: twoChanges, inMemory: 0, runs: [] },
    { title: 'Ollama alone, in turn', via: server, order: inTurn, inMemory: 0, runs: [] },
    { title: 'through the gateway', via: gateway, order: inTurn, inMemory: 0, runs: [] },
    { title: 'the other model in memory', via: gateway, order: inTurn, inMemory: 1, runs: [] },
  ];
  for (let round = 0; round < rounds; round++) {
    for (const { via, order, inMemory, runs } of rows) {
      await askOnce(server.url, asked[inMemory]);
      runs.push(await runTwoModels({ url: via.url, server, models: asked }, order));
    }
  }
  const atHand = sumOf(rows, allAtHand);
  const asTheyCome = Math.min(sumOf(rows, oneChange), sumOf(rows, twoChanges));
  console.log(`${twoModels.count} requests for ${asked.join(' and ')} in turn, median of ${rounds} rounds`);
  const heads = ['loads', 'seconds', '× at hand', '× as they come', 'longest s'];
  console.log(''.padEnd(28) + heads.map((one) => one.padStart(16)).join(''));
  for (const { title, runs } of rows) {
    const cells = [
      String(median(runs.map((one) => one.loads))),
      (median(runs.map((one) => one.totalMs)) / 1000).toFixed(2),
      (sum(runs) / atHand).toFixed(2),
      (sum(runs) / asTheyCome).toFixed(2),
      (median(runs.map((one) => one.longestMs)) / 1000).toFixed(2),
    ];
    const failed = runs.flatMap((one) => one.statuses).filter((status) => status !== 200).length;
    const end = failed === 0 ? '' : `  ${failed} failed`;
    console.log(title.padEnd(28) + cells.map((one) => one.padStart(16)).join('') + end);
  }
}

type Row = {
  readonly title: string;
  readonly via: { readonly url: string };
  readonly order: Order;
  /** Which of the models asked for is in memory when it begins. */
  readonly inMemory: 0 | 1;
  readonly runs: TwoModelsRun[];
};

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function sumOf(rows: readonly Row[], order: Order): number {
  return sum(rows.find((one) => one.order === order)?.runs ?? []);
}

function sum(runs: readonly TwoModelsRun[]): number {
  return runs.reduce((total, one) => total + one.totalMs, 0);
}
