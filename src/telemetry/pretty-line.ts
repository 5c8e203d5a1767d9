import { durationWords } from '../plan/in-words.ts';
import { inOneLine } from '../plan/printable.ts';
import type { LogRecord } from './log-record.ts';

/** A record as a person reads it on a terminal; what its message says already is not repeated. */
export function renderPrettyLine(record: LogRecord, colour: boolean): string {
  const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const time = paint(2, record.timestamp.slice(11, 19));
  const mark = paint(marks[record.level].colour, marks[record.level].sign);
  if (record.event === 'request_routed') return `${time} ${mark} ${requestText(record, paint)}`;
  const { timestamp: _timestamp, level: _level, event, message, component: _component, ...rest } = record;
  const said = typeof message === 'string' ? message : event;
  const details = Object.entries(rest).flatMap(([key, value]) => {
    if (value === undefined || value === null || typeof value === 'object') return [];
    return typeof value === 'string' && said.includes(value) ? [] : [`${key}=${value}`];
  });
  return `${time} ${mark} ${[inOneLine(said), paint(2, inOneLine(details.join(' ')))].join('  ').trimEnd()}`;
}

const marks = {
  debug: { sign: '·', colour: 2 },
  info: { sign: '·', colour: 36 },
  warn: { sign: '!', colour: 33 },
  error: { sign: '✗', colour: 31 },
};

type Paint = (code: number, text: string) => string;

function requestText(record: LogRecord, paint: Paint): string {
  const asked = String(record['model'] ?? 'auto');
  const route = typeof record['provider'] === 'string' ? `${record['provider']}/${record['backend_model']}` : 'nobody';
  const status = Number(record['status_code'] ?? 0);
  const shown = paint(status >= 500 ? 31 : status >= 400 ? 33 : 32, String(status || record['state']));
  const took = `${duration(record['latency_ms'])}`;
  const first = typeof record['ttft_ms'] === 'number' ? `, first token ${duration(record['ttft_ms'])}` : '';
  const used = typeof record['total_tokens'] === 'number' ? `, ${record['total_tokens']} tokens` : '';
  const why = typeof record['error'] === 'string' ? `  ${paint(31, record['error'])}` : '';
  return `${shown} ${inOneLine(asked)} ${paint(2, '→')} ${inOneLine(route)}  ${paint(2, `${took}${first}${used}`)}${why}`;
}

function duration(value: unknown): string {
  return typeof value === 'number' ? durationWords(value) : '';
}
