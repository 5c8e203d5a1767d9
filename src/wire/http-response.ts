/** The first lines of an answer. */
export type ResponseHead = {
  readonly status: number;
  /** By lower-case name; several of one name as one, joined as HTTP says. */
  readonly headers: ReadonlyMap<string, string>;
};

/** Whom a reader tells what comes: one head, data, one end; again for the next answer. */
export type ResponseSink = {
  head(head: ResponseHead): void;
  /** Bytes of the body: a view of what was read, which is gone once this returns. */
  data(bytes: Buffer): void;
  end(): void;
};

/** Longest status line with headers, and longest lines around the chunks of a body. */
const mostHeadBytes = 64 * 1024;
const mostLineBytes = 4096;
const mostTrailerBytes = 16 * 1024;

type Phase =
  | 'head'
  | 'length'
  | 'until-close'
  | 'chunk-size'
  | 'chunk-blank'
  | 'chunk-extension'
  | 'chunk-data'
  | 'chunk-end'
  | 'trailer'
  | 'over';

/**
 * Reads the answers of one HTTP/1.1 connection from its bytes, however they are cut. It is as
 * strict as RFC 9112 lets a client be: what could be read in two ways is refused, since the next
 * answer on the connection would be another's. A class for its identity and lifetime.
 */
export class ResponseReader {
  /** Whether the connection may carry another request once an answer is over. */
  keepsAlive = false;
  /** How long the server says that it keeps an unused connection. */
  keepAliveMs: number | undefined;
  readonly #sink: ResponseSink;
  #phase: Phase = 'over';
  /** The beginning of a head whose end has not come. */
  #begun: Buffer | undefined;
  /** Bytes of heads that announce the answer's, such as 100. */
  #interim = 0;
  /** Bytes that are left of the body or of its chunk. */
  #left = 0;
  /** Bytes of the line or trailer so far, and whether the last one was a carriage return. */
  #line = 0;
  #trailer = 0;
  #isReturn = false;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** Waits for an answer. */
  begin(): void {
    this.#phase = 'head';
    this.#begun = undefined;
    this.#interim = 0;
  }

  /** Takes bytes as they came; gives back what is wrong with them. */
  read(bytes: Buffer): string | undefined {
    let at = 0;
    while (at < bytes.length) {
      const next = this.#step(bytes, at);
      if (typeof next === 'string') return next;
      at = next;
    }
    return undefined;
  }

  /** Takes the end of the connection; says whether an answer was complete with it. */
  close(): boolean {
    if (this.#phase !== 'until-close') return false;
    this.#end();
    return true;
  }

  /** Reads on from a position; gives the next one, or what is wrong. */
  #step(bytes: Buffer, at: number): number | string {
    switch (this.#phase) {
      case 'head':
        return this.#head(bytes, at);
      case 'length':
      case 'chunk-data':
        return this.#body(bytes, at);
      case 'until-close':
        this.#sink.data(at === 0 ? bytes : bytes.subarray(at));
        return bytes.length;
      case 'chunk-size':
        return this.#chunkSize(bytes, at);
      case 'chunk-blank':
        return this.#chunkBlank(bytes, at);
      case 'chunk-extension':
        return this.#chunkExtension(bytes, at);
      case 'chunk-end':
        return this.#chunkEnd(bytes, at);
      case 'trailer':
        return this.#skipTrailer(bytes, at);
      case 'over':
        // What comes unasked may be another's answer.
        this.keepsAlive = false;
        return 'bytes after the end of the answer';
    }
  }

