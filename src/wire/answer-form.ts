import { skipBlanks } from './json-bytes.ts';

/** Whether an answer to a request for a stream is one: by its first bytes, as far as they are here. */
export type AnswerForm = 'stream' | 'whole' | 'unknown';

const eventStream = 'text/event-stream';
const fields = ['data:', 'event:', 'id:', 'retry:', ':'];

/**
 * Tells a stream from a whole body. Servers send streams under many content types and without one,
 * and whole bodies where a stream was asked for; the first bytes are never in doubt for long. What
 * is neither goes by its content type, so that the reader of that form says what is wrong with it.
 */
export function formOfAnswer(start: Uint8Array, contentType: string, streamContentType: string): AnswerForm {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const text = textOf(start);
  if (text === '') return 'unknown';
  if (streamContentType !== eventStream) {
    // Lines of JSON and one JSON body begin alike, and only the type tells them apart.
    const isLines = type === streamContentType || (text.startsWith('{') && type !== 'application/json');
    return isLines ? 'stream' : 'whole';
  }
  if (fields.some((field) => text.startsWith(field))) return 'stream';
  if (text.length < longestField && fields.some((field) => field.startsWith(text))) return 'unknown';
  return type === eventStream && !/^[{[]/.test(text) ? 'stream' : 'whole';
}

const longestField = 6;
const byteOrderMarkLength = 3;

/** The first few letters behind a byte order mark and blanks. */
function textOf(start: Uint8Array): string {
  const at = skipBlanks(start, start[0] === 0xef ? byteOrderMarkLength : 0);
  return Buffer.from(start.subarray(at, at + longestField)).toString('latin1');
}
