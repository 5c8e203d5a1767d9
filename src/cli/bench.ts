import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { BenchComparison, BenchReport, BenchSide } from '../contract/bench-report.ts';
import { against, bench, benchLoad, unlike } from '../ops/bench.ts';
import { benchSides, mostCost } from '../ops/bench-sides.ts';
import { dollarWords } from '../plan/in-words.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, keyOption, stateOption } from './command.ts';
import { fail, type Problem } from './fail.ts';
import { openClient } from './open-client.ts';
import { openSystem } from './open-system.ts';
import { printJson } from './print-json.ts';
import { openQuestions } from './questions.ts';
import { renderTable } from './render-table.ts';
import { count, duration, paint } from './style.ts';
import type { Terminal } from './terminal.ts';

const usual = { requests: 10, concurrency: 1, promptTokens: 100, maxTokens: 64 };
const whole = { least: 1, most: 1_000_000 };

/** `signalbox bench NAME`: first tokens, speed and throughput, through the running gateway. */
export const command: Command = defineCommand({
  words: ['bench'],
  summary: 'measure first tokens, speed and throughput of a name',
  details: [
    'Requests go through the running gateway, without fallbacks. With --compare each provider is asked alone, by turns.',
    'The first request of each side warms it up and is not counted. Who is not local is asked only after a yes.',
    'Whether two sides differ is said only where there are enough answers to tell: 30 on each.',
  ],
  arguments: [{ name: 'NAME', help: 'what a client would put into "model"', required: true }],
  options: {
    config: configOption,
    'state-dir': stateOption,
    compare: { kind: 'list', value: 'PROVIDER', help: 'a provider to measure alone; may stand several times' },
    requests: { kind: 'number', value: 'N', whole, help: `requests of each side (default: ${usual.requests})` },
    concurrency: { kind: 'number', value: 'N', whole, help: `at the same time (default: ${usual.concurrency})` },
    'prompt-tokens': {
      kind: 'number',
      value: 'N',
      whole,
      help: `length of the prompt, about (default: ${usual.promptTokens})`,
    },
    'max-tokens': { kind: 'number', value: 'N', whole, help: `longest answer (default: ${usual.maxTokens})` },
    save: { kind: 'text', value: 'FILE', help: 'keep the result, for a later --against' },
    against: { kind: 'text', value: 'FILE', help: 'hold the result against a saved one' },
    yes: { kind: 'flag', help: 'do not ask before what is not local' },
    'key-env': keyOption,
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox bench fast --save before.json', does: 'before a change' },
    { line: 'signalbox bench fast --against before.json', does: 'after it' },
    { line: 'signalbox bench fast --compare ollama --compare vllm --requests 30', does: 'side by side' },
  ],
  async run({ options, arguments: [name = ''] }, terminal) {
    const opened = await openSystem(options, terminal, { lenient: true });
    if (opened.kind === 'none') return fail(opened.problem, terminal, options);
    const chosen = benchSides(opened.plan, name, options.compare);
    if (chosen.kind === 'unknown') return fail(chosen, terminal, options);
    const { sides } = chosen;
    const load = benchLoad({
      requests: options.requests ?? usual.requests,
      concurrency: options.concurrency ?? usual.concurrency,
      promptTokens: options['prompt-tokens'] ?? usual.promptTokens,
      maxTokens: options['max-tokens'] ?? usual.maxTokens,
    });
    const earlier = options.against === undefined ? undefined : await readReport(options.against, terminal);
    const other = earlier === undefined ? undefined : unlike(load, earlier.asked);
    if (options.against !== undefined && earlier === undefined)
      return fail(notSaved(options.against), terminal, options);
    if (other !== undefined)
      return fail(
        { kind: 'refused', message: `${options.against} cannot be compared: ${other}`, fix: 'Measure with the same' },
        terminal,
        options,
      );
    const client = await openClient(options, terminal);
    if (client.kind === 'none') return fail(client.problem, terminal, options);
    const total = sides.length * (load.requests + 1);
    const cost = costText(mostCost(chosen.deployments, sides.length, load));
    const plan = `${count(total, 'request')} of about ${load.promptTokens} tokens, answers of at most ${load.maxTokens}; ${cost}`;
    if (chosen.remote.length > 0 && !options.yes) {
      const refusal = await askFirst(
        `${plan}. ${chosen.remote.join(', ')} ${chosen.remote.length === 1 ? 'is' : 'are'} not local.`,
        options,
        terminal,
      );
      if (refusal !== undefined) return fail(refusal, terminal, options);
    }
    if (!options.json) terminal.err(paint(terminal, 'dim', plan));
    const measured = await bench({
      name,
      url: client.url,
      key: client.key,
      sides,
      load,
      costOf: async (id) => (await client.admin.decision(id).catch(() => undefined))?.costUsd ?? null,
      onProgress: (done, asked) => terminal.progress(`${done} of ${total} requests, ${asked} …`),
      now: Date.now,
    });
    terminal.progress(undefined);
    const report = earlier === undefined ? measured : against(measured, earlier);
    if (options.save !== undefined)
      await writeFile(resolve(terminal.folder, options.save), `${JSON.stringify(report, null, 2)}\n`);
    if (options.json) printJson<'bench'>(terminal, report);
    else for (const line of renderBench(report, terminal)) terminal.out(line);
    return report.sides.every((one) => one.answered > 0) ? exitCode.done : exitCode.failed;
  },
});

