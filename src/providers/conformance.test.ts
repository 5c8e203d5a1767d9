import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { requestId } from '../plan/ids.ts';
import type { Endpoint } from '../plan/request-facts.ts';
import { createAnswerAssembler } from '../wire/assemble-answer.ts';
import { createSseFramer } from '../wire/sse.ts';
import type {
  CanonicalRequest,
  DialectCases,
  ErrorRow,
  ProbeRow,
  RequestRow,
  StreamRow,
  WholeRow,
} from './fixtures/cases.ts';
import { makeDeployment, makeProvider, makeScan } from './fixtures/make.ts';
import type { AnswerReading, BuildInput, Dialect, HeaderList, ReadContext, StreamPart } from './provider.ts';

/*
 * One table for all dialects: each has a folder in `fixtures/` of its file's name, with `cases.json`
 * (the rows, see `fixtures/cases.ts`) and its recordings. Adding a dialect is adding a folder;
 * adding a case is adding a row. A row is missing for no canonical request.
 */

const folder = new URL('./fixtures/', import.meta.url);
const fixture = (path: string): Buffer => readFileSync(new URL(path, folder));
const asked = 'asked';

for (const name of dialectFolders()) {
  const cases = casesOf(name);
  const dialect = await loadDialect(cases.dialect ?? name);
  const bytesOf = (row: { readonly file?: string; readonly body?: string }): Buffer =>
    row.file === undefined ? Buffer.from(row.body ?? '') : fixture(`${name}/${row.file}`);

  describe(`spine 3.2: ${name}`, () => {
    test.each(canonicalRequests())('request $name', (request) => {
      const row = cases.requests[request.name];
      if (row === undefined) throw new Error(`fixtures/${name}/cases.json has no row for "${request.name}"`);
      checkRequest(dialect, cases, request, row);
    });
    test.each(cases.wholes)('whole answer: $name', (row) =>
      checkWhole(readingOf(cases, dialect, row.endpoint), row, bytesOf(row)),
    );
    test.each(cases.streams)('spine 3.4: stream: $name', (row) =>
      checkStream(readingOf(cases, dialect, row.endpoint), row, bytesOf(row)),
    );
    test.each(cases.errors)('error $status $body', (row) => checkError(dialect, row));
    test.each(cases.probes)('probe: $name', (row) => checkProbe(dialect, row, (path) => fixture(`${name}/${path}`)));
  });
}

test('spine 3.2: every dialect has cases', () => {
  const isDialect = (path: string): boolean =>
    /: Dialect = \{$/m.test(readFileSync(new URL(path, import.meta.url), 'utf8'));
  const files = readdirSync(new URL('./', import.meta.url)).filter(
    (name) => name.endsWith('.ts') && isDialect(`./${name}`),
  );
  const covered = dialectFolders().filter((name) => casesOf(name).dialect === undefined);
  expect(covered).toEqual(files.map((name) => name.replace('.ts', '')).sort());
});

function casesOf(name: string): DialectCases {
  return JSON.parse(fixture(`${name}/cases.json`).toString('utf8'));
}

function dialectFolders(): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && entry.name !== 'requests')
    .map((entry) => entry.name)
    .sort();
}

async function loadDialect(name: string): Promise<Dialect> {
  const exports: { [name: string]: unknown } = await import(
    /* @vite-ignore */ new URL(`./${name}.ts`, import.meta.url).href
  );
  const isDialect = (value: unknown): value is Dialect =>
    typeof value === 'object' && value !== null && 'buildRequest' in value;
  const found = Object.values(exports).find(isDialect);
  if (found === undefined) throw new Error(`src/providers/${name}.ts exports no dialect`);
  return found;
}

function canonicalRequests(): readonly CanonicalRequest[] {
  const rows: { [name: string]: { endpoint: Endpoint; stream?: boolean; wantsUsage?: boolean } } = JSON.parse(
    fixture('requests.json').toString('utf8'),
  );
  return Object.entries(rows).map(([name, row]) => ({
    name,
    endpoint: row.endpoint,
    stream: row.stream === true,
    wantsUsage: row.wantsUsage === true,
    body: fixture(`requests/${name}.json`),
  }));
}

