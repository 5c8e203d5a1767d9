import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ResponseReader } from './http-response.ts';

/** What a sink hears of a connection, a line a call, with what stood wrong and what is left of the connection. */
function hear(pieces: readonly Buffer[], closes = false): string {
  const heard: string[] = [];
  let body = '';
  let isOver = false;
  const tellBody = (): void => {
    if (body !== '') heard.push(`"${body.length > 40 ? `${body.length} bytes` : body}"`);
    body = '';
  };
  const reader = new ResponseReader({
    head: ({ status, headers }) => heard.push([status, ...headers.keys()].join(' ')),
    data: (bytes) => {
      body += bytes.toString('latin1');
    },
    end: () => {
      tellBody();
      isOver = true;
      heard.push('end');
    },
  });
  reader.begin();
  let problem: string | undefined;
  for (const piece of pieces) problem ??= reader.read(piece);
  tellBody();
  if (problem !== undefined) heard.push(`! ${problem}`);
  else if (closes && !isOver && !reader.close()) heard.push('! cut');
  if (isOver && reader.keepsAlive)
    heard.push(`kept${reader.keepAliveMs === undefined ? '' : ` ${reader.keepAliveMs}`}`);
  return heard.join(', ');
}

type Row = readonly [what: string, bytes: string, heard: string];

/** An answer is heard the same whole, cut in two at every place and byte by byte. */
function check([_what, text, wanted]: Row): void {
  const bytes = Buffer.from(text, 'latin1');
  const closes = wanted.endsWith('end') || wanted.endsWith('cut');
  expect(hear([bytes], closes)).toBe(wanted);
  if (bytes.length > 2000) return;
  for (let at = 1; at < bytes.length; at++)
    expect(hear([bytes.subarray(0, at), bytes.subarray(at)], closes), `cut at ${at}`).toBe(wanted);
  expect(
    hear(
      Array.from(bytes, (byte) => Buffer.of(byte)),
      closes,
    ),
  ).toBe(wanted);
}

/** An answer of lines, with its body behind them. */
const ok = (lines: string, body = '', first = 'HTTP/1.1 200 OK'): string =>
  `${[first, ...lines.split('|').filter(Boolean)].join('\r\n')}\r\n\r\n${body}`;
const chunked = (body: string, end = '0\r\n\r\n'): string => ok('transfer-encoding: chunked', body + end);

