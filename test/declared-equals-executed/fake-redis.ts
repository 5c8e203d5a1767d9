import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A server that takes every command of Redis, and remembers how it was spoken to. */
export type FakeRedis = {
  readonly port: number;
  /** How the first connection began; waits for one, but not long: there may be none. */
  heard(): Promise<Heard | 'nobody'>;
  /** Connections that are open now stay so and are answered no more, as those of a machine that was switched off. */
  forget(): void;
  close(): void;
};

/** The address that was asked, whether by TLS, as whom and for which database. */
export type Heard = {
  readonly address: string | undefined;
  readonly tls: boolean;
  readonly auth: string | undefined;
  readonly database: string | undefined;
};

const longestWaitMs = 2000;

/** Starts it on every address of this machine. */
export async function startFakeRedis(): Promise<FakeRedis> {
  const first = Promise.withResolvers<Heard>();
  const sockets = new Set<Socket>();
  const forgotten = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (bytes) => {
      if (forgotten.has(socket)) return;
      const isTls = text === '' && bytes[0] === handshake;
      text += bytes.toString('latin1');
      // After its greeting a client asks what the server is; then it has said who it is.
      if (isTls || /\r\ninfo\r\n/i.test(text)) first.resolve(describe(socket, text, isTls));
      for (const _command of bytes.toString('latin1').matchAll(/^\*\d+\r\n/gm)) socket.write('+OK\r\n');
    });
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  return {
    // A listening TCP server has an address with a port.
    port: (server.address() as AddressInfo).port,
    heard: () =>
      Promise.race([first.promise, new Promise<'nobody'>((done) => setTimeout(done, longestWaitMs, 'nobody'))]),
    forget() {
      for (const socket of sockets) forgotten.add(socket);
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** First byte of a TLS connection. */
const handshake = 0x16;

function describe(socket: Socket, text: string, tls: boolean): Heard {
  const [, auth] = /auth\r\n((?:\$\d+\r\n[^\r]*\r\n){1,2})/i.exec(text) ?? [];
  const [, database] = /select\r\n\$\d+\r\n(\d+)/i.exec(text) ?? [];
  return { address: socket.localAddress, tls, auth: auth?.replaceAll(/\$\d+\r\n|\r\n$/g, ''), database };
}
