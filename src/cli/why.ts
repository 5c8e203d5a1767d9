import type { AttemptRecord, DecisionRecord, WaitRecord } from '../contract/decision-record.ts';
import { findDecision, recordedDecisions } from '../ops/recorded-requests.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from './command.ts';
import { fail } from './fail.ts';
import { printJson } from './print-json.ts';
import { findGateway, targetOf } from './running-gateway.ts';
import { count, duration, paint } from './style.ts';
import type { Terminal } from './terminal.ts';

/** `signalbox why [REQUEST]`: a decision in plain lines. */
export const command: Command = defineCommand({
  words: ['why'],
  summary: 'explain how a request was routed',
  details: [
    'The id of a request stands in its answer as x-request-id, and in its line of the log.',
    'Decisions are read from the running gateway, else from the state folder, which keeps the last ten thousand.',
  ],
  arguments: [{ name: 'REQUEST', help: 'the id of a request, or "last" (default)', required: false }],
  options: { config: configOption, 'state-dir': stateOption, json: jsonOption },
  examples: [
    { line: 'signalbox why', does: 'the last request' },
    { line: 'signalbox why 3f2c9a7e', does: 'one request; the beginning of its id is enough' },
  ],
  async run({ options, arguments: [id = 'last'] }, terminal) {
    const target = targetOf(options, terminal);
    const found = await findGateway(target);
    const running = found.kind === 'running' ? found.admin : undefined;
    // What was before the last restart stands in the state folder.
    const record = (await running?.decision(id)) ?? findDecision(await recordedDecisions(target, running), id);
    if (record === undefined) {
      if (found.kind === 'none') return fail(found.problem, terminal, options);
      const none = {
        kind: 'nothing_found',
        message: 'No request has been routed yet',
        fix: 'signalbox ask NAME "Hello"',
      } as const;
      const lost = {
        kind: 'unknown',
        message: `No decision is kept of the request "${id}"`,
        fix: 'signalbox why last',
      } as const;
      return fail(id === 'last' ? none : lost, terminal, options);
    }
    if (options.json) printJson<'why'>(terminal, record);
    else for (const line of renderWhy(record, terminal)) terminal.out(line);
    return exitCode.done;
  },
});

function renderWhy(record: DecisionRecord, terminal: Terminal): string[] {
  const { asked, time, id, rule, strategy, group, notes } = record;
  return [
    `asked     ${asked === null ? 'no model' : `"${asked}"`}${time === null ? '' : ` at ${time.slice(11, 19)}`}${id === null ? '' : paint(terminal, 'dim', `  ${id}`)}`,
    `meant     ${rule.text}${group === null || group === asked ? '' : `: ${group}`}${strategy === null ? '' : `, in the order of ${strategy}`}`,
    `looked at ${lookedAt(record)}`,
    ...record.waits.map((wait) => `waited    ${waited(wait)}`),
    `tried     ${tried(record.attempts)}`,
    `answered  ${answered(record, terminal)}`,
    `cost      ${cost(record)}`,
    ...notes.map((note) => `note      ${note}`),
  ];
}

function lookedAt({ candidates, rule }: DecisionRecord): string {
  if (rule.kind === 'cache') return 'nobody: there was no need';
  if (candidates.length === 0) return 'nobody: no deployment fits';
  const excluded = candidates.filter((one) => one.verdict === 'excluded');
  const why = excluded.map(
    (one) => `${one.deployment} left out (${one.detail ?? one.reason?.replaceAll('_', ' ') ?? 'unknown'})`,
  );
  return [count(candidates.length, 'deployment'), ...why].join('; ');
}

function waited({ deployment, ms, position, predictedMs }: WaitRecord): string {
  const foreseen = predictedMs === null ? '' : `, foreseen ${duration(predictedMs)}`;
  return `${duration(ms)} for a seat at ${deployment}, as number ${position}${foreseen}`;
}

function tried(attempts: readonly AttemptRecord[]): string {
  if (attempts.length === 0) return 'nobody';
  return attempts
    .map(
      (one) =>
        `${one.deployment} ${one.outcome.replaceAll('_', ' ')} after ${duration(one.ms)}${one.detail === null ? '' : ` (${one.detail})`}`,
    )
    .join('; then ');
}

function answered({ answeredBy, state, degraded, refusal, timing, cache }: DecisionRecord, terminal: Terminal): string {
  const ended = (state ?? 'still running').replaceAll('_', ' ');
  if (answeredBy === null) return paint(terminal, 'red', refusal === null ? `nobody, ${ended}` : refusal.message);
  const times = `first token after ${duration(timing.firstTokenMs)}, all of it after ${duration(timing.totalMs)}`;
  const again = cache?.outcome === 'hit' ? `, from the cache (${cache.ageSeconds ?? 0} s old)` : '';
  return `${paint(terminal, 'green', answeredBy)}${again}, ${ended}, ${times}${degraded === null ? '' : paint(terminal, 'yellow', `, degraded: ${degraded}`)}`;
}

function cost({ usage, costUsd, timing }: DecisionRecord): string {
  const tokens =
    usage === null
      ? 'tokens unknown'
      : `${usage.promptTokens ?? 'unknown'} tokens in, ${usage.completionTokens ?? 'unknown'} out`;
  const own = timing.ownMs === null ? '' : `, ${timing.ownMs} ms of the gateway’s own time`;
  return `${tokens}, ${costUsd === null ? 'price unknown' : `$${costUsd.toFixed(6)}`}${own}`;
}
