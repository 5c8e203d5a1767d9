import { asBuffer } from '../wire/as-buffer.ts';

/** So many pieces are put together before more come. */
const mostApart = 256;

/**
 * Bytes that come in pieces and are wanted as one. A buffer costs some hundred bytes beside its own,
 * so a body that comes letter by letter would take hundreds of times its size: many pieces become
 * one as they come. A class, since every request has two, and a closure would cost more.
 */
export class Pieces {
  #apart: Buffer[] = [];
  #together: Buffer[] | undefined;

  /** Takes a piece; it is kept as it is, so it must not be written to again. */
  add(piece: Uint8Array): void {
    this.#apart.push(asBuffer(piece));
    if (this.#apart.length < mostApart) return;
    this.#together ??= [];
    this.#together.push(Buffer.concat(this.#apart));
    this.#apart = [];
  }

  /** All of them as one; a single piece is given back as it came. */
  join(): Buffer {
    if (this.#together !== undefined) return Buffer.concat([...this.#together, ...this.#apart]);
    const [first] = this.#apart;
    return first !== undefined && this.#apart.length === 1 ? first : Buffer.concat(this.#apart);
  }
}
