import { resolve } from 'node:path';
import { assumedStates } from '../../config/shape-route-tests.ts';
import type { DecisionRecord } from '../../contract/decision-record.ts';
import type { ExplainQuestion } from '../../contract/explain.ts';
import { explainAtRest } from '../../main.ts';
import { readAhead } from '../../ops/moment.ts';
import { type PromptQuestion, readPrompt } from '../../ops/prompt-question.ts';
import type { AssumedState } from '../../plan/routing-state.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from '../command.ts';
import { renderDecision } from '../decision-text.ts';
import { fail, type Problem } from '../fail.ts';
import { openPlan } from '../open-config.ts';
import { printJson } from '../print-json.ts';
import { findGateway, targetOf } from '../running-gateway.ts';
import { paint } from '../style.ts';
import { suggestName } from '../suggest-name.ts';
import type { Terminal } from '../terminal.ts';

const endpoints = ['chat', 'completions', 'embeddings'] as const;

/** `signalbox route explain NAME`: where a request would go, with every candidate and why. */
export const command: Command = defineCommand({
  words: ['route', 'explain'],
  summary: 'show where a request for a name would go, and why',
  details: [
    'Nothing is sent. States come from the running gateway of this config; where none runs, all are assumed ready.',
    `States that can be supposed: ${assumedStates.join(', ')}.`,
    'Exit code 1 where nothing could answer.',
  ],
  arguments: [{ name: 'NAME', help: 'what a client would put into "model"', required: true }],
  options: {
    config: configOption,
    'state-dir': stateOption,
    header: { kind: 'list', value: 'NAME=VALUE', help: 'a header of the request; may stand several times' },
    tag: { kind: 'list', value: 'TAG', help: 'a tag of the request; may stand several times' },
    tokens: { kind: 'number', value: 'N', help: 'length of its prompt in tokens (default: 100)' },
    'prompt-file': {
      kind: 'text',
      value: 'FILE',
      help: 'its words, or its body as JSON: tokens and needs are read from it',
    },
    at: { kind: 'text', value: 'TIME', help: 'suppose that it comes later: 90s, or 14:30' },
    endpoint: { kind: 'text', value: 'ENDPOINT', oneOf: endpoints, help: 'what is asked for (default: chat)' },
    stream: { kind: 'flag', help: 'it wants a stream' },
    tools: { kind: 'flag', help: 'it brings tools' },
    vision: { kind: 'flag', help: 'it brings a picture' },
    assume: {
      kind: 'list',
      value: 'PROVIDER=STATE',
      help: 'suppose a state of a provider or a deployment',
    },
    full: { kind: 'list', value: 'NAME', help: 'suppose the limits under this name are full' },
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox route explain fast', does: 'every candidate of a name' },
    { line: 'signalbox route explain fast --assume ollama=down', does: 'who would stand in' },
    { line: 'signalbox route explain auto --header x-capability=reasoning --tokens 20000', does: 'a long question' },
  ],
  async run({ options, arguments: [name = ''] }, terminal) {
    const bare = options.header.find((one) => !/^[^=]+=/.test(one));
    if (bare !== undefined)
      return fail({ kind: 'usage', message: `--header wants NAME=VALUE, found "${bare}"` }, terminal, options);
    const assumed = readAssumptions(options.assume);
    if (assumed.kind === 'wrong') return fail({ kind: 'usage', message: assumed.message }, terminal, options);
    const { at, 'prompt-file': file } = options;
    const afterMs = at === undefined ? 0 : readAhead(at, Date.now());
    if (afterMs === undefined)
      return fail(
        { kind: 'usage', message: `--at wants a time that is still to come, such as 90s or 14:30, found "${at}"` },
        terminal,
        options,
      );
    const prompt = file === undefined ? noPrompt : await readPrompt(resolve(terminal.folder, file), file);
    if (prompt.kind === 'wrong') return fail({ kind: 'failed', message: prompt.message }, terminal, options);
    const question: ExplainQuestion = {
      ...prompt.question,
      afterMs,
      model: name,
      tags: [...(prompt.question.tags ?? []), ...options.tag],
      headers: Object.fromEntries(options.header.map(split)),
      assume: { states: assumed.assume, full: options.full },
      ...(options.stream ? { stream: true } : {}),
      ...(options.tools ? { tools: true } : {}),
      ...(options.vision ? { vision: true } : {}),
      ...(options.tokens === undefined ? {} : { tokens: options.tokens, leastTokens: undefined }),
      ...(options.endpoint === undefined ? {} : { endpoint: endpointOf(options.endpoint) }),
    };
    const found = await findGateway(targetOf(options, terminal));
    const explained =
      found.kind === 'running'
        ? ({ kind: 'explained', record: await found.admin.explain(question), names: found.admin.models } as const)
        : await atRest(options.config, question, terminal);
    if (explained.kind === 'none') return fail(explained.problem, terminal, options);
    const { record, names } = explained;
    if (options.json) printJson<'route explain'>(terminal, { ...record, assumedReady: found.kind === 'none' });
    else for (const line of renderDecision(record, terminal, { candidates: true })) terminal.out(line);
    if (record.rule.kind === 'none' && !options.json) suggestName(name, await names(), terminal);
    if (found.kind === 'none' && !options.json)
      terminal.err(paint(terminal, 'dim', 'No gateway runs with this configuration: all providers are assumed ready'));
    return record.order.length === 0 ? exitCode.failed : exitCode.done;
  },
});

const noPrompt: PromptQuestion = { kind: 'read', question: {} };

function split(text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function endpointOf(text: string): (typeof endpoints)[number] {
  return endpoints.find((one) => one === text) ?? 'chat';
}

type Assumptions =
  | { readonly kind: 'read'; readonly assume: Readonly<Record<string, AssumedState>> }
  | { readonly kind: 'wrong'; readonly message: string };

function readAssumptions(texts: readonly string[]): Assumptions {
  const assume: Record<string, AssumedState> = {};
  for (const text of texts) {
    const [provider, word] = split(text);
    const state = assumedStates.find((one) => one === word);
    if (state === undefined)
      return {
        kind: 'wrong',
        message: `--assume wants PROVIDER=STATE with one of ${assumedStates.join(', ')}, found "${text}"`,
      };
    assume[provider] = state;
  }
  return { kind: 'read', assume };
}

type Explained =
  | {
      readonly kind: 'explained';
      readonly record: DecisionRecord;
      /** Names that clients can ask for. */
      readonly names: () => Promise<readonly string[]>;
    }
  | { readonly kind: 'none'; readonly problem: Problem };

/** The decision where no gateway runs, or why there can be none. */
async function atRest(config: string | undefined, question: ExplainQuestion, terminal: Terminal): Promise<Explained> {
  const opened = await openPlan(config, terminal, { lenient: true });
  if (opened.kind === 'none') return opened;
  const listed = opened.plan.groups.filter((group) => group.listed).map((group) => group.name);
  return { kind: 'explained', record: await explainAtRest(opened.plan, question), names: async () => listed };
}