function inputOf(cases: DialectCases, dialect: Dialect, request: CanonicalRequest): BuildInput {
  return {
    ...request,
    scan: makeScan(request.body),
    provider: makeProvider({ dialect: dialect.name, ...cases.provider }),
    deployment: makeDeployment(cases.deployment),
    model: 'sent',
    headers: new Map([
      ['cookie', 'session=1'],
      ['authorization', 'Bearer of-the-client'],
      ['x-stainless-lang', 'js'],
    ]),
  };
}

/** How the answers to a request of these cases are read: by the wire that the request was built for. */
function readingOf(cases: DialectCases, dialect: Dialect, endpoint: Endpoint = 'chat'): AnswerReading {
  const request = canonicalRequests().find((one) => one.endpoint === endpoint);
  if (request === undefined || dialect.answerLocally !== undefined) return dialect;
  const built = dialect.buildRequest(inputOf(cases, dialect, request));
  return built.kind === 'request' ? (built.request.reading ?? dialect) : dialect;
}

function contextOf(endpoint: Endpoint, encodingFormat?: 'float' | 'base64'): ReadContext {
  return {
    endpoint,
    askedModel: asked,
    requestId: requestId('request-1'),
    createdAt: 1_700_000_000,
    encodingFormat,
  };
}

function checkRequest(dialect: Dialect, cases: DialectCases, request: CanonicalRequest, row: RequestRow): void {
  const input = inputOf(cases, dialect, request);
  if ('locally' in row) {
    const local = dialect.answerLocally?.(input, contextOf(request.endpoint));
    if (local === undefined) throw new Error('the dialect has no answer of its own');
    expect(local.kind).toBe(request.stream ? 'stream' : 'whole');
    if (local.kind === 'stream') expect(assembled(local.parts)).toMatchObject(row.locally as object);
    else if (local.answer.kind === 'answer') expect(json(local.answer.body)).toMatchObject(row.locally as object);
    else throw new Error(local.answer.failure.message);
    return;
  }
  const built = dialect.buildRequest(input);
  if ('refused' in row) {
    expect(built.kind === 'refused' ? built.failure.kind : 'request').toBe(row.refused);
    return;
  }
  if (built.kind === 'refused') throw new Error(built.failure.message);
  const upstream = built.request;
  expect(upstream.path).toBe(row.path);
  expect(upstream.streams).toBe(row.streams ?? request.stream);
  expect(upstream.headers.filter((_, at) => at % 2 === 0)).not.toContain('authorization');
  expect(upstream.headers.join(' ')).not.toMatch(/session=1|of-the-client|stainless/);
  expect(headersOf(upstream.headers)).toMatchObject({ 'content-type': 'application/json', ...row.headers });
  const sent = Buffer.from(upstream.body).toString('utf8');
  if (row.body !== undefined) {
    expect(JSON.parse(sent)).toEqual(row.body);
    expect(upstream.edits).toContain('translated');
    return;
  }
  const wanted = { ...(json(request.body) as object), ...row.changed } as { [key: string]: unknown };
  for (const key of row.removed ?? []) delete wanted[key];
  expect(JSON.parse(sent)).toEqual(wanted);
  // What no edit names keeps its bytes: numbers beyond double precision, escapes, blanks.
  for (const literal of ['12345678901234567890', '1.50', '\\u00e9', '"messages": [{"role"']) {
    expect(sent.includes(literal)).toBe(Buffer.from(request.body).includes(literal));
  }
}

function headersOf(list: HeaderList): { readonly [name: string]: string } {
  const headers: { [name: string]: string } = {};
  for (let at = 0; at < list.length; at += 2) headers[list[at] ?? ''] = list[at + 1] ?? '';
  return headers;
}

function checkWhole(reading: AnswerReading, row: WholeRow, body: Buffer): void {
  const answer = reading.readWhole(body, contextOf(row.endpoint ?? 'chat', row.encodingFormat));
  if (answer.kind === 'failed') {
    expect(answer.failure.kind).toBe(row.expect.failed ?? `no failure: ${answer.failure.message}`);
    return;
  }
  expect('answer').toBe(row.expect.failed ?? 'answer');
  expect(json(answer.body)).toMatchObject({ model: asked, ...(row.expect.answer as object) });
  if (row.expect.usage !== undefined) expect(answer.usage).toMatchObject(row.expect.usage as object);
  if (row.expect.finish !== undefined) expect(answer.finish).toBe(row.expect.finish);
}

