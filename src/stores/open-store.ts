import { isAbsolute, join } from 'node:path';
import { type Environment, revealSecret } from '../plan/secret.ts';
import type { CacheSettings } from '../plan/settings.ts';
import { createDiskStore } from './disk-store.ts';
import { createMemoryStore } from './memory-store.ts';
import { createRedisStore } from './redis-store.ts';
import type { Store, StoreTime } from './store.ts';

/** What opening a store needs besides its settings. */
export type OpenStoreInput = {
  readonly environment: Environment;
  /** Folder that a relative folder is meant from. */
  readonly home: string;
  readonly stateFolder: string;
  readonly time: StoreTime;
};

/** Opens the store that a configuration asks for; nothing is read or connected to before it is needed. */
export function openStore(settings: CacheSettings, input: OpenStoreInput): Store {
  const { maxBytes, namespace, directory, redis } = settings;
  const { environment, home, stateFolder, time } = input;
  switch (settings.kind) {
    case 'local':
      return createMemoryStore({ maxBytes, time });
    case 'disk': {
      const declared = directory === undefined || isAbsolute(directory) ? directory : join(home, directory);
      return createDiskStore({ folder: declared ?? join(stateFolder, 'cache'), namespace, maxBytes, time });
    }
    case 'redis':
      return createRedisStore({
        ...redis,
        url: redis.url === undefined ? undefined : revealSecret(redis.url, environment),
        password: redis.password === undefined ? undefined : revealSecret(redis.password, environment),
        namespace,
      });
  }
}
