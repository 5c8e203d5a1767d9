import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { ListenerLimits } from '../gateway/listener.ts';

/** More than a person or a team needs, and what is held where the system does not say its limit. */
const usualConnections = 8192;
const usualBodyBytes = 1024 ** 3;

/** What this machine can hold for its clients: half of the descriptors, an eighth of the memory. */
export function machineLimits(limitsFile = '/proc/self/limits'): ListenerLimits {
  const descriptors = readDescriptors(limitsFile) ?? usualConnections * 2;
  return {
    connections: Math.min(usualConnections, Math.max(16, Math.floor(descriptors / 2))),
    bodyBytes: Math.min(usualBodyBytes, Math.floor(totalmem() / 8)),
  };
}

function readDescriptors(path: string): number | undefined {
  try {
    const match = /^Max open files +(\d+)/m.exec(readFileSync(path, 'utf8'));
    return match === null ? undefined : Number(match[1]);
  } catch {
    // Linux alone has the file; elsewhere Node raises the limit to where it does not matter.
    return undefined;
  }
}