function checkStream(reading: AnswerReading, row: StreamRow, body: Buffer): void {
  const endpoint = row.endpoint ?? 'chat';
  const parts = readStream(reading, endpoint, [body]);
  const kinds = parts.map((part) => part.kind).filter((kind, at, all) => kind !== all[at - 1]);
  expect(kinds.join(' ')).toBe(row.expect.kinds);
  const failed = parts.find((part) => part.kind === 'failed');
  expect(failed?.failure.kind).toBe(row.expect.failed);
  const usage = parts.findLast((part) => 'usage' in part && part.usage !== undefined);
  if (row.expect.usage !== undefined) expect(usage).toMatchObject({ usage: row.expect.usage });
  const finish = parts.find((part) => part.kind === 'finish');
  expect(finish?.reason).toBe(row.expect.finish);
  const chunks = chunksOf(parts);
  for (const chunk of chunks) {
    expect(chunk).toMatchObject({ model: asked });
    expect(Array.isArray(chunk['choices'])).toBe(true);
  }
  if (row.expect.answer !== undefined) expect(assembled(parts)).toMatchObject(row.expect.answer as object);

  // However the bytes are cut, the chunks and the end are the same.
  const outcome = outcomeOf(parts);
  const bytewise = Array.from(body, (byte) => Uint8Array.of(byte));
  expect(outcomeOf(readStream(reading, endpoint, bytewise))).toEqual(outcome);
  for (let at = 1; at < body.length; at += Math.max(1, Math.floor(body.length / 200))) {
    const pieces = [body.subarray(0, at), body.subarray(at)];
    expect(outcomeOf(readStream(reading, endpoint, pieces))).toEqual(outcome);
  }
}

function readStream(reading: AnswerReading, endpoint: Endpoint, pieces: readonly Uint8Array[]): readonly StreamPart[] {
  const reader = reading.createStreamReader(contextOf(endpoint));
  const parts = [...pieces.flatMap((piece) => reader.read(piece)), ...reader.end()];
  // Whatever the stream holds, it ends once.
  expect(parts.filter((part) => part.kind === 'done' || part.kind === 'failed')).toHaveLength(1);
  expect(['done', 'failed']).toContain(parts.at(-1)?.kind);
  return parts;
}

type Chunk = { readonly [key: string]: unknown };

function chunksOf(parts: readonly StreamPart[]): readonly Chunk[] {
  const framer = createSseFramer();
  const events = parts.flatMap((part) => ('bytes' in part ? framer.push(part.bytes) : []));
  expect(framer.end()).toEqual([]);
  return events.map((event) => JSON.parse(event.data));
}

function outcomeOf(parts: readonly StreamPart[]): unknown {
  // Ids that a dialect makes up itself are random to nobody: they come from the request's.
  return [chunksOf(parts), parts.at(-1)];
}

function assembled(parts: readonly StreamPart[]): unknown {
  const assembler = createAnswerAssembler();
  for (const part of parts) if ('bytes' in part) assembler.add(part.bytes);
  return json(assembler.finish());
}

function checkError(dialect: Dialect, row: ErrorRow): void {
  const headers = new Map(Object.entries(row.headers ?? {}));
  const failure = dialect.readError(
    { status: row.status, headers, body: Buffer.from(row.body) },
    Date.UTC(2026, 10, 24, 12),
  );
  expect(failure.kind).toBe(row.expect.kind);
  expect(failure.upstreamStatus).toBe(row.status);
  expect(failure.retryAfterMs).toBe(row.expect.retryAfterMs);
  if (row.expect.message !== undefined) expect(failure.message).toContain(row.expect.message);
  expect(failure.message).not.toMatch(/https?:|127\.0\.0\.1|sk-/);
}

function checkProbe(dialect: Dialect, row: ProbeRow, read: (path: string) => Buffer): void {
  const answers = row.answers.map((answer) => ({
    path: answer.path,
    status: answer.status,
    body: answer.file === undefined ? (answer.body ?? '') : read(answer.file).toString('utf8'),
  }));
  expect(dialect.readProbe(answers)).toMatchObject(row.expect as object);
  if (row.recognised !== undefined) expect(dialect.recognises(answers)).toBe(row.recognised);
}

function json(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString('utf8'));
}
