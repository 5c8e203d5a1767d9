import { describe, expect, test } from 'vitest';
import { compile } from '../../src/config/compile.ts';
import type { SourceFile } from '../../src/config/source-file.ts';
import { offeredStrategies, strategyName } from '../../src/config/strategy-name.ts';
import type { Plan } from '../../src/plan/plan.ts';

/* What a name of the files stands for: which deployments, in which order, with what behind them. */

const providers = `
providers:
  home: {type: ollama, models: [m, "coder:7b"]}
  card: {type: vllm, models: [m, {name: writer, specialty: chat}, {name: pro, specialty: code_generation}]}
  den: {type: vllm, models: [big]}
  rest: {type: vllm, status: disabled, models: [m]}
  cloud: {type: openai_compatible, base_url: "https://llm.example.com", models: [{name: large, size: 70B}, {name: small, size: 8B}]}
  open: {type: lm_studio}
`;

function planFrom(mappings: string, written = providers): Plan {
  const sources: readonly SourceFile[] = [
    { kind: 'providers', path: 'providers.yaml', text: written },
    { kind: 'model-mappings', path: 'model-mappings.yaml', text: mappings },
  ];
  const { value, diagnostics } = compile(sources, { environment: {}, lenient: false });
  if (value === undefined) throw new Error(diagnostics.map((one) => one.message).join('; '));
  return value;
}

/** Members of what a name stands for, then its fallbacks. */
function standsFor(name: string, mappings: string): string {
  const plan = planFrom(mappings);
  const known = plan.names.get(name);
  if (known === undefined) return 'unknown';
  const named = (index: number): string => {
    const { provider, backendModel } = plan.deployments[index] ?? {};
    return `${provider}/${backendModel}`;
  };
  if (known.kind === 'deployment') return named(known.deployment);
  const group = plan.groups[known.group];
  const behind = group?.fallback.map((one) =>
    one.kind === 'group' ? plan.groups[one.group]?.name : named(one.deployment),
  );
  return [group?.members.map((one) => named(one.deployment)).join(' '), ...(behind ?? [])].join(' | ');
}

describe('1.1 one name is one group, whatever sections speak of it', () => {
  test.each([
    ['every provider that has the model, one that rests included', 'm', '{}', 'home/m card/m rest/m'],
    ['the provider of its exact entry', 'm', 'exact_matches: {m: {provider: card}}', 'card/m'],
    [
      'the providers of its pool, though it has an exact entry, which adds its fallback',
      'm',
      'exact_matches: {m: {provider: card, fallback: big}}\nload_balancing: {m: {strategy: direct, providers: [card, home]}}',
      'card/m home/m | big',
    ],
    ['an alias', 'a', 'model_aliases: {a: big, b: big}', 'den/big'],
    ['another of the same model', 'b', 'model_aliases: {a: big, b: big}', 'den/big'],
    ['an alias of an alias of an alias', 'a', 'model_aliases: {a: b, b: "c:latest", c: big}', 'den/big'],
    ['the model under its own name all the same', 'big', 'model_aliases: {a: big, b: big}', 'den/big'],
  ])('%s', (_title, name, mappings, members) => {
    expect(standsFor(name, mappings)).toBe(members);
  });
});

