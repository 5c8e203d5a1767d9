import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { mostPendingBytes } from './line-batch.ts';
import { createLogFile } from './log-file.ts';
import type { LogRecord } from './log-record.ts';
import { createLogWriter } from './log-writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'signalbox-log-'));
afterAll(() => rmSync(folder, { recursive: true }));

const record = (n: number, note = ''): LogRecord => ({
  timestamp: '2026-11-24T08:00:00.000Z',
  level: 'info',
  event: 'request_routed',
  n,
  note,
});
const numbers = (text: string): unknown[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line)['n'] ?? JSON.parse(line)['event']);

test('spine 3.10: lines come whole and in order, in the file and on standard output, also one that is larger than a batch', async () => {
  const file = join(folder, 'order.jsonl');
  let shown = '';
  const output = {
    write(bytes: Uint8Array, done: () => void) {
      shown += Buffer.from(bytes).toString();
      done();
    },
    style: 'json',
    colour: false,
  } as const;
  const writer = createLogWriter({ output, file });
  const notes = Array.from({ length: 300 }, (_none, index) => (index === 150 ? 'é'.repeat(70_000) : 'ü'.repeat(index)));
  for (const [index, note] of notes.entries()) writer.write(record(index, note));
  await writer.close();
  expect(numbers(shown)).toEqual(notes.map((_note, index) => index));
  expect(readFileSync(file, 'utf8')).toBe(shown);
  expect(statSync(file).mode & 0o077).toBe(0);
});

test('spine 7: an output that takes nothing costs lines, which is told, and not the memory', async () => {
  const sent: (() => void)[] = [];
  let bytes = 0;
  let text = '';
  const output = {
    write(piece: Uint8Array, done: () => void) {
      bytes += piece.length;
      text += Buffer.from(piece).toString();
      sent.push(done);
    },
    style: 'json',
    colour: false,
  } as const;
  const writer = createLogWriter({ output, file: undefined });
  const note = 'x'.repeat(10_000);
  const lines = 3000;
  for (let index = 0; index < lines; index++) writer.write(record(index, note));
  expect(bytes).toBeLessThan(mostPendingBytes + 128 * 1024);
  for (const done of sent.splice(0)) done();
  writer.write(record(lines));
  await writer.close();
  const seen = numbers(text);
  const kept = seen.length - 2;
  expect(seen.slice(0, kept)).toEqual(Array.from({ length: kept }, (_none, index) => index));
  expect(seen.slice(kept)).toEqual(['log_lines_dropped', lines]);
  expect(text).toContain(`"lines": ${lines - kept}`);
});

test('spine 3.10: a file turns over at its largest size and keeps one older', async () => {
  const path = join(folder, 'turn.jsonl');
  const file = createLogFile(path, 100);
  for (const letter of 'abc') await new Promise<void>((done) => file.append(Buffer.from(letter.repeat(101)), done));
  await file.close();
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('c'.repeat(101));
  expect(existsSync(path)).toBe(false);
});

test.each([
  ['', 'b\n'],
  ['a\n', 'a\nb\n'],
  ['{"torn":', '{"torn":\nb\n'],
])('spine 7: a file that was left as %j keeps the next line whole', async (before, after) => {
  const path = join(folder, 'torn.jsonl');
  writeFileSync(path, before);
  const file = createLogFile(path);
  await new Promise<void>((done) => file.append(Buffer.from('b\n'), done));
  await file.close();
  expect(readFileSync(path, 'utf8')).toBe(after);
});

test.each<[what: string, take: (path: string) => void, left: string]>([
  ['deleted', (path) => rmSync(path), ''],
  ['deleted with its folder', (path) => rmSync(dirname(path), { recursive: true }), ''],
  ['moved away', (path) => renameSync(path, `${path}.old`), 'a\n'],
  [
    'moved away and made anew',
    (path) => {
      renameSync(path, `${path}.old`);
      writeFileSync(path, '');
    },
    'a\n',
  ],
])('spine 7: a file that is %s gets the next line at its own place', async (_what, take, left) => {
  const path = join(mkdtempSync(join(folder, 'taken-')), 'log.jsonl');
  const file = createLogFile(path);
  const append = (line: string): Promise<void> => new Promise((done) => file.append(Buffer.from(line), done));
  await append('a\n');
  take(path);
  await append('b\n');
  await append('c\n');
  await file.close();
  expect(readFileSync(path, 'utf8')).toBe('b\nc\n');
  expect(existsSync(`${path}.old`) ? readFileSync(`${path}.old`, 'utf8') : '').toBe(left);
});

test('spine 7: a file that cannot be written stands in nobody’s way', async () => {
  const writer = createLogWriter({ output: undefined, file: '/dev/null/none/signalbox.jsonl' });
  writer.write(record(1));
  await writer.close();
});
