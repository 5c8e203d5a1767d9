import { expect, test } from 'vitest';
import type { Failure } from '../plan/failure.ts';
import { failure, failureCatalogue } from '../plan/failure-catalogue.ts';
import { seconds } from '../plan/ids.ts';
import { openAiError, openAiErrorEvent } from './open-ai-error.ts';

function headersOf(list: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at < list.length; at += 2) headers.set(list[at] ?? '', list[at + 1] ?? '');
  return headers;
}

test.each<[Failure, number, object, object]>([
  [
    failure('model_not_found', 'The model "lama" is not known', { param: 'model', nearest: ['llama', 'llava'] }),
    404,
    {
      message: 'The model "lama" is not known. Did you mean "llama", "llava"?',
      type: 'invalid_request_error',
      param: 'model',
      code: 'model_not_found',
    },
    { 'retry-after': undefined, 'x-should-retry': 'false' },
  ],
  [
    failure('rate_limited', 'The limit of 60 requests a minute is full', { retryAfterMs: seconds(1.2) }),
    429,
    { type: 'rate_limit_error', code: 'rate_limit_exceeded', param: null },
    { 'retry-after': '2', 'x-should-retry': 'true' },
  ],
  [failure('wrong_key'), 401, { code: 'invalid_api_key' }, { 'x-should-retry': 'false' }],
  [failure('upstream_refused'), 502, { type: 'server_error', code: 'upstream_refused' }, { 'x-should-retry': 'false' }],
  [
    failure('upstream_bad_request', 'top_p is wrong', {
      upstreamStatus: 422,
      param: 'top_p',
      upstreamError: { message: 'top_p is wrong', type: 'BadRequestError', code: 'invalid_value', param: 'top_p' },
    }),
    422,
    { message: 'top_p is wrong', type: 'BadRequestError', code: 'invalid_value', param: 'top_p' },
    { 'x-should-retry': 'false' },
  ],
  [failure('context_length_exceeded'), 400, { code: 'context_length_exceeded' }, {}],
])('spine 3.6: %j', (failed, status, error, headers) => {
  const answer = openAiError(failed);
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.body).error).toMatchObject(error);
  const sent = headersOf(answer.headers);
  for (const [name, value] of Object.entries(headers)) expect(sent.get(name)).toBe(value);
});

test('spine 3.4: an error within a stream is one event without choices', () => {
  const event = openAiErrorEvent(failure('upstream_truncated'));
  expect(event).toMatch(/^data: \{.*\}\n\n$/);
  expect(Object.keys(JSON.parse(event.slice(6)))).toEqual(['error']);
});

test('spine 3.6: every failure has an OpenAI error with a message, a type and a code', () => {
  for (const kind of Object.keys(failureCatalogue) as (keyof typeof failureCatalogue)[]) {
    const { error } = JSON.parse(openAiError(failure(kind)).body);
    expect(error).toEqual({
      message: expect.stringMatching(/^\S.*[^.\s]$/),
      type: failureCatalogue[kind].type,
      param: null,
      code: failureCatalogue[kind].code,
    });
  }
});