describe('1.1 what a provider means where a model is wanted', () => {
  const exact = (more: string): string => `exact_matches: {x: {${more}}, m: {provider: card, fallback: den}}`;
  test.each([
    ['the model that is named', 'x', exact('provider: card, backend_model: writer'), 'card/writer'],
    ['the one of the same name', 'm', exact('provider: den'), 'card/m | den/big'],
    ['its only one', 'x', exact('provider: den'), 'den/big'],
    ['the one of the same specialty', 'code', 'exact_matches: {code: {provider: card}}', 'card/pro'],
    ['of another family of words', 'general', 'exact_matches: {general: {provider: card}}', 'card/writer'],
    ['the name itself where it declares no models', 'x', exact('provider: open'), 'open/x'],
    ['whatever names stand before it', 'x', 'exact_matches: {w: {provider: open}, x: {provider: open}}', 'open/x'],
    [
      'and whatever models are named at it',
      'x',
      'exact_matches: {w: {provider: open, backend_model: v}, x: {provider: open}}',
      'open/x',
    ],
    [
      'which may be several',
      'x',
      'exact_matches: {w: {provider: open, backend_model: v}, x: {provider: open, backend_model: u}}',
      'open/u',
    ],
    [
      'as a fallback, the one that is named at it',
      'm',
      'exact_matches: {m: {provider: card, fallback: open}, x: {provider: open, backend_model: v}, w: {provider: open}}',
      'card/m | open/v',
    ],
    [
      'its only model, though another entry asks that for vectors',
      'x',
      'exact_matches: {v: {provider: den, mode: embedding}, x: {provider: den}}',
      'den/big',
    ],
    [
      'a type stands for its active providers',
      'x',
      'load_balancing: {x: {strategy: direct, providers: [{provider: vllm, preferred_model: m}]}}',
      'card/m',
    ],
    [
      'a capability of providers: every model that is not known to be too small',
      'deep',
      'capabilities: {deep: {providers: [cloud, den], min_model_size: "70B"}}',
      'cloud/large den/big',
    ],
    [
      'a capability of a capability that stands below it',
      'deep',
      'capabilities: {deep: {models: [plain]}, plain: {models: [big, small]}}',
      'den/big cloud/small',
    ],
    [
      'a capability of models: then a model that only a class names',
      'deep',
      'capabilities: {deep: {models: [big], complexity_thresholds: {low: small, high: big}}}',
      'den/big cloud/small',
    ],
  ])('%s', (_title, name, mappings, members) => {
    expect(standsFor(name, mappings)).toBe(members);
  });
});

test.each([
  ['{primary: den, secondary: card, preferred_model: pro}', 'den/big card/pro'],
  ['{primary: den, secondary: open, preferred_model: v}', 'den/big open/v'],
  ['{primary: card, preferred_model: writer}', 'card/writer'],
])('1.1 the model of a chain’s item is asked for where there is one: %s', (item, wanted) => {
  const { groups, deployments } = planFrom(`fallback_chains: {small: [${item}]}`);
  const items = groups.find((one) => one.name === 'small')?.chain?.items ?? [];
  const named = items.flatMap(({ target }) => (target.kind === 'deployment' ? deployments[target.deployment] : []));
  expect(named.map((one) => `${one?.provider}/${one?.backendModel}`).join(' ')).toBe(wanted);
});

test.each([
  ['complexity_thresholds: {low: big}', 'complexity_based', []],
  ['context_thresholds: {large: big}', 'context_based', []],
  ['strategy: direct, complexity_thresholds: {low: big}', 'direct', ['conflicting-declarations']],
  ['strategy: context_based, complexity_thresholds: {low: big}', 'context_based', ['conflicting-declarations']],
])('1.2 a capability with %s is %s', (more, strategy, codes) => {
  const sources: readonly SourceFile[] = [
    { kind: 'providers', path: 'providers.yaml', text: providers },
    { kind: 'model-mappings', path: 'model-mappings.yaml', text: `capabilities: {deep: {models: [big], ${more}}}` },
  ];
  const { value, diagnostics } = compile(sources, { environment: {}, lenient: false });
  expect(value?.groups.find((one) => one.name === 'deep')?.strategy.name).toBe(strategy);
  expect(diagnostics.map((one) => one.code)).toEqual(codes);
});