  #head(bytes: Buffer, start: number): number | string {
    const fresh = start === 0 ? bytes : bytes.subarray(start);
    const before = this.#begun?.length ?? 0;
    const text = this.#begun === undefined ? fresh : Buffer.concat([this.#begun, fresh]);
    if (!beginsLikeHttp(text)) return 'it does not begin with HTTP/1.1';
    // The end may lie across two pieces.
    const end = text.indexOf('\r\n\r\n', Math.max(0, before - 3));
    if (this.#interim + (end === -1 ? text.length : end) > mostHeadBytes)
      return `its headers are longer than ${mostHeadBytes} bytes`;
    if (end === -1) {
      // A server that ends its lines otherwise would be waited for in vain.
      if (hasBareFeed(text, before)) return 'one of its lines does not end with CR LF';
      this.#begun = Buffer.from(text);
      return bytes.length;
    }
    this.#begun = undefined;
    const problem = this.#take(text.toString('latin1', 0, end));
    this.#interim += end + 4;
    return problem ?? start + end + 4 - before;
  }

  /** Takes a whole head, and what it says of the body and the connection. */
  #take(text: string): string | undefined {
    const status = readStatus(text);
    if (typeof status === 'string') return status;
    if (status >= 100 && status < 200) return status === 101 ? 'it changes the protocol' : undefined;
    const headers = readHeaders(text);
    if (typeof headers === 'string') return headers;
    const connection = headers.get('connection')?.toLowerCase();
    const isOld = text.startsWith('HTTP/1.0');
    this.keepsAlive = !hasWord(connection, 'close') && (!isOld || hasWord(connection, 'keep-alive'));
    this.keepAliveMs = readKeepAlive(headers.get('keep-alive'));
    const problem = this.#bodyFollows(status, headers, isOld);
    if (problem !== undefined) return problem;
    this.#sink.head({ status, headers });
    if (this.#phase === 'length' && this.#left === 0) this.#end();
    return undefined;
  }

  #bodyFollows(status: number, headers: ReadonlyMap<string, string>, isOld: boolean): string | undefined {
    const coding = headers.get('transfer-encoding');
    const length = headers.get('content-length');
    this.#phase = 'length';
    this.#left = 0;
    if (status === 204 || status === 304) return undefined;
    if (coding !== undefined) {
      if (length !== undefined) return 'it has both content-length and transfer-encoding';
      if (coding.toLowerCase() !== 'chunked') return 'its transfer-encoding is not chunked';
      // HTTP/1.0 has no chunks: something on the way may have lost count (RFC 9112 6.1).
      if (isOld) this.keepsAlive = false;
      this.#beginChunk();
    } else if (length !== undefined) {
      if (!/^\d{1,15}$/.test(length)) return 'its content-length is no number';
      this.#left = Number(length);
    } else {
      this.#phase = 'until-close';
      this.keepsAlive = false;
    }
    return undefined;
  }

  #body(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    this.#sink.data(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    if (this.#left > 0) return end;
    if (this.#phase === 'length') this.#end();
    else if (this.#phase === 'chunk-data') this.#phase = 'chunk-end';
    return end;
  }

  #beginChunk(): void {
    this.#phase = 'chunk-size';
    this.#left = 0;
    this.#line = 0;
  }

  /** Hexadecimal digits up to the line's end or an extension, which says nothing to us. */
  #chunkSize(bytes: Buffer, from: number): number | string {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      const digit = hexDigit(byte);
      if (digit === -1) {
        if (this.#line === 0) return 'a chunk has no size';
        if (byte !== carriageReturn && byte !== semicolon && byte !== space && byte !== tab)
          return 'the size of a chunk is no number';
        this.#phase = 'chunk-blank';
        return at;
      }
      // Twelve digits are 281 TB.
      if (++this.#line > 12) return 'the size of a chunk is too large';
      this.#left = this.#left * 16 + digit;
    }
    return bytes.length;
  }

  /** Some servers pad the size of a chunk with blanks. */
  #chunkBlank(bytes: Buffer, from: number): number | string {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === carriageReturn || byte === semicolon) {
        this.#phase = 'chunk-extension';
        this.#isReturn = false;
        return at;
      }
      if (byte !== space && byte !== tab) return 'the size of a chunk is no number';
      if (++this.#line > mostLineBytes) return longLine;
    }
    return bytes.length;
  }

  #chunkExtension(bytes: Buffer, from: number): number | string {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === lineFeed && this.#isReturn) {
        this.#isReturn = false;
        this.#phase = this.#left > 0 ? 'chunk-data' : 'trailer';
        this.#line = 0;
        this.#trailer = 0;
        return at + 1;
      }
      if (byte === lineFeed || this.#isReturn) return 'the line of a chunk does not end as a line does';
      this.#isReturn = byte === carriageReturn;
      if (++this.#line > mostLineBytes) return longLine;
    }
    return bytes.length;
  }

  #chunkEnd(bytes: Buffer, at: number): number | string {
    const byte = bytes[at];
    if (byte !== (this.#isReturn ? lineFeed : carriageReturn)) return 'a chunk is longer than its size';
    if (this.#isReturn) this.#beginChunk();
    this.#isReturn = !this.#isReturn;
    return at + 1;
  }

  /** Headers behind the last chunk, up to an empty line; they say nothing that is needed. */
  #skipTrailer(bytes: Buffer, from: number): number | string {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (++this.#trailer > mostTrailerBytes) return `its trailers are longer than ${mostTrailerBytes} bytes`;
      if (byte === lineFeed) {
        if (!this.#isReturn) return 'a trailer does not end as a line does';
        this.#isReturn = false;
        if (this.#line === 0) {
          this.#end();
          return at + 1;
        }
        this.#line = 0;
      } else {
        if (this.#isReturn) return 'a trailer does not end as a line does';
        this.#isReturn = byte === carriageReturn;
        if (!this.#isReturn) this.#line++;
      }
    }
    return bytes.length;
  }

  #end(): void {
    this.#phase = 'over';
    this.#sink.end();
  }
}

const longLine = `the line of a chunk is longer than ${mostLineBytes} bytes`;

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const semicolon = 0x3b;
const space = 0x20;
const tab = 0x09;

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

const opening = Buffer.from('HTTP/1.');

/** Whether the bytes so far may begin an answer: a server that speaks something else may never end a line. */
function beginsLikeHttp(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, opening.length);
  for (let at = 0; at < length; at++) if (bytes[at] !== opening[at]) return false;
  return true;
}

