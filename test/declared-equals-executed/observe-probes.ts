import { startControl } from '../../src/control/control.ts';
import type { PooledGet } from '../../src/control/get-probe.ts';
import { dialects } from '../../src/main.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { compileFiles, nowhere } from './configuration.ts';
import type { Observer } from './observe.ts';

type Question = {
  /** Seconds for which the prober is watched. */
  readonly seconds?: number;
  /** Whether nobody answers. */
  readonly down?: boolean;
};

/** Every GET that probes send, when, how, and for how long it may take. */
export const probed: Observer = async ({ files, ask }) => {
  const { seconds = 0, down = false } = ask as Question;
  const clock = createManualClock();
  const { value: plan, environment } = compileFiles(files, nowhere);
  if (plan === undefined) throw new Error('The configuration has no plan');
  const gets: string[] = [];
  const get: PooledGet = async (url, { headers, timeoutMs }) => {
    gets.push(`${clock.now()} ms: ${url} within ${timeoutMs} ms, ${JSON.stringify(headers)}`);
    const path = new URL(url).pathname;
    if (down) return { kind: 'error', path, code: 'ECONNREFUSED', detail: 'refused' };
    return {
      kind: 'answer',
      path,
      status: 200,
      body: '{"data":[]}',
      contentType: 'application/json',
      location: undefined,
    };
  };
  const control = startControl({
    plan,
    environment,
    dialects,
    clock,
    random: () => 0.5,
    get,
    spendingFile: { restore: () => undefined, soon: () => {}, close: () => {} },
    keptPlaces: [],
    decisionLog: { append: (_bytes, done) => done(), close: () => Promise.resolve() },
    log: { event: () => {}, internalError: () => {} },
    openStore: () => {
      throw new Error('Probes need no store');
    },
    facts: {
      version: '0',
      configPath: undefined,
      address: () => undefined,
      startedAt: '',
      warnings: [],
      diskHash: () => Promise.resolve(undefined),
    },
  });
  control.prober.start();
  for (let second = 0; second < seconds; second++) await clock.advance(1000);
  await control.prober.probeAll();
  control.prober.stop();
  await control.close();
  return gets;
};
