import { setTimeout as pause } from 'node:timers/promises';
import type { RealServer } from './servers.ts';

/** Twenty requests for two models in turn, as two people would send them, one token each. */
export const twoModels: { readonly count: number; readonly gapMs: number } = { count: 20, gapMs: 50 };

/** What is asked: two models, in turn or the best order; `longest` is the time that one request took. */
export type TwoModelsRun = {
  readonly statuses: readonly number[];
  /** From the first request to the last answer. */
  readonly totalMs: number;
  readonly longestMs: number;
  /** How often the server brought a model into memory. */
  readonly loads: number;
};

/** Who is asked for which models, and which server counts the loads. */
export type TwoModels = {
  readonly url: string;
  readonly server: RealServer;
  readonly models: readonly [string, string];
};

/**
 * Sends the requests and counts what they made the server load: `in turn` 50 ms apart, or in the
 * `best` order, first all of the model that is in memory, each as soon as the one before is answered.
 */
export async function runTwoModels(
  { url, server, models }: TwoModels,
  order: 'in turn' | 'best',
): Promise<TwoModelsRun> {
  const { count, gapMs } = twoModels;
  const names = Array.from({ length: count }, (_, index) => models[index % 2] ?? '');
  if (order === 'best') {
    const loaded = await loadedAt(server);
    names.sort((a, b) => Number(b === loaded) - Number(a === loaded) || a.localeCompare(b));
  }
  const before = loadsOf(server);
  const began = performance.now();
  const sent: Promise<{ readonly status: number; readonly ms: number }>[] = [];
  for (const name of names) {
    const answer = askOnce(url, name);
    sent.push(answer);
    await (order === 'best' ? answer : pause(gapMs));
  }
  const answers = await Promise.all(sent);
  return {
    statuses: answers.map((one) => one.status),
    totalMs: performance.now() - began,
    longestMs: Math.max(...answers.map((one) => one.ms)),
    loads: loadsOf(server) - before,
  };
}

/** Asks a model for one token. */
export async function askOnce(url: string, model: string): Promise<{ readonly status: number; readonly ms: number }> {
  const began = performance.now();
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] }),
  });
  await answer.arrayBuffer();
  return { status: answer.status, ms: performance.now() - began };
}

/** The model that an Ollama has in memory. */
async function loadedAt({ url }: RealServer): Promise<string | undefined> {
  const answer = await fetch(`${url}/api/ps`);
  const { models } = (await answer.json()) as { readonly models: readonly { readonly name: string }[] };
  return models[0]?.name.replace(/:latest$/, '');
}

/** Ollama starts a process for each model that it loads, and says so. */
function loadsOf({ log }: RealServer): number {
  return log().split('msg="loaded runners"').length - 1;
}
