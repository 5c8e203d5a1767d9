import { expect, test } from 'vitest';
import { type AnswerForm, formOfAnswer } from './answer-form.ts';

const sse = 'text/event-stream';
const lines = 'application/x-ndjson';

test.each<[wanted: string, type: string, start: string, form: AnswerForm]>([
  [sse, sse, 'data: {"a":1}', 'stream'],
  [sse, 'Text/Event-Stream; charset=UTF-8', 'event: x', 'stream'],
  [sse, 'text/plain', 'data:{', 'stream'],
  [sse, 'application/octet-stream', ': waiting', 'stream'],
  [sse, '', '\r\n\n id: 1', 'stream'],
  [sse, 'application/json', 'retry: 10', 'stream'],
  [sse, '', '\u00ef\u00bb\u00bfdata: x', 'stream'],
  [sse, '', '\u00ef\u00bb', 'unknown'],
  [sse, sse, '', 'unknown'],
  [sse, 'text/plain', '\n', 'unknown'],
  [sse, 'text/plain', 'dat', 'unknown'],
  [sse, sse, '{"choices":[]}', 'whole'],
  [sse, sse, ' [1]', 'whole'],
  [sse, sse, 'nonsense', 'stream'],
  [sse, 'text/plain', 'nonsense', 'whole'],
  [sse, 'text/html', '<html>', 'whole'],
  [sse, 'application/json', '{"error":{}}', 'whole'],
  [sse, '', 'datum', 'whole'],
  [lines, lines, '{"done":false}', 'stream'],
  [lines, 'Application/X-NDJSON; charset=utf-8', '{', 'stream'],
  [lines, 'text/plain', '{', 'stream'],
  [lines, '', '{', 'stream'],
  [lines, 'application/json', '{', 'whole'],
  [lines, 'text/html', '<html>', 'whole'],
])('spine 3.4: asked for %s, an answer of type %j that begins with %j', (wanted, type, start, form) => {
  expect(formOfAnswer(Buffer.from(start, 'latin1'), type, wanted)).toBe(form);
});
