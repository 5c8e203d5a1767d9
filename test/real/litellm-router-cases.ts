/*
 * Cases for both routers. One list, so it may be long: who may be asked first, how it goes on, who is set aside.
 */
import type { FailureKind } from '../../src/plan/failure.ts';
import type { RequestFacts } from '../../src/plan/request-facts.ts';

/** What each model answers: always the same, or one after the other, the last for ever. */
export type Script = Readonly<Record<string, FailureKind | readonly (FailureKind | 'ok')[]>>;

/** One file of LiteLLM's, a request, and what its models answer. */
export type Case = {
  readonly name: string;
  /** Entries of `model_list`: name, model, further parameters, model_info. */
  readonly models: readonly (readonly [name: string, model: string, params?: object, info?: object])[];
  readonly router?: object;
  /** Asked name, `m` by default. */
  readonly asked?: string;
  readonly prompt?: string;
  readonly facts?: Pick<Partial<RequestFacts>, 'tags' | 'fallbacks' | 'disableFallbacks' | 'retries'>;
  /** What earlier requests met with. */
  readonly before?: Script;
  readonly answers?: Script;
  /** Whether only the asked names are compared: which member is asked again is LiteLLM’s luck. */
  readonly byName?: true;
  /** Where we mean something else: what ours does instead, and why. */
  readonly differs?: { readonly first?: readonly string[]; readonly goesOn?: readonly string[]; readonly why: string };
};

const pair = [
  ['m', 'a'],
  ['m', 'b'],
] as const;
const alone = [['m', 'a']] as const;
const behind = [
  ['m', 'a'],
  ['fb', 'z'],
  ['fb2', 'y'],
] as const;
const failing: Script = { a: 'upstream_error', b: 'upstream_error' };

