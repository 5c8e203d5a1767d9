import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { start } from '../src/main.ts';
import { milliseconds } from '../src/plan/ids.ts';
import { startFakeUpstream } from './support/fake-upstream.ts';
import { startGateway } from './support/gateway.ts';
import { entry, startProduct } from './support/product.ts';

const run = promisify(execFile);

/** Flags for the memory that NODE_OPTIONS may not hold. */
const otherFlags = ['--heap-growing-percent=40', '--no-maglev', '--no-allocation-site-pretenuring'];

describe('spine 1.1: the entry that any Node can parse', () => {
  test('refuses an older Node with one sentence that says what to do, where none is beside it', async () => {
    // What the entry reads of its Node is said to be older; a packed entry has no Node beside it.
    const older =
      'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.1.0"}})';
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-entry-'));
    await run('sh', ['-c', `mkdir -p ${folder}/bin && cp ${entry} ${folder}/bin/signalbox.mjs`]);
    const failed = await run(process.execPath, ['--import', older, join(folder, 'bin/signalbox.mjs')]).catch(
      (error: { code: number; stderr: string }) => error,
    );
    expect(failed).toMatchObject({
      code: 1,
      stderr: 'Signalbox needs Node 24 or newer, found 20.1.0: install it from https://nodejs.org\n',
    });
    rmSync(folder, { recursive: true });
  });

  test('parses in the oldest Node that reads modules: no syntax that came later', async () => {
    const { transform } = await import('esbuild');
    // esbuild refuses what a target cannot have and it cannot lower, and changes what it can.
    const { code, warnings } = await transform(readFileSync(entry, 'utf8'), { target: 'node14.8', format: 'esm' });
    expect(warnings).toEqual([]);
    expect(code).toContain('handOver');
  });

  test.skipIf(!existsSync('/proc/self/cmdline')).each([
    ['', ['--max-semi-space-size=8', ...otherFlags]],
    ['--max-semi-space-size=64', otherFlags],
    ['"--max_semi_space_size=64"', otherFlags],
  ])('starts with flags for its memory, but for those that a person chose: NODE_OPTIONS=%s', async (chosen, flags) => {
    const product = await startProduct({ args: ['--no-discover'], environment: { NODE_OPTIONS: chosen } });
    try {
      const words = readFileSync(`/proc/${product.process.pid}/cmdline`, 'utf8').split('\0');
      expect(words.slice(1, words.indexOf(entry))).toEqual(flags);
    } finally {
      await product.stop();
    }
  });
});

describe('spine 1.1: the entry where the system takes no process’ place', () => {
  test('goes on without the flags', async () => {
    // Node's own call throws by what it reads of the platform, which is said to be Windows until then.
    const windows =
      'data:text/javascript,const{platform}=process,{execve}=process;process.execve=(...all)=>{' +
      "Object.defineProperty(process,'platform',{value:'win32'});" +
      "try{execve.apply(process,all)}finally{Object.defineProperty(process,'platform',{value:platform})}}";
    const product = await startProduct({
      args: ['--no-discover'],
      environment: { NODE_OPTIONS: `--import=${windows}` },
    });
    expect((await fetch(`${product.url}/v1/models`)).status).toBe(200);
    expect(await product.stop()).toBe(0);
  });
});

