import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { milliseconds } from '../plan/ids.ts';

/** What is told to whoever comes, or waits, while the gateway ends; another one may serve in a moment. */
export const shuttingDown: Failure = failure('shutting_down', undefined, { retryAfterMs: milliseconds(1000) });
