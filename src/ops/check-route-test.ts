import { type Findings, inside, keyOf, type Place } from '../config/findings.ts';
import { strategyName, strategySpellings } from '../config/strategy-name.ts';
import type { RouteTestShape } from '../config/written-route-tests.ts';
import { nearest } from '../plan/nearest.ts';
import type { Plan } from '../plan/plan.ts';

/** A test and where it stands. */
type PlacedTest = { readonly test: RouteTestShape; readonly at: Place };

/** Tells what a test names that the configuration does not have: such a test would prove nothing. */
export function checkRouteTest({ test, at }: PlacedTest, plan: Plan, findings: Findings): void {
  const { request, given = {}, expect } = test;
  const known = knownIn(plan);
  const check = (what: keyof typeof known, name: string, place: Place): void => {
    if (known[what].has(name)) return;
    // A name that a pattern or a provider's list leads to is nowhere declared.
    if (what === 'asked' && known.providers.has(name.slice(0, name.indexOf('/')))) return;
    const [near] = nearest(name, known[what], 1);
    const code =
      what === 'strategies' ? 'unknown-strategy' : what === 'limits' ? 'unknown-limit-name' : 'unknown-model';
    findings.add(code, place, `The configuration has no ${nouns[what]} "${name}"`, { found: name, nearest: near });
  };
  if (Object.values(expect).every((one) => one === undefined))
    findings.add('missing-key', keyOf(inside(at, 'expect')), `The test "${test.name}" expects nothing`, {
      wanted: 'at least one of answer, order, chain, never, rule, verdicts, refused, degraded',
    });
  for (const section of ['states', 'busy'] as const)
    for (const name of Object.keys(given[section] ?? {}))
      check('supposed', name, keyOf(inside(at, 'given', section, name)));
  for (const name of Object.keys(given.listed ?? {}))
    check('providers', name, keyOf(inside(at, 'given', 'listed', name)));
  for (const [index, name] of (given.full ?? []).entries()) check('limits', name, inside(at, 'given', 'full', index));
  if (request.key !== undefined) check('keys', request.key, inside(at, 'request', 'key'));
  if (expect.answer !== undefined) check('asked', expect.answer, inside(at, 'expect', 'answer'));
  for (const list of ['order', 'chain', 'never'] as const)
    for (const [index, name] of (expect[list] ?? []).entries()) check('asked', name, inside(at, 'expect', list, index));
  for (const name of Object.keys(expect.verdicts ?? {}))
    check('asked', name, keyOf(inside(at, 'expect', 'verdicts', name)));
  if (expect.group !== undefined) check('groups', expect.group, inside(at, 'expect', 'group'));
  if (expect.strategy !== undefined && strategyName(expect.strategy) === undefined)
    check('strategies', expect.strategy, inside(at, 'expect', 'strategy'));
}

const nouns = {
  supposed: 'provider or deployment',
  asked: 'provider or deployment',
  providers: 'provider',
  limits: 'limit of',
  keys: 'key',
  groups: 'name',
  strategies: 'strategy',
} as const;

/** Everything that a test can name. */
function knownIn(plan: Plan): Readonly<Record<keyof typeof nouns, ReadonlySet<string>>> {
  const providers = [...plan.providers.values()];
  const deployments = plan.deployments.map(({ provider, backendModel }) => `${provider}/${backendModel}`);
  const { limits, server } = plan.settings;
  const isLimited = ({ limit }: { readonly limit: object }): boolean =>
    Object.values(limit).some((one) => one !== undefined);
  const asked = new Set<string>([...providers.map(({ id }) => id), ...deployments]);
  return {
    asked,
    supposed: new Set([
      ...asked,
      ...providers.flatMap(({ groups }) => groups),
      ...plan.deployments.map(({ id }) => id),
    ]),
    providers: new Set(providers.map(({ id }) => id)),
    limits: new Set([
      ...limits.filter(isLimited).map(({ name }) => name),
      ...plan.groups.filter(isLimited).map(({ name }) => name),
      ...providers.filter(isLimited).map(({ id }) => id),
      ...server.keys.filter(isLimited).map(({ name }) => name),
      ...plan.deployments.filter(isLimited).map(({ provider, backendModel }) => `${provider}/${backendModel}`),
    ]),
    keys: new Set(['local', 'master', ...server.keys.map(({ name }) => name)]),
    groups: new Set(plan.groups.map(({ name }) => name)),
    strategies: new Set(strategySpellings),
  };
}
