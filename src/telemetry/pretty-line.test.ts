import { expect, test } from 'vitest';
import type { LogRecord } from './log-record.ts';
import { renderPrettyLine } from './pretty-line.ts';

const line = (fields: Partial<LogRecord>): string =>
  renderPrettyLine({ timestamp: '2026-11-24T08:00:00.000Z', level: 'warn', event: 'restart_failed', ...fields }, false);

test.each([
  [
    'a reason that the message gives',
    { reason: 'the port is taken', message: 'not started: the port is taken' },
    'not started: the port is taken',
  ],
  [
    'a reason that it does not give',
    { reason: 'failures', message: 'a/m is set aside' },
    'a/m is set aside  reason=failures',
  ],
  ['a number that its digits hold', { used: 1, message: 'used: 1 of 10' }, 'used: 1 of 10  used=1'],
  ['no message', { reason: 'x' }, 'restart_failed  reason=x'],
])('spine 3.10: a line on a terminal says nothing twice: %s', (_what, fields, shown) => {
  expect(line(fields)).toBe(`08:00:00 ! ${shown}`);
});

test('spine 3.10: a name that a client made up neither steers the terminal nor begins a line of its own', () => {
  const model = 'a\u001b[2J\n09:00:00 ! all is lost';
  const routed = { level: 'info', event: 'request_routed', status_code: 404, model, latency_ms: 1 } as const;
  expect(line(routed)).toBe('08:00:00 · 404 a\\u001b[2J\\u000a09:00:00 ! all is lost → nobody  1 ms');
  expect(line({ message: `no "${model}"` })).toBe('08:00:00 ! no "a\\u001b[2J\\u000a09:00:00 ! all is lost"');
});
