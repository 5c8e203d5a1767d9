import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the memory near what is in use. Under load V8 would let the young generation double up to
 * 128 MB and the old one grow to a multiple of what lives in it, several times what the gateway
 * needs, and be no quicker for it (docs/reference/performance.md). V8 reads these whenever it is
 * about to grow or to compile.
 */
export function keepHeapSmall(): void {
  // The young generation stays as large as it is now, some megabytes after a start.
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=60');
  // What the middle compiler works with is 20 MB that the system does not get back; the last one is as soon there.
  setFlagsFromString('--no-maglev');
}