async function readReport(file: string, { folder }: Terminal): Promise<BenchReport | undefined> {
  try {
    const value = JSON.parse(await readFile(resolve(folder, file), 'utf8')) as Partial<BenchReport> | null;
    // What this very command has written has both.
    return Array.isArray(value?.sides) && value.asked !== undefined ? (value as BenchReport) : undefined;
  } catch {
    return undefined;
  }
}

function notSaved(file: string): Problem {
  return {
    kind: 'unknown',
    message: `"${file}" is no result of a measurement`,
    fix: `Keep one first: signalbox bench NAME --save ${file}`,
  };
}

function costText(usd: number | null): string {
  return usd === null ? 'what they cost is not known' : `they cost about ${dollarWords(usd)} at most`;
}

/** What a person answers, where one can be asked. */
async function askFirst(
  about: string,
  { json }: { readonly json: boolean },
  terminal: Terminal,
): Promise<Problem | undefined> {
  const message = `Nothing was asked. It would be ${about}`;
  if (json || !terminal.interactive) return { kind: 'refused', message, fix: 'Say so with --yes' };
  const questions = openQuestions(terminal);
  const isWanted = await questions.yes(`${about} Go on?`, false);
  questions.close();
  return isWanted ? undefined : { kind: 'refused', message };
}

function renderBench({ asked, sides, comparisons }: BenchReport, terminal: Terminal): readonly string[] {
  const rows = sides.map((one) => [
    one.asked,
    `${one.answered} of ${one.answered + one.failed}`,
    duration(one.warmUpMs),
    duration(one.firstTokenP50Ms),
    one.firstTokenP95Ms === null ? '-' : duration(one.firstTokenP95Ms),
    duration(one.totalP50Ms),
    one.tokensPerSecond === null ? 'unknown' : String(one.tokensPerSecond),
    one.throughput === null ? 'unknown' : String(one.throughput),
    one.costUsd === null ? 'unknown' : dollarWords(one.costUsd),
  ]);
  const head = ['asked', 'answered', 'warm-up', 'first token', 'p95', 'whole', 'tokens/s', 'throughput', 'cost'];
  return [
    ...renderTable(head, rows, terminal),
    ...sides.flatMap((one) => sideNotes(one, terminal)),
    '',
    paint(
      terminal,
      'dim',
      `first token and whole: the middle of all; tokens/s: of one answer; throughput: tokens/s of ${count(asked.concurrency, 'request')} at a time`,
    ),
    paint(terminal, 'dim', `prompt: "${asked.prompt}"`),
    ...comparisons.flatMap((one) => ['', ...comparisonLines(one, terminal)]),
  ];
}

function sideNotes({ asked, routes, errors, answered }: BenchSide, terminal: Terminal): readonly string[] {
  const others = Object.entries(routes).map(([route, times]) => `${route} ${times}`);
  const spread = others.length > 1 ? [`${asked} was answered by ${others.join(', ')}`] : [];
  const few = answered > 0 && answered < 20 ? [`${asked}: ${count(answered, 'answer')}, too few to tell a p95`] : [];
  return [...spread, ...few, ...errors.map((one) => paint(terminal, 'red', `${asked}: ${one}`))];
}

function comparisonLines({ before, after, firstToken, total }: BenchComparison, terminal: Terminal): readonly string[] {
  const words = ({ verdict, p }: BenchComparison['total']): string => {
    switch (verdict) {
      case 'too_few':
        return paint(terminal, 'dim', 'too few answers to tell; 30 on each side are needed');
      case 'differs':
        return paint(terminal, 'yellow', `differs by more than chance (p ${p?.toFixed(4)})`);
      case 'no_difference_shown':
        return `no difference is shown (p ${p?.toFixed(3)})`;
    }
  };
  return [`${before} → ${after}`, `  first token  ${words(firstToken)}`, `  whole        ${words(total)}`];
}