export const cases: readonly Case[] = [
  { name: 'a pool', models: pair },
  {
    name: 'weights',
    models: [
      ['m', 'a', { weight: 3 }],
      ['m', 'b', { weight: 1 }],
    ],
  },
  {
    name: 'weight 0',
    models: [
      ['m', 'a', { weight: 1 }],
      ['m', 'b', { weight: 0 }],
    ],
  },
  {
    name: 'nothing but weight 0',
    models: [
      ['m', 'a', { weight: 0 }],
      ['m', 'b', { weight: 0 }],
    ],
  },
  {
    name: 'a weight on the first',
    models: [
      ['m', 'a', { weight: 1 }],
      ['m', 'b'],
    ],
  },
  {
    name: 'a weight on the second',
    models: [
      ['m', 'a'],
      ['m', 'b', { weight: 1 }],
    ],
  },
  {
    name: 'rpm as weights',
    models: [
      ['m', 'a', { rpm: 3 }],
      ['m', 'b', { rpm: 1 }],
    ],
  },
  {
    name: 'order',
    models: [
      ['m', 'a', { order: 2 }],
      ['m', 'b', { order: 1 }],
    ],
  },
  {
    name: 'order after failures',
    models: [
      ['m', 'a', { order: 1 }],
      ['m', 'b', { order: 2 }],
      ['m', 'c', { order: 3 }],
      ['fb', 'z'],
    ],
    router: { num_retries: 0, fallbacks: [{ m: ['fb'] }] },
    answers: { a: 'upstream_error', b: 'upstream_error' },
  },
  {
    name: 'order, each with its retries',
    models: [
      ['m', 'a', { order: 1 }],
      ['m', 'b', { order: 2 }],
      ['fb', 'z'],
    ],
    router: { num_retries: 1, fallbacks: [{ m: ['fb'] }] },
    answers: failing,
    differs: {
      goesOn: ['a b z: ok'],
      why: 'a retry goes to another deployment first, which is there at once',
    },
  },
  {
    name: 'tags',
    models: [
      ['m', 'a', { tags: ['free'] }],
      ['m', 'b', { tags: ['paid'] }],
      ['m', 'c', { tags: ['default'] }],
    ],
    router: { enable_tag_filtering: true },
    facts: { tags: ['paid'] },
  },
  {
    name: 'tags: any of them',
    models: [
      ['m', 'a', { tags: ['free', 'eu'] }],
      ['m', 'b', { tags: ['paid'] }],
    ],
    router: { enable_tag_filtering: true },
    facts: { tags: ['paid', 'eu'] },
  },
  {
    name: 'tags: all of them',
    models: [
      ['m', 'a', { tags: ['paid', 'eu'] }],
      ['m', 'b', { tags: ['paid'] }],
    ],
    router: { enable_tag_filtering: true, tag_filtering_match_any: false },
    facts: { tags: ['paid', 'eu'] },
  },
  {
    name: 'tags: none fits',
    models: [
      ['m', 'a', { tags: ['free'] }],
      ['m', 'c', { tags: ['default'] }],
    ],
    router: { enable_tag_filtering: true },
    facts: { tags: ['nobody'] },
  },
  {
    name: 'tags: none asked',
    models: [
      ['m', 'a', { tags: ['free'] }],
      ['m', 'c', { tags: ['default'] }],
    ],
    router: { enable_tag_filtering: true },
  },
  {
    name: 'tags: none asked and no default',
    models: [
      ['m', 'a', { tags: ['free'] }],
      ['m', 'b'],
    ],
    router: { enable_tag_filtering: true },
  },
  {
    name: 'tags that are not filtered by',
    models: [
      ['m', 'a', { tags: ['free'] }],
      ['m', 'b'],
    ],
    facts: { tags: ['free'] },
  },
  { name: 'an alias', models: [...pair, ['n', 'z']], router: { model_group_alias: { other: 'm' } }, asked: 'other' },
  {
    name: 'a hidden alias',
    models: [...pair, ['n', 'z']],
    router: { model_group_alias: { other: { model: 'm', hidden: true } } },
    asked: 'other',
  },
  {
    name: 'an alias with the fallbacks of its group',
    models: behind,
    router: { num_retries: 0, model_group_alias: { other: 'm' }, fallbacks: [{ m: ['fb'] }] },
    asked: 'other',
    answers: failing,
    differs: {
      goesOn: ['a z: ok'],
      why: 'an alias is its group, with all that is declared for it',
    },
  },
  {
    name: 'an alias with fallbacks of its own',
    models: behind,
    router: { num_retries: 0, model_group_alias: { other: 'm' }, fallbacks: [{ other: ['fb'] }] },
    asked: 'other',
    answers: failing,
  },
  {
    name: 'a wildcard',
    models: [
      ['x/*', '*'],
      ['m', 'a'],
    ],
    asked: 'x/foo',
  },
  {
    name: 'the more particular wildcard',
    models: [
      ['x/*', 'any-*'],
      ['x/f*', 'f-*'],
    ],
    asked: 'x/foo',
  },
  {
    name: 'a name before a wildcard',
    models: [
      ['x/*', '*'],
      ['x/foo', 'a'],
    ],
    asked: 'x/foo',
  },
  {
    name: 'everything',
    models: [
      ['*', '*'],
      ['m', 'a'],
    ],
    asked: 'foo',
  },
  { name: 'an unknown name', models: alone, asked: 'nobody' },
  {
    name: 'an unknown name with default_fallbacks',
    models: behind,
    router: { default_fallbacks: ['fb'] },
    asked: 'nobody',
    differs: {
      first: ['BadRequestError'],
      why: 'a name that nobody declares is refused, as LiteLLM’s proxy does before it asks its router',
    },
  },

  {
    name: 'retries, then the fallback',
    models: behind,
    router: { num_retries: 2, fallbacks: [{ m: ['fb'] }] },
    answers: failing,
  },
  { name: 'no retries', models: behind, router: { num_retries: 0, fallbacks: [{ m: ['fb'] }] }, answers: failing },
  {
    name: 'as many as the request says',
    models: behind,
    router: { num_retries: 3, fallbacks: [{ m: ['fb'] }] },
    facts: { retries: 1 },
    answers: failing,
  },
  {
    name: 'as many as the deployment says',
    models: [
      ['m', 'a', { num_retries: 1 }],
      ['fb', 'z'],
    ],
    router: { num_retries: 3, fallbacks: [{ m: ['fb'] }] },
    answers: failing,
  },
  {
    name: 'retries until it answers',
    models: alone,
    router: { num_retries: 2 },
    answers: { a: ['upstream_error', 'ok'] },
  },
  {
    name: 'a pool whose members fail',
    models: [...pair, ['fb', 'z']],
    router: { num_retries: 1, fallbacks: [{ m: ['fb'] }] },
    answers: failing,
    byName: true,
  },
  {
    name: 'fallbacks one after the other',
    models: behind,
    router: { num_retries: 0, fallbacks: [{ m: ['fb', 'fb2'] }] },
    answers: { a: 'upstream_error', z: 'upstream_error' },
  },
  {
    name: 'all fail: the first failure is told',
    models: behind,
    router: { num_retries: 0, fallbacks: [{ m: ['fb', 'fb2'] }] },
    answers: { a: 'upstream_timeout_total', z: 'upstream_error', y: 'upstream_error' },
  },
  {
    name: 'fallbacks of a fallback',
    models: behind,
    router: { num_retries: 0, fallbacks: [{ m: ['fb'] }, { fb: ['fb2'] }] },
    answers: { a: 'upstream_error', z: 'upstream_error' },
  },
  {
    name: 'fallbacks in a circle',
    models: behind,
    router: { num_retries: 0, fallbacks: [{ m: ['fb'] }, { fb: ['m'] }] },
    answers: { a: 'upstream_error', z: 'upstream_error' },
  },
  {
    name: 'a fallback has its own retries',
    models: behind,
    router: { num_retries: 1, fallbacks: [{ m: ['fb', 'fb2'] }] },
    answers: { a: 'upstream_error', z: 'upstream_error' },
    differs: {
      goesOn: ['a a z y: ok'],
      why: 'a fallback that is one deployment is asked once: it stands in, and the next is there at once',
    },
  },
  {
    name: 'default_fallbacks',
    models: behind,
    router: { num_retries: 0, default_fallbacks: ['fb'] },
    answers: failing,
  },
  {
    name: 'fallbacks before default_fallbacks',
    models: behind,
    router: { num_retries: 0, fallbacks: [{ m: ['fb'] }], default_fallbacks: ['fb2'] },
    answers: failing,
  },
  {
    name: 'default_fallbacks after fallbacks',
    models: behind,
    router: { num_retries: 0, fallbacks: [{ m: ['fb'] }], default_fallbacks: ['fb2'] },
    answers: { a: 'upstream_error', z: 'upstream_error' },
    differs: {
      goesOn: ['a z y: ok'],
      why: 'default_fallbacks are for everything, so also for names that have fallbacks of their own',
    },
  },
  {
    name: 'max_fallbacks',
    models: [...behind, ['fb3', 'x']],
    router: { num_retries: 0, max_fallbacks: 2, fallbacks: [{ m: ['fb', 'fb2', 'fb3'] }] },
    answers: { a: 'upstream_error', z: 'upstream_error', y: 'upstream_error' },
    differs: {
      goesOn: ['a z y: InternalServerError'],
      why: 'the number bounds the groups that are asked; LiteLLM’s bounds how deep their own fallbacks nest',
    },
  },
  {
    name: 'fallbacks of the request',
    models: behind,
    router: { num_retries: 0, fallbacks: [{ m: ['fb2'] }] },
    facts: { fallbacks: ['fb'] },
    answers: failing,
  },
  {
    name: 'disable_fallbacks',
    models: behind,
    router: { num_retries: 0, fallbacks: [{ m: ['fb'] }] },
    facts: { disableFallbacks: true },
    answers: failing,
  },

  {
    name: 'context_window_fallbacks',
    models: behind,
    router: { num_retries: 2, context_window_fallbacks: [{ m: ['fb'] }], fallbacks: [{ m: ['fb2'] }] },
    answers: { a: 'context_length_exceeded' },
  },
  {
    name: 'context_window_fallbacks of others',
    models: behind,
    router: { num_retries: 0, context_window_fallbacks: [{ fb: ['fb2'] }], fallbacks: [{ m: ['fb2'] }] },
    answers: { a: 'context_length_exceeded' },
  },
  {
    name: 'too long, and only plain fallbacks',
    models: behind,
    router: { num_retries: 0, fallbacks: [{ m: ['fb'] }] },
    answers: { a: 'context_length_exceeded' },
    differs: {
      goesOn: ['a: ContextWindowExceededError'],
      why: 'what is too long goes only where the context is known to be larger; an unknown one may cut the prompt',
    },
  },
  {
    name: 'content_policy_fallbacks',
    models: behind,
    router: { num_retries: 2, content_policy_fallbacks: [{ m: ['fb'] }], fallbacks: [{ m: ['fb2'] }] },
    answers: { a: 'upstream_content_filter' },
  },
  {
    name: 'content_policy_fallbacks of others',
    models: behind,
    router: { num_retries: 0, content_policy_fallbacks: [{ fb: ['fb2'] }], fallbacks: [{ m: ['fb2'] }] },
    answers: { a: 'upstream_content_filter' },
  },
  {
    name: 'a filter, and only plain fallbacks',
    models: behind,
    router: { num_retries: 0, fallbacks: [{ m: ['fb'] }] },
    answers: { a: 'upstream_content_filter' },
    differs: {
      goesOn: ['a: ContentPolicyViolationError'],
      why: 'what a filter refused goes only where that is declared',
    },
  },
  {
    name: 'enable_pre_call_checks',
    models: [
      ['m', 'a', {}, { max_input_tokens: 20 }],
      ['m', 'b', {}, { max_input_tokens: 9000 }],
    ],
    router: { enable_pre_call_checks: true },
    prompt: 'word '.repeat(200),
  },

  {
    name: 'a bad request',
    models: behind,
    router: { num_retries: 2, fallbacks: [{ m: ['fb'] }] },
    answers: { a: 'upstream_bad_request' },
    differs: {
      goesOn: ['a: BadRequestError'],
      why: 'what the client has to mend is not asked of others; retry_policy says otherwise where it is meant',
    },
  },
  { name: 'a bad request alone', models: alone, router: { num_retries: 2 }, answers: { a: 'upstream_bad_request' } },
  { name: 'a refused key alone', models: alone, router: { num_retries: 2 }, answers: { a: 'upstream_auth' } },
  {
    name: 'a refused key with a fallback',
    models: behind,
    router: { num_retries: 2, fallbacks: [{ m: ['fb'] }] },
    answers: { a: 'upstream_auth' },
  },
  {
    name: 'a missing model with a fallback',
    models: behind,
    router: { num_retries: 2, fallbacks: [{ m: ['fb'] }] },
    answers: { a: 'upstream_model_missing' },
  },
  {
    name: 'a rate limit alone',
    models: alone,
    router: { num_retries: 1 },
    answers: { a: ['upstream_rate_limited', 'ok'] },
  },
  {
    name: 'a rate limit with a fallback',
    models: behind,
    router: { num_retries: 1, fallbacks: [{ m: ['fb'] }] },
    answers: { a: 'upstream_rate_limited' },
    differs: {
      goesOn: ['a z: ok'],
      why: 'a server that asks for quiet gets it where another can answer',
    },
  },
  {
    name: 'a rate limit in a pool',
    models: [
      ['m', 'a', { weight: 1 }],
      ['m', 'b', { weight: 0 }],
    ],
    router: { num_retries: 1 },
    answers: { a: 'upstream_rate_limited' },
  },
  {
    name: 'a timeout',
    models: behind,
    router: { num_retries: 1, fallbacks: [{ m: ['fb'] }] },
    answers: { a: 'upstream_timeout_total' },
  },

  {
    name: 'retry_policy: a number for bad requests',
    models: alone,
    router: { num_retries: 0, retry_policy: { BadRequestErrorRetries: 2 } },
    answers: { a: 'upstream_bad_request' },
  },
  {
    name: 'retry_policy: none for timeouts',
    models: behind,
    router: { num_retries: 2, retry_policy: { TimeoutErrorRetries: 0 }, fallbacks: [{ m: ['fb'] }] },
    answers: { a: 'upstream_timeout_total' },
  },
  {
    name: 'retry_policy: more for rate limits',
    models: alone,
    router: { num_retries: 0, retry_policy: { RateLimitErrorRetries: 2 } },
    answers: { a: 'upstream_rate_limited' },
  },
  {
    name: 'retry_policy: another class keeps num_retries',
    models: alone,
    router: { num_retries: 1, retry_policy: { TimeoutErrorRetries: 3 } },
    answers: { a: 'upstream_error' },
  },
  {
    name: 'model_group_retry_policy',
    models: alone,
    router: { num_retries: 0, model_group_retry_policy: { m: { InternalServerErrorRetries: 2 } } },
    answers: { a: 'upstream_error' },
  },

  {
    name: 'allowed_fails sets aside what fails',
    models: pair,
    router: { num_retries: 1, allowed_fails: 1, cooldown_time: 60 },
    before: { a: 'upstream_error' },
  },
  {
    name: 'a rate limit sets aside at once',
    models: pair,
    router: { num_retries: 1, cooldown_time: 60 },
    before: { a: ['upstream_rate_limited', 'ok'] },
  },
  {
    name: 'a refused key sets aside at once',
    models: pair,
    router: { num_retries: 1, cooldown_time: 60 },
    before: { a: 'upstream_auth' },
  },
  {
    name: 'bad requests set nobody aside',
    models: pair,
    router: { num_retries: 0, allowed_fails: 1, cooldown_time: 60 },
    before: { a: 'upstream_bad_request' },
  },
  {
    name: 'disable_cooldowns',
    models: pair,
    router: { num_retries: 1, allowed_fails: 1, cooldown_time: 60, disable_cooldowns: true },
    before: { a: 'upstream_error' },
  },
  {
    name: 'allowed_fails_policy',
    models: pair,
    router: { num_retries: 1, cooldown_time: 60, allowed_fails_policy: { TimeoutErrorAllowedFails: 1 } },
    before: { a: 'upstream_timeout_total' },
  },
  {
    name: 'allowed_fails_policy that allows much',
    models: pair,
    router: { num_retries: 1, cooldown_time: 60, allowed_fails_policy: { TimeoutErrorAllowedFails: 1000 } },
    before: { a: 'upstream_timeout_total' },
  },
];
