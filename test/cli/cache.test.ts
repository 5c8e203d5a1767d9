import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, start } from '../../src/main.ts';
import { type Ran, runCommand } from '../support/terminal.ts';

let folder = '';
let running: Running;
const signalbox = (line: string): Promise<Ran> => runCommand(line.split(' '), { folder });
const json = async (line: string): Promise<unknown> => JSON.parse((await signalbox(`${line} --json`)).out);
const chat = async (model: string, content: string): Promise<string | null> => {
  const answer = await fetch(`${running.address.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, messages: [{ role: 'user', content }] }),
  });
  await answer.text();
  return answer.headers.get('x-signalbox-cache');
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-cache-'));
  mkdirSync(join(folder, 'config'));
  const write = (name: string, text: string): void => writeFileSync(join(folder, 'config', name), text);
  write('providers.yaml', 'providers:\n  echo: {type: echo, models: [echo, other]}\n');
  write('settings.yaml', 'litellm_settings: {cache: true, cache_params: {ttl: 120}}\n');
  running = await start({ folder, port: 0, environment: {}, log: { output: undefined, file: false } });
  for (const [model, text] of [
    ['echo', 'one'],
    ['echo', 'one'],
    ['echo', 'two'],
    ['other', 'one'],
  ] as const)
    await chat(model, text);
});
afterAll(async () => {
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('5: cache stats and flush', () => {
  test('stats: what is kept, hits and misses, by name', async () => {
    const report = await json('cache stats');
    expect(report).toMatchObject({
      ...{ enabled: true, kind: 'local', mode: 'default_on', namespace: 'signalbox', ttlSeconds: 120, state: 'ready' },
      ...{ entries: 3, maxBytes: 67_108_864, hits: 1, shared: 0, misses: 3, bypassed: 0, stored: 3, hitRate: 0.25 },
    });
    const { models } = report as { models: Record<string, unknown>[] };
    const byName = [...models].sort((a, b) => String(a['model']).localeCompare(String(b['model'])));
    expect(byName).toMatchObject([
      { model: 'echo', entries: 2, hits: 1, misses: 2 },
      { model: 'other', entries: 1, hits: 0, misses: 1 },
    ]);
  });

  test('flush: a name that is none removes nothing, and the nearest is told', async () => {
    const flushed = await signalbox('cache flush --model othr');
    expect(flushed).toMatchObject({ code: 0, out: '0 answers removed\n', err: 'Did you mean "other"?\n' });
  });

  test('stats, for people', async () => {
    const { out } = await signalbox('cache stats');
    const sizes = out.replaceAll(/\d+\.\d kB|\d+ bytes/g, 'SIZE').replaceAll(/ +/g, ' ');
    expect(sizes).toBe(`store local, ready
holds 3 answers, SIZE of at most 67.1 MB
keeps 120 seconds where nothing else is said, default_on, namespace signalbox
hits 1 of 4 look-ups (25.0 %), 0 of them shared with a request under way
beside 0 bypassed, 3 stored

name answers size hits misses
echo 2 SIZE 1 2
other 1 SIZE 0 1
`);
  });

  test('why tells of a hit: who answered first, and that it cost nothing', async () => {
    await chat('echo', 'one');
    expect(await json('why')).toMatchObject({
      rule: { kind: 'cache' },
      answeredBy: 'echo/echo',
      attempts: [],
      costUsd: 0,
      cache: { outcome: 'hit', key: expect.stringMatching(/^[0-9a-f]{64}$/), ageSeconds: expect.any(Number) },
    });
    expect((await signalbox('why')).out).toMatch(/answered +echo\/echo, from the cache \(\d+ s old\), completed/);
  });

  test('flush: of one name, then all', async () => {
    expect(await json('cache flush --model other')).toEqual({ model: 'other', removed: 1 });
    expect([await chat('other', 'one'), await chat('echo', 'one')]).toEqual(['miss', 'hit']);
    expect((await signalbox('cache flush')).out).toBe('3 answers removed\n');
    expect(await json('cache flush')).toEqual({ model: null, removed: 0 });
    expect(await chat('echo', 'one')).toBe('miss');
  });

  test.each(['/cache/ping', '/v1/cache/ping'])('GET %s answers as LiteLLM does', async (path) => {
    const answer = await fetch(`${running.address.url}${path}`);
    const params = {
      type: 'local',
      mode: 'default_on',
      namespace: 'signalbox',
      ttl: 120,
      endpoints: expect.any(Array),
    };
    const body = (await answer.json()) as { litellm_cache_params: string };
    expect([answer.status, body]).toEqual([
      200,
      {
        status: 'healthy',
        cache_type: 'local',
        ping_response: true,
        set_cache_response: 'success',
        litellm_cache_params: expect.any(String),
        health_check_cache_params: params,
      },
    ]);
    expect(JSON.parse(body.litellm_cache_params)).toEqual(params);
  });
});
