import type { AttemptRecord, CandidateRecord, DecisionRecord, WaitRecord } from '../contract/decision-record.ts';
import { dollarWords } from '../plan/in-words.ts';
import { renderTable } from './render-table.ts';
import { clock, count, duration, figure, paint } from './style.ts';
import type { Terminal } from './terminal.ts';

/**
 * A decision record for people: the one rendering of `why` and `route explain`. A decision that was
 * taken says what became of it; one that was not says what would be tried.
 */
export function renderDecision(
  record: DecisionRecord,
  terminal: Terminal,
  { candidates }: { readonly candidates: boolean },
): string[] {
  const outcome = record.state === null ? [['answer', foreseen(record, terminal)] as const] : became(record, terminal);
  const lines = [
    ['asked', asked(record, terminal)] as const,
    ['meant', meant(record)] as const,
    ...complexity(record),
    ...outcome,
    ...degradation(record, terminal),
    ...record.notes.map((note) => ['note', note] as const),
  ].map(([name, text]) => `${name.padEnd(9)} ${text}`);
  return candidates && record.candidates.length > 0 ? [...lines, '', ...candidateTable(record, terminal)] : lines;
}

type Line = readonly [name: string, text: string];

function asked({ asked: name, time, id, state, promptTokens }: DecisionRecord, terminal: Terminal): string {
  const what = name === null ? 'no model' : `"${name}"`;
  // What was sent says its tokens below; of what was not, this is the length that decided.
  const length = state === null ? `, a prompt of about ${count(promptTokens, 'token')}` : '';
  const when = time === null ? '' : ` at ${clock(time)}`;
  return `${what}${length}${when}${id === null ? '' : paint(terminal, 'dim', `  ${id}`)}`;
}

function meant({ rule, group, asked: name, strategy }: DecisionRecord): string {
  const what = group === null || group === name ? '' : `: ${group}`;
  return `${rule.text}${what}${strategy === null ? '' : `, in the order of ${strategy}`}`;
}

/** The score with the terms that it is made of, where the configuration asks for it. */
function complexity({ complexity: known }: DecisionRecord): readonly Line[] {
  if (known == null) return [];
  const terms = Object.entries(known.terms).map(([name, value]) => `${name} ${Number(value.toFixed(1))}`);
  return [['complex', `${known.level}, ${Number(known.score.toFixed(1))} = ${terms.join(' + ')}`]];
}

function degradation({ degraded }: DecisionRecord, terminal: Terminal): readonly Line[] {
  return degraded === null ? [] : [['degraded', paint(terminal, 'yellow', degraded)]];
}

function foreseen({ order, refusal }: DecisionRecord, terminal: Terminal): string {
  const [first, ...others] = order;
  if (first === undefined) return paint(terminal, 'red', refusal?.message ?? 'nobody');
  const rest = others.length === 0 ? '' : paint(terminal, 'dim', `, then ${others.join(', ')}`);
  return `${paint(terminal, 'green', first)}${rest}`;
}

function became(record: DecisionRecord, terminal: Terminal): readonly Line[] {
  return [
    ['looked at', lookedAt(record)],
    ...record.waits.map((wait): Line => ['waited', waited(wait)]),
    ['tried', tried(record.attempts)],
    ['answered', answered(record, terminal)],
    ['cost', cost(record)],
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

function answered({ answeredBy, state, refusal, timing, cache }: DecisionRecord, terminal: Terminal): string {
  const ended = (state ?? 'still running').replaceAll('_', ' ');
  if (answeredBy === null) return paint(terminal, 'red', refusal === null ? `nobody, ${ended}` : refusal.message);
  const times = `first token after ${duration(timing.firstTokenMs)}, all of it after ${duration(timing.totalMs)}`;
  const again = cache?.outcome === 'hit' ? `, from the cache (${cache.ageSeconds ?? 0} s old)` : '';
  return `${paint(terminal, 'green', answeredBy)}${again}, ${ended}, ${times}`;
}

function cost({ usage, costUsd, timing }: DecisionRecord): string {
  const tokens =
    usage === null
      ? 'tokens unknown'
      : `${usage.promptTokens ?? 'unknown'} tokens in, ${usage.completionTokens ?? 'unknown'} out`;
  const own = timing.ownMs === null ? '' : `, ${timing.ownMs} ms of the gateway’s own time`;
  return `${tokens}, ${costUsd === null ? 'price unknown' : dollarWords(costUsd)}${own}`;
}

function candidateTable({ candidates }: DecisionRecord, terminal: Terminal): string[] {
  const rows = candidates.map((one) => [
    one.deployment,
    one.position === null ? '-' : String(one.position + 1),
    one.source.replaceAll('_', ' '),
    one.weight === null ? '' : String(one.weight),
    Object.entries(one.numbers)
      .map(([name, value]) => `${name} ${figure(value)}`)
      .join(', '),
    verdictOf(one, terminal),
  ]);
  return renderTable(['deployment', 'try', 'as', 'weight', 'numbers', 'verdict'], rows, terminal);
}

function verdictOf({ verdict, reason, detail }: CandidateRecord, terminal: Terminal): string {
  if (verdict !== 'excluded') return verdict;
  return paint(terminal, 'yellow', `${reason?.replaceAll('_', ' ')}${detail === null ? '' : `: ${detail}`}`);
}
