import { setTimeout as pause } from 'node:timers/promises';
import type { RealServer } from './servers.ts';

/** Twenty requests for two models in turn, as two people would send them, one token each. */
export const twoModels: { readonly count: number; readonly gapMs: number } = { count: 20, gapMs: 50 };

/** When each of the requests is sent. */
export type Order =
  /** 50 ms after the one before. */
  | { readonly kind: 'in turn' }
  /**
   * So many for the first model, all for the other, then the rest for the first; each as soon as the
   * one before is answered and, where `asTheyCome`, not before it would be sent in turn.
   */
  | { readonly kind: 'grouped'; readonly first: number; readonly asTheyCome: boolean };

/** What came of it. */
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

/** Sends the requests and counts what they made the server load. */
export async function runTwoModels({ url, server, models }: TwoModels, order: Order): Promise<TwoModelsRun> {
  const { count, gapMs } = twoModels;
  const requests = inOrder(
    Array.from({ length: count }, (_, index) => ({ name: models[index % 2] ?? '', index })),
    order,
  );
  const before = loadsOf(server);
  const began = performance.now();
  const sent: Promise<{ readonly status: number; readonly ms: number }>[] = [];
  for (const { name, index } of requests) {
    if (order.kind === 'grouped') await sent.at(-1);
    if (order.kind === 'in turn' || order.asTheyCome)
      await pause(Math.max(0, began + index * gapMs - performance.now()));
    sent.push(askOnce(url, name));
  }
  const answers = await Promise.all(sent);
  return {
    statuses: answers.map((one) => one.status),
    totalMs: performance.now() - began,
    longestMs: Math.max(...answers.map((one) => one.ms)),
    loads: loadsOf(server) - before,
  };
}

type Request = { readonly name: string; readonly index: number };

function inOrder(requests: readonly Request[], order: Order): readonly Request[] {
  if (order.kind === 'in turn') return requests;
  const own = requests.filter(({ name }) => name === requests[0]?.name);
  const others = requests.filter(({ name }) => name !== requests[0]?.name);
  return [...own.slice(0, order.first), ...others, ...own.slice(order.first)];
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

/** Ollama starts a process for each model that it loads, and says so. */
function loadsOf({ log }: RealServer): number {
  return log().split('msg="loaded runners"').length - 1;
}
