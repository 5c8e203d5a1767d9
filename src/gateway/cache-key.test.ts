import { expect, test } from 'vitest';
import { factsOf, type PlanOf, planOf } from '../../test/support/plan-of.ts';
import type { Deployment } from '../plan/deployment.ts';
import { deploymentId, milliseconds } from '../plan/ids.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import { createRoutingState } from '../routing/state.ts';
import { scanBody } from '../wire/scan-body.ts';
import { cacheKeyOf } from './cache-key.ts';

const base: PlanOf = {
  deployments: { 'a/x': {}, 'b/y': {}, 'c/z': {} },
  groups: { m: { members: ['a/x', { at: 'b/y', weight: 1 }] }, other: ['c/z'] },
};

/** The key of one request under a plan. */
function keyUnder(
  written: PlanOf,
  facts: Partial<RequestFacts> = {},
  text = '{"model":"m","messages":[]}',
): string | undefined {
  const plan = planOf(written);
  const body = Buffer.from(text);
  const scanned = scanBody(body);
  if (scanned.kind === 'invalid') throw new Error(scanned.failure.message);
  const snapshot = {
    generation: 1,
    plan,
    state: createRoutingState(plan, milliseconds(0)),
    upstreams: new Map(),
    keys: [],
    cache: undefined,
  };
  return cacheKeyOf({
    snapshot,
    facts: factsOf({ asked: 'm', ...facts }),
    body,
    scan: scanned.scan,
    namespace: undefined,
  })?.hash;
}

const stale: readonly [change: string, plan: PlanOf][] = [
  ['a member more', { ...base, groups: { ...base.groups, m: ['a/x', 'b/y', 'c/z'] } }],
  ['a member less', { ...base, groups: { ...base.groups, m: ['a/x'] } }],
  ['another weight', { ...base, groups: { ...base.groups, m: { members: ['a/x', { at: 'b/y', weight: 0 }] } } }],
  [
    'another strategy',
    { ...base, groups: { ...base.groups, m: { members: ['a/x', { at: 'b/y', weight: 1 }], strategy: 'least_busy' } } },
  ],
  ['another address', { ...base, providers: { a: { baseUrl: 'http://127.0.0.1:9999' } } }],
  ['a provider that is disabled', { ...base, providers: { a: { status: 'disabled' } } }],
  ['other bounds of the complexity', { ...base, routing: { complexity: { medium: 10, high: 100 } } }],
  ['a parameter', { ...base, deployments: { 'a/x': { defaults: { temperature: 0 } }, 'b/y': {}, 'c/z': {} } }],
];
test.each(stale)('5: a configuration change never serves a stale route: %s', (_change, plan) => {
  expect(keyUnder(plan)).not.toBe(keyUnder(base));
});

/** Files give a deployment an id by what it is, wherever it stands. */
const id = (number: number): Partial<Deployment> => ({ id: deploymentId(`id-${number}`) });

const kept: readonly [change: string, plan: PlanOf][] = [
  ['the same again', base],
  ['another order of the declarations', { ...base, deployments: { 'c/z': id(2), 'b/y': id(1), 'a/x': id(0) } }],
  ['another name', { ...base, groups: { ...base.groups, other: ['c/z', 'a/x'] } }],
  [
    'what stands in',
    { ...base, groups: { ...base.groups, m: { members: ['a/x', { at: 'b/y', weight: 1 }], fallback: ['c/z'] } } },
  ],
  [
    'a price',
    { ...base, deployments: { 'a/x': { price: { inputUsdPerToken: 1, outputUsdPerToken: 1 } }, 'b/y': {}, 'c/z': {} } },
  ],
];
test.each(kept)('5: what changes no route of the name keeps its answers (F5): %s', (_change, plan) => {
  expect(keyUnder(plan)).toBe(keyUnder(base));
});

test('5: a name that is not known, or that the key may not ask for, has no key', () => {
  expect(keyUnder(base, { asked: 'nobody' })).toBeUndefined();
  expect(keyUnder(base, { allowedModels: ['other'] })).toBeUndefined();
});

test('5: a header counts where a member’s condition asks for it', () => {
  const condition = {
    source: 'header.x-team == "a"',
    expression: { kind: 'variable', variable: { kind: 'header', name: 'x-team' } },
  } as const;
  const asking: PlanOf = { ...base, groups: { ...base.groups, m: { members: ['a/x', { at: 'b/y', condition }] } } };
  const headers = (team: string): Partial<RequestFacts> => ({ headers: new Map([['x-team', team]]) });
  expect(keyUnder(asking, headers('a'))).not.toBe(keyUnder(asking, headers('b')));
  expect(keyUnder(base, headers('a'))).toBe(keyUnder(base, headers('b')));
});

const byTags: PlanOf = { ...base, routing: { tagFiltering: { enabled: true, matchAny: true } } };
const byMetadata: PlanOf = {
  ...base,
  routing: {
    metadata: [
      {
        name: 'rule',
        providers: [],
        condition: {
          source: 'header.x-team',
          expression: { kind: 'variable', variable: { kind: 'header', name: 'x-team' } },
        },
      },
    ],
  },
};
const inTeam = (team: string): Partial<RequestFacts> => ({ headers: new Map([['x-team', team]]) });

/** What one request has and another has not, and whether that makes two of them. */
const asked: readonly [what: string, plan: PlanOf, facts: Partial<RequestFacts>, isOther: boolean][] = [
  ['the endpoint', base, { endpoint: 'completions' }, true],
  ['a tier of quality', base, { qualityTier: 'high' }, true],
  ['a least tier', base, { minTier: 'cloud_entry' }, true],
  ['tags that routing goes by', byTags, { tags: ['eu'] }, true],
  ['tags that it does not go by', base, { tags: ['eu'] }, false],
  ['a header that a rule by metadata asks for', byMetadata, inTeam('a'), true],
  ['a header that nobody asks for', base, inTeam('a'), false],
  ['a key', base, { key: 'laptop' }, false],
  ['a priority, which is for the queue alone', base, { priority: 'batch' }, false],
];
test.each(asked)('5: whether %s makes another request of it', (_what, plan, facts, isOther) => {
  expect(keyUnder(plan, facts) !== keyUnder(plan)).toBe(isOther);
});

test.each([
  ['where rules read it', byMetadata, true],
  ['and is for logs elsewhere', base, false],
] as const)('5: metadata makes another request of it %s', (_where, plan, isOther) => {
  const text = '{"model":"m","messages":[],"metadata":{"team":"a"}}';
  expect(keyUnder(plan, {}, text) !== keyUnder(plan)).toBe(isOther);
});

test.each([
  ...['litellm_call_id', 'litellm_trace_id', 'litellm_session_id', 'litellm_metadata'],
  ...['timeout', 'request_timeout', 'stream_timeout'],
])('5: what a client notes of a request, and how long it waits, makes no other one of it: %s', (field) => {
  expect(keyUnder(base, {}, `{"model":"m","messages":[],"${field}":"7"}`)).toBe(keyUnder(base));
  expect(keyUnder(base, {}, '{"model":"m","messages":[],"user":"7"}')).not.toBe(keyUnder(base));
});
