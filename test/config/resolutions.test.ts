import { describe, expect, test } from 'vitest';
import { compile } from '../../src/config/compile.ts';
import type { SourceFile } from '../../src/config/source-file.ts';

/* What is said of a reference that does not name the thing itself. */

const providers = `
providers:
  home: {type: ollama, models: [m, "phi:latest"]}
  card: {type: vllm, models: [m, {name: pro, specialty: code_generation}, {name: plain}]}
  den: {type: vllm, group: cellar, models: [big]}
  rest: {type: vllm, group: attic, status: disabled, models: [m]}
  cloud: {type: openai_compatible, base_url: "https://llm.example.com", models: [{name: large, size: 70B}, {name: small, size: 8B}]}
  open: {type: lm_studio}
`;

/** The resolutions of mappings, each in a line: place, reference, names, what it means, and why. */
function check(mappings: string, expected: readonly string[], launches?: string): void {
  const sources: SourceFile[] = [
    { kind: 'providers', path: 'providers.yaml', text: providers },
    { kind: 'model-mappings', path: 'model-mappings.yaml', text: mappings },
    ...(launches === undefined ? [] : [{ kind: 'llamacpp-models', path: 'launches.yaml', text: launches } as const]),
  ];
  const { value, resolutions } = compile(sources, { environment: {}, lenient: false });
  expect(value).toBeDefined();
  const lines = resolutions.map(
    ({ span, reference, names, means, why }) =>
      `${span.line}:${span.column} ${reference} for [${names.join(' ')}] means ${means.join(' ')}: ${why}`,
  );
  expect(lines).toEqual(expected);
}

describe('1.1 what a reference came to is told, with the rule and its place', () => {
  test.each<[what: string, mappings: string, expected: readonly string[]]>([
    ['nothing where everything is named', 'exact_matches: {m: {provider: card, fallback: big}}', []],
    ['nor where the model is', 'exact_matches: {x: {provider: card, backend_model: pro}}', []],
    [
      'the only model, once for all names',
      'exact_matches:\n  x: {provider: den}\n  y: {provider: den}',
      ['2:17 den for [x y] means den/big: its only model'],
    ],
    [
      'the only one of the specialty',
      'exact_matches: {code: {provider: card}}',
      ['1:34 card for [code] means card/pro: its only model for code'],
    ],
    [
      'the tag alone',
      'exact_matches: {phi: {provider: home}}',
      ['1:33 home for [phi] means home/phi:latest: the same name but for its tag'],
    ],
    [
      'the first of several, as a fallback',
      'exact_matches: {big: {provider: den, fallback: cloud}}',
      ['1:48 cloud for [big] means cloud/large: the first of its models'],
    ],
    [
      'the name itself',
      'exact_matches: {x: {provider: open}}',
      ['1:31 open for [x] means open/x: it declares no models, and is asked for the name itself'],
    ],
    [
      'whatever name, of a rule for many',
      'patterns: [{pattern: "^a", provider: den, fallback: open}]',
      ['1:53 open for [] means open/*: it declares no models, and is asked for the name itself'],
    ],
    [
      'a type, at the first place that has it, which need not be the first that is read',
      'exact_matches:\n  m: {provider: home, fallback: vllm}\nload_balancing:\n  p: {strategy: direct, providers: [{provider: vllm, preferred_model: m}]}',
      [
        '2:33 vllm for [] means card den: what is active of that type or group',
        '2:33 vllm for [m] means den/big: its only model',
      ],
    ],
    [
      'a group',
      'exact_matches: {big: {provider: cellar}}',
      ['1:33 cellar for [] means den: what is active of that type or group'],
    ],
    [
      'a group at rest',
      'exact_matches: {m: {provider: attic, fallback: big}}',
      ['1:31 attic for [] means rest: nothing of that type or group is active'],
    ],
    [
      'the models of a capability that names providers',
      'capabilities: {deep: {providers: [cloud, den], min_model_size: 70B}, all: {provider: cloud}}',
      [
        '1:16 deep for [] means cloud/large den/big: what its providers have, but for models known to have less than 70B parameters',
        '1:70 all for [] means cloud/large cloud/small: what its providers have',
      ],
    ],
  ])('%s', (_what, mappings, expected) => check(mappings, expected));

  test('a short name of a model file', () =>
    check(
      '{}',
      ['2:13 tiny for [] means big: the backend_model of that file'],
      'models:\n  - {alias: tiny, backend_model: big}',
    ));
});
