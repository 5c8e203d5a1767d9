import type { Socket } from 'node:net';
import { asBuffer } from '../wire/as-buffer.ts';

/** Largest body that goes out in one piece with its head; a larger one is not worth the copy. */
const smallBody = 16 * 1024;

/**
 * A small body as a text in latin1, where each byte is one letter, so that none changes; undefined
 * for a large one. A head and a text are written as one piece, a head and bytes as two, which costs
 * the system more (bench/gateway).
 */
export function inOnePiece(body: Uint8Array): string | undefined {
  return body.length > smallBody ? undefined : asBuffer(body).toString('latin1');
}

/** Writes a head, bytes and a tail in as few pieces as is worth it; says whether more may follow at once. */
export function writeTogether(socket: Socket, head: string, bytes: Uint8Array, tail: string): boolean {
  const letters = inOnePiece(bytes);
  if (letters !== undefined) return socket.write(head + letters + tail, 'latin1');
  socket.cork();
  socket.write(head, 'latin1');
  let isTaken = socket.write(bytes);
  if (tail !== '') isTaken = socket.write(tail, 'latin1');
  socket.uncork();
  return isTaken;
}
