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
])('3.10 a line on a terminal says nothing twice: %s', (_what, fields, shown) => {
  expect(line(fields)).toBe(`08:00:00 ! ${shown}`);
});
