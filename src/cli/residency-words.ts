import type { DeploymentStatus } from '../contract/status.ts';
import { durationWords, secondsWords } from '../plan/in-words.ts';

/** What is known of a model's place in memory, in a few words: "yes, 2 of 4 busy, 1 waiting, 456 MB". */
export function residencyWords({ loaded, residency, speeds }: DeploymentStatus): string {
  if (residency === null) return loaded === null ? 'unknown' : loaded ? 'yes' : 'no';
  const load = speeds?.loadMs ?? null;
  const about = load === null ? '' : `, loads in ${durationWords(load)}`;
  if (residency.state !== 'loaded') return `${residency.state === 'loading' ? 'loading' : 'no'}${about}`;
  const { seats, busySeats, waiting, memoryBytes, expiresAt } = residency;
  const words = ['yes'];
  if (busySeats !== null) words.push(seats === null ? `${busySeats} running` : `${busySeats} of ${seats} busy`);
  if (waiting !== null && waiting > 0) words.push(`${waiting} waiting`);
  if (memoryBytes !== null) words.push(`${Math.round(memoryBytes / 1_000_000)} MB`);
  if (expiresAt !== null) words.push(untilWords(expiresAt));
  return words.join(', ');
}

/** What was learned of a deployment's speed: "1200 in, 35 out". */
export function speedWords({ speeds }: DeploymentStatus): string {
  const parts = [
    ...(speeds?.prefillTokensPerSecond == null ? [] : [`${Math.round(speeds.prefillTokensPerSecond)} in`]),
    ...(speeds?.decodeTokensPerSecond == null ? [] : [`${Math.round(speeds.decodeTokensPerSecond)} out`]),
  ];
  return parts.join(', ') || 'unknown';
}

function untilWords(expiresAt: string): string {
  const left = Date.parse(expiresAt) - Date.now();
  if (Number.isNaN(left)) return `until ${expiresAt}`;
  // Ollama writes a year centuries away for a model that it keeps.
  if (left > 365 * 24 * 3_600_000) return 'kept';
  return left <= 0 ? 'about to go' : `for ${secondsWords(left)} more`;
}
