import type { CandidateRecord, DecisionRecord } from '../../contract/decision-record.ts';
import { paint, renderTable } from '../style.ts';
import type { Terminal } from '../terminal.ts';

/** A decision with all its candidates, as `route explain` and failing policy tests show it. */
export function renderExplanation(record: DecisionRecord, terminal: Terminal): string[] {
  const { asked, rule, strategy, refusal, order, degraded, candidates, notes } = record;
  const lines = [
    `asked     ${asked === null ? 'no name' : `"${asked}"`}`,
    `rule      ${rule.text}`,
    ...(record.group === null ? [] : [`group     ${record.group}${strategy === null ? '' : `, ${strategy}`}`]),
    `answer    ${order[0] === undefined ? paint(terminal, 'red', refusal?.message ?? 'nobody') : paint(terminal, 'green', order[0])}${order.length > 1 ? paint(terminal, 'dim', `, then ${order.slice(1).join(', ')}`) : ''}`,
    ...(degraded === null ? [] : [`degraded  ${paint(terminal, 'yellow', degraded)}`]),
  ];
  if (candidates.length > 0) {
    const rows = candidates.map((one) => [
      one.deployment,
      one.position === null ? '-' : String(one.position + 1),
      one.source.replaceAll('_', ' '),
      one.weight === null ? '' : String(one.weight),
      Object.entries(one.numbers)
        .map(([name, value]) => `${name} ${Number(value.toFixed(3))}`)
        .join(', '),
      verdictOf(one, terminal),
    ]);
    lines.push('', ...renderTable(['deployment', 'try', 'as', 'weight', 'numbers', 'verdict'], rows, terminal));
  }
  for (const note of notes) lines.push('', paint(terminal, 'dim', note));
  return lines;
}

function verdictOf({ verdict, reason, detail }: CandidateRecord, terminal: Terminal): string {
  if (verdict !== 'excluded') return verdict;
  return paint(terminal, 'yellow', `${reason?.replaceAll('_', ' ')}${detail === null ? '' : `: ${detail}`}`);
}
