import { text as readAll } from 'node:stream/consumers';
import { type AskResult, askModel } from '../ops/ask-model.ts';
import { dollarWords } from '../plan/in-words.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, keyOption, stateOption } from './command.ts';
import { fail } from './fail.ts';
import { openClient } from './open-client.ts';
import { printJson } from './print-json.ts';
import { duration, paint } from './style.ts';
import type { Terminal } from './terminal.ts';

/** `signalbox ask NAME "text"`: one streamed answer, and below it how it came about. */
export const command: Command = defineCommand({
  words: ['ask'],
  summary: 'ask a model one question and show how it was answered',
  details: [
    'The question goes through the running gateway, as a client’s would. Without TEXT it is read from standard input.',
    'Where a key is needed it is taken from LITELLM_MASTER_KEY, or from the variable of --key-env.',
  ],
  arguments: [
    { name: 'NAME', help: 'what a client would put into "model"', required: true },
    { name: 'TEXT', help: 'the question', required: false },
  ],
  options: {
    config: configOption,
    'state-dir': stateOption,
    system: { kind: 'text', value: 'TEXT', help: 'a system message before the question' },
    'max-tokens': {
      kind: 'number',
      value: 'N',
      whole: { least: 1, most: 1_000_000 },
      help: 'longest answer in tokens',
    },
    'key-env': keyOption,
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox ask fast "Why is the sky blue?"', does: 'the answer, route, times and cost' },
    { line: 'git diff | signalbox ask code --system "Review this change"', does: 'a question from a pipe' },
  ],
  async run({ options, arguments: [model = '', given] }, terminal) {
    const question = given ?? (terminal.interactive ? undefined : await readAll(terminal.input));
    if (question === undefined || question.trim() === '')
      return fail({ kind: 'usage', message: 'There is no question: signalbox ask NAME "text"' }, terminal, options);
    const client = await openClient(options, terminal);
    if (client.kind === 'none') return fail(client.problem, terminal, options);
    terminal.progress(`asking ${model} …`);
    const result = await askModel({
      url: client.url,
      key: client.key,
      model,
      question,
      system: options.system,
      maxTokens: options['max-tokens'],
      onText: options.json ? () => {} : (piece) => terminal.write(piece),
    });
    terminal.progress(undefined);
    const record = result.id === null ? undefined : await client.admin.decision(result.id).catch(() => undefined);
    return show(result, { cost: record?.costUsd ?? null, json: options.json }, terminal);
  },
});

function show(
  result: AskResult,
  { cost, json }: { readonly cost: number | null; readonly json: boolean },
  terminal: Terminal,
): number {
  if (json) printJson<'ask'>(terminal, { ...result, costUsd: cost });
  if (result.error !== null) {
    if (!json) terminal.err(`${result.text === '' ? '' : '\n'}${paint(terminal, 'red', result.error)}`);
    return exitCode.failed;
  }
  if (json) return exitCode.done;
  const speed = result.tokensPerSecond === null ? 'speed unknown' : `${result.tokensPerSecond} tokens/s`;
  const tokens = result.completionTokens === null ? 'tokens unknown' : `${result.completionTokens} tokens`;
  const price = cost === null ? 'cost unknown' : dollarWords(cost);
  terminal.out(result.text.endsWith('\n') ? '' : '\n');
  terminal.err(
    paint(
      terminal,
      'dim',
      `${result.route ?? 'route unknown'} · first token ${duration(result.firstTokenMs)} · ${tokens}, ${speed} · ${price}`,
    ),
  );
  if (result.degraded !== null) terminal.err(paint(terminal, 'yellow', `degraded: ${result.degraded}`));
  return exitCode.done;
}
