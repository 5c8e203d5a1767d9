import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Product, startProduct } from '../support/product.ts';
import { describeReal } from './real.ts';
import { type RealServer, realFolder, startLlama } from './servers.ts';

const run = promisify(execFile);
const words = 'one two three four five six seven eight nine ten';
const question = [{ role: 'user', content: 'Count' } as const];
const tool = {
  type: 'function',
  function: {
    name: 'f',
    description: 'Does it',
    parameters: { type: 'object', properties: { a: { type: 'boolean' } } },
  },
} as const;

/** The gateway before three real llama.cpp servers: one that counts, one that calls a tool, one that embeds. */
async function startAll(): Promise<{ readonly servers: readonly RealServer[]; readonly product: Product }> {
  const servers = await Promise.all([startLlama('counting'), startLlama('tool'), startLlama('embedding')]);
  const names = ['chat', 'tool', 'embed'];
  const providers = Object.fromEntries(
    servers.map(({ url }, index) => [names[index], { type: 'llama_cpp', base_url: url, models: ['tiny'] }]),
  );
  // JSON is YAML.
  return {
    servers,
    product: await startProduct({ files: { 'config/providers.yaml': JSON.stringify({ providers }) } }),
  };
}

describeReal('spine 5.2: real clients', ['llama', 'openai'], () => {
  let servers: readonly RealServer[] = [];
  let product: Product;
  let client: OpenAI;

  beforeAll(async () => {
    ({ servers, product } = await startAll());
    client = new OpenAI({ baseURL: `${product.url}/v1`, apiKey: 'not-needed', maxRetries: 0 });
  }, 120_000);

  afterAll(async () => {
    await product?.stop();
    await Promise.all(servers.map((server) => server.stop()));
  });

  test('OpenAI for Node: models', async () => {
    const names: string[] = [];
    for await (const model of client.models.list()) names.push(model.id);
    expect(names).toEqual(['tiny']);
    expect((await client.models.retrieve('chat/tiny')).id).toBe('chat/tiny');
  });

  test('OpenAI for Node: a chat, whole and streamed', async () => {
    const whole = await client.chat.completions.create({ model: 'chat/tiny', messages: question });
    expect(whole.choices[0]?.message.content?.trim()).toBe(words);
    let text = '';
    let tokens: number | undefined;
    const stream = await client.chat.completions.create({
      model: 'chat/tiny',
      messages: question,
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      tokens = chunk.usage?.completion_tokens ?? tokens;
    }
    expect(text.trim()).toBe(words);
    expect(tokens).toBeGreaterThan(5);
  });

  test('OpenAI for Node: tools', async () => {
    const answer = await client.chat.completions.create({ model: 'tool/tiny', messages: question, tools: [tool] });
    const [call] = answer.choices[0]?.message.tool_calls ?? [];
    expect(call?.type === 'function' && [call.function.name, JSON.parse(call.function.arguments)]).toEqual([
      'f',
      { a: true },
    ]);
  });

  test('OpenAI for Node: structured output', async () => {
    const schema = { type: 'object', properties: { a: { type: 'boolean' } }, required: ['a'] };
    const answer = await client.chat.completions.create({
      model: 'chat/tiny',
      messages: question,
      max_tokens: 40,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
    });
    expect(Object.keys(JSON.parse(answer.choices[0]?.message.content ?? '') as object)).toEqual(['a']);
  });

  test('OpenAI for Node: embeddings, which this client asks for in base64', async () => {
    const answer = await client.embeddings.create({ model: 'embed/tiny', input: ['a', 'b'] });
    expect(answer.data.map((one) => one.embedding.length)).toEqual([256, 256]);
    expect(answer.data[0]?.embedding.every((value) => Number.isFinite(value))).toBe(true);
  });

  test('OpenAI for Node: a stream that is given up', async () => {
    const stream = await client.chat.completions.create({ model: 'chat/tiny', messages: question, stream: true });
    for await (const _chunk of stream) break;
    expect(stream.controller.signal.aborted).toBe(true);
  });

  test('OpenAI for Node: its error classes', async () => {
    await expect(client.chat.completions.create({ model: 'nobody', messages: question })).rejects.toThrow(
      OpenAI.NotFoundError,
    );
    await expect(client.chat.completions.create({ model: 'chat/tiny', messages: [], n: -1 })).rejects.toThrow(
      OpenAI.BadRequestError,
    );
  });

  test('OpenAI for Python: the same', async () => {
    const program = join(realFolder, 'openai/bin/python');
    const script = join(import.meta.dirname, 'openai-client.py');
    const { stdout } = await run(program, [script, product.url, 'chat/tiny', 'tool/tiny', 'embed/tiny']);
    expect(JSON.parse(stdout)).toEqual({
      models: ['tiny'],
      model: 'chat/tiny',
      chat: words,
      chat_model: 'chat/tiny',
      stream: words,
      stream_usage: 11,
      tool: ['f', { a: true }],
      structured: ['a'],
      embedding: [256, 256],
      aborted: true,
      unknown: ['NotFoundError', 404, 'model_not_found'],
      bad: ['BadRequestError', 400, expect.any(String)],
    });
  }, 60_000);

  test('curl, as the runbook types it: no content type (A6b)', async () => {
    const body = '{"model": "chat/tiny", "messages": [{"role": "user", "content": "Test"}]}';
    const { stdout } = await run('curl', ['-sS', '-X', 'POST', `${product.url}/v1/chat/completions`, '-d', body]);
    expect(stdout).toContain(words);
  });

  test('curl and jq, as the runbook types them: the models of one provider (A6a)', async () => {
    const { stdout } = await run('sh', [
      '-c',
      `curl -sS ${product.url}/v1/models | jq '.data[] | select(.provider == "chat")'`,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ id: 'tiny', provider: 'chat' });
  });
});
