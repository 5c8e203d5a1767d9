import { expect } from 'vitest';
import type { PlanOf } from './plan-of.ts';
import { type Play, play } from './play-attempts.ts';

/** Checks what is tried for a request, and how it ends. */
export function checkPlay(row: Play): void {
  expect(play(row)).toEqual({ tried: row.tried, ends: row.ends });
}

/** One name of four deployments. */
export const pool: PlanOf = {
  deployments: ['a/m', 'b/m', 'c/m', 'd/m'],
  groups: { m: ['a/m', 'b/m', 'c/m', 'd/m'] },
};
/** One name of one deployment, with a fallback. */
export const pair: PlanOf = {
  deployments: ['a/m', 'z/m'],
  groups: { m: { members: ['a/m'], fallback: ['z/m'] } },
};
/** One name of one deployment, behind which nothing stands. */
export const alone: PlanOf = { deployments: ['a/m'], groups: { m: ['a/m'] } };