describe('1.2 every spelling of a strategy', () => {
  test.each([
    ['simple-shuffle random', 'simple_shuffle'],
    ['round_robin weighted_round_robin weighted load_balance', 'weighted_round_robin'],
    ['least-busy least_loaded', 'least_busy'],
    ['usage-based-routing usage-based-routing-v2 usage_based_routing_v2', 'usage_based_routing'],
    ['usage_based', 'usage_based'],
    ['latency-based-routing least_latency', 'latency_based_routing'],
    ['fastest_response', 'fastest_response'],
    ['cost-based-routing cost_optimized', 'cost_based_routing'],
    ['most_capacity', 'most_capacity'],
    ['direct priority priority_based quality_first', 'direct'],
    ['complexity_based', 'complexity_based'],
    ['context_based', 'context_based'],
    ['quality_based', 'quality_based'],
    ['adaptive_weighted adaptive', 'adaptive_weighted'],
    ['soonest', 'soonest'],
  ])('%s is %s', (spellings, name) => {
    const meant = spellings
      .split(' ')
      .map((one) => planFrom(`load_balancing: {x: {strategy: ${one}, providers: [{provider: den}]}}`))
      .map((plan) => plan.groups.find((one) => one.name === 'x')?.strategy.name);
    expect(new Set(meant)).toEqual(new Set([name]));
  });

  test.each(Object.keys(offeredStrategies))('C0: the word that screens have for %s means it in a file', (name) => {
    expect(strategyName(name)).toBe(name);
  });
});

describe('1.1 what a request without a name means', () => {
  test.each([
    ['the first model that is active', '{}', 'home', 'home/m | m'],
    ['the first of the default provider', 'routing_rules: {default_provider: den}', 'den', 'den/big | big'],
    [
      'then the first of each other that the reference means, then of its fallback',
      'routing_rules: {default_provider: vllm, default_fallback: cloud}',
      'card den cloud',
      'card/m | m | den/big cloud/large',
    ],
    [
      'a name of its own, where the model has none',
      'exact_matches: {x: {provider: open, backend_model: v}}\nrouting_rules: {default_provider: open}',
      'open',
      'open/v | x',
    ],
    ['nothing of a fallback alone', 'routing_rules: {default_fallback: den}', 'den', 'home/m | m'],
  ])('%s', (_title, mappings, providersAsked, meant) => {
    const { deployments, groups, settings } = planFrom(mappings);
    const { defaultModel, defaultProviders } = settings.routing;
    const named = (index: number | undefined): string => {
      const { provider, backendModel } = deployments[index ?? -1] ?? {};
      return `${provider}/${backendModel}`;
    };
    const standIns = defaultModel?.standIns.flatMap((one) => (one.kind === 'deployment' ? named(one.deployment) : []));
    const words = [named(defaultModel?.deployment), groups[defaultModel?.group ?? -1]?.name, standIns?.join(' ')];
    expect(words.filter((one) => one !== '').join(' | ')).toBe(meant);
    expect(defaultProviders.join(' ')).toBe(mappings === '{}' ? '' : providersAsked);
  });
});

test('1.1 the id of a deployment stays when others are added or moved, and is another for another address', () => {
  const idIn = (written: string): string | undefined =>
    planFrom('{}', `providers: {${written}}`).deployments.find((one) => one.provider === 'p')?.id;
  const own = 'p: {type: vllm, base_url: "http://127.0.0.1:9001", models: [m]}';
  const other = 'a: {type: vllm, base_url: "http://127.0.0.1:9002", models: [m, n]}';
  const id = idIn(own);
  expect(id).toBeDefined();
  expect([idIn(`${own}, ${other}`), idIn(`${other}, ${own}`)]).toEqual([id, id]);
  expect(idIn(own.replace('9001', '9003'))).not.toBe(id);
});

