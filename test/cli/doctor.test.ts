import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Check } from '../../src/contract/doctor-report.ts';
import { askProviders, createProbing } from '../../src/main.ts';
import { examineSystem } from '../../src/ops/doctor.ts';
import { type Machine, thisMachine } from '../../src/ops/doctor-machine.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts';

let upstream: FakeUpstream;
/** It answers requests and has no list. */
let bare: FakeUpstream;
beforeAll(async () => {
  [upstream, bare] = [await startFakeUpstream(['m']), await startFakeUpstream(['m'], { lists: false })];
});
afterAll(() => Promise.all([upstream.close(), bare.close()]));

/** A machine on which everything is well, whatever the real one is like. */
const good: Machine = {
  ...thisMachine,
  nodeVersion: '24.1.0',
  freeBytes: async () => 10 * 1024 ** 3,
  isWritable: async () => true,
  openFiles: async () => 65_536,
  canListen: async () => true,
};

type Case = {
  readonly machine?: Partial<Machine>;
  /** Files by path; `URL` stands for the address of a server that lists the model m, `BARE` for one that has no list. */
  readonly files?: Readonly<Record<string, string>>;
  readonly config?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly expected: Pick<Check, 'id' | 'state'> & { readonly found?: RegExp; readonly fix?: RegExp };
};

const providers = (text: string): Readonly<Record<string, string>> => ({
  'config/providers.yaml': `providers:\n  p: {${text}}\n`,
});
const well = providers('type: openai_compatible, base_url: URL, models: [m]');
const closed = 'http://127.0.0.1:1';

const cases: Readonly<Record<string, Case>> = {
  'all is well': { files: well, expected: { id: 'provider:p', state: 'ok' } },
  'Node is too old': {
    machine: { nodeVersion: '22.9.0' },
    expected: { id: 'node', state: 'failed', found: /22\.9\.0/, fix: /nodejs\.org/ },
  },
  'nothing can be written': {
    machine: { isWritable: async () => false },
    expected: { id: 'state', state: 'failed', fix: /--state-dir/ },
  },
  'only another place can be written': {
    machine: { isWritable: async (path) => !path.includes('.signalbox') },
    expected: { id: 'state', state: 'warning', found: /so they are kept in/, fix: /--state-dir/ },
  },
  'a file is somebody else’s in a folder that can be written': {
    machine: { isWritable: async (path) => !path.endsWith('logs/signalbox.jsonl') },
    expected: { id: 'state', state: 'failed', found: /signalbox\.jsonl cannot be written/, fix: /chown/ },
  },
  'the disk is full': {
    machine: { freeBytes: async () => 1024 ** 2 },
    expected: { id: 'disk', state: 'failed', found: /1 MB free/, fix: /--state-dir/ },
  },
  'the clock was never set': {
    machine: { wall: () => 0 },
    expected: { id: 'clock', state: 'failed', found: /1970/, fix: /timedatectl/ },
  },
  'few files may be open': {
    machine: { openFiles: async () => 256 },
    expected: { id: 'files', state: 'failed', found: /256/, fix: /ulimit/ },
  },
  'there is no configuration': { expected: { id: 'config', state: 'warning', fix: /init/ } },
  'there is none where it was named': {
    config: 'nowhere',
    expected: { id: 'config', state: 'failed', found: /nowhere/, fix: /init/ },
  },
  'the configuration has an error': {
    files: providers('type: olama'),
    expected: { id: 'config', state: 'failed', found: /1 error.*providers\.yaml:2/ },
  },
  'the master key is not set': {
    files: { ...well, 'config/settings.yaml': 'general_settings: {master_key: os.environ/MASTER}\n' },
    expected: { id: 'secret:MASTER', state: 'failed', fix: /export MASTER=\$\(signalbox key generate/ },
  },
  'a provider’s key is not set': {
    files: providers('type: openai, env_var: SOME_KEY, models: [m]'),
    expected: { id: 'secret:SOME_KEY', state: 'warning', found: /starts as down/, fix: /export SOME_KEY/ },
  },
  'K5 a key is set: its source and its length, never its value': {
    files: providers('type: openai_compatible, base_url: URL, env_var: SOME_KEY, models: [m]'),
    environment: { SOME_KEY: 'sk-of-17-letters' },
    expected: { id: 'secret:SOME_KEY', state: 'ok', found: /^SOME_KEY, from the environment, 16 characters$/ },
  },
  'K5 an empty key is none': {
    files: providers('type: openai, env_var: SOME_KEY, models: [m]'),
    environment: { SOME_KEY: ' ' },
    expected: { id: 'secret:SOME_KEY', state: 'warning', found: /not set here/ },
  },
  'K5 a key of the configuration': {
    files: {
      ...providers('type: openai_compatible, base_url: URL, env_var: SOME_KEY, models: [m]'),
      'config/settings.yaml': 'environment_variables: {SOME_KEY: "${OTHER}"}\n',
    },
    environment: { OTHER: 'sk-of-17-letters' },
    expected: { id: 'secret:SOME_KEY', state: 'ok', found: /from environment_variables of the configuration, 16 ch/ },
  },
  'the port is taken': {
    files: well,
    machine: { canListen: async () => false },
    expected: { id: 'port', state: 'failed', found: /taken by/, fix: /--port 4001/ },
  },
  'a provider does not answer': {
    files: providers(`type: openai_compatible, base_url: "${closed}", models: [m]`),
    expected: { id: 'provider:p', state: 'failed', found: /refused/, fix: /signalbox provider probe/ },
  },
  'a provider has no list of models': {
    files: providers('type: openai_compatible, base_url: BARE, models: [m]'),
    expected: { id: 'provider:p', state: 'warning', found: /no list of models.*404/, fix: /signalbox provider probe/ },
  },
  'a provider is switched off': {
    files: providers('type: openai_compatible, base_url: URL, status: disabled, models: [m]'),
    expected: { id: 'provider:p', state: 'skipped' },
  },
};

test.each(Object.entries(cases))('spine 4: doctor, %s', async (_what, { machine, files = {}, ...rest }) => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-doctor-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text.replaceAll('URL', `"${upstream.url}"`).replaceAll('BARE', `"${bare.url}"`));
  }
  const report = await examineSystem({
    target: { config: rest.config, stateFolder: undefined, folder, environment: rest.environment ?? {} },
    lenient: false,
    port: undefined,
    probing: createProbing(),
    askProviders,
    machine: { ...good, ...machine },
  });
  rmSync(folder, { recursive: true });
  const { id, state, found = /./, fix } = rest.expected;
  const check = report.checks.find((one) => one.id === id);
  expect(check).toMatchObject({
    state,
    found: expect.stringMatching(found),
    fix: fix === undefined ? (check?.fix ?? null) : expect.stringMatching(fix),
  });
  // One thing is wrong and one is told, and whoever reads it is told what to do.
  const failed = report.checks.filter((one) => one.state === 'failed');
  expect(failed.map((one) => one.id)).toEqual(state === 'failed' ? [id] : []);
  for (const one of failed) expect(one.fix, one.id).toBeTruthy();
  expect(report.ok).toBe(state !== 'failed');
});