describe('spine 1.2: a start without a configuration', () => {
  test('serves what SIGNALBOX_UPSTREAM names, under its own names', async () => {
    const upstream = await startFakeUpstream(['found-model']);
    const product = await startProduct({ environment: { SIGNALBOX_UPSTREAM: upstream.url } });
    expect(product.report).toMatchObject({ config: { kind: 'discovered' } });
    const listing = (await (await fetch(`${product.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(listing.data.map((one) => one.id)).toContain('found-model');
    const body = JSON.stringify({ model: 'found-model', messages: [{ role: 'user', content: 'Hi' }] });
    expect(await (await fetch(`${product.url}/v1/chat/completions`, { method: 'POST', body })).text()).toContain(
      'Hello',
    );
    expect(await product.stop()).toBe(0);
    await upstream.close();
  });

  test('finds a server on the ports that it looks at, and asks it for no answer', async () => {
    const upstream = await startFakeUpstream(['found-model']);
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-start-'));
    const running = await start({
      folder,
      port: 0,
      environment: {},
      discoveryPorts: [upstream.port],
      log: { output: undefined, file: false },
    });
    const report = await running.report(milliseconds(2000));
    expect(report.providers).toMatchObject([{ type: 'openai_compatible', state: 'ready', models: 1 }]);
    expect(upstream.requests).toHaveLength(0);
    await running.stop();
    await upstream.close();
    rmSync(folder, { recursive: true });
  });

  test('where nothing runs it serves the echo, says so plainly, and gives the line to try', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-start-'));
    // A terminal, as a person has it.
    const line = `${process.execPath} ${entry} up --no-discover --port 0`;
    const child = execFile('script', ['-qfec', line, '/dev/null'], {
      cwd: folder,
      env: { ...process.env, TERM: 'xterm', NO_COLOR: '1' },
    });
    let screen = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', (piece: string) => {
        screen += piece;
        if (screen.includes('curl ')) resolve();
      });
      child.on('exit', () => reject(new Error(screen)));
    });
    expect(screen).toContain('a built-in echo answers with your own words');
    const typed = /curl (\S+) -d '([^']+)'/.exec(screen);
    const answer = await fetch(typed?.[1] ?? '', { method: 'POST', body: typed?.[2] ?? '' });
    expect(answer.status).toBe(200);
    child.stdin?.write('\u0003');
    await new Promise((resolve) => child.once('exit', resolve));
    rmSync(folder, { recursive: true });
  });
});

describe('spine 2.3: what a start does with what is missing', () => {
  test('a deployment whose key is not set starts as down, with that reason; the others serve', async () => {
    const upstream = await startFakeUpstream(['n']);
    const gateway = await startGateway({
      providers: {
        cloud: { type: 'openai', env_var: 'NOT_SET_KEY', models: ['m'] },
        here: { type: 'openai_compatible', base_url: upstream.url, models: ['n'] },
      },
      mappings: { exact_matches: { m: { provider: 'cloud', fallback: 'n' } } },
    });
    const { providers, warnings } = await gateway.running.report(milliseconds(0));
    expect(providers.find((one) => one.name === 'cloud')).toMatchObject({
      state: 'down',
      why: expect.stringContaining('NOT_SET_KEY'),
    });
    expect(warnings.map((one) => one.code)).toContain('secret-unset');
    expect((await gateway.chat()).headers.get('x-signalbox-route')).toBe('here/n');
    await gateway.close();
    await upstream.close();
  });

  test('a weak key is told once, at its line, with what follows from it', async () => {
    const gateway = await startGateway({
      providers: { e: { type: 'echo', models: ['m'] } },
      settings: { general_settings: { master_key: 'os.environ/WEAK' } },
      environment: { WEAK: 'sk-1234' },
    });
    const { warnings } = await gateway.running.report(milliseconds(0));
    expect(warnings).toMatchObject([
      { code: 'secret-weak', line: 2, message: expect.stringContaining('only this machine is served') },
    ]);
    await gateway.close();
  });

  test('a configuration with errors does not start, and tells all of them', async () => {
    await expect(
      startGateway({ providers: { a: { type: 'olama' }, b: { type: 'openai_compatible' } } }),
    ).rejects.toMatchObject({
      kind: 'config',
      diagnostics: [{ code: 'wrong-type' }, { code: 'missing-key' }],
    });
  });

  test('a port that is taken is told with who has it', async () => {
    const gateway = await startGateway({ providers: { e: { type: 'echo', models: ['m'] } } });
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-start-'));
    await expect(
      start({ folder, port: gateway.port, discover: false, environment: {}, log: { output: undefined, file: false } }),
    ).rejects.toMatchObject({ kind: 'port', message: expect.stringContaining(String(gateway.port)) });
    await gateway.close();
    rmSync(folder, { recursive: true });
  });
});
