import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { commands } from '../../src/cli/commands.ts';
import type { StatusReport } from '../../src/contract/status.ts';
import { type Running, start } from '../../src/main.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import { startProduct } from '../support/product.ts';
import { runCommand } from '../support/terminal.ts';

type Schema = Readonly<Record<string, unknown>>;

/** The shipped schema of a verb; closed, so that a field that it does not name is found too. */
function schemaOf(verb: string): z.ZodType {
  const file = join(import.meta.dirname, `../../schemas/commands/${verb.replaceAll(' ', '-')}.schema.json`);
  const closed = JSON.parse(readFileSync(file, 'utf8'), (_key, value: unknown) => {
    const isObject = typeof value === 'object' && value !== null && 'properties' in value;
    return isObject && !('additionalProperties' in value) && 'type' in value
      ? { ...value, additionalProperties: false }
      : value;
  }) as Schema;
  return z.fromJSONSchema(closed);
}

/** What a verb prints with --json has the shape of a schema, on one line, with this exit code. */
async function check(words: readonly string[], schema: string, code: number): Promise<void> {
  const ran = await runCommand([...words, '--json'], { folder });
  expect(ran.out.split('\n'), ran.err).toHaveLength(2);
  const { error } = schemaOf(schema).safeParse(JSON.parse(ran.out));
  expect(error === undefined ? '' : z.prettifyError(error), ran.out).toBe('');
  expect(ran.code).toBe(code);
}

const sample: StatusReport = {
  running: false,
  version: '0.1.0',
  pid: null,
  address: null,
  since: null,
  config: { path: null, disk: null, applied: null, running: null },
  generation: null,
  providers: [],
  names: 0,
  key: { needed: false, fingerprint: null },
  activeRequests: 0,
  unwritten: [],
  warnings: [],
};

