import { describe, expect, test } from 'vitest';
import { compile } from '../../src/config/compile.ts';
import { createFindings } from '../../src/config/findings.ts';
import { renderDiagnostic } from '../../src/config/frame.ts';
import type { SourceFile } from '../../src/config/source-file.ts';

type Files = Partial<Record<SourceFile['kind'], string>>;

function findingsOf(files: Files) {
  const sources = Object.entries(files).map(([kind, text]): SourceFile => {
    // The keys of Files are source kinds.
    return { kind: kind as SourceFile['kind'], path: `${kind}.yaml`, text };
  });
  return compile(sources, { environment: {}, lenient: false }).diagnostics;
}

const sound = 'providers: {ollama: {type: ollama, models: [llama3.1, qwen]}}';
const ninefold = (name: string): string => `[${Array.from({ length: 9 }, () => `*${name}`).join(', ')}]`;

/** What is wrong, and the one finding for each of its causes: code and line. */
const faults: readonly (readonly [what: string, files: Files, ...findings: readonly string[]])[] = [
  [
    'a file that is no YAML, to which others refer',
    {
      providers: 'providers:\n  a: {type: ollama, models: [m\n  b: {}',
      'model-mappings': 'exact_matches: {x: {provider: a, backend_model: m, fallback: b}}',
    },
    'yaml-syntax 3',
  ],
  ['a tab', { providers: 'providers:\n  a:\n\ttype: ollama' }, 'yaml-syntax 3'],
  ['two documents', { providers: `${sound}\n---\n${sound}` }, 'yaml-syntax 2'],
  ['a tag', { providers: 'providers: {a: {type: !secret ollama, models: [m]}}' }, 'yaml-syntax 1'],
  [
    'aliases that multiply',
    {
      providers: `a: &a [x, x, x]\nb: &b ${ninefold('a')}\nc: &c ${ninefold('b')}\nd: &d ${ninefold('c')}\nproviders: {p: {type: ollama, models: *d}}`,
    },
    'yaml-syntax 1',
  ],
  [
    'a name that is unknown as provider, as fallback and in a chain',
    {
      providers: sound,
      'model-mappings':
        'exact_matches:\n  x: {provider: ghost, fallback: ghost}\n  qwen: {provider: ollama, fallback: ghost}\nfallback_chains: {qwen: [ghost]}',
    },
    'unknown-provider 2',
  ],
  ['deep nesting', { providers: `providers: ${'['.repeat(20_000)}${']'.repeat(20_000)}` }, 'yaml-syntax 1'],
  ['a key that is a map', { providers: 'providers:\n  ? {x: y}\n  : {type: ollama}' }, 'yaml-syntax 2'],
  ['a key of JavaScript', { providers: 'providers:\n  __proto__: {type: ollama, models: [m]}' }, 'yaml-syntax 2'],
  ['another encoding', { providers: '\ufffd\ufffdp\0r\0o\0' }, 'yaml-syntax 1'],
  ['more than a configuration', { providers: `#${'x'.repeat(11_000_000)}` }, 'yaml-syntax 1'],
  ['an empty file', { providers: '' }, 'missing-key 1'],
  [
    'an attempt of a deployment that ends before its first token has to come',
    {
      litellm:
        'model_list:\n  - model_name: m\n    litellm_params:\n      model: ollama/m\n      timeout: 10\n      stream_timeout: 20',
    },
    'timeouts-order 6',
  ],
  ['a file of text', { providers: 'hello' }, 'wrong-type 1'],
  ['a file of a list', { providers: '- a' }, 'wrong-type 1'],
  ['numbers as names', { providers: 'providers:\n  1: {type: ollama, models: [m]}' }],
  ['numbers as models', { providers: 'providers:\n  a: {type: ollama, models: [k, 5]}' }, 'wrong-type 2'],
  ['windows line ends', { providers: 'providers:\r\n  a:\r\n    type: olama\r\n' }, 'wrong-type 3'],
  ['a mark of byte order', { providers: `\ufeff${sound}` }],
  ['anchors and merge keys', { providers: 'x-base: &b {type: ollama}\nproviders: {a: {<<: *b, models: [m]}}' }],
  [
    'a misspelt provider, referred to again and again',
    {
      providers: sound,
      'model-mappings':
        'exact_matches:\n  a: {provider: olama, backend_model: m}\n  b: {provider: olama}\ncapabilities: {code: {provider: olama}}\npatterns: [{pattern: ^q, provider: olama}]\nrouting_rules: {default_provider: olama}',
    },
    'unknown-provider 2',
  ],
  [
    'a provider that is broken itself, referred to by others',
    {
      providers: 'providers: {ollama: {type: olama, models: [m]}}',
      'model-mappings': 'exact_matches: {a: {provider: ollama, backend_model: m}}\nfallback_chains: {m: [ollama]}',
    },
    'wrong-type 1',
  ],
  [
    'a password in an address',
    { providers: 'providers:\n  a: {type: vllm, base_url: "http://user:hunter2@host", models: [m]}' },
    'bad-url 2',
  ],
  [
    'a key in an address',
    { providers: 'providers:\n  a: {type: vllm, base_url: "http://host/v1?key=hunter2", models: [m]}' },
    'bad-url 2',
  ],
  ['variables that are no map', { providers: sound, settings: 'environment_variables: [A]' }, 'wrong-type 1'],
  [
    'a retry policy for nobody',
    { providers: sound, settings: 'router_settings: {model_group_retry_policy: {qwem: {TimeoutErrorRetries: 1}}}' },
    'unknown-model 1',
  ],
];

