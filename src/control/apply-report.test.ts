import { expect, test } from 'vitest';
import { planOf } from '../../test/support/plan-of.ts';
import { milliseconds, providerId, tokens } from '../plan/ids.ts';
import type { ProbeReport } from '../plan/probe.ts';
import type { DialectName } from '../plan/provider.ts';
import { createRoutingState } from '../routing/state.ts';
import { applyReport } from './apply-report.ts';

const now = milliseconds(1000);

const unknown = {
  kind: undefined,
  contextTokens: undefined,
  sizeBytes: undefined,
  parameterSize: undefined,
  quantization: undefined,
};

const listed = (...ids: readonly string[]): ProbeReport => ({
  state: 'up',
  detail: undefined,
  version: undefined,
  models: ids.map((id) => ({ id, ...unknown })),
  resident: undefined,
  servesOneModel: false,
});

type Row = readonly [dialect: DialectName, model: string, report: ProbeReport, health: string];

test.each<Row>([
  ['ollama', 'm', listed('n'), 'missing'],
  ['ollama', 'm', listed('m:latest'), 'ready'],
  ['ollama', 'm:latest', listed('m'), 'ready'],
  ['ollama', '*', listed('n'), 'ready'],
  ['vllm', 'm', listed('n'), 'missing'],
  ['vllm', 'm', { ...listed(), models: undefined }, 'ready'],
  // llama.cpp's router loads by name; a server of one model answers to every name.
  ['llama_cpp', 'm', listed('n'), 'missing'],
  ['llama_cpp', 'm', { ...listed('n'), servesOneModel: true }, 'ready'],
  // Vendors and other servers take names that their lists do not show.
  ['openai_compatible', 'm', listed('n'), 'ready'],
  ['openai', 'm', listed('n'), 'ready'],
  ['azure', 'm', listed('n'), 'ready'],
  ['anthropic', 'm', listed('n'), 'ready'],
  ['openai_compatible', 'm', { ...listed(), state: 'down', detail: 'no answer in time' }, 'down'],
  ['ollama', 'm', { ...listed(), state: 'loading' }, 'loading'],
])('3.1: %s is asked for %s: %j leaves it %s', (dialect, model, report, health) => {
  const plan = planOf({ providers: { p: { dialect } }, deployments: [`p/${model}`] });
  const state = createRoutingState(plan, now);
  const provider = plan.providers.get(providerId('p'));
  if (provider === undefined) throw new Error('the plan has the provider');
  applyReport({ plan, state }, provider, report, now);
  expect(state.health[0]?.kind).toBe(health);
});

test('3.1: the context that a server grants is remembered when its model is out of memory', () => {
  const plan = planOf({ providers: { p: { dialect: 'ollama' } }, deployments: ['p/m'] });
  const state = createRoutingState(plan, now);
  const provider = plan.providers.get(providerId('p'));
  if (provider === undefined) throw new Error('the plan has the provider');
  const model = {
    id: 'm',
    state: 'loaded' as const,
    memoryBytes: 1,
    expiresAt: undefined,
    busySeats: undefined,
    seats: undefined,
    waiting: undefined,
  };
  const list = listed('m');
  applyReport({ plan, state }, provider, { ...list, resident: [{ ...model, effectiveContext: tokens(512) }] }, now);
  expect(state.observations[0]).toMatchObject({ effectiveContext: 512, residency: { kind: 'loaded' } });
  applyReport({ plan, state }, provider, { ...list, resident: [] }, now);
  expect(state.observations[0]).toMatchObject({ effectiveContext: 512, residency: { kind: 'unloaded' } });
});
