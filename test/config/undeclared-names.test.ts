import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { compile } from '../../src/config/compile.ts';
import type { SourceFile } from '../../src/config/source-file.ts';
import { milliseconds } from '../../src/plan/ids.ts';
import { resolve } from '../../src/routing/resolve.ts';
import { createRoutingState } from '../../src/routing/state.ts';
import { factsOf } from '../support/plan-of.ts';

/* A limit for a name that nothing declares is told with the rule by which routing serves the name, or refused. */

type Rules = {
  readonly wildcards?: readonly string[];
  readonly patterns?: readonly string[];
  readonly sizes?: readonly string[];
};

function sourcesOf({ wildcards = [], patterns = [], sizes = [] }: Rules, limited: readonly string[]): SourceFile[] {
  const source = (kind: SourceFile['kind'], value: unknown): SourceFile => ({
    kind,
    path: `${kind}.yaml`,
    text: stringify(value),
  });
  return [
    source('providers', { providers: { here: { type: 'vllm', models: ['declared'] } } }),
    source('model-mappings', {
      patterns: patterns.map((pattern) => ({ pattern, provider: 'here' })),
      routing_rules: { model_size_routing: sizes.map((size) => ({ size, provider: 'here' })) },
    }),
    source('litellm', {
      model_list: wildcards.map((name) => ({
        model_name: name,
        litellm_params: { model: `hosted_vllm/${name}`, api_base: 'http://127.0.0.1:9' },
      })),
      rate_limit_settings: { limits: Object.fromEntries(limited.map((name) => [name, { rpm: 5 }])) },
    }),
  ];
}

/** What is said of a limit for a name: the rule that reaches it, or that none does. */
function toldOf(name: string, rules: Rules): string | undefined {
  const { diagnostics } = compile(sourcesOf(rules, [name]), { environment: {}, lenient: false });
  const [found, ...others] = diagnostics.filter((one) => one.found === name);
  expect(others).toEqual([]);
  if (found?.code === 'unknown-limit-name') return 'none';
  return / is reached by (.*) only/.exec(found?.message ?? '')?.[1];
}

/** The same by routing. */
function servedBy(name: string, rules: Rules): string {
  const { value: plan } = compile(sourcesOf(rules, []), { environment: {}, lenient: false });
  if (plan === undefined) throw new Error('The rules do not compile');
  const { rule } = resolve(plan, createRoutingState(plan, milliseconds(0)), factsOf({ asked: name }));
  switch (rule.kind) {
    case 'wildcard':
      return `the wildcard "${rule.pattern}"`;
    case 'pattern':
      return `the pattern "${rule.pattern}"`;
    case 'size':
      return `the size rule "${rule.rule}"`;
    default:
      return rule.kind;
  }
}

describe('2.3 a limit for a name that is not declared names the rule that serves it', () => {
  const two = ['a/*-b-*'];
  const sizes = ['< 8B', '8B - 13B'];
  test.each<[name: string, rules: Rules, rule: string]>([
    ['a/x-b-y', { wildcards: two }, 'the wildcard "a/*-b-*"'],
    ['a/x-b-', { wildcards: two }, 'the wildcard "a/*-b-*"'],
    ['a/x-c-y', { wildcards: two }, 'none'],
    ['x/x-b-y', { wildcards: two }, 'none'],
    ['a/x-c', { wildcards: ['a/*-b-*-c'] }, 'none'],
    ['aba', { wildcards: ['ab*ba'] }, 'none'],
    ['a.b', { wildcards: ['a.*'] }, 'the wildcard "a.*"'],
    ['axb', { wildcards: ['a.*'] }, 'none'],
    ['a/b', { wildcards: ['a/*'], patterns: ['^a'] }, 'the wildcard "a/*"'],
    ['ab', { wildcards: ['a/*'], patterns: ['^a'] }, 'the pattern "^a"'],
    ['x:7b', { sizes }, 'the size rule "< 8B"'],
    ['x-8x1b', { sizes }, 'the size rule "8B - 13B"'],
    ['x:70b', { sizes }, 'none'],
    ['x7b', { sizes }, 'none'],
  ])('%s with %j: %s', (name, rules, rule) => {
    expect([toldOf(name, rules), servedBy(name, rules)]).toEqual([rule, rule]);
  });

  test('by whatever wildcards there are, it is the rule of routing', () => {
    const letters = (length: number) => fc.string({ unit: fc.constantFrom('a', 'b', '/', '*'), maxLength: length });
    const wildcard = letters(5).map((text) => `a${text}*`);
    const name = letters(8).map((text) => `a${text.replaceAll('*', 'b')}`);
    fc.assert(
      fc.property(fc.uniqueArray(wildcard, { minLength: 1, maxLength: 3 }), name, (wildcards, asked) => {
        expect(toldOf(asked, { wildcards })).toBe(servedBy(asked, { wildcards }));
      }),
      { numRuns: 300, seed: 20261125 },
    );
  });
});
