import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { compile } from '../../src/config/compile.ts';
import { generate } from '../../src/config/generate.ts';
import type { SourceFile } from '../../src/config/source-file.ts';
import { revealSecret } from '../../src/plan/secret.ts';
import { anyConfiguration, drawnEnvironment, secretTexts } from '../support/any-configuration.ts';

const options = { environment: drawnEnvironment, lenient: false };

const source = (kind: SourceFile['kind'], value: unknown): SourceFile => ({
  kind,
  path: `${kind}.yaml`,
  text: stringify(value),
});

/** The configuration that the generated file of these sources stands for. */
function compileGenerated(sources: readonly SourceFile[]) {
  const { value: text = '' } = generate(sources, options);
  return { text, compiled: compile([{ kind: 'litellm', path: 'litellm-unified.yaml', text }], options) };
}

describe('spine 2.4: the generated file stands for its sources', () => {
  test('law: the plan of the sources is the plan of the generated file', () => {
    fc.assert(
      fc.property(anyConfiguration, (sources) => {
        const plan = compile(sources, options);
        fc.pre(plan.value !== undefined);
        const { text, compiled } = compileGenerated(sources);
        expect(compiled.diagnostics.filter((one) => one.severity === 'error')).toEqual([]);
        expect(compiled.value?.hash).toBe(plan.value?.hash);
        expect(generate(sources, options).value).toBe(text);
        // Beside its sources it changes nothing, and is made the same again.
        const beside = [...sources, { kind: 'generated', path: 'litellm-unified.yaml', text } as const];
        const { value, diagnostics } = compile(beside, options);
        expect([value?.hash, diagnostics]).toEqual([plan.value?.hash, plan.diagnostics]);
        expect(generate(beside, options).value).toBe(text);
        for (const secret of secretTexts) expect(text).not.toContain(secret);
      }),
      { numRuns: 80, seed: 20261124 },
    );
  });

  test('most of the drawn configurations do compile, so the law is about something', () => {
    const drawn = fc.sample(anyConfiguration, { numRuns: 100, seed: 1 });
    const sound = drawn.filter((sources) => compile(sources, options).value !== undefined);
    expect(sound.length).toBeGreaterThan(50);
  });

  test('it lists the names that the gateway lists, the disabled ones by their fallback', () => {
    const sources = [
      source('providers', {
        providers: {
          here: { type: 'ollama', models: ['llama3.1'] },
          off: { type: 'vllm', status: 'disabled', models: ['dolphin'] },
        },
      }),
      source('model-mappings', { exact_matches: { dolphin: { provider: 'off', fallback: 'llama3.1' } } }),
    ];
    const { text, compiled } = compileGenerated(sources);
    const list = (parse(text) as { model_list: { model_name: string; litellm_params: { model: string } }[] })
      .model_list;
    expect(list.map((one) => [one.model_name, one.litellm_params.model])).toEqual([
      ['llama3.1', 'ollama_chat/llama3.1'],
      ['dolphin', 'ollama_chat/llama3.1'],
    ]);
    expect(compiled.value?.groups.map((group) => group.name)).toEqual(['llama3.1', 'dolphin']);
  });
});

test('spine 2.4: what LiteLLM reads in one form only is written in that form', () => {
  const { text } = compileGenerated([
    source('providers', { providers: { here: { type: 'ollama', models: ['a', 'b'] } } }),
    source('settings', {
      litellm_settings: {
        fallbacks: { a: { fallback_models: ['b'] } },
        content_policy_fallbacks: [{ model: 'a', fallback_models: ['b'] }],
        num_retries: 1,
      },
      router_settings: {
        fallbacks: { a: { fallback_models: ['b'] } },
        context_window_fallbacks: [{ model: 'a', fallback_models: ['b'] }],
        model_group_alias: { seen: 'a', unseen: { model: 'a', hidden: true } },
      },
      general_settings: { master_key: '${CLOUD_KEY}' },
    }),
  ]);
  expect(parse(text)).toMatchObject({
    litellm_settings: {
      fallbacks: [{ a: ['b'] }],
      content_policy_fallbacks: [{ a: ['b'] }],
      num_retries: 1,
    },
    router_settings: {
      fallbacks: [{ a: ['b'] }],
      context_window_fallbacks: [{ a: ['b'] }],
      model_group_alias: { seen: 'a', unseen: { model: 'a', hidden: true } },
    },
    general_settings: { master_key: 'os.environ/CLOUD_KEY' },
  });
});

