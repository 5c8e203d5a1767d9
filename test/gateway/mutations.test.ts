import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type BareGateway, startBareGateway } from '../support/bare-gateway.ts';
import { closersAfterEach } from '../support/closers.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts';
import { seededRandom } from '../support/plan-of.ts';
import { sendRaw } from '../support/raw-client.ts';

const closers = closersAfterEach();

const fixtures = new URL('../../src/providers/fixtures/', import.meta.url);
/** Names of models by what their server is, with recorded answers of such servers. */
const servers: readonly (readonly [model: string, folder: string])[] = [
  ['m', 'openai'],
  ['l', 'llama-cpp'],
  ['c', 'anthropic'],
  ['q', 'ollama-native'],
];
const answers = new Map(
  servers.map(([model, folder]) => {
    const files = readdirSync(new URL(folder, fixtures)).filter((name) => name !== 'cases.json');
    return [model, files.map((name) => readFileSync(new URL(`${folder}/${name}`, fixtures)))];
  }),
);

const request = {
  messages: [
    { role: 'system', content: 'Be brief' },
    { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'a', content: 'done' },
  ],
  tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
  response_format: { type: 'json_object' },
  max_tokens: 5,
  fallbacks: ['m'],
};

async function begin(): Promise<{ upstream: FakeUpstream; gateway: BareGateway }> {
  const upstream = await startFakeUpstream(['m']);
  const at = { base_url: upstream.url };
  const gateway = await startBareGateway({
    providers: {
      u: { ...at, type: 'openai_compatible', models: ['m'] },
      l: { ...at, type: 'llama_cpp', models: ['l'] },
      a: { ...at, type: 'anthropic', models: ['c'], api_key: 'os.environ/K' },
      o: { ...at, type: 'ollama', models: [{ name: 'q', options: { num_ctx: 4096 } }] },
    },
    environment: { K: 'key-0123456789' },
    settings: { router_settings: { num_retries: 0, disable_cooldowns: true } },
  });
  closers.push(upstream.close, gateway.close);
  return { upstream, gateway };
}

const random = seededRandom(20_261_125);
const below = (end: number): number => Math.floor(random() * end);
const scraps = ['\r\n', '\0', '{', '}', '"', '\\', '\\ud800', 'data: ', '[DONE]', '\n\n', '1e999', 'null', '__proto__'];

/** The bytes with a byte changed, a piece left out, repeated or put in. */
function mutated(bytes: Buffer): Buffer {
  const at = below(bytes.length);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (below(4)) {
    case 0:
      return Buffer.concat([before, Buffer.of(below(256)), after.subarray(1)]);
    case 1:
      return Buffer.concat([before, after.subarray(below(20))]);
    case 2:
      return Buffer.concat([before, before.subarray(-10), after]);
    default:
      return Buffer.concat([before, Buffer.from(scraps[below(scraps.length)] ?? ''), after]);
  }
}

/** Sends a body and takes its answer to the end of the connection. */
function ask({ port }: BareGateway, body: Buffer): Promise<string> {
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`;
  return sendRaw(port, Buffer.concat([Buffer.from(head), body])).closed;
}

async function expectSound(gateway: BareGateway, asked: number): Promise<void> {
  expect(await gateway.leftovers()).toEqual([]);
  expect(gateway.events.filter(({ event }) => event === 'internal_error')).toEqual([]);
  expect(gateway.events.filter(({ event }) => event === 'request_routed')).toHaveLength(asked);
}

test('spine 7: requests that are nearly right are answered, each once, and leave nothing behind', async () => {
  const { gateway } = await begin();
  for (let count = 0; count < 400; count++) {
    const [model] = servers[count % servers.length] ?? ['m'];
    const body = Buffer.from(JSON.stringify({ model, stream: random() < 0.5, ...request }));
    expect(await ask(gateway, mutated(body))).toMatch(/^HTTP\/1\.1 (200|400|404|502)/);
  }
  await expectSound(gateway, 400);
});

test('spine 7: answers that are nearly right come to an end, each once, as JSON that clients can read', async () => {
  const { upstream, gateway } = await begin();
  for (let count = 0; count < 400; count++) {
    const [model] = servers[count % servers.length] ?? ['m'];
    const known = answers.get(model) ?? [];
    const answer = mutated(known[below(known.length)] ?? Buffer.from('{}'));
    const type = ['text/event-stream', 'application/json', 'application/x-ndjson', ''][below(4)];
    const bytes = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n\r\n`), answer]);
    const cut = random() < 0.3 ? below(bytes.length) : bytes.length;
    upstream.script(({ socket }) => {
      socket?.end(bytes.subarray(0, cut));
    });
    const text = await ask(gateway, Buffer.from(JSON.stringify({ model, stream: random() < 0.5, ...request })));
    expect(text).toMatch(/^HTTP\/1\.1 (200|4\d\d|50[234])/);
    const events = text.split('\n').filter((line) => line.startsWith('data: {'));
    for (const event of events) JSON.parse(Buffer.from(event.slice('data: '.length), 'latin1').toString());
    const isStream = text.includes('text/event-stream');
    if (isStream) expect(/^data: \[DONE\]$/m.test(text), text).toBe(!/^data: \{"error":/m.test(text));
  }
  await expectSound(gateway, 400);
});
