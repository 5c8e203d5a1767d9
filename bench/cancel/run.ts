/**
 * How soon an upstream is left alone once its client is gone: `node bench/cancel/run.ts`. A client
 * cuts its connection before the first token, or in the middle of a stream; what is measured is the
 * time until the upstream sees its own connection cut. The aim is 50 ms at most.
 */
import { connect, type Socket } from 'node:net';
import { delta, openStream, startFakeUpstream } from '../../test/support/fake-upstream.ts';
import { startGateway } from '../../test/support/gateway.ts';

const rounds = 200;
const upstream = await startFakeUpstream(['m']);
const gateway = await startGateway({
  providers: { u: { type: 'openai_compatible', base_url: upstream.url, models: ['m'] } },
});
try {
  console.log(
    ['ms until the upstream knows'.padEnd(32), 'median', 'p99', 'most'].map((one) => one.padStart(10)).join(''),
  );
  for (const [title, inStream] of [
    ['before the first token', false],
    ['in the middle of a stream', true],
  ] as const) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) times.push(await leave(inStream));
    times.sort((a, b) => a - b);
    const cells = [0.5, 0.99, 1].map((part) => (times[Math.ceil(rounds * part) - 1] ?? Number.NaN).toFixed(2));
    console.log([title.padEnd(32), ...cells.map((cell) => cell.padStart(10))].join(''));
  }
} finally {
  await gateway.close();
  await upstream.close();
}

/** One request whose client leaves; the milliseconds until the upstream's connection is cut. */
async function leave(inStream: boolean): Promise<number> {
  upstream.script(openStream(inStream ? [delta({ content: 'Hi' })] : []));
  const count = upstream.requests.length + 1;
  const body = '{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]}';
  const socket = connect(gateway.port, '127.0.0.1');
  const first = firstBytes(socket);
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const request = await upstream.received(count);
  if (inStream) await first;
  const left = performance.now();
  socket.destroy();
  await request.cancelled;
  return performance.now() - left;
}

function firstBytes(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('data', () => resolve());
    socket.once('error', () => resolve());
  });
}