const answers: readonly Row[] = [
  ['a length', ok('content-length: 5', 'Hello'), '200 content-length, "Hello", end, kept'],
  ['chunks', chunked('3\r\nHel\r\n2\r\nlo\r\n'), '200 transfer-encoding, "Hello", end, kept'],
  ['no body', ok('content-length: 0'), '200 content-length, end, kept'],
  ['neither: until the connection ends', ok('', 'Hello'), '200, "Hello", end'],
  ['connection: close', ok('content-length: 1|Connection: Close', 'x'), '200 content-length connection, "x", end'],
  ['close among other words', ok('content-length: 0|connection: x, close'), '200 content-length connection, end'],
  ['no reason phrase', ok('content-length: 0', '', 'HTTP/1.1 200'), '200 content-length, end, kept'],
  ['a blank for a reason', ok('content-length: 0', '', 'HTTP/1.1 200 '), '200 content-length, end, kept'],
  [
    'a reason of several words',
    ok('content-length: 0', '', 'HTTP/1.1 529 \xdcber load'),
    '529 content-length, end, kept',
  ],
  ['an empty value', ok('server:|content-length: 0|x: '), '200 server content-length x, end, kept'],
  ['no blank, many blanks', ok('content-length:\t 2 \t', 'ab'), '200 content-length, "ab", end, kept'],
  ['a name twice is one', ok('a: 1|A: 2|content-length: 0'), '200 a content-length, end, kept'],
  ['letters of latin1 in a value', ok('x: caf\xe9|content-length: 0'), '200 x content-length, end, kept'],
  [
    'a word on time',
    ok('content-length: 0|Keep-Alive: timeout=5, max=100'),
    '200 content-length keep-alive, end, kept 5000',
  ],
  ['a word on nothing', ok('content-length: 0|Keep-Alive: max=5'), '200 content-length keep-alive, end, kept'],
  ['zeros before a length', ok('content-length: 0002', 'ab'), '200 content-length, "ab", end, kept'],
  ['chunk extensions', chunked('2;a=b;c="d"\r\nab\r\n', '0;x\r\n\r\n'), '200 transfer-encoding, "ab", end, kept'],
  [
    'blanks behind a chunk’s size',
    chunked('2  \r\nab\r\n', '0 \t;x\r\n\r\n'),
    '200 transfer-encoding, "ab", end, kept',
  ],
  ['a padded chunk size', chunked('00000002\r\nab\r\n', '00\r\n\r\n'), '200 transfer-encoding, "ab", end, kept'],
  [
    'both cases of a chunk’s size',
    chunked(`a\r\n${'x'.repeat(10)}\r\nA\r\n${'x'.repeat(10)}\r\n`),
    '200 transfer-encoding, "xxxxxxxxxxxxxxxxxxxx", end, kept',
  ],
  ['chunked in capitals', ok('Transfer-Encoding: Chunked', '0\r\n\r\n'), '200 transfer-encoding, end, kept'],
  ['trailers', chunked('', '0\r\nx: 1\r\nContent-Length: 7\r\n\r\n'), '200 transfer-encoding, end, kept'],
  ['204', ok('', '', 'HTTP/1.1 204 No Content'), '204, end, kept'],
  ['204 with a length', ok('content-length: 5', '', 'HTTP/1.1 204'), '204 content-length, end, kept'],
  ['304 with chunks', ok('transfer-encoding: chunked', '', 'HTTP/1.1 304'), '304 transfer-encoding, end, kept'],
  ['100 first', `HTTP/1.1 100 Continue\r\n\r\n${ok('content-length: 0')}`, '200 content-length, end, kept'],
  [
    '103 first, with headers',
    `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${ok('content-length: 0')}`,
    '200 content-length, end, kept',
  ],
  ['HTTP/1.0', ok('content-length: 1', 'x', 'HTTP/1.0 200 OK'), '200 content-length, "x", end'],
  [
    'HTTP/1.0 that stays',
    ok('content-length: 1|connection: keep-alive', 'x', 'HTTP/1.0 200 OK'),
    '200 content-length connection, "x", end, kept',
  ],
  ['HTTP/1.0 without a length', ok('connection: keep-alive', 'x', 'HTTP/1.0 200 OK'), '200 connection, "x", end'],
  [
    'HTTP/1.0 with chunks',
    ok('connection: keep-alive|transfer-encoding: chunked', '0\r\n\r\n', 'HTTP/1.0 200 OK'),
    '200 connection transfer-encoding, end',
  ],
  [
    'close wins over keep-alive',
    ok('connection: keep-alive, close|content-length: 0', '', 'HTTP/1.0 200 OK'),
    '200 connection content-length, end',
  ],
  ['a status that nobody knows', ok('content-length: 0', '', 'HTTP/1.1 999 What'), '999 content-length, end, kept'],
];

