import { describe, expect, test } from 'vitest';
import { factsOf, planOf } from '../../test/support/plan-of.ts';
import { milliseconds, providerId } from '../plan/ids.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import { isAllowed, modelNamer, resolve } from './resolve.ts';
import { createRoutingState } from './state.ts';

/** One of each way by which a name can be known. */
const plan = planOf({
  providers: { off: { status: 'disabled' } },
  deployments: ['ollama/llama3.1:8b', 'ollama/phi3:latest', 'vllm/qwen', 'ollama/*', 'vllm/*', 'cloud/gpt-*', 'off/*'],
  groups: {
    'llama3.1:8b': ['ollama/llama3.1:8b'],
    'phi3:latest': ['ollama/phi3:latest'],
    'general-chat': { kind: 'load_balancing', members: ['ollama/llama3.1:8b', 'vllm/qwen'] },
    code: { kind: 'capability', capability: 'code', members: ['vllm/qwen'] },
    'openai/gpt-*': ['cloud/gpt-*'],
  },
  aliases: { fast: 'phi3:latest' },
  routing: {
    patterns: [
      { pattern: /^Qwen\//, target: 'vllm/*', fallback: ['ollama/*'] },
      { pattern: /^Qwen\/late$/, target: 'ollama/*' },
    ],
    sizes: [
      { source: 'size < 8B', minBillions: 0, maxBillions: 8, maxInclusive: false, target: 'ollama/*' },
      { source: 'size 8B - 13B', minBillions: 8, maxBillions: 13, target: 'vllm/*', fallback: ['ollama/*'] },
      { source: 'size > 13B', minBillions: 13, minInclusive: false, maxBillions: 1e9, target: 'cloud/gpt-*' },
    ],
    defaultProviders: ['ollama', 'vllm'],
    defaultModel: { deployment: 'ollama/llama3.1:8b', group: 'llama3.1:8b' },
  },
});

type Row = {
  readonly facts: Partial<RequestFacts>;
  readonly plan?: Plan;
  readonly listed?: Readonly<Record<string, readonly string[]>>;
  /** Rule and what it led to: a group's name, deployments, or the word for what is missing. */
  readonly rule: string;
  readonly to: string;
};

function check({ facts, listed = { ollama: [], vllm: [] }, rule, to, plan: other = plan }: Row): void {
  const state = createRoutingState(other, milliseconds(0));
  for (const [provider, names] of Object.entries(listed)) state.listed.set(providerId(provider), new Set(names));
  const resolution = resolve(other, state, factsOf(facts));
  expect(ruleText(resolution)).toBe(rule);
  expect(targetText(other, resolution)).toBe(to);
}

function ruleText({ rule }: ReturnType<typeof resolve>): string {
  const { kind, ...rest } = rule;
  return [kind, ...Object.values(rest)].join(' ');
}

function targetText(of: Plan, resolution: ReturnType<typeof resolve>): string {
  const deployment = (index: Parameters<typeof deploymentAt>[1]): string => {
    const { provider, backendModel } = deploymentAt(of, index);
    return `${provider}/${backendModel}`;
  };
  switch (resolution.kind) {
    case 'group': {
      const { first, group } = resolution;
      return first?.kind === 'deployment' ? `${deployment(first.deployment)}, then ${group.name}` : group.name;
    }
    case 'target':
      return [resolution.target, ...resolution.fallback]
        .map((target) =>
          target.kind === 'group' ? (of.groups[target.group]?.name ?? '') : deployment(target.deployment),
        )
        .join(', then ');
    case 'chain':
      return 'the default chain';
    case 'unlisted':
      return `the list of ${resolution.provider}`;
    case 'unknown':
      return `unknown, near ${resolution.nearest.join(' ')}`;
  }
}

describe('1.1: a name resolves by the first rule that knows it', () => {
  test.each<Row>([
    { facts: { asked: 'llama3.1:8b' }, rule: 'name llama3.1:8b', to: 'llama3.1:8b' },
    { facts: { asked: 'general-chat' }, rule: 'name general-chat', to: 'general-chat' },
    { facts: { asked: 'code' }, rule: 'name code', to: 'code' },
    { facts: { asked: 'fast' }, rule: 'alias fast', to: 'phi3:latest' },
    { facts: { asked: 'phi3' }, rule: 'name phi3', to: 'phi3:latest' },
    { facts: { asked: 'general-chat:latest' }, rule: 'name general-chat:latest', to: 'general-chat' },
    { facts: { asked: 'id-2' }, rule: 'deployment id-2', to: 'vllm/qwen' },
    { facts: { asked: 'vllm/qwen' }, rule: 'deployment vllm/qwen', to: 'vllm/qwen' },
    { facts: { asked: 'ollama/phi3' }, rule: 'deployment ollama/phi3', to: 'ollama/phi3:latest' },
    { facts: { asked: 'openai/gpt-7' }, rule: 'wildcard openai/gpt-*', to: 'openai/gpt-*' },
    // A known name is more precise than the header.
    { facts: { asked: 'fast', capability: 'code' }, rule: 'alias fast', to: 'phi3:latest' },
    {
      facts: { capability: 'code', headers: new Map([['x-capability', 'code']]) },
      rule: 'capability code header',
      to: 'code',
    },
    { facts: { capability: 'code' }, rule: 'capability code metadata', to: 'code' },
    { facts: { capability: 'cod' }, rule: 'none', to: 'unknown, near code' },
    { facts: {}, rule: 'default_model', to: 'ollama/llama3.1:8b, then llama3.1:8b' },
    // Patterns in the order of the file, before sizes.
    { facts: { asked: 'Qwen/late' }, rule: 'pattern ^Qwen\\/', to: 'vllm/*, then ollama/*' },
    { facts: { asked: 'Qwen/Qwen2-7B' }, rule: 'pattern ^Qwen\\/', to: 'vllm/*, then ollama/*' },
    // Boundary values belong to the inclusive middle row.
    { facts: { asked: 'mistral:7b' }, rule: 'size size < 8B 7', to: 'ollama/*' },
    { facts: { asked: 'other-8b' }, rule: 'size size 8B - 13B 8', to: 'vllm/*, then ollama/*' },
    { facts: { asked: 'vicuna:13b' }, rule: 'size size 8B - 13B 13', to: 'vllm/*, then ollama/*' },
    { facts: { asked: 'mixtral-8x7b' }, rule: 'size size > 13B 56', to: 'cloud/gpt-*' },
    // Version numbers are not sizes, so the default provider is asked for its list.
    { facts: { asked: 'glm-4.6' }, listed: { ollama: ['glm-4.6'] }, rule: 'default_provider ollama', to: 'ollama/*' },
    { facts: { asked: 'glm-4.6' }, listed: {}, rule: 'none', to: 'the list of ollama' },
    { facts: { asked: 'glm-4.6' }, listed: { ollama: [] }, rule: 'none', to: 'the list of vllm' },
    {
      facts: { asked: 'glm' },
      listed: { ollama: [], vllm: ['glm'] },
      rule: 'default_provider vllm',
      to: 'vllm/*',
    },
    {
      facts: { asked: 'glm' },
      listed: { ollama: ['glm:latest'], vllm: ['glm'] },
      rule: 'default_provider ollama',
      to: 'ollama/*, then vllm/*',
    },
    { facts: { asked: 'glm:latest' }, listed: { ollama: ['glm'] }, rule: 'default_provider ollama', to: 'ollama/*' },
    { facts: { asked: 'general-chit' }, rule: 'none', to: 'unknown, near general-chat' },
    { facts: { asked: 'nothing like it' }, rule: 'none', to: 'unknown, near ' },
  ])('$facts.asked $facts.capability → $rule: $to', check);

  const chained = (unknownModel: 'default_chain' | 'reject'): Plan =>
    planOf({
      providers: { off: { status: 'disabled' } },
      deployments: ['a/m', 'off/*'],
      groups: { m: ['a/m'] },
      routing: { defaultChain: ['a/m'], defaultProviders: ['off'], unknownModel },
    });
  test.each<Row>([
    // A disabled default provider is not asked for its list.
    { facts: { asked: 'x' }, plan: chained('default_chain'), rule: 'default_chain', to: 'the default chain' },
    { facts: { asked: 'x/y' }, plan: chained('reject'), rule: 'none', to: 'unknown, near ' },
    { facts: {}, plan: chained('reject'), rule: 'none', to: 'unknown, near ' },
  ])('$rule: $to', check);

  test('what is not used is noted', () => {
    const state = createRoutingState(plan, milliseconds(0));
    const { notes } = resolve(plan, state, factsOf({ asked: 'fast', capability: 'code' }));
    expect(notes).toEqual(['capability "code" is not used, since the model is named']);
  });
});

test.each<[asked: string, deployment: number, sent: string]>([
  ['openai/gpt-7-mini', 5, 'gpt-7-mini'],
  ['Qwen/Qwen2-7B', 4, 'Qwen/Qwen2-7B'],
  ['llama3.1:8b', 0, 'llama3.1:8b'],
])('1.1: asked for %s, deployment %i is sent %s', (asked, index, sent) => {
  const { rule } = resolve(plan, createRoutingState(plan, milliseconds(0)), factsOf({ asked }));
  const deployment = plan.deployments[index];
  expect(deployment === undefined ? undefined : modelNamer(plan, asked, rule)(deployment)).toBe(sent);
});

describe('1.1: a key for some names answers for those only', () => {
  test.each<[allowed: readonly string[], asked: string | undefined, isAllowed: boolean]>([
    [[], 'anything', true],
    [['phi3:latest'], 'phi3', true],
    [['phi3:latest'], 'fast', true],
    [['fast'], 'phi3', false],
    [['llama3.1:8b'], 'ollama/llama3.1:8b', false],
    [['ollama/llama3.1:8b'], 'id-0', true],
    [['llama3.1:8b'], undefined, true],
    [['phi3:latest'], undefined, false],
    [['llama3.1:8b'], 'Qwen/Qwen2-7B', false],
    [['Qwen/Qwen2-7B'], 'Qwen/Qwen2-7B', true],
    [['openai/gpt-*'], 'openai/gpt-7', true],
  ])('%j asks for %s: %s', (allowedModels, asked, allowed) => {
    const facts = factsOf({ asked, allowedModels });
    const resolution = resolve(plan, createRoutingState(plan, milliseconds(0)), facts);
    expect(isAllowed(plan, facts, resolution)).toBe(allowed);
  });
});
