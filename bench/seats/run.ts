/**
 * Two models on an Ollama that holds one: `node bench/seats/run.ts`. Twenty requests in turn, 50 ms
 * apart, one token each, against the server alone and through the gateway; beside them the same
 * requests sorted by model, which no order of service can beat by much.
 */

import { startOllama } from '../../test/real/servers.ts';
import { runTwoModels, type TwoModelsRun, twoModels } from '../../test/real/two-models.ts';
import { startGateway } from '../../test/support/gateway.ts';

const rounds = 3;

const server = await startOllama({ environment: { OLLAMA_MAX_LOADED_MODELS: '1' } });
const gateway = await startGateway({
  providers: {
    ollama: {
      type: 'ollama',
      base_url: server.url,
      models: [...twoModels.models],
      exclusive_group: 'card',
      max_parallel_requests: 1,
    },
  },
});
try {
  const rows: readonly (readonly [title: string, run: () => Promise<TwoModelsRun>])[] = [
    ['Ollama alone, in turn', () => runTwoModels(server.url, server, 'in turn')],
    ['Ollama alone, sorted by model', () => runTwoModels(server.url, server, 'sorted')],
    ['through the gateway, in turn', () => runTwoModels(gateway.url, server, 'in turn')],
  ];
  console.log(['median of 3'.padEnd(32), 'loads', 'seconds', 'longest s'].map((one) => one.padStart(10)).join(''));
  for (const [title, run] of rows) {
    const runs: TwoModelsRun[] = [];
    for (let round = 0; round < rounds; round++) runs.push(await run());
    const median = (read: (one: TwoModelsRun) => number): number =>
      runs.map(read).sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
    const failed = runs.flatMap((one) => one.statuses).filter((status) => status !== 200).length;
    const cells = [
      String(median((one) => one.loads)),
      (median((one) => one.totalMs) / 1000).toFixed(2),
      (median((one) => one.longestMs) / 1000).toFixed(2),
    ];
    console.log(
      [title.padEnd(32), ...cells.map((one) => one.padStart(10)), failed === 0 ? '' : `  ${failed} failed`].join(''),
    );
  }
} finally {
  await gateway.close();
  await server.stop();
}
