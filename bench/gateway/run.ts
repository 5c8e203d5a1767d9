/**
 * `npm run bench`: the gateway beside nginx as a plain reverse proxy, in front of the same
 * upstream, in one run. Proxies stand on core 0, upstream and load on core 1; every figure is
 * given as a ratio to nginx too, which is what carries over to other machines.
 * `--write` puts the table into docs/reference/performance.md; `--seconds N` sets a measurement's length.
 */
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { coldStart } from './cold-start.ts';
import { writeBenchConfig } from './config.ts';
import { startInstantUpstream, startProxy } from './nginx.ts';
import { cpuMicroseconds, freePort, type Running, residentMegabytes, startPinned } from './processes.ts';
import { type Figure, renderReport } from './report.ts';
import { runLoad } from './wrk.ts';

const { values } = parseArgs({
  options: {
    write: { type: 'boolean' },
    seconds: { type: 'string', default: '6' },
    'no-cold-start': { type: 'boolean' },
  },
});
const seconds = Number(values.seconds);
/** V8 compiles anew what it sees for the first time with every number of connections. */
const warmUpSeconds = 4;
const proxyCore = 0;
const loadCore = 1;
const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
const runtime = process.execPath;

// What people install is what is measured.
execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
const figures: Figure[] = [...(await measureRequests()), ...(await measureStreams())];
if (values['no-cold-start'] !== true) figures.push(await coldStart(root, runtime));
const report = renderReport(figures, {
  machine: `${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown processor'}`,
  node: process.version,
  nginx: versionOf('nginx', '-v'),
});
const sections = [
  {
    title: 'Decisions',
    text: '`decide()` alone, in µs, by strategy; "pools of 5" is what people write, one pool of everything the worst that they can.\nTarget: less than 10 with 50 deployments, less than 100 with 2,000.',
    bench: 'bench/decide/run.ts',
  },
  {
    title: 'A request within the gateway',
    text: 'The pipeline without sockets, and what its parts cost; the rest of a request is Node’s HTTP server, the connection to the upstream, and the system.',
    bench: 'bench/pipeline/run.ts',
  },
  {
    title: 'A client that leaves',
    text: 'Time until the upstream sees its connection cut.\nTarget: at most 50 ms.',
    bench: 'bench/cancel/run.ts',
  },
].map(({ title, text, bench }) => {
  const printed = execFileSync(runtime, [bench], { cwd: root, encoding: 'utf8' });
  return `\n## ${title}\n\n${text}\n\n\`\`\`text\n${printed.trimEnd()}\n\`\`\`\n`;
});
const page = `${report}${sections.join('')}`;
process.stdout.write(page);
if (values.write === true) writeFileSync(new URL('../../docs/reference/performance.md', import.meta.url), page);

async function measureRequests(): Promise<Figure[]> {
  const upstreamPort = await freePort();
  const upstream = await startInstantUpstream(upstreamPort, loadCore);
  const measured: Figure[] = [];
  try {
    const proxies = await startBoth(upstreamPort);
    const idle = residentMegabytes(proxies.gateway.running.pid);
    for (const connections of [1, 16, 64]) {
      for (const proxy of [proxies.nginx, proxies.gateway])
        await runLoad({ ...load(proxy.port, connections), seconds: warmUpSeconds });
      const nginx = await requestFigures(proxies.nginx, connections);
      const gateway = await requestFigures(proxies.gateway, connections);
      measured.push(
        {
          name: `CPU per request, c = ${connections}`,
          unit: 'µs',
          nginx: nginx.cpu,
          gateway: gateway.cpu,
          ...(connections === 16 ? { target: 5 } : {}),
        },
        { name: `requests per second, c = ${connections}`, unit: '1/s', nginx: nginx.rate, gateway: gateway.rate },
        { name: `p50, c = ${connections}`, unit: 'ms', nginx: nginx.p50, gateway: gateway.p50 },
        { name: `p99, c = ${connections}`, unit: 'ms', nginx: nginx.p99, gateway: gateway.p99 },
      );
    }
    measured.push(
      { name: 'memory idle', unit: 'MB', nginx: undefined, gateway: idle },
      {
        name: 'memory under load',
        unit: 'MB',
        nginx: undefined,
        gateway: residentMegabytes(proxies.gateway.running.pid),
        most: 130,
      },
    );
    await proxies.stop();
  } finally {
    await upstream.stop();
  }
  return measured;
}

