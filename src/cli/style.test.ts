import { afterEach, expect, test } from 'vitest';
import { readMoment } from '../ops/moment.ts';
import { clock, figure } from './style.ts';

test.each([
  [0, '0'],
  [5.6e-17, '0'],
  [0.7, '0.7'],
  [-0.5, '-0.5'],
  [1 / 3, '0.3333'],
  [120, '120'],
  [59_607.404, '59607'],
  [0.000_061_2, '0.0000612'],
  [0.000_000_44, '0.00000044'],
])('6.1 the number %d is shown as %s: two that differ are told apart', (value, text) => {
  expect(figure(value)).toBe(text);
});

const zone = process.env['TZ'];
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

test.each(['UTC', 'America/New_York', 'Asia/Kolkata'])(
  '6.2 in %s the time of day that is shown is the one that --since and --before take',
  (name) => {
    process.env['TZ'] = name;
    const moment = Date.parse('2026-11-25T19:12:47Z');
    expect(readMoment(clock(new Date(moment).toISOString()), moment)).toBe(moment);
  },
);