describe('spine 2.4: edits of the generated file', () => {
  const sources = [
    source('providers', { providers: { here: { type: 'ollama', models: ['llama3.1', 'qwen'] } } }),
    source('model-mappings', {
      exact_matches: { chat: { provider: 'here', backend_model: 'qwen', fallback: 'llama3.1' } },
    }),
    source('settings', { router_settings: { num_retries: 2 } }),
  ];
  const { value: text = '' } = generate(sources, options);
  const compileText = (edited: string) => compile([{ kind: 'litellm', path: 'unified.yaml', text: edited }], options);

  test.each([
    ['a deployment', text.replace('ollama_chat/qwen', 'ollama_chat/qwen3'), /^- model_name: qwen$/],
    ['all of them, taken out,', text.replace(/^model_list:\n(?: .*\n)+/m, ''), /^router_settings:/],
    ['a fallback', text.replace('- chat:\n        - llama3.1', '- chat:\n        - qwen'), /^fallbacks:/],
  ])('%s that was made from the sources is refused', (_what, edited, place) => {
    expect(edited).not.toBe(text);
    const { value, diagnostics } = compileText(edited);
    expect(value).toBeUndefined();
    expect(diagnostics.map((one) => one.code)).toContain('generated-file-edited');
    const line =
      edited.split('\n')[(diagnostics.find((one) => one.code === 'generated-file-edited')?.span?.line ?? 1) - 1];
    expect(line?.trim()).toMatch(place);
  });

  test('a setting holds as it stands there', () => {
    const { value } = compileText(text.replace('num_retries: 2', 'num_retries: 4'));
    expect(value?.settings.retry.retries).toBe(4);
  });

  const beside = (edited: string, settings: object = { router_settings: { num_retries: 2 } }): SourceFile[] => [
    ...sources.slice(0, 2),
    source('settings', settings),
    { kind: 'generated', path: 'litellm-unified.yaml', text: edited },
  ];
  const four = text.replace('num_retries: 2', 'num_retries: 4');

  describe('C1 beside the sources, an edit of a setting', () => {
    const retries = (files: readonly SourceFile[]): number | undefined =>
      compile(files, options).value?.settings.retry.retries;

    test('holds, is told at its line, and stays when the file is made anew', () => {
      expect(retries(beside(four))).toBe(4);
      const found = compile(beside(four), options).diagnostics.filter((one) => one.code === 'edited-setting');
      expect(found.map((one) => one.span?.file)).toEqual(['litellm-unified.yaml']);
      expect(four.split('\n')[(found[0]?.span?.line ?? 0) - 1]?.trim()).toBe('num_retries: 4');
      const again = generate(beside(four), options).value ?? '';
      expect(again).toContain('num_retries: 4');
      expect(generate(beside(again), options).value).toBe(again);
      expect(compileText(again).value?.hash).toBe(compile(beside(again), options).value?.hash);
    });

    test('leaves everything else to the sources, as they are now', () => {
      const changed = beside(four, { router_settings: { num_retries: 3, cooldown_time: 9 } });
      expect(retries(changed)).toBe(4);
      expect(compile(changed, options).value?.settings.cooldown.cooldownMs).toBe(9000);
      // Nobody edited that line: the source has moved on.
      expect(retries(beside(text, { router_settings: { num_retries: 3 } }))).toBe(3);
    });

    test('ends when its line is taken out, or the source says the same', () => {
      expect(retries(beside(text.replace(/.*num_retries: 2\n/, '')))).toBe(2);
      const same = compile(beside(four, { router_settings: { num_retries: 4 } }), options);
      expect(same.diagnostics.map((one) => one.code)).not.toContain('edited-setting');
    });

    test('may be a section of which the sources say nothing, and a secret in it stays as it was typed', () => {
      const typed = text.replace(/^signalbox:/m, 'general_settings:\n  master_key: sk-typed-0123456789\nsignalbox:');
      expect(compile(beside(typed), options).value?.settings.server.masterKey).toBeDefined();
      expect(generate(beside(typed), options).value).toContain('master_key: sk-typed-0123456789');
    });

    test.each([
      ['is empty', '', 2],
      ['is of an earlier version', four.replace(/^ {2}settings:\n(?: {4}.*\n)+/m, ''), 2],
    ])('does not exist where the file %s', (_what, broken, expected) => {
      expect(retries(beside(broken))).toBe(expected);
      expect(generate(beside(broken), options).value).toBe(text);
    });
  });

  describe('C1 beside the sources, an edit of anything else', () => {
    const told = (edited: string) =>
      compile(beside(edited), options).diagnostics.map(({ code, severity, span, message }) => ({
        code,
        severity,
        line: edited.split('\n')[(span?.line ?? 0) - 1]?.trim(),
        message,
      }));

    test.each([
      ['a deployment is changed', ['ollama_chat/qwen', 'ollama_chat/qwen3'], 'qwen', '"qwen" changed'],
      [
        'one is renamed',
        ['model_name: chat', 'model_name: chat_disabled'],
        'chat_disabled',
        '"chat_disabled" added, "chat" taken out',
      ],
      [
        'one is added without an id',
        ['router_settings:', '  - {model_name: mine, litellm_params: {model: ollama/mine}}\nrouter_settings:'],
        'mine',
        '"mine" added',
      ],
      ['one is taken out', [/ {2}- model_name: chat\n(?: {4}.*\n)+/, ''], undefined, '"chat" taken out'],
      [
        'they are in another order',
        [/( {2}- model_name: llama3.1\n(?: {4}.*\n)+)( {2}- model_name: qwen\n(?: {4}.*\n)+)/, '$2$1'],
        undefined,
        'the entries stand in another order',
      ],
    ] as const)(
      'is an error that names the deployments, and generate leaves it there: %s',
      (_what, [part, by], name, words) => {
        const edited = text.replace(part, by);
        expect(edited).not.toBe(text);
        expect(told(edited)).toEqual([
          {
            code: 'generated-file-edited',
            severity: 'error',
            line: name === undefined ? 'model_list:' : expect.stringContaining(`model_name: ${name}`),
            message: `"model_list" was changed by hand, but is made from providers.yaml and model-mappings.yaml: ${words}`,
          },
        ]);
        expect(generate(beside(edited), options).value).toBeUndefined();
        const overwritten = generate(beside(edited), { ...options, overwrites: true });
        expect(overwritten.value).toBe(text);
        expect(overwritten.diagnostics.map((one) => one.severity)).toEqual(['warning']);
      },
    );

    test.each([
      ['a fallback', text.replace('- chat:\n        - llama3.1', '- chat:\n        - qwen'), 'error', 'fallbacks:'],
      ['a section that is none of the settings', `${text}include: more.yaml\n`, 'error', 'include: more.yaml'],
      ['a whole file that another program wrote', 'model_list: []\n', 'warning', 'model_list: []'],
      ['a whole file that cannot be read', 'a: [', 'warning', 'a: ['],
    ])('is told and left there: %s', (_what, edited, severity, line) => {
      expect(told(edited)).toMatchObject([{ code: 'generated-file-edited', severity, line }]);
      const { value, diagnostics } = generate(beside(edited), options);
      expect([value, diagnostics.map((one) => one.severity)]).toEqual([undefined, ['error']]);
      expect(generate(beside(edited), { ...options, overwrites: true }).value).toBe(text);
    });

    test('is overwritten alone: one of a setting stays', () => {
      const both = four.replace('ollama_chat/qwen', 'ollama_chat/qwen3');
      expect(generate(beside(both), { ...options, overwrites: true }).value).toBe(
        generate(beside(four), options).value,
      );
    });

    test.each([
      ['comments and empty lines', text.replace('router_settings:', '# mine\n\nrouter_settings:')],
      ['a key of its own for people', `${text}x-note: mine\n`],
      [
        'what was generated from other sources',
        generate([source('providers', { providers: { there: { type: 'vllm', models: ['old'] } } })], options).value ??
          '',
      ],
    ])('is not %s', (_what, other) => {
      expect(other).not.toBe('');
      expect(told(other)).toEqual([]);
      expect(generate(beside(other), options).value).toBe(text);
    });
  });

  const canary = 'sk-canary-0123456789abcdef';
  test.each([
    ['a key', { api_key: canary }, {}],
    ['the default of a key', { api_key: `\${CLOUD_KEY:-${canary}}` }, {}],
    ['a header', { headers: { Authorization: canary } }, {}],
    ['a header of custom_config', { custom_config: { headers: { 'x-api-key': canary } } }, {}],
    ['the master key', {}, { general_settings: { master_key: canary } }],
    ['a named key', {}, { server_settings: { keys: [{ name: 'laptop', key: canary }] } }],
    ['a variable', {}, { environment_variables: { OTHER_API_KEY: canary } }],
    ['a password', {}, { litellm_settings: { cache: true, cache_params: { type: 'redis', password: canary } } }],
  ])('no secret of the sources is written: %s', (_what, more, settingsOf) => {
    const secret = [
      source('providers', { providers: { cloud: { type: 'openai', models: ['gpt-4o'], ...more } } }),
      source('settings', settingsOf),
    ];
    const { value: written, diagnostics } = generate(secret, options);
    expect(diagnostics.filter((one) => one.severity === 'error')).toEqual([]);
    expect(written).toMatch(/os\.environ\/(SIGNALBOX_SECRET_|CLOUD_KEY)/);
    expect(written).not.toContain(canary);
    expect(JSON.stringify(diagnostics)).not.toContain(canary);
  });
});

test('2.1 a secret of which a part is a variable is filled in, and no secret stands in the file', () => {
  const redis = { type: 'redis', redis_url: 'redis://:${REDIS_KEY}@127.0.0.1:6379' };
  const { value: plan, diagnostics } = compile(
    [source('settings', { litellm_settings: { cache: true, cache_params: redis } })],
    options,
  );
  expect(diagnostics.filter((one) => one.code === 'secret-in-file')).toEqual([]);
  const url = plan?.settings.cache?.redis.url;
  expect(url && revealSecret(url, {})).toBe(`redis://:${drawnEnvironment['REDIS_KEY']}@127.0.0.1:6379`);
});