/* A name that is known as something else, and one whose own declaration is sound, is told all the same. */
test.each([
  ['exact_matches: {x: {provider: big}}', 'unknown-provider', 'No provider is called "big"'],
  ['load_balancing: {x: {providers: [den, big]}}', 'unknown-provider', 'No provider is called "big"'],
  ['capabilities: {x: {providers: [den, big]}}', 'unknown-provider', 'No provider is called "big"'],
  ['patterns: [{pattern: "^z", provider: big}]', 'unknown-provider', 'No provider is called "big"'],
  ['routing_rules: {default_provider: big}', 'unknown-provider', 'No provider is called "big"'],
  [
    'load_balancing: {x: {providers: [{provider: den, condition: big_unavailable}]}}',
    'unknown-provider',
    'The condition asks whether "big" is unavailable, and no provider is called so',
  ],
  ['fallback_chains: {big: [{primary: m, preferred_model: small}]}', 'unknown-provider', 'No provider is called "m"'],
  ['model_aliases: {x: den}', 'unknown-model', 'The alias "x" stands for "den", which does not exist'],
  ['fallback_chains: {den: [m]}', 'unknown-model', 'A chain is declared for "den", which no request can ask for'],
  [
    'exact_matches: {x: {provider: vllm, backend_model: small}}',
    'unknown-model',
    'None of "card" and "den" has a model "small"',
  ],
  [
    'exact_matches: {x: {provider: vllm, backend_model: none}}',
    'unknown-model',
    'None of "card" and "den" has a model "none"',
  ],
  [
    'model_aliases: {x: big}\nfallback_chains: {x: [m], big: [small]}',
    'conflicting-declarations',
    '"big" has two chains, one of them by another name of it',
  ],
  ['capabilities: {x: {models: [y]}, y: {models: [x]}}', 'empty-pool', 'The capability "x" has no model'],
])('1.1 a reference that means nothing is an error: %s', (mappings, code, message) => {
  const sources: readonly SourceFile[] = [
    { kind: 'providers', path: 'providers.yaml', text: providers },
    { kind: 'model-mappings', path: 'model-mappings.yaml', text: mappings },
  ];
  const { diagnostics } = compile(sources, { environment: {}, lenient: false });
  const [error, ...others] = diagnostics.filter((one) => one.severity === 'error');
  expect(error).toMatchObject({ code, message });
  expect(others.map((one) => one.code)).toEqual([]);
});

test('1.1 one error is told where what refers to it follows from it', () => {
  const text = 'exact_matches: {x: {provider: none}}\nmodel_aliases: {y: x}\nfallback_chains: {y: [m], big: [x]}';
  const sources: readonly SourceFile[] = [
    { kind: 'providers', path: 'providers.yaml', text: providers },
    { kind: 'model-mappings', path: 'model-mappings.yaml', text },
  ];
  const { diagnostics } = compile(sources, { environment: {}, lenient: false });
  expect(diagnostics.map((one) => one.code)).toEqual(['unknown-provider']);
});

test.each([
  ['{rpm: 5}', ['conflicting-declarations']],
  ['{rpm: 9}', []],
  ['{tpm: 900}', []],
])('4.2 a limit of a name that its exact entry limits to 9 requests: %s', (limit, codes) => {
  const sources: readonly SourceFile[] = [
    { kind: 'providers', path: 'providers.yaml', text: providers },
    {
      kind: 'model-mappings',
      path: 'model-mappings.yaml',
      text: 'exact_matches: {big: {provider: den, rate_limit: {rpm: 9, tpm: 900}}}',
    },
    { kind: 'settings', path: 'settings.yaml', text: `rate_limit_settings: {limits: {big: ${limit}}}` },
  ];
  const { value, diagnostics } = compile(sources, { environment: {}, lenient: false });
  expect(value).toBeDefined();
  expect(diagnostics.map((one) => one.code)).toEqual(codes);
});

test('1.1 capabilities that name others are each looked at once, in whichever order they stand', () => {
  const last = 40;
  const lines = Array.from({ length: last }, (_, at) => {
    const named = [at + 1, at + 2].filter((one) => one < last).map((one) => `c${one}`);
    return `  c${at}: {preferred_models: [${named.length === 0 ? 'm' : named.join(', ')}]}`;
  });
  expect(standsFor('c0', `capabilities:\n${lines.join('\n')}\n`)).toBe(standsFor('m', ''));
});