/** Faults of one line each, whose message helps at once. */
const lines: readonly (readonly [line: string, code: string, help: RegExp])[] = [
  ['server_settings: {keys: [{name: a, key: os.environ/A, modls: [qwen]}]}', 'unknown-key', /Write "models"/],
  ['server_settings: {keys: [{name: a, key: os.environ/A, models: {qwen: true}}]}', 'wrong-type', /a list/],
  ['server_settings: {keys: [{name: a, key: none}]}', 'wrong-type', /a secret/],
  [
    'server_settings: {keys: [{name: a, key: os.environ/A, allow_client_mock_response: maybe}]}',
    'wrong-type',
    /true or false/,
  ],
  [
    'server_settings: {keys: [{name: a, key: os.environ/A}, {name: a, key: os.environ/B}]}',
    'duplicate-name',
    /another/,
  ],
  ['server_settings: {keys: [{name: a, key: os.environ/A, models: [qwem]}]}', 'unknown-model', /Write "qwen"/],
  ['server_settings: {cors: {enabld: true}}', 'unknown-key', /Write "enabled"/],
  ['rate_limit_settings: {limits: {qwen: {rmp: 5}}}', 'unknown-key', /Write "rpm"/],
  ['router_settings: {retry_policy: {TimeoutErrorRetrys: 3}}', 'unknown-key', /Write "TimeoutErrorRetries"/],
  ['router_settings: {num_retries: -1}', 'wrong-type', /whole number from 0 up/],
  ['router_settings: {timeout: 0}', 'wrong-type', /above 0/],
];

test.each(lines)('spine 2.3: %s', (line, code, help) => {
  const [one, ...others] = findingsOf({ providers: sound, settings: line }).filter(
    (found) => found.code !== 'secret-unset',
  );
  expect([one?.code, others]).toEqual([code, []]);
  expect(`${one?.wanted} ${one?.fix}`).toMatch(help);
});

test.each([
  ['localhost:8000', 'bad-url', /http:\/\/ or https:\/\/ is missing/],
  ['http://127.0.0.1:99999', 'bad-port', /from 1 to 65535/],
  ['http://127.0.0.1:CUSTOM_PORT', 'bad-url', /CUSTOM_PORT stands where the port goes/],
  ['ftp://host', 'bad-url', /such as http/],
  ['http://me:secret@host', 'bad-url', /without a name and password/],
  ['http://host/v1?x=1', 'bad-url', /without a query/],
])('spine 2.3: base_url: %s', (address, code, help) => {
  const text = `providers: {a: {type: vllm, base_url: "${address}", models: [m]}}`;
  const [one, ...others] = findingsOf({ providers: text });
  expect([one?.code, others]).toEqual([code, []]);
  expect(one?.wanted).toMatch(help);
});

describe('spine 2.3: one finding for one cause', () => {
  test.each(faults.map(([what, files, ...wanted]) => ({ what, files, wanted })))('$what', ({ files, wanted }) => {
    const found = findingsOf(files);
    expect(found.map((one) => `${one.code} ${one.span?.line}`)).toEqual(wanted);
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });
});