/** As they come from the wire of the servers that people run. */
const servers: readonly Row[] = [
  [
    'llama.cpp',
    ok(
      'Keep-Alive: timeout=5, max=100|Content-Type: text/event-stream|Server: llama.cpp|Access-Control-Allow-Origin: |Transfer-Encoding: chunked',
      '6\r\ndata: \r\n0\r\n\r\n',
    ),
    '200 keep-alive content-type server access-control-allow-origin transfer-encoding, "data: ", end, kept 5000',
  ],
  [
    'Ollama',
    ok(
      'Content-Type: application/x-ndjson|Date: Wed, 25 Nov 2026 12:00:00 GMT|Transfer-Encoding: chunked',
      '3\r\n{}\n\r\n0\r\n\r\n',
    ),
    '200 content-type date transfer-encoding, "{}\n", end, kept',
  ],
  [
    'vLLM (uvicorn)',
    ok('date: Wed, 25 Nov 2026 12:00:00 GMT|server: uvicorn|content-length: 2|content-type: application/json', '{}'),
    '200 date server content-length content-type, "{}", end, kept',
  ],
  [
    'LM Studio (Express)',
    ok(
      'X-Powered-By: Express|Content-Type: text/event-stream|Connection: keep-alive|Keep-Alive: timeout=5|Transfer-Encoding: chunked',
      '0\r\n\r\n',
    ),
    '200 x-powered-by content-type connection keep-alive transfer-encoding, end, kept 5000',
  ],
  [
    'nginx',
    ok('Server: nginx|Content-Length: 3|Connection: close', '502', 'HTTP/1.1 502 Bad Gateway'),
    '502 server content-length connection, "502", end',
  ],
  [
    'Cloudflare',
    ok(
      'CF-RAY: 8f-FRA|Set-Cookie: __cf_bm=a; path=/|Set-Cookie: _cfuvid=b; path=/|alt-svc: h3=":443"; ma=86400|Report-To: {"max_age":1}|transfer-encoding: chunked|Connection: keep-alive',
      '2\r\n{}\r\n0\r\n\r\n',
    ),
    '200 cf-ray set-cookie alt-svc report-to transfer-encoding connection, "{}", end, kept',
  ],
  [
    'Python’s http.server',
    ok('Server: BaseHTTP/0.6 Python/3.13|Content-type: application/json', '{}', 'HTTP/1.0 200 OK'),
    '200 server content-type, "{}", end',
  ],
];

const unreadable = '! one of its headers cannot be read';
const noStatus = '! its status line cannot be read';
const noHttp = '! it does not begin with HTTP/1.1';
const noSize = '! the size of a chunk is no number';
const t = '200 transfer-encoding';

