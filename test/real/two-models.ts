import { setTimeout as pause } from 'node:timers/promises';
import type { RealServer } from './servers.ts';

/** Twenty requests for two models in turn, as two people would send them, one token each. */
export const twoModels: { readonly models: readonly [string, string]; readonly count: number; readonly gapMs: number } =
  {
    models: ['tiny', 'tiny-tool'],
    count: 20,
    gapMs: 50,
  };

/** What became of the requests. */
export type TwoModelsRun = {
  readonly statuses: readonly number[];
  /** From the first request to the last answer. */
  readonly totalMs: number;
  readonly longestMs: number;
  /** How often the server brought a model into memory. */
  readonly loads: number;
};

/** Sends the requests, in turn or first all of one model, and counts what they made the server load. */
export async function runTwoModels(
  url: string,
  server: RealServer,
  order: 'in turn' | 'sorted',
): Promise<TwoModelsRun> {
  const { models, count, gapMs } = twoModels;
  const names = Array.from({ length: count }, (_, index) => models[index % 2] ?? '');
  if (order === 'sorted') names.sort();
  const before = loadsOf(server);
  const began = performance.now();
  const sent: Promise<{ readonly status: number; readonly ms: number }>[] = [];
  for (const name of names) {
    sent.push(ask(url, name));
    await pause(gapMs);
  }
  const answers = await Promise.all(sent);
  return {
    statuses: answers.map((one) => one.status),
    totalMs: performance.now() - began,
    longestMs: Math.max(...answers.map((one) => one.ms)),
    loads: loadsOf(server) - before,
  };
}

async function ask(url: string, model: string): Promise<{ readonly status: number; readonly ms: number }> {
  const began = performance.now();
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] }),
  });
  await answer.arrayBuffer();
  return { status: answer.status, ms: performance.now() - began };
}

/** Ollama starts a process for each model that it loads, and says so. */
function loadsOf({ log }: RealServer): number {
  return log().split('msg="loaded runners"').length - 1;
}