/** Whether a line feed stands alone, from a position on. */
function hasBareFeed(bytes: Buffer, from: number): boolean {
  for (let at = bytes.indexOf(lineFeed, from); at !== -1; at = bytes.indexOf(lineFeed, at + 1))
    if (bytes[at - 1] !== carriageReturn) return true;
  return false;
}

function readStatus(text: string): number | string {
  const found = /^HTTP\/1\.[01] ([1-9]\d\d)(?: |\r\n|$)/.exec(text);
  return found === null ? 'its status line cannot be read' : Number(found[1]);
}

/** A name as RFC 9110 has it, and what no line of a head may hold. */
const token = /^[\w!#$%&'*+.^`|~-]+$/;
const control = /[^\t\x20-\x7e\x80-\xff]/;

function readHeaders(text: string): ReadonlyMap<string, string> | string {
  const headers = new Map<string, string>();
  let at = text.indexOf('\r\n');
  if (control.test(at === -1 ? text : text.slice(0, at))) return 'its status line cannot be read';
  while (at !== -1) {
    const start = at + 2;
    at = text.indexOf('\r\n', start);
    const line = at === -1 ? text.slice(start) : text.slice(start, at);
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    // A blank before the name would continue the line before, one behind it is read in two ways.
    if (!token.test(name) || control.test(line)) return 'one of its headers cannot be read';
    const value = withoutBlanks(line, colon + 1);
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

/** Without blanks at both ends: those of HTTP, which are fewer than JavaScript's. */
function withoutBlanks(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start++;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === space || code === tab;
}

function hasWord(list: string | undefined, word: string): boolean {
  return list?.split(',').some((one) => one.trim() === word) ?? false;
}

function readKeepAlive(value: string | undefined): number | undefined {
  const seconds = value === undefined ? null : /(?:^|[,\s])timeout=(\d{1,6})/i.exec(value);
  return seconds === null ? undefined : Number(seconds[1]) * 1000;
}