/** What could be read in two ways, or never ends. */
const refused: readonly Row[] = [
  ['two lengths', ok('content-length: 5|content-length: 6', 'Hello'), '! its content-length is no number'],
  ['one length twice', ok('content-length: 5|content-length: 5', 'Hello'), '! its content-length is no number'],
  ['a list of lengths', ok('content-length: 5, 5', 'Hello'), '! its content-length is no number'],
  ['no length', ok('content-length:'), '! its content-length is no number'],
  ['a signed length', ok('content-length: +5', 'Hello'), '! its content-length is no number'],
  ['a hexadecimal length', ok('content-length: 0x5', 'Hello'), '! its content-length is no number'],
  ['a length beyond counting', ok('content-length: 9007199254740993'), '! its content-length is no number'],
  ['a length behind another blank', ok('content-length: \xa05', 'Hello'), '! its content-length is no number'],
  [
    'a length and chunks',
    ok('content-length: 5|transfer-encoding: chunked'),
    '! it has both content-length and transfer-encoding',
  ],
  ['another coding', ok('transfer-encoding: gzip, chunked'), '! its transfer-encoding is not chunked'],
  [
    'chunked twice',
    ok('transfer-encoding: chunked|transfer-encoding: chunked'),
    '! its transfer-encoding is not chunked',
  ],
  ['an empty coding', ok('transfer-encoding:'), '! its transfer-encoding is not chunked'],
  ['a hidden coding', ok('transfer-encoding: \x0bchunked'), unreadable],
  ['a folded header', ok('x: a| b'), unreadable],
  ['a folded first header', ok(' x: a'), unreadable],
  ['a blank before the colon', ok('content-length : 5', 'Hello'), unreadable],
  ['no colon', ok('content-length'), unreadable],
  ['no name', ok(': 5'), unreadable],
  ['a name with a letter outside', ok('caf\xe9: 5'), unreadable],
  ['NUL in a value', ok('x: a\0b'), unreadable],
  ['NUL in a name', ok('x\0: a'), unreadable],
  ['a bare CR in a value', ok('x: a\rcontent-length: 5'), unreadable],
  ['a bare CR in the status', ok('', '', 'HTTP/1.1 200 O\rK'), noStatus],
  ['a status of two digits', ok('', '', 'HTTP/1.1 20 OK'), noStatus],
  ['a status of four digits', ok('', '', 'HTTP/1.1 2000 OK'), noStatus],
  ['a status below 100', ok('', '', 'HTTP/1.1 099 OK'), noStatus],
  ['two blanks before the status', ok('', '', 'HTTP/1.1  200 OK'), noStatus],
  ['another minor version', ok('', '', 'HTTP/1.2 200 OK'), noStatus],
  ['HTTP/2 in the words of HTTP/1', ok('', '', 'HTTP/2 200'), noHttp],
  ['an HTTP/2 frame', '\0\0\x12\x04\0\0\0\0\0', noHttp],
  ['the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', noHttp],
  ['HTTP/0.9', '<html>Hello</html>', noHttp],
  ['SSH', 'SSH-2.0-OpenSSH_9.6\r\n', noHttp],
  ['a TLS alert', '\x15\x03\x01\0\x02\x02\x46', noHttp],
  ['an empty line first', `\r\n${ok('content-length: 0')}`, noHttp],
  ['101', ok('upgrade: websocket', '', 'HTTP/1.1 101 Switching Protocols'), '! it changes the protocol'],
  ['a chunk without a size', chunked('\r\n'), `${t}, ! a chunk has no size`],
  ['a signed chunk', chunked('+2\r\nab\r\n'), `${t}, ! a chunk has no size`],
  ['a negative chunk', chunked('-2\r\nab\r\n'), `${t}, ! a chunk has no size`],
  ['a chunk size behind a blank', chunked(' 2\r\nab\r\n'), `${t}, ! a chunk has no size`],
  ['a chunk of 0x', chunked('0x2\r\nab\r\n'), `${t}, ${noSize}`],
  ['a chunk size in two words', chunked('2 2\r\nab\r\n'), `${t}, ${noSize}`],
  ['a chunk size with NUL', chunked('2\0\r\nab\r\n'), `${t}, ${noSize}`],
  ['a chunk size beyond counting', chunked('fffffffffffff\r\n'), `${t}, ! the size of a chunk is too large`],
  ['a chunk size that wraps to 2', chunked('10000000000000002\r\nab\r\n'), `${t}, ! the size of a chunk is too large`],
  ['a chunk line with LF alone', chunked('2\nab\r\n'), `${t}, ${noSize}`],
  ['an extension with LF alone', chunked('2;a\nab\r\n'), `${t}, ! the line of a chunk does not end as a line does`],
  [
    'an extension with CR alone',
    chunked('2;a\rb\r\nab\r\n'),
    `${t}, ! the line of a chunk does not end as a line does`,
  ],
  ['a chunk longer than its size', chunked('2\r\nabc\r\n'), `${t}, "ab", ! a chunk is longer than its size`],
  ['a chunk that ends with LF alone', chunked('2\r\nab\n'), `${t}, "ab", ! a chunk is longer than its size`],
  ['a trailer with LF alone', chunked('', '0\r\nx: 1\n\r\n'), `${t}, ! a trailer does not end as a line does`],
  ['a trailer with CR alone', chunked('', '0\r\nx: 1\ry\r\n\r\n'), `${t}, ! a trailer does not end as a line does`],
  ['an endless head', ok(`x: ${'y'.repeat(66_000)}`), '! its headers are longer than 65536 bytes'],
  [
    'a head that never ends',
    `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(66_000)}`,
    '! its headers are longer than 65536 bytes',
  ],
  ['endless extensions', chunked(`2;${'x'.repeat(5000)}`), `${t}, ! the line of a chunk is longer than 4096 bytes`],
  ['endless blanks', chunked(`2${' '.repeat(5000)}`), `${t}, ! the line of a chunk is longer than 4096 bytes`],
  [
    'endless trailers',
    chunked('', `0\r\n${'x: 1\r\n'.repeat(4000)}`),
    `${t}, ! its trailers are longer than 16384 bytes`,
  ],
  ['endless 100s', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(4000), '! its headers are longer than 65536 bytes'],
  [
    'bytes after the end',
    ok('content-length: 2', 'abc'),
    '200 content-length, "ab", end, ! bytes after the end of the answer',
  ],
  [
    'a second answer',
    `${ok('content-length: 0')}${ok('content-length: 0')}`,
    '200 content-length, end, ! bytes after the end of the answer',
  ],
  ['bytes after the last chunk', chunked('', '0\r\n\r\nx'), `${t}, end, ! bytes after the end of the answer`],
  [
    '204 with a body',
    ok('content-length: 1', 'x', 'HTTP/1.1 204'),
    '204 content-length, end, ! bytes after the end of the answer',
  ],
  [
    '304 with chunks and a body',
    ok('transfer-encoding: chunked', '0\r\n\r\n', 'HTTP/1.1 304'),
    '304 transfer-encoding, end, ! bytes after the end of the answer',
  ],
];

