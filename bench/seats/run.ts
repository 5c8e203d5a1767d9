/**
 * Two models on an Ollama that holds one: `node bench/seats/run.ts`. Twenty requests in turn, 50 ms
 * apart, one token each, against the server alone and through the gateway; beside them the same
 * requests grouped by model, one as soon as the one before is answered: what no order of service
 * can beat. Each round runs all of them, so that a busy machine slows them alike. The model asked
 * for first is in memory; in the last row the other one is, which nobody who does not know the
 * future can make use of.
 */

import { startOllama } from '../../test/real/servers.ts';
import { askOnce, runTwoModels, type TwoModelsRun, twoModels } from '../../test/real/two-models.ts';
import { startGateway } from '../../test/support/gateway.ts';

const rounds = 8;
const models: Pair = ['tiny', 'gemma'];

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
    { title: 'Ollama alone, best order', url: server.url, order: 'best', inMemory: 0, runs: [] },
    { title: 'Ollama alone, in turn', url: server.url, order: 'in turn', inMemory: 0, runs: [] },
    { title: 'through the gateway', url: gateway.url, order: 'in turn', inMemory: 0, runs: [] },
    { title: 'the other model in memory', url: gateway.url, order: 'in turn', inMemory: 1, runs: [] },
  ];
  for (let round = 0; round < rounds; round++) {
    for (const { url, order, inMemory, runs } of rows) {
      await askOnce(server.url, asked[inMemory]);
      runs.push(await runTwoModels({ url, server, models: asked }, order));
    }
  }
  const best = rows[0]?.runs ?? [];
  console.log(`${twoModels.count} requests for ${asked.join(' and ')} in turn, median of ${rounds} rounds`);
  console.log([''.padEnd(30), 'loads', 'seconds', '× best', 'longest s'].map((one) => one.padStart(10)).join(''));
  for (const { title, runs } of rows) {
    const cells = [
      String(median(runs.map((one) => one.loads))),
      (median(runs.map((one) => one.totalMs)) / 1000).toFixed(2),
      (sum(runs) / sum(best)).toFixed(2),
      (median(runs.map((one) => one.longestMs)) / 1000).toFixed(2),
    ];
    const failed = runs.flatMap((one) => one.statuses).filter((status) => status !== 200).length;
    console.log(
      [title.padEnd(30), ...cells.map((one) => one.padStart(10)), failed === 0 ? '' : `  ${failed} failed`].join(''),
    );
  }
}

type Row = {
  readonly title: string;
  readonly url: string;
  readonly order: 'best' | 'in turn';
  /** Which of the models asked for is in memory when it begins. */
  readonly inMemory: 0 | 1;
  readonly runs: TwoModelsRun[];
};

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function sum(runs: readonly TwoModelsRun[]): number {
  return runs.reduce((total, one) => total + one.totalMs, 0);
}
