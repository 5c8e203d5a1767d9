import { milliseconds } from '../../src/plan/ids.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts';
import { startGateway } from '../support/gateway.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { nowhere } from './configuration.ts';
import type { Observer } from './observe.ts';

/**
 * Who answers where what is in memory is being asked: the model was in b's memory when it was last
 * asked, and is in a's by now, which the answer tells that comes after 50 ms.
 */
export const warmed: Observer = async ({ files }) => {
  const clock = createManualClock();
  const [a, b] = [await startOllama(false), await startOllama(true)];
  const gateway = await startGateway({
    files: Object.fromEntries(Object.entries(files).map(([name, value]) => [`config/${name}`, value])),
    environment: { ...nowhere, A: a.upstream.url, B: b.upstream.url },
    clock,
    random: () => 0.5,
  });
  await gateway.running.report(milliseconds(5000));
  // By then what was seen is too old to decide by.
  await clock.advance(5000);
  a.holds(true);
  b.holds(false);
  const answer = gateway.chat();
  await Promise.all([a.asked(), b.asked()]);
  await clock.advance(50);
  a.release();
  b.release();
  await answer;
  const seen = { a: a.upstream.requests.length, b: b.upstream.requests.length };
  await gateway.close();
  await a.upstream.close();
  await b.upstream.close();
  return seen;
};

type Ollama = {
  readonly upstream: FakeUpstream;
  /** From now on it is asked in vain what it has in memory, until it is released: then it has the model, or not. */
  readonly holds: (isLoaded: boolean) => void;
  /** Resolves once it is asked. */
  readonly asked: () => Promise<void>;
  readonly release: () => void;
};

async function startOllama(isLoadedFirst: boolean): Promise<Ollama> {
  let isLoaded = isLoadedFirst;
  let isHeld = false;
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const model = { name: 'm', model: 'm', size: 1, size_vram: 1, expires_at: '2030-01-01T00:00:00Z' };
  const upstream = await startFakeUpstream(['m'], {
    gets: {
      '/api/version': () => ({ version: '0.12.0' }),
      '/api/tags': () => ({ models: [model] }),
      '/api/ps': async () => {
        if (isHeld) {
          asked.resolve();
          await released.promise;
        }
        return { models: isLoaded ? [model] : [] };
      },
    },
  });
  return {
    upstream,
    holds(later) {
      isLoaded = later;
      isHeld = true;
    },
    asked: () => asked.promise,
    release: released.resolve,
  };
}