type Proxy = { readonly port: number; readonly running: Running };

async function startBoth(upstreamPort: number): Promise<{ nginx: Proxy; gateway: Proxy; stop(): Promise<void> }> {
  const nginxPort = await freePort();
  const gatewayPort = await freePort();
  const nginx = await startProxy(nginxPort, proxyCore, upstreamPort);
  const gateway = await startPinned({
    name: 'signalbox',
    core: proxyCore,
    port: gatewayPort,
    folder: root,
    command: [
      runtime,
      'dist/package/bin/signalbox.js',
      'up',
      '--config',
      writeBenchConfig(upstreamPort),
      '--port',
      String(gatewayPort),
    ],
  });
  return {
    nginx: { port: nginxPort, running: nginx },
    gateway: { port: gatewayPort, running: gateway },
    stop: async () => {
      await nginx.stop();
      await gateway.stop();
    },
  };
}

function load(port: number, connections: number): { port: number; connections: number; core: number } {
  return { port, connections, core: loadCore };
}

async function requestFigures(
  proxy: Proxy,
  connections: number,
): Promise<{ cpu: number; rate: number; p50: number; p99: number }> {
  const before = cpuMicroseconds(proxy.running.pid);
  const result = await runLoad({ ...load(proxy.port, connections), seconds });
  const used = cpuMicroseconds(proxy.running.pid) - before;
  if (result.failures > 0)
    throw new Error(`${proxy.running.name}: ${result.failures} of ${result.requests} requests failed`);
  return { cpu: used / result.requests, rate: result.requestsPerSecond, p50: result.p50Ms, p99: result.p99Ms };
}

async function measureStreams(): Promise<Figure[]> {
  const upstreamPort = await freePort();
  const upstream = await startPinned({
    name: 'stream upstream',
    core: loadCore,
    port: upstreamPort,
    folder: here,
    command: [runtime, 'stream-upstream.ts', String(upstreamPort), '300', '10'],
  });
  try {
    const proxies = await startBoth(upstreamPort);
    for (const { port } of [proxies.nginx, proxies.gateway]) await streamLoad(port, warmUpSeconds);
    const nginx = await streamCpu(proxies.nginx);
    const gateway = await streamCpu(proxies.gateway);
    const resident = residentMegabytes(proxies.gateway.running.pid);
    await proxies.stop();
    return [
      { name: 'CPU per streamed chunk, 200 streams, 10 ms gaps', unit: 'µs', nginx, gateway, target: 2.5 },
      { name: 'memory with 200 streams', unit: 'MB', nginx: undefined, gateway: resident, most: 130 },
    ];
  } finally {
    await upstream.stop();
  }
}

async function streamCpu(proxy: Proxy): Promise<number> {
  const before = cpuMicroseconds(proxy.running.pid);
  const result = await streamLoad(proxy.port, seconds);
  const used = cpuMicroseconds(proxy.running.pid) - before;
  if (result.failures > 0 || result.chunks === 0)
    throw new Error(`${proxy.running.name}: streams failed: ${JSON.stringify(result)}`);
  return used / result.chunks;
}

function streamLoad(port: number, length: number): Promise<{ readonly chunks: number; readonly failures: number }> {
  const child = spawn(
    'taskset',
    ['-c', String(loadCore), runtime, 'stream-load.ts', String(port), '200', String(length)],
    {
      cwd: here,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.on('error', reject);
    child.on('exit', () => {
      // Printed by stream-load.ts, one object.
      resolve(JSON.parse(text) as { chunks: number; failures: number });
    });
  });
}

function versionOf(program: string, flag: string): string {
  return execFileSync('sh', ['-c', `${program} ${flag} 2>&1`])
    .toString()
    .trim();
}
