import type { StatsReport } from '../../contract/route-stats.ts';
import { readDuration } from '../../ops/moment.ts';
import { readStats } from '../../ops/route-stats.ts';
import { dollarWords } from '../../plan/in-words.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from '../command.ts';
import { fail, type Problem, unknownName } from '../fail.ts';
import { openSystem } from '../open-system.ts';
import { printJson } from '../print-json.ts';
import { renderTable } from '../render-table.ts';
import { findGateway, targetOf } from '../running-gateway.ts';
import { count, paint } from '../style.ts';
import type { Terminal } from '../terminal.ts';
import { renderPool, shareCells } from './play-text.ts';
import { momentOf, timeCell, timesText } from './times.ts';

const usualSince = '10m';
const usualSlow = '10s';

/** `signalbox route stats`: what recorded requests came to, by provider, by model and by pool. */
export const command: Command = defineCommand({
  words: ['route', 'stats'],
  summary: 'count recorded requests by provider, model and pool',
  details: [
    'Requests come from the decisions in the state folder, and from the log before the first of them.',
    'A pool is held against its weights by a chi-square test; a share that differs has p below 0.01.',
    'Where a gateway runs, it shows for each name with something behind it who could serve now.',
  ],
  options: {
    config: configOption,
    'state-dir': stateOption,
    since: { kind: 'text', value: 'TIME', help: `from when on: 10m, 14:30 or an ISO time (default: ${usualSince})` },
    provider: { kind: 'text', value: 'NAME', help: 'only requests that this provider answered or failed' },
    slow: { kind: 'text', value: 'TIME', help: `what counts as slow for a model (default: ${usualSlow})` },
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox route stats --since 10m', does: 'the last ten minutes' },
    { line: 'signalbox route stats --since 1d --provider ollama --slow 5s', does: 'a day of one provider' },
  ],
  async run({ options }, terminal) {
    const now = Date.now();
    const since = momentOf('--since', options.since ?? usualSince, now);
    if (since.kind === 'wrong') return fail(since.problem, terminal, options);
    const slowMs = readDuration(options.slow ?? usualSlow);
    if (slowMs === undefined) {
      const message = `--slow wants a duration such as 5s, found "${options.slow}"`;
      return fail({ kind: 'usage', message }, terminal, options);
    }
    const target = targetOf(options, terminal);
    const found = await findGateway(target);
    const report = await readStats(target, found.kind === 'running' ? found.admin : undefined, {
      since: since.at,
      until: now,
      provider: options.provider,
      slowMs,
    });
    const { provider } = options;
    const problem =
      report.requests > 0 || provider === undefined ? undefined : await unknownProvider(provider, options, terminal);
    if (problem !== undefined) return fail(problem, terminal, options);
    if (options.json) printJson<'route stats'>(terminal, report);
    else for (const line of renderStats(report, provider, terminal)) terminal.out(line);
    return exitCode.done;
  },
});

/** Nothing is recorded of a name that the configuration does not have either. */
async function unknownProvider(
  name: string,
  options: { readonly config: string | undefined; readonly 'state-dir': string | undefined },
  terminal: Terminal,
): Promise<Problem | undefined> {
  const opened = await openSystem(options, terminal, { lenient: true });
  if (opened.kind === 'none') return undefined;
  const known = [...opened.plan.providers.keys()];
  return known.some((one) => one === name) ? undefined : unknownName('provider', name, known);
}

function renderStats(report: StatsReport, provider: string | undefined, terminal: Terminal): string[] {
  const { requests, answered, errors, rejected, clientClosed, times } = report;
  const since = `${report.since.slice(0, 19)}Z`;
  if (requests === 0)
    return [`No request${provider === undefined ? '' : ` of ${provider}`} is recorded since ${since}`];
  const parts = [
    `${answered} answered`,
    `${report.cached} from the cache`,
    count(errors, 'error'),
    `${rejected} refused`,
    `${clientClosed} left by clients`,
  ];
  return [
    `${count(requests, 'request')} since ${since}: ${parts.join(', ')}`,
    `times  ${timesText(times)}`,
    '',
    ...providerTable(report, terminal),
    '',
    ...modelTable(report, terminal),
    ...report.pools.flatMap((pool) => ['', ...renderPool(pool, terminal)]),
    ...chainLines(report, terminal),
  ];
}

function providerTable({ providers }: StatsReport, terminal: Terminal): string[] {
  const rows = providers.map((one) => [
    ...shareCells(one),
    timeCell(one.firstTokenP50Ms),
    String(one.fallbacks),
    one.costUsd === null ? '-' : `${one.unpriced > 0 ? 'over ' : ''}${dollarWords(one.costUsd)}`,
  ]);
  const head = ['provider', 'requests', 'share', 'errors', 'p50', 'p95', 'first token', 'fallbacks', 'cost'];
  return renderTable(head, rows, terminal);
}

function modelTable({ models, slowMs }: StatsReport, terminal: Terminal): string[] {
  const rows = models.map((one) => [
    one.deployment,
    String(one.requests),
    timeCell(one.times.p50Ms),
    timeCell(one.times.p95Ms),
    one.slow ? paint(terminal, 'yellow', `slow: a tenth or more take longer than ${timeCell(slowMs)}`) : '',
  ]);
  return renderTable(['slowest model', 'requests', 'p50', 'p95', ''], rows, terminal);
}

function chainLines({ chains }: StatsReport, terminal: Terminal): string[] {
  if (chains.length === 0) return [];
  const rows = chains.map(({ group, hops }) => {
    const ready = hops.filter((one) => one.ready).length;
    const shown = hops.map((hop) =>
      hop.ready ? hop.deployment : `${hop.deployment} ${paint(terminal, 'red', `(✗ ${hop.why ?? 'not ready'})`)}`,
    );
    const tally = paint(terminal, ready === hops.length ? 'green' : 'yellow', `${ready} of ${hops.length}`);
    return [group, tally, shown.join(' → ')];
  });
  return ['', ...renderTable(['name', 'ready now', 'who answers, in order'], rows, terminal)];
}
