import type { CacheReport } from '../../contract/cache-report.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from '../command.ts';
import { fail } from '../fail.ts';
import { printJson } from '../print-json.ts';
import { renderTable } from '../render-table.ts';
import { findGateway, targetOf } from '../running-gateway.ts';
import { bytesText, count, elapsed, paint, percent } from '../style.ts';
import type { Terminal } from '../terminal.ts';

/** `signalbox cache stats`: what the cache holds and how often it helped. */
export const command: Command = defineCommand({
  words: ['cache', 'stats'],
  summary: 'show what the response cache holds and how often it helped',
  details: ['Counts are those since the gateway started. Asks the running gateway.'],
  options: { config: configOption, 'state-dir': stateOption, json: jsonOption },
  examples: [
    { line: 'signalbox cache stats', does: 'entries, hits and misses by name' },
    { line: 'signalbox cache stats --json | jq .hitRate', does: 'the share of hits alone' },
  ],
  async run({ options }, terminal) {
    const found = await findGateway(targetOf(options, terminal));
    if (found.kind === 'none') return fail(found.problem, terminal, options);
    const report = await found.admin.cache();
    if (options.json) printJson<'cache stats'>(terminal, report);
    else for (const line of renderCache(report, terminal)) terminal.out(line);
    return exitCode.done;
  },
});

function renderCache(report: CacheReport, terminal: Terminal): string[] {
  if (!report.enabled) return ['No cache is configured: set litellm_settings.cache to true'];
  const { kind, mode, namespace, ttlSeconds, hits, shared, misses, bypassed, stored, hitRate, models } = report;
  const rate = hitRate === null ? 'none yet' : percent(hitRate);
  return [
    `store     ${kind}, ${stateOf(report, terminal)}`,
    `holds     ${holds(report)}`,
    `keeps     ${count(ttlSeconds, 'second')} where nothing else is said, ${mode}, namespace ${namespace}`,
    `hits      ${hits} of ${count(hits + misses, 'look-up')} (${rate}), ${shared} of them shared with a request under way`,
    `beside    ${bypassed} bypassed, ${stored} stored`,
    ...(models.length === 0 ? [] : ['', ...modelTable(report, terminal)]),
  ];
}

function stateOf({ state, why, since }: CacheReport, terminal: Terminal): string {
  if (state !== 'resting') return paint(terminal, 'green', 'ready');
  const time = since === null ? '' : `, since ${elapsed(since)}`;
  return paint(terminal, 'yellow', `resting: ${why ?? 'it does not answer'}${time}; requests go on without it`);
}

function holds({ entries, bytes, maxBytes }: CacheReport): string {
  if (entries === null || bytes === null) return 'unknown, since it cannot be asked';
  return `${count(entries, 'answer')}, ${bytesText(bytes)}${maxBytes === null ? '' : ` of at most ${bytesText(maxBytes)}`}`;
}

function modelTable({ models }: CacheReport, terminal: Terminal): string[] {
  return renderTable(
    ['name', 'answers', 'size', 'hits', 'misses'],
    models.map(({ model, entries, bytes, hits, misses }) => [
      model,
      entries === null ? 'unknown' : String(entries),
      bytes === null ? 'unknown' : bytesText(bytes),
      String(hits),
      String(misses),
    ]),
    terminal,
  );
}
