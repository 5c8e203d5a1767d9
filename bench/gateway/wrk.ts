import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './temporary-folder.ts';

const execute = promisify(execFile);

/** What one run of wrk measured. */
export type LoadResult = {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
};

const body = JSON.stringify({
  model: 'bench',
  messages: [
    { role: 'system', content: 'You are a concise assistant.' },
    { role: 'user', content: 'What does a railway signal box do, and why does it matter for safety?' },
  ],
  temperature: 0.2,
  max_tokens: 64,
});

/** Posts one small chat over keep-alive connections as fast as they are answered. */
export async function runLoad(options: {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly core: number;
}): Promise<LoadResult> {
  const folder = temporaryFolder('wrk');
  const script = join(folder, 'post.lua');
  writeFileSync(
    script,
    `wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\nwrk.body = ${JSON.stringify(body)}\n` +
      'done = function(s, l) io.write(string.format("RESULT %d %d %d %d %d\\n", s.requests, s.duration, l:percentile(50), l:percentile(99), s.errors.status + s.errors.read + s.errors.write + s.errors.timeout + s.errors.connect)) end\n',
  );
  const { stdout } = await execute('taskset', [
    '-c',
    String(options.core),
    'wrk',
    '-t1',
    `-c${options.connections}`,
    `-d${options.seconds}s`,
    '-s',
    script,
    `http://127.0.0.1:${options.port}/v1/chat/completions`,
  ]);
  const found = /RESULT (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(stdout);
  if (found === null) throw new Error(`wrk said nothing that can be read:\n${stdout}`);
  const [requests = 0, durationUs = 1, p50Us = 0, p99Us = 0, failures = 0] = found.slice(1).map(Number);
  return {
    requests,
    requestsPerSecond: requests / (durationUs / 1e6),
    p50Ms: p50Us / 1000,
    p99Ms: p99Us / 1000,
    failures,
  };
}
