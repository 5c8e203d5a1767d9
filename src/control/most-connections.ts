import { readFileSync } from 'node:fs';

/** More than a person or a team needs, and what is held where the system does not say its limit. */
const usual = 8192;

/** How many clients' connections fit: half of the descriptors stay for upstreams, logs and files. */
export function mostConnections(limitsFile = '/proc/self/limits'): number {
  const soft = readLimit(limitsFile);
  return soft === undefined ? usual : Math.min(usual, Math.max(16, Math.floor(soft / 2)));
}

function readLimit(path: string): number | undefined {
  try {
    const match = /^Max open files +(\d+)/m.exec(readFileSync(path, 'utf8'));
    return match === null ? undefined : Number(match[1]);
  } catch {
    // Linux alone has the file; elsewhere Node raises the limit to where it does not matter.
    return undefined;
  }
}
