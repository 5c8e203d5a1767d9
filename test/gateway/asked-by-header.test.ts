import { expect, test } from 'vitest';
import { connectAdmin } from '../../src/ops/admin-client.ts';
import { closersAfterEach } from '../support/closers.ts';
import { startGateway } from '../support/gateway.ts';

/* What a request asks for beside its model, by a header or in its metadata, from the wire to the route. */

const closers = closersAfterEach();

const providers = {
  home: { type: 'echo', models: ['small', 'coder'] },
  sky: { type: 'echo', tier: 'cloud_premium', models: ['large'] },
};
const mappings = {
  capabilities: { code: { preferred_models: ['coder'] } },
  routing_rules: { default_provider: 'home' },
  load_balancing: {
    pool: {
      strategy: 'quality_based',
      providers: [
        { provider: 'home', preferred_model: 'small', condition: 'quality_tier != premium' },
        { provider: 'sky', condition: 'quality_tier == premium' },
      ],
    },
    either: { strategy: 'direct', providers: [{ provider: 'home', preferred_model: 'small' }, { provider: 'sky' }] },
  },
};

test.each<readonly [what: string, headers: Record<string, string>, body: Record<string, unknown>, route: string]>([
  ['nothing: the default model', {}, { model: undefined }, 'home/small'],
  ['auto, a capability by header', { 'x-capability': 'code' }, { model: 'auto' }, 'home/coder'],
  ['default, a capability in its metadata', {}, { model: 'default', metadata: { capability: 'code' } }, 'home/coder'],
  ['a name: the capability is not used', { 'x-capability': 'code' }, { model: 'large' }, 'sky/large'],
  ['no quality', {}, { model: 'pool' }, 'home/small'],
  ['a quality by header', { 'x-quality-tier': 'premium' }, { model: 'pool' }, 'sky/large'],
  ['a quality in its metadata', {}, { model: 'pool', metadata: { quality_tier: 'premium' } }, 'sky/large'],
  ['no least tier', {}, { model: 'either' }, 'home/small'],
  ['a least tier by header', { 'x-signalbox-min-tier': 'cloud_entry' }, { model: 'either' }, 'sky/large'],
  ['a least tier in its metadata', {}, { model: 'either', metadata: { min_tier: 'cloud_entry' } }, 'sky/large'],
])('1.1, 1.2 a request that asks for %s', async (_what, headers, body, route) => {
  const gateway = await startGateway({ providers, mappings });
  closers.push(gateway.close);
  const answer = await gateway.chat(body, { headers });
  expect([answer.status, answer.headers.get('x-signalbox-route')]).toEqual([200, route]);
  const admin = await connectAdmin({
    config: undefined,
    stateFolder: undefined,
    folder: gateway.folder,
    environment: {},
  });
  const { capability, quality_tier: qualityTier, min_tier: minTier } = metadataOf(body);
  const { order, rule } = await admin.explain({ model: modelOf(body), headers, capability, qualityTier, minTier });
  const taken = await admin.decision('last');
  expect([order, rule]).toEqual([taken?.order, taken?.rule]);
});

function metadataOf(body: Record<string, unknown>): Record<string, string | undefined> {
  return (body['metadata'] ?? {}) as Record<string, string | undefined>;
}

function modelOf({ model }: Record<string, unknown>): string | undefined {
  return typeof model === 'string' ? model : undefined;
}
