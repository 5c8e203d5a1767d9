import { expect, test } from 'vitest';
import { planOf } from '../../test/support/plan-of.ts';
import type { Deployment } from '../plan/deployment.ts';
import { milliseconds, providerId, tokens } from '../plan/ids.ts';
import { createRoutingState } from '../routing/state.ts';
import { contextDifferences, createContextCheck } from './context-check.ts';

function snapshotOf(
  deployment: Partial<Deployment>,
  granted: number | undefined,
): Parameters<typeof contextDifferences>[0] {
  const plan = planOf({ deployments: { 'ollama/m': deployment } });
  const state = createRoutingState(plan, milliseconds(0));
  const [seen] = state.observations;
  if (seen !== undefined && granted !== undefined)
    state.observations[0] = { ...seen, effectiveContext: tokens(granted) };
  return { plan, state };
}

test.each<[what: string, deployment: Partial<Deployment>, granted: number | undefined, told: string | undefined]>([
  ['as asked for', { options: { num_ctx: 8192 } }, 8192, undefined],
  ['less than was asked for', { options: { num_ctx: 8192 } }, 4096, '8192 → 4096'],
  ['more than was asked for', { options: { num_ctx: 2048 } }, 4096, '2048 → 4096'],
  ['less than was stated', { contextTokens: tokens(32_768) }, 4096, '32768 → 4096'],
  ['more than was stated', { contextTokens: tokens(4096) }, 8192, undefined],
  ['not seen yet', { options: { num_ctx: 8192 } }, undefined, undefined],
])('4.3: what a server grants is compared with what was declared: %s', (_, deployment, granted, told) => {
  const found = contextDifferences(snapshotOf(deployment, granted), providerId('ollama'));
  expect(found.map((one) => `${one.declared} → ${one.granted}`)).toEqual(told === undefined ? [] : [told]);
});

test('4.3: a difference is told once, and again when it has changed', () => {
  const messages: unknown[] = [];
  const check = createContextCheck({ event: (_level, _event, { message }) => messages.push(message) });
  const deployment = { options: { num_ctx: 8192 } };
  for (const granted of [4096, 4096, 2048]) check(snapshotOf(deployment, granted), providerId('ollama'));
  expect(messages).toEqual([
    'ollama grants "m" a context of 4096 tokens, 8192 are asked for by num_ctx: prompts are held to 4096',
    'ollama grants "m" a context of 2048 tokens, 8192 are asked for by num_ctx: prompts are held to 2048',
  ]);
});
