import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { compile } from '../../src/config/compile.ts';
import type { FailureKind } from '../../src/plan/failure.ts';
import { failure } from '../../src/plan/failure-catalogue.ts';
import { milliseconds, tokens } from '../../src/plan/ids.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { RequestFacts } from '../../src/plan/request-facts.ts';
import type { RoutingState } from '../../src/plan/routing-state.ts';
import { createRoutingState } from '../../src/routing/state.ts';
import { factsOf, seededRandom } from '../support/plan-of.ts';
import { type Played, playScript } from '../support/play-attempts.ts';
import { type Case, cases, type Script } from './litellm-router-cases.ts';
import { describeReal } from './real.ts';
import { realFolder } from './servers.ts';

/*
 * The same files, requests and failures before LiteLLM's router and before ours: where LiteLLM's
 * meaning is kept, both choose from the same sets and go on in the same way.
 */

/** What a router did: whom it may ask first, and how it goes on, each way once. */
type Behaviour = { readonly first: readonly string[]; readonly goesOn: readonly string[] };

const draws = 60;
const plays = 6;

describeReal('7: LiteLLM’s router and ours', ['litellm'], () => {
  test('choose from the same sets, and go on in the same way', () => {
    const theirs = playTheirs();
    const found = cases.map((one, index) => ({ name: one.name, theirs: theirs[index], ours: playOurs(one) }));
    const expected = cases.map((one, index) => {
      const same = theirs[index];
      const { why: _why, ...differs } = one.differs ?? { why: 'it does not' };
      return { name: one.name, theirs: same, ours: { ...same, ...differs } };
    });
    expect(found).toEqual(expected);
    // What is said to differ has to differ.
    const differing = found.filter((one) => JSON.stringify(one.ours) !== JSON.stringify(one.theirs));
    expect(differing.map((one) => one.name)).toEqual(cases.filter((one) => one.differs).map((one) => one.name));
  }, 240_000);
});

/** What the driver tells of a case. */
type Told = { first: string[]; plays: { tried: string[]; ends: string }[] };

function playTheirs(): readonly Behaviour[] {
  const input = cases.map((one) => ({
    ...{
      draws,
      plays: one.answers === undefined ? 0 : plays,
      before: one.before ?? {},
      answers: one.answers ?? {},
      request: requestOf(one),
    },
    model_list: modelList(one, ''),
    router_settings: one.router ?? {},
  }));
  const text = execFileSync(join(realFolder, 'litellm/bin/python'), [join(import.meta.dirname, 'litellm-router.py')], {
    input: JSON.stringify(input),
    encoding: 'utf8',
    timeout: 200_000,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, LITELLM_LOCAL_MODEL_COST_MAP: 'True' },
  });
  return (JSON.parse(text.slice(text.indexOf('[{'))) as Told[]).map((told, index) => ({
    first: told.first.toSorted(),
    goesOn: distinct(told.plays.map(({ tried, ends }) => sequence(cases[index], tried, ends))),
  }));
}

function sequence(one: Case | undefined, tried: readonly string[], ends: string): string {
  const nameOf = (model: string): string => one?.models.find(([, known]) => known === model)?.[0] ?? model;
  return `${tried.map((model) => (one?.byName ? nameOf(model) : model)).join(' ')}: ${ends}`;
}

function requestOf({ asked, facts = {}, prompt = 'Hi' }: Case): object {
  return {
    model: asked ?? 'm',
    messages: [{ role: 'user', content: prompt }],
    ...(facts.tags === undefined ? {} : { metadata: { tags: facts.tags } }),
    ...(facts.fallbacks === undefined ? {} : { fallbacks: facts.fallbacks }),
    ...(facts.disableFallbacks === undefined ? {} : { disable_fallbacks: facts.disableFallbacks }),
    ...(facts.retries === undefined ? {} : { num_retries: facts.retries }),
  };
}

