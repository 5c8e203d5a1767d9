import { describe, expect, test } from 'vitest';
import { closersAfterEach } from '../support/closers.ts';
import { type Behaviour, delta, endless, stream } from '../support/fake-upstream.ts';
import { oneUpstream } from '../support/one-upstream.ts';

const closers = closersAfterEach();
const startOne = oneUpstream(closers);

const sse = 'text/event-stream';

/** An event of Anthropic's wire. */
const event = (type: string, fields: Record<string, unknown>): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const messageStart = event('message_start', { message: { usage: {} } });
const thought = event('content_block_delta', {
  index: 0,
  delta: { type: 'thinking_delta', thinking: 'x'.repeat(60_000) },
});
const calls = Array.from({ length: 2000 }, (_, index) =>
  event('content_block_start', { index, content_block: { type: 'tool_use', id: `t${index}`, name: 'f', input: {} } }),
).join('');

/** The end of a body, however long it is. */
async function endOf({ body }: Response): Promise<string> {
  let text = '';
  for await (const piece of body ?? []) text = (text + Buffer.from(piece).toString()).slice(-1000);
  return text;
}

describe('spine 7: what is held of an answer is bounded', () => {
  test.each([
    [
      'text that is put together from a stream',
      { type: 'llama_cpp' },
      false,
      endless(sse, '', delta({ content: 'x'.repeat(60_000) })),
    ],
    [
      'log probabilities that are put together',
      { type: 'llama_cpp' },
      false,
      endless(
        sse,
        '',
        `data: {"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[${'{"token":"a"},'.repeat(2000)}1]}}]}\n\n`,
      ),
    ],
    ['a stream of nothing but roles', {}, true, endless(sse, '', delta({ role: 'assistant' }).repeat(100))],
    [
      'a stream of nothing but roles, put together',
      { type: 'llama_cpp' },
      false,
      endless(sse, '', delta({ role: 'assistant' }).repeat(100)),
    ],
    ['a stream of nothing but comments', {}, true, endless(sse, '', `: ${'x'.repeat(1000)}\n\n`.repeat(50))],
    ['a stream of nothing but blanks', {}, true, endless(sse, '', '\n'.repeat(50_000))],
    ['one event without an end', {}, true, endless(sse, 'data: {"x":"', 'x'.repeat(100_000))],
    [
      'one line without an end',
      { type: 'ollama', models: [{ name: 'm', options: { num_ctx: 8192 } }] },
      true,
      endless('application/x-ndjson', '{"x":"', 'x'.repeat(100_000)),
    ],
    ['a whole answer without an end', {}, false, endless('application/json', '{"x":"', 'x'.repeat(100_000))],
    [
      'thinking without an end',
      { type: 'anthropic', api_key: 'os.environ/K' },
      true,
      endless(sse, messageStart, thought),
    ],
    [
      'calls of tools without an end',
      { type: 'anthropic', api_key: 'os.environ/K' },
      true,
      endless(sse, messageStart, calls),
    ],
    ['more choices than anybody asked for', {}, true, choicesWithoutEnd()],
  ])('%s', async (_what, provider, streams, behaviour) => {
    const { upstream, gateway } = await startOne(provider, { environment: { K: 'key-0123456789' } });
    upstream.script(behaviour);
    const before = process.memoryUsage().rss;
    const answer = await gateway.chat({ stream: streams });
    expect(await endOf(answer)).toContain('"code":"upstream_too_large"');
    await (await upstream.received(1)).cancelled;
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024);
  });

  test('a long error is told by its status', async () => {
    const { upstream, gateway } = await startOne();
    upstream.script((answer, request) => {
      answer.writeHead(429, { 'content-type': 'application/json' });
      return endless('', '', 'x'.repeat(100_000))(answer, request);
    });
    const answer = await gateway.chat();
    expect(answer.status).toBe(429);
    await (await upstream.received(1)).cancelled;
  });
});

/** Choices that only say who speaks are no content, and each is another one. */
function choicesWithoutEnd(): Behaviour {
  const choices = Array.from({ length: 2000 }, (_, index) => `{"index":${index},"delta":{"role":"assistant"}}`);
  return stream(choices.map((choice) => `data: {"model":"b","choices":[${choice}]}\n\n`));
}
