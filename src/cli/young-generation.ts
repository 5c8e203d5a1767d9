import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8's young generation at the size that it has now, some megabytes after a start. Under load
 * it would double up to 128 MB, several times what the gateway needs, and be no quicker for it
 * (docs/reference/performance.md). V8 reads this factor whenever it is about to grow.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