function modelList({ models }: Case, prefix: string): readonly object[] {
  return models.map(([name, model, params = {}, info]) => ({
    model_name: name,
    litellm_params: { model: `${prefix}${model}`, ...params },
    ...(info === undefined ? {} : { model_info: info }),
  }));
}

const distinct = (list: readonly string[]): readonly string[] => [...new Set(list)].sort();

const begin = milliseconds(100_000);

function playOurs(one: Case): Behaviour {
  const plan = planOf(one);
  const seeds = Array.from({ length: draws }, (_, index) => index);
  const state = createRoutingState(plan, begin);
  if (one.before !== undefined) for (const seed of seeds) playOnce({ one, plan, state, seed }, one.before);
  const first = seeds.map((seed) => {
    const { attempts, failure: failed } = playOnce({ one, plan, state, seed }, {});
    return attempts[0]?.attempt.model ?? classOf(failed?.kind);
  });
  const goesOn = seeds.slice(0, one.answers === undefined ? 0 : plays).map((seed) => {
    const fresh = createRoutingState(plan, begin);
    const played = playOnce({ one, plan, state: fresh, seed }, one.answers ?? {});
    return sequence(
      one,
      played.attempts.map(({ attempt }) => attempt.model),
      classOf(played.failure?.kind),
    );
  });
  return { first: distinct(first), goesOn: distinct(goesOn) };
}

function planOf(one: Case): Plan {
  const text = stringify({ model_list: modelList(one, 'openai/'), router_settings: one.router ?? {} });
  const withServers = text.replaceAll(/^( +)model: openai\/.*$/gm, (line, indent: string) =>
    [line, 'api_base: http://127.0.0.1:1/v1', 'api_key: none'].join(`\n${indent}`),
  );
  const { value, diagnostics } = compile([{ kind: 'litellm', path: 'config.yaml', text: withServers }], {
    environment: {},
    lenient: false,
  });
  if (value === undefined) throw new Error(`${one.name}: ${diagnostics.map((each) => each.message).join('; ')}`);
  return value;
}

type Playing = { readonly one: Case; readonly plan: Plan; readonly state: RoutingState; readonly seed: number };

function playOnce({ one, plan, state, seed }: Playing, answers: Script): Played {
  const facts: Partial<RequestFacts> = {
    asked: one.asked ?? 'm',
    promptTokens: tokens(Math.ceil((one.prompt?.length ?? 4) / 4)),
    ...one.facts,
  };
  const counts = new Map<string, number>();
  return playScript({
    ...{ plan, state, facts: factsOf(facts), now: begin, random: seededRandom(seed) },
    deadline: milliseconds(begin + 600_000),
    upstream: ({ model }) => {
      const count = (counts.get(model) ?? 0) + 1;
      counts.set(model, count);
      const script = answers[model] ?? 'ok';
      const answer = typeof script === 'string' ? script : (script[Math.min(count, script.length) - 1] ?? 'ok');
      return { failure: answer === 'ok' ? undefined : failure(answer), tookMs: 0 };
    },
  });
}

/** LiteLLM's name of what the client is told. */
function classOf(kind: FailureKind | undefined): string {
  switch (kind) {
    case undefined:
      return 'ok';
    case 'upstream_error':
      return 'InternalServerError';
    case 'upstream_rate_limited':
    case 'no_deployment_ready':
      return 'RateLimitError';
    case 'upstream_bad_request':
    case 'model_not_found':
      return 'BadRequestError';
    case 'upstream_auth':
      return 'AuthenticationError';
    case 'upstream_timeout_total':
      return 'Timeout';
    case 'upstream_model_missing':
      return 'NotFoundError';
    case 'upstream_overloaded':
      return 'ServiceUnavailableError';
    case 'context_length_exceeded':
      return 'ContextWindowExceededError';
    case 'upstream_content_filter':
      return 'ContentPolicyViolationError';
    default:
      return kind;
  }
}
