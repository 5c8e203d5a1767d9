import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderStart } from '../../src/cli/start-screen.ts';
import type { StartReport } from '../../src/contract/start-report.ts';
import type { ProviderStatus } from '../../src/contract/status.ts';
import { type Running, start } from '../../src/main.ts';
import { milliseconds } from '../../src/plan/ids.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts';
import { runCommand } from '../support/terminal.ts';

const frame = (name: string, text: string): Promise<void> =>
  expect(text).toMatchFileSnapshot(join(import.meta.dirname, 'goldens/frames', `${name}.txt`));

const ready: ProviderStatus = {
  name: 'ollama',
  type: 'ollama',
  status: 'active',
  state: 'ready',
  why: null,
  since: null,
  models: 2,
  address: '127.0.0.1:11434',
  version: '0.12.6',
  checkedAt: null,
  latencyMs: 3,
  listed: null,
  deployments: [],
};
const plain: StartReport = {
  address: 'http://127.0.0.1:4000',
  host: '127.0.0.1',
  config: { kind: 'echo', looked: true },
  providers: [],
  names: 1,
  firstName: 'echo',
  key: { needed: false, variable: null },
  stateFolder: '/home/me/.signalbox',
  logFile: '/home/me/logs/signalbox.jsonl',
  warnings: [],
};
const down: ProviderStatus = {
  ...ready,
  name: 'vllm',
  type: 'vllm',
  state: 'down',
  why: 'the connection is refused: nothing listens there',
  models: 1,
  address: '127.0.0.1:8001',
};

const starts: Readonly<Record<string, StartReport>> = {
  'start, nothing found': plain,
  'start, not looked': { ...plain, config: { kind: 'echo', looked: false } },
  'start, discovered': {
    ...plain,
    config: { kind: 'discovered' },
    providers: [ready],
    names: 2,
    firstName: 'llama3.1:8b',
  },
  'start, named and not there': {
    ...plain,
    config: { kind: 'discovered' },
    providers: [down],
    names: 0,
    firstName: null,
  },
  'start, for other machines too': {
    ...plain,
    host: '0.0.0.0',
    config: { kind: 'folder', path: '/home/me/config' },
    providers: [ready],
    key: { needed: true, variable: 'LITELLM_MASTER_KEY' },
  },
  'start, a folder with a key and a warning': {
    ...plain,
    config: { kind: 'folder', path: '/home/me/config' },
    providers: [ready, down],
    names: 3,
    firstName: 'fast',
    key: { needed: true, variable: 'LITELLM_MASTER_KEY' },
    warnings: [
      {
        code: 'host-narrowed',
        severity: 'warning',
        file: 'config/settings.yaml',
        line: 6,
        column: 9,
        message: 'Only this machine is served, since no key is set',
        found: '0.0.0.0',
        wanted: null,
        nearest: null,
        fix: null,
        docs: 'docs/reference/diagnostics.md#host-narrowed',
      },
    ],
  },
};

describe.each([100, 80, 60])('spine 1.2: what a start says in %d columns', (columns) => {
  test.each(Object.entries(starts))('%s', (name, report) =>
    frame(`${name}, ${columns} columns`, `${renderStart(report, { colour: false, columns }).join('\n')}\n`),
  );
});

describe('spine 4: what a person reads of a running gateway', () => {
  let folder = '';
  let upstream: FakeUpstream;
  let running: Running;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'signalbox-frames-'));
    upstream = await startFakeUpstream(['small-model', 'large-model']);
    mkdirSync(join(folder, 'config'));
    const { url } = upstream;
    writeFileSync(
      join(folder, 'config/providers.yaml'),
      `providers:
  near: {type: openai_compatible, base_url: "${url}", models: [small-model, large-model]}
  gone: {type: openai_compatible, base_url: "http://127.0.0.1:1", models: [other-model]}
`,
    );
    writeFileSync(
      join(folder, 'config/model-mappings.yaml'),
      'exact_matches:\n  other-model: {provider: gone, fallback: small-model}\n',
    );
    running = await start({ folder, port: 0, environment: {}, log: { output: undefined, file: false } });
    await running.report(milliseconds(5000));
    await runCommand(['ask', 'other-model', 'Hello'], { folder });
  });
  afterAll(async () => {
    await running.stop();
    await upstream.close();
    rmSync(folder, { recursive: true });
  });

  /** What differs from run to run, as words of the same kind; spaces before it are kept as one. */
  const settled = (text: string): string =>
    text
      .replaceAll(folder, 'FOLDER')
      .replaceAll(String(upstream.port), 'PORT1')
      .replaceAll(String(running.address.port), 'PORT2')
      .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'REQUEST')
      .replaceAll(/\b[0-9a-f]{16}\b/g, 'DEPLOYMENT')
      .replaceAll(/(on disk, )[0-9a-f]{8}/g, '$1HASH')
      .replaceAll(/\d\d:\d\d:\d\d/g, 'TIME')
      .replaceAll(/(process )\d+/g, '$1PID')
      .replaceAll(/\d+(\.\d+)? (ms|s|tokens\/s)\b/g, 'N $2')
      .replaceAll(/(\d+|unknown) in, (\d+|unknown) out/g, 'unknown')
      .replaceAll('speed unknown', 'N tokens/s')
      .replaceAll(/ {2,}/g, '  ');

  // Wide enough for no line to end by how long a number happens to be, or too narrow for any table.
  test.each([
    ['status', 140],
    ['status', 60],
    ['provider list', 140],
    ['provider list', 60],
    ['provider show near', 140],
    ['model list', 140],
    ['route explain other-model', 140],
    ['route explain other-model', 60],
    ['route explain othr-model', 140],
    ['why', 140],
    ['ask small-model Hello', 140],
  ])('%s in %d columns', async (line, columns) => {
    const ran = await runCommand(line.split(' '), { folder, columns });
    await frame(`${line}, ${columns} columns`, settled(ran.out + ran.err));
  });
});
