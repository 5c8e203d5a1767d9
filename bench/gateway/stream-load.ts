/**
 * Clients of streams: keeps CONCURRENCY streams open for SECONDS and prints what they received,
 * as JSON. Run as a process of its own: `node stream-load.ts PORT CONCURRENCY SECONDS`.
 */
import { connect } from 'node:net';

const [port, concurrency, duration] = process.argv.slice(2).map(Number);
const body = JSON.stringify({
  model: 'bench',
  stream: true,
  messages: [{ role: 'user', content: 'Tell me about signal boxes, word by word.' }],
});
const request = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

const until = performance.now() + (duration ?? 5) * 1000;
const counted = { chunks: 0, streams: 0, failures: 0 };
const mark = Buffer.from('data: {');
const done = Buffer.from('[DONE]');

function open(): void {
  const socket = connect({ port: port ?? 0, host: '127.0.0.1', noDelay: true }, () => socket.write(request));
  socket.on('data', (chunk) => {
    for (let at = chunk.indexOf(mark); at !== -1; at = chunk.indexOf(mark, at + mark.length)) counted.chunks++;
    if (chunk.indexOf(done) === -1) return;
    counted.streams++;
    if (performance.now() < until) socket.write(request);
    else socket.end();
  });
  socket.on('error', () => {
    counted.failures++;
  });
}

for (let at = 0; at < (concurrency ?? 1); at++) open();
// Streams that have begun are counted in their measured part only.
setTimeout(
  () => {
    process.stdout.write(`${JSON.stringify(counted)}\n`, () => process.exit(0));
  },
  (duration ?? 5) * 1000,
);
