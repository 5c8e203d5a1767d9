import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LogRecord, renderJsonLine } from './log-record.ts';

const start: LogRecord = { timestamp: '2026-11-24T08:00:00.000Z', level: 'info', event: 'request_routed' };

test('spine 3.10: a line has one space after each colon and comma, and leaves out what has no value', () => {
  const line = renderJsonLine({
    ...start,
    provider: 'ollama',
    model: undefined,
    n: 1.5,
    attempts: [{ deployment: 'a/b', ms: 1 }, { ok: true }],
    none: [],
    empty: {},
    nothing: null,
  });
  expect(line).toBe(
    '{"timestamp": "2026-11-24T08:00:00.000Z", "level": "info", "event": "request_routed", "provider": "ollama", "n": 1.5, ' +
      '"attempts": [{"deployment": "a/b", "ms": 1}, {"ok": true}], "none": [], "empty": {}, "nothing": null}',
  );
});

test('spine 3.10: every line is the JSON of its record', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (fields) => {
      // Property order and prototypes apart, a JSON value is a JSON value.
      const record = { ...start, ...(fields as object) };
      const line = renderJsonLine(record);
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(record)));
      expect(line).not.toContain('\n');
    }),
  );
});