/** A line, the part of it that a finding points at, and the two lines of its frame. */
const frames: readonly (readonly [what: string, line: string, at: string, shown: string, mark: string])[] = [
  ['a line as it is', 'status: activ', 'activ', 'status: activ', '        ^^^^^'],
  ['tabs', 'a:\tactiv', 'activ', 'a:\tactiv', '  \t^^^^^'],
  ['wide signs', 'd: "日本 👍", s: activ', 'activ', 'd: "日本 👍", s: activ', '                 ^^^^^'],
  ['signs that combine', 'd: e\u0301, s: activ', 'activ', 'd: e\u0301, s: activ', '         ^^^^^'],
  [
    'signs that steer a terminal',
    'd: "\u001b[31m", s: activ',
    'activ',
    'd: "\ufffd[31m", s: activ',
    '               ^^^^^',
  ],
  ['a key', 'api_key: sk-verysecret, s: activ', 'activ', 'api_key: [secret], s: activ', '                      ^^^^^'],
  [
    'a key in quotes',
    'redis_password: "very,secret", s: activ',
    'activ',
    'redis_password: [secret], s: activ',
    '                             ^^^^^',
  ],
  ['a key that is pointed at', 'master_key: verysecret', 'verysecret', 'master_key: [secret]', '            ^^^^^^^^'],
  ['a header', '{Authorization: Bearer verysecret}', 'Auth', '{Authorization: [secret]}', ' ^^^^'],
  [
    'but no price',
    'input_cost_per_token: 0.0001, s: activ',
    'activ',
    'input_cost_per_token: 0.0001, s: activ',
    '                                 ^^^^^',
  ],
  ['a password in an address', 'url: http://me:verysecret@host/', 'url', 'url: http://[secret]@host/', '^^^'],
  ['a variable', 'api_key: os.environ/NAME', 'api_key', 'api_key: os.environ/NAME', '^^^^^^^'],
];

describe('spine 2.3: a frame shows the place and no secret', () => {
  test.each(frames)('%s', (_what, line, at, shown, mark) => {
    const [, drawn = '', below = ''] = pictureOf(line, at);
    expect([drawn.slice('  > 1 | '.length), below.slice('      | '.length)]).toEqual([shown, mark]);
    expect(drawn).not.toContain('very');
  });

  test('of a long line the part around the place, with the mark below it', () => {
    const [, drawn = '', below = ''] = pictureOf(`${'k: v, '.repeat(500)}s: activ${', k: v'.repeat(500)}`, 'activ');
    expect(drawn.length).toBeLessThan(180);
    expect(drawn.slice(below.indexOf('^'), below.lastIndexOf('^') + 1)).toBe('activ');
  });

  test('many places of one cause are told by their lines', () => {
    const findings = createFindings({ lenient: false });
    const file = {
      source: { kind: 'settings', path: 'a.yaml', text: '' } as const,
      value: {},
      spanOf: ([line]: readonly (string | number)[]) => spanOf(Number(line), 1, 2),
    };
    for (let line = 1; line <= 20; line++)
      findings.addToCause('secret-unset', { file, path: [line] }, { key: 'k', subject: 'k', message: () => 'once' });
    const [one, ...others] = findings.list();
    expect(others).toEqual([]);
    expect(one && renderDiagnostic(one, undefined, { colour: false })).toBe(
      'warning[secret-unset] once\n  at a.yaml:1:1\n  also at a.yaml:2:1, 3:1, 4:1, 5:1, 6:1, 7:1, 8:1, 9:1, 10:1, 11:1, 12:1, 13:1 and 7 more',
    );
  });
});

function spanOf(line: number, column: number, endColumn: number) {
  return { file: 'a.yaml', line, column, endLine: line, endColumn };
}

/** The lines of a frame: its place, the line and the mark. */
function pictureOf(line: string, at: string): readonly string[] {
  const column = line.indexOf(at) + 1;
  const findings = createFindings({ lenient: false });
  findings.addAt('wrong-type', spanOf(1, column, column + at.length), 'It is wrong');
  const [one] = findings.list();
  return one === undefined ? [] : renderDiagnostic(one, line, { colour: false }).split('\n').slice(1);
}
