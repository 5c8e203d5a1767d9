import { expect, test } from 'vitest';
import { connectAdmin } from '../../src/ops/admin-client.ts';
import { closersAfterEach } from '../support/closers.ts';
import { type FakeUpstream, fault, startFakeUpstream } from '../support/fake-upstream.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

/* What a request means that names no model, or one that only a server's list has: what answers, and what explain says before. */

const closers = closersAfterEach();

type System = {
  /** Models of the fake servers, by the provider; what is first is declared, the others are only listed. */
  readonly servers: Readonly<Record<string, readonly string[]>>;
  /** Those that answer each request for a model with an error. */
  readonly failing?: readonly string[];
  readonly disabled?: readonly string[];
  readonly mappings: Record<string, unknown>;
};

async function serve({ servers, failing = [], disabled = [], mappings }: System): Promise<TestGateway> {
  const upstreams: Record<string, FakeUpstream> = {};
  const providers: Record<string, unknown> = {};
  for (const [id, models] of Object.entries(servers)) {
    const upstream = await startFakeUpstream(models, { gets: { '/health': () => ({}) } });
    closers.push(upstream.close);
    if (failing.includes(id)) upstream.script(fault(500));
    upstreams[id] = upstream;
    providers[id] = {
      type: id.startsWith('v') ? 'vllm' : 'openai_compatible',
      base_url: upstream.url,
      models: models.slice(0, 1),
      status: disabled.includes(id) ? 'disabled' : 'active',
    };
  }
  const gateway = await startGateway({ providers, mappings, settings: { router_settings: { num_retries: 0 } } });
  closers.push(gateway.close);
  return gateway;
}

const three = { a: ['m', 'only-a'], b: ['k', 'only-b'], c: ['n'] };
const rules = { default_provider: 'a', default_fallback: 'b' };
type Row = System & { readonly name: string; readonly model: string | undefined; readonly route: string | null };

test.each<Row>([
  {
    name: 'no name: the default provider, though its model is a pool',
    servers: { a: ['m'], b: ['m'] },
    mappings: { routing_rules: { default_provider: 'b' } },
    model: undefined,
    route: 'b/m',
  },
  {
    name: 'no name: others of that pool where the default provider fails',
    servers: { a: ['m'], b: ['m'] },
    failing: ['b'],
    mappings: { routing_rules: { default_provider: 'b' } },
    model: undefined,
    route: 'a/m',
  },
  {
    name: 'no name: what stands behind the default model’s name',
    servers: three,
    failing: ['a'],
    mappings: { routing_rules: rules, exact_matches: { m: { provider: 'a', fallback: 'c' } } },
    model: 'auto',
    route: 'c/n',
  },
  {
    name: 'no name: the same where the default provider rests',
    servers: three,
    disabled: ['a'],
    mappings: { routing_rules: rules, fallback_chains: { m: ['n'] } },
    model: 'default',
    route: 'c/n',
  },
  {
    name: 'no name: the default fallback where nothing else is declared',
    servers: three,
    disabled: ['a'],
    mappings: { routing_rules: rules },
    model: undefined,
    route: 'b/k',
  },
  {
    name: 'auto where something is called so',
    servers: three,
    mappings: { routing_rules: rules, model_aliases: { auto: 'n' } },
    model: 'auto',
    route: 'c/n',
  },
  {
    name: 'a name that only the default fallback lists',
    servers: three,
    mappings: { routing_rules: rules },
    model: 'only-b',
    route: 'b/only-b',
  },
  {
    name: 'a name that only the second of a type lists',
    servers: { v1: ['m'], v2: ['k', 'second'] },
    mappings: { routing_rules: { default_provider: 'vllm' } },
    model: 'second',
    route: 'v2/second',
  },
])('1.1 $name', async ({ model, route, ...system }) => {
  const gateway = await serve(system);
  const admin = await connectAdmin({
    config: undefined,
    stateFolder: undefined,
    folder: gateway.folder,
    environment: {},
  });
  // Before any list is known.
  const explained = await admin.explain({ model });
  expect((await gateway.chat({ model })).headers.get('x-signalbox-route')).toBe(route);
  expect(explained.order).toContain(route);
  expect((await admin.decision('last'))?.order).toEqual(explained.order);
});

test('1.1 a chain of requests without a name leaves the turns of the default model’s pool as they are', async () => {
  const servers = { a: ['m'], b: ['m'] };
  const pool = { strategy: 'round_robin', providers: ['a', 'b'] };
  const gateway = await serve({
    servers,
    mappings: { routing_rules: { default_provider: 'b' }, load_balancing: { m: pool } },
  });
  const routes: (string | null)[] = [];
  for (const model of ['m', undefined, 'm', undefined, undefined, 'm'])
    routes.push((await gateway.chat({ model })).headers.get('x-signalbox-route'));
  expect(routes).toEqual(['a/m', 'b/m', 'b/m', 'b/m', 'b/m', 'a/m']);
});

test('6.1 explain refuses the word of a priority that the gateway refuses', async () => {
  const gateway = await serve({ servers: three, mappings: {} });
  const admin = await connectAdmin({
    config: undefined,
    stateFolder: undefined,
    folder: gateway.folder,
    environment: {},
  });
  const headers = { 'x-priority': 'hihg' };
  const explained = await admin.explain({ model: 'm', headers });
  const answer = await gateway.chat({}, { headers });
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  expect(answer.status).toBe(400);
  expect(explained).toMatchObject({ order: [], refusal: { code: error.code, message: error.message } });
});
