import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** An address behind which nobody picks up: as a machine that is off, it answers no attempt to connect. */
export type BlackHole = { readonly url: string; close(): Promise<void> };

/** Listens, never accepts, and lets the queue of those who knock be full: the system drops what comes after. */
const listener = `
const { createServer } = require('node:net');
const { parentPort } = require('node:worker_threads');
const server = createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  parentPort.once('message', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
});
`;

/** Knocks that fill the queue, and one more that shows it. */
const mostKnocks = 16;

/** Opens a black hole. */
export async function startBlackHole(): Promise<BlackHole> {
  const worker = new Worker(listener, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  worker.postMessage('stand still');
  const knocks: Socket[] = [];
  for (let isFull = false; !isFull; ) {
    if (knocks.length === mostKnocks) throw new Error('This system lets everybody in');
    const knock = connect(port, '127.0.0.1');
    knock.on('error', () => {});
    knocks.push(knock);
    isFull = await Promise.race([
      once(knock, 'connect').then(() => false),
      new Promise<boolean>((resolve) => {
        setTimeout(() => resolve(true), 300);
      }),
    ]);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      for (const knock of knocks) knock.destroy();
      await worker.terminate();
    },
  };
}
