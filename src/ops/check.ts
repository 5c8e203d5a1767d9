import type { Check } from '../contract/doctor-report.ts';

/** Makes a check; without a fix where all is well. */
export function check(
  ...[id, title, state, found, fix]: [
    id: string,
    title: string,
    state: Check['state'],
    found: string,
    fix?: string | undefined,
  ]
): Check {
  return { id, title, state, found, fix: fix ?? null };
}
