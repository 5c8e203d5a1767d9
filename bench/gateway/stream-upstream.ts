/**
 * A model server that streams: every request gets the same number of chunks, one each gap.
 * Run as a process of its own: `node stream-upstream.ts PORT CHUNKS GAP_MS`.
 */
import { createServer, type ServerResponse } from 'node:http';

const [port, chunks, gapMs] = process.argv.slice(2).map(Number);
const head = '{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench-backend",';
const opening = `data: ${head}"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n`;
const content = `data: ${head}"choices":[{"index":0,"delta":{"content":" signal"},"finish_reason":null}]}\n\n`;
const finish = `data: ${head}"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n`;

type Stream = { readonly answer: ServerResponse; left: number };
const streams = new Set<Stream>();

createServer((request, answer) => {
  if (request.method !== 'POST') {
    request.resume();
    answer.end('ready');
    return;
  }
  request.resume();
  request.on('end', () => {
    answer.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    answer.write(opening);
    const stream = { answer, left: chunks ?? 0 };
    streams.add(stream);
    answer.on('close', () => streams.delete(stream));
  });
}).listen(port, '127.0.0.1');

setInterval(() => {
  for (const stream of streams) {
    if (stream.left-- > 0) {
      stream.answer.write(content);
      continue;
    }
    streams.delete(stream);
    stream.answer.write(finish);
    stream.answer.end('data: [DONE]\n\n');
  }
}, gapMs ?? 10);
