import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8's heap near what is in use. Under load it would let the young generation double up to
 * 128 MB and the old one grow to a multiple of what lives in it, several times what the gateway
 * needs, and be no quicker for it (docs/reference/performance.md). V8 reads both whenever it is about to grow.
 */
export function keepHeapSmall(): void {
  // The young generation stays as large as it is now, some megabytes after a start.
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=100');
}
