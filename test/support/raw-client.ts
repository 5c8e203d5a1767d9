import { connect, type Socket } from 'node:net';

/** A connection on which bytes are sent as they are, for what no HTTP client would send. */
export type RawClient = {
  readonly socket: Socket;
  /** Everything that came, once it matches; rejects if the connection is closed before. */
  reads(wanted: RegExp): Promise<string>;
  /** Everything that came, once the connection is closed, by whomever. */
  readonly closed: Promise<string>;
};

/** Connects to a port of this machine, and sends bytes. */
export function sendRaw(port: number, bytes: string | Uint8Array): RawClient {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  const watchers = new Set<() => void>();
  socket.on('data', (piece: Buffer) => {
    text += piece.toString('latin1');
    for (const watch of watchers) watch();
  });
  // A reset is an end as good as any other here.
  socket.on('error', () => {});
  const closed = new Promise<string>((resolve) => {
    socket.on('close', () => resolve(text));
  });
  socket.write(bytes);
  return {
    socket,
    closed,
    reads: (wanted) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          if (!wanted.test(text)) return;
          watchers.delete(watch);
          resolve(text);
        };
        watchers.add(watch);
        watch();
        void closed.then(() => reject(new Error(`The connection was closed after: ${text.slice(0, 1000)}`)));
      }),
  };
}

/** A POST with a JSON body, as the bytes of HTTP/1.1. */
export function rawPost(path: string, body: string, headers: readonly string[] = []): string {
  const lines = [`POST ${path} HTTP/1.1`, 'host: localhost', `content-length: ${Buffer.byteLength(body)}`, ...headers];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