describe('upstream answers: each is heard the same however its bytes are cut', () => {
  test.each(answers)('%s', (...row) => check(row));
  test.each(servers)('as %s sends it', (...row) => check(row));
  test.each(refused)('refused: %s', (...row) => check(row));

  test.each([['HTTP/1.1 200 OK\ncontent-length: 0\n\n'], ['HTTP/1.1 200 OK\r\ncontent-length: 0\n\r\n']])(
    'lines that end with LF alone are refused, not waited for: %j',
    (text) => {
      const bytes = Buffer.from(text);
      for (let at = 1; at <= bytes.length; at++)
        expect(hear([bytes.subarray(0, at), bytes.subarray(at)], false)).toMatch(/^! one of its (?:lines|headers)/);
    },
  );

  test.each([
    ['a length', ok('content-length: 5', 'Hello')],
    ['chunks', chunked('5\r\nHello\r\n', '0\r\nx: y\r\n\r\n')],
  ])('%s, cut off after any byte, is never taken for whole', (_what, text) => {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at++) {
      const heard = hear([bytes.subarray(0, at)], true);
      expect(heard).toMatch(/! cut$/);
      expect(heard).not.toContain('end');
    }
  });
});

describe('upstream answers: any answer in any pieces', () => {
  const body = fc.string({ unit: 'binary-ascii', maxLength: 60 });
  const answer = fc.oneof(
    body.map((text) => ok(`content-length: ${text.length}`, text)),
    fc
      .array(
        fc.tuple(
          body.filter((text) => text !== ''),
          fc.constantFrom('', ';a', ' ', ' ;a="b"'),
        ),
        { maxLength: 4 },
      )
      .map((chunks) =>
        chunked(chunks.map(([text, more]) => `${text.length.toString(16)}${more}\r\n${text}\r\n`).join('')),
      ),
    // What is broken somewhere must be broken in the same way.
    fc
      .tuple(fc.constantFrom(...[...answers, ...refused].map(([, text]) => text)), fc.nat(), fc.nat({ max: 255 }))
      .map(([text, at, byte]) => {
        const place = at % Math.min(text.length, 300);
        return text.slice(0, place) + String.fromCharCode(byte) + text.slice(place + 1);
      }),
  );
  test('is heard the same', () => {
    fc.assert(
      fc.property(answer, fc.array(fc.nat(), { maxLength: 8 }), (text, places) => {
        const bytes = Buffer.from(text, 'latin1');
        const at = [...new Set([0, ...places.map((place) => place % bytes.length), bytes.length])].sort(
          (a, b) => a - b,
        );
        const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        const [whole, cut] = [hear([bytes], true), hear(pieces, true)];
        // A head with several faults is refused for the first that shows.
        if (whole.startsWith('!')) expect(cut).toMatch(/^!/);
        else expect(cut).toBe(whole);
      }),
      { numRuns: 2000, seed: 7 },
    );
  });
});
