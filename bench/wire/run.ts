/**
 * What the codecs cost, in nanoseconds an operation: `node bench/wire/run.ts [FILTER]`. Figures of
 * one run compare with each other, not with those of another machine.
 */
import { createAnswerAssembler } from '../../src/wire/assemble-answer.ts';
import { createOpenAiStreamReader } from '../../src/wire/read-open-ai-stream.ts';
import { readRequestNeeds } from '../../src/wire/request-needs.ts';
import { type BodyScan, scanBody } from '../../src/wire/scan-body.ts';
import { spliceBody } from '../../src/wire/splice-body.ts';
import { createSseFramer } from '../../src/wire/sse.ts';

type Row = { readonly name: string; readonly bytes: number; readonly operations: number; readonly run: () => void };

const sentence = 'The train leaves the station when the signal is clear. ';

function chatBody(length: number): Buffer {
  const content = sentence.repeat(Math.ceil(length / sentence.length)).slice(0, length);
  const messages = [
    { role: 'system', content: 'You are a helpful assistant.' },
    { role: 'user', content },
  ];
  return Buffer.from(
    JSON.stringify({ model: 'llama3.1:8b', messages, temperature: 0.7, stream: true, max_tokens: 200 }),
  );
}

function toolBody(tools: number): Buffer {
  const parameters = {
    type: 'object',
    properties: {
      city: { type: 'string', description: 'Name of the city' },
      unit: { type: 'string', enum: ['c', 'f'] },
    },
    required: ['city'],
  };
  const tool = { type: 'function', function: { name: 'weather', description: 'Weather of a city', parameters } };
  const messages = [{ role: 'user', content: 'What is the weather in Oslo?' }];
  return Buffer.from(JSON.stringify({ model: 'm', messages, tools: Array.from({ length: tools }, () => tool) }));
}

function streamOf(chunks: number): readonly Buffer[] {
  return Array.from({ length: chunks }, (_, index) => {
    const choices = [
      { finish_reason: index === chunks - 1 ? 'stop' : null, index: 0, delta: { content: ` word${index}` } },
    ];
    const head = {
      created: 1_795_400_749,
      id: 'chatcmpl-2q2A8cJr0bT4',
      model: 'served',
      object: 'chat.completion.chunk',
    };
    return Buffer.from(`data: ${JSON.stringify({ choices, ...head })}\n\n`);
  });
}

function scanned(body: Buffer): BodyScan {
  const result = scanBody(body);
  if (result.kind === 'invalid') throw new Error(result.failure.message);
  return result.scan;
}

function requestRows(name: string, body: Buffer): readonly Row[] {
  const scan = scanned(body);
  const bytes = body.length;
  return [
    { name: `JSON.parse, ${name}`, bytes, operations: 1, run: () => JSON.parse(body.toString('utf8')) },
    { name: `scanBody, ${name}`, bytes, operations: 1, run: () => scanBody(body) },
    { name: `readRequestNeeds, ${name}`, bytes, operations: 1, run: () => readRequestNeeds(body, scan) },
    {
      name: `spliceBody (model), ${name}`,
      bytes,
      operations: 1,
      run: () => spliceBody(body, scan, [{ kind: 'set', key: 'model', value: 'served' }]),
    },
  ];
}

function streamRows(): readonly Row[] {
  const events = streamOf(64);
  const together = Buffer.concat(events);
  const bytes = together.length / events.length;
  const reading = (pieces: readonly Buffer[], name: string) => (): void => {
    const reader = createOpenAiStreamReader(name);
    for (const piece of pieces) reader.read(piece);
  };
  const operations = events.length;
  return [
    {
      name: 'SSE framing, an event a chunk',
      bytes,
      operations,
      run: () => {
        const framer = createSseFramer();
        for (const event of events) framer.push(event);
      },
    },
    { name: 'SSE framing, 64 events a chunk', bytes, operations, run: () => createSseFramer().push(together) },
    { name: 'stream event, same name', bytes, operations, run: reading(events, 'served') },
    { name: 'stream event, other name', bytes, operations, run: reading(events, 'asked') },
    { name: 'stream event, other name, 64 a chunk', bytes, operations, run: reading([together], 'asked') },
    {
      name: 'stream event, assembled to a whole answer',
      bytes,
      operations,
      run: () => {
        const assembler = createAnswerAssembler();
        for (const event of events) assembler.add(event);
        assembler.finish();
      },
    },
  ];
}

function measure(row: Row): void {
  const time = (rounds: number): number => {
    const start = process.hrtime.bigint();
    for (let round = 0; round < rounds; round++) row.run();
    return Number(process.hrtime.bigint() - start);
  };
  // Warm, and find how many rounds fill a fifth of a second.
  const rounds = Math.max(5, Math.ceil((2e8 * 20) / (time(20) + 1)));
  time(Math.ceil(rounds / 4));
  const perOperation = time(rounds) / rounds / row.operations;
  const rate = (row.bytes / perOperation) * 1000;
  console.log(`${row.name.padEnd(44)} ${perOperation.toFixed(0).padStart(10)} ns ${rate.toFixed(0).padStart(7)} MB/s`);
}

const filter = process.argv[2] ?? '';
const rows = [
  ...requestRows('1 kB', chatBody(800)),
  ...requestRows('100 kB', chatBody(100_000)),
  ...requestRows('1 MB', chatBody(1_000_000)),
  ...requestRows('20 tools', toolBody(20)),
  ...streamRows(),
];
for (const row of rows) if (row.name.includes(filter)) measure(row);