let folder = '';
let running: Running;
let upstream: Awaited<ReturnType<typeof startFakeUpstream>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-json-'));
  writeFileSync(join(folder, 'workload.yaml'), 'requests: [{ model: echo, count: 3 }]\n');
  for (const [name, answer] of [
    ['passing', 'echo'],
    ['failing', 'echo/other'],
  ])
    writeFileSync(
      join(folder, `${name}.yaml`),
      `tests: [{name: it, request: {model: echo}, expect: {answer: ${answer}}}]\n`,
    );
  upstream = await startFakeUpstream(['some-model']);
});
afterAll(async () => {
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('spine 4: without a configuration, --json has its shape', () => {
  test.each([
    ['status', 'status', 1],
    ['doctor --port 0', 'doctor', 0],
    ['discover', 'discover', 0],
    ['ask echo Hello', 'failure', 1],
    ['why', 'failure', 1],
    ['connect aider', 'failure', 1],
    ['validate', 'failure', 1],
    ['generate', 'failure', 1],
    ['config show', 'failure', 1],
    ['provider list', 'failure', 1],
    ['provider show echo', 'failure', 1],
    ['model list', 'failure', 1],
    ['route explain echo', 'failure', 1],
    ['up --config nowhere', 'failure', 1],
    ['provider probe http://127.0.0.1:1', 'provider probe', 1],
    ['provider probe http://127.0.0.1:1 --key-env NOT_SET', 'failure', 1],
    ['init --yes --no-discover', 'init', 0],
    ['init --yes --no-discover', 'failure', 1],
  ])('%s', (line, schema, code) => check(line.split(' '), schema, code));
});

describe('spine 4: at rest and while a gateway runs, --json has its shape', () => {
  const lines: readonly (readonly [line: string, verb: string, code: number])[] = [
    ['status', 'status', 0],
    ['doctor --port 0', 'doctor', 0],
    ['validate', 'validate', 0],
    ['generate --check', 'generate', 2],
    ['generate', 'generate', 0],
    ['config show', 'config show', 0],
    ['config show nonsense', 'failure', 1],
    ['provider list', 'provider list', 0],
    ['provider show echo', 'provider show', 0],
    ['provider show ekho', 'failure', 1],
    ['provider drain ekho', 'failure', 1],
    ['provider drain echo --wait', 'provider drain', 0],
    ['provider drain echo --undo', 'provider drain', 0],
    ['model list', 'model list', 0],
    ['model list --provider ekho', 'failure', 1],
    ['route explain echo', 'route explain', 0],
    ['route explain nonsense', 'route explain', 1],
    ['route stats', 'route stats', 0],
    ['route simulate --workload workload.yaml', 'route simulate', 0],
    ['route simulate --workload nowhere.yaml', 'failure', 1],
    ['route compare --before 10m --after 10m', 'route compare', 0],
    ['route compare --before x --after 10m', 'failure', 64],
    ['route stats --since yesterday', 'failure', 64],
    ['route stats --slow 5', 'failure', 64],
    ['route stats --provider ekho', 'failure', 1],
    ['route explain echo --at noon', 'failure', 64],
    ['route explain echo --header x', 'failure', 64],
    ['route explain echo --assume echo=asleep', 'failure', 64],
    ['route replay', 'failure', 64],
    ['route test', 'failure', 1],
    ['route test passing.yaml', 'route test', 0],
    ['route test failing.yaml', 'route test', 1],
    ['strategy show', 'strategy show', 0],
    ['strategy show ekho', 'failure', 1],
    ['strategy set default soonest', 'strategy set', 0],
    ['strategy set echo soonest', 'failure', 1],
    ['ask echo Hello', 'ask', 0],
    ['ask ekho Hello', 'ask', 1],
    ['bench echo --requests 1', 'bench', 0],
    ['bench ekho', 'failure', 1],
    ['why', 'why', 0],
    ['why nonsense', 'failure', 1],
    ['connect aider', 'connect', 0],
    ['connect open-webui', 'connect', 0],
    ['connect aider --write', 'connect', 0],
    ['connect codex --write', 'failure', 1],
    ['cache stats', 'cache stats', 0],
    ['cache flush', 'failure', 1],
    ['key generate', 'key generate', 0],
    ['completion bash', 'completion', 0],
    ['up', 'failure', 1],
  ];
  const asksRecords: typeof lines = [
    ['route simulate', 'route simulate', 0],
    ['route replay --plan config', 'route replay', 0],
    ['route advise', 'route advise', 0],
  ];
  /** Verbs that only a running gateway can answer. */
  const asksGateway = /^(ask|bench|why|status|up|cache|provider drain)/;

  test.each(lines.filter(([line]) => !asksGateway.test(line)))('%s, at rest', (line, schema, code) =>
    check(line.split(' '), schema, code),
  );

  describe('while it runs', () => {
    beforeAll(async () => {
      rmSync(join(folder, 'config/litellm-unified.yaml'));
      running = await start({ folder, port: 0, environment: {}, log: { output: undefined, file: false } });
    });
    afterAll(() => running.stop());
    test.each(lines)('%s', (line, schema, code) => check(line.split(' '), schema, code));
    // What was asked above is recorded by now.
    test.each(asksRecords)('%s', (line, schema, code) => check(line.split(' '), schema, code));
  });

  test('up', async () => {
    const product = await startProduct({ environment: { SIGNALBOX_UPSTREAM: upstream.url } });
    expect(schemaOf('up').safeParse(product.report)).toMatchObject({ success: true });
    await product.stop();
  });

  test('provider probe', () => check(['provider', 'probe', upstream.url], 'provider probe', 0));

  test('a schema refuses what it does not describe', () => {
    const status = schemaOf('status');
    const { running: _running, ...rest } = sample;
    expect(status.safeParse(sample).success).toBe(true);
    for (const wrong of [
      rest,
      { ...sample, names: 'one' },
      { ...sample, key: { needed: true } },
      { ...sample, more: 1 },
    ])
      expect(status.safeParse(wrong).success).toBe(false);
  });

  test('every verb is among these', () => {
    const shown = [
      ...[...lines, ...asksRecords].map(([, verb]) => verb),
      'up',
      'init',
      'discover',
      'provider probe',
      'cache flush',
    ];
    expect(commands.map((entry) => entry.words.join(' ')).filter((verb) => !shown.includes(verb))).toEqual([]);
  });
});
