import type { Check, DoctorReport } from '../contract/doctor-report.ts';
import { askProviders, createProbing } from '../main.ts';
import { examineSystem } from '../ops/doctor.ts';
import { thisMachine } from '../ops/doctor-machine.ts';
import {
  type Command,
  configOption,
  defineCommand,
  exitCode,
  jsonOption,
  lenientOption,
  portRange,
  stateOption,
} from './command.ts';
import { printJson } from './print-json.ts';
import { targetOf } from './running-gateway.ts';
import { count, paint } from './style.ts';
import type { Terminal } from './terminal.ts';

/** `signalbox doctor`: every precondition, each with its fix. */
export const command: Command = defineCommand({
  words: ['doctor'],
  summary: 'check every precondition, each with its fix',
  details: ['It changes nothing and runs no model. Exit code 1 when a check failed.'],
  options: {
    config: configOption,
    'state-dir': stateOption,
    port: {
      kind: 'number',
      value: 'PORT',
      short: 'p',
      whole: portRange,
      help: 'port that the gateway will listen on (default: the config’s)',
    },
    lenient: lenientOption,
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox doctor', does: 'before the first start, and whenever something is odd' },
    { line: 'signalbox doctor --json | jq ".checks[] | select(.state == \\"failed\\")"', does: 'for scripts' },
  ],
  async run({ options }, terminal) {
    terminal.progress('looking …');
    const report = await examineSystem({
      target: targetOf(options, terminal),
      lenient: options.lenient,
      port: options.port,
      probing: createProbing(),
      askProviders,
      machine: thisMachine,
    });
    terminal.progress(undefined);
    if (options.json) printJson<'doctor'>(terminal, report);
    else for (const line of renderReport(report, terminal)) terminal.out(line);
    return report.ok ? exitCode.done : exitCode.failed;
  },
});

const marks: Readonly<Record<Check['state'], readonly [mark: string, style: 'green' | 'yellow' | 'red' | 'dim']>> = {
  ok: ['ok', 'green'],
  warning: ['warning', 'yellow'],
  failed: ['FAILED', 'red'],
  skipped: ['skipped', 'dim'],
};

/** Room for the longest mark, and the space after it. */
const markWidth = 9;

function renderReport({ checks }: DoctorReport, terminal: Terminal): string[] {
  const titleWidth = Math.max(...checks.map(({ title }) => title.length));
  const margin = ' '.repeat(markWidth);
  const isNarrow = checks.some(({ found }) => markWidth + titleWidth + 2 + found.length > terminal.columns);
  const lines = checks.flatMap(({ state, title, found, fix }) => {
    const [mark, style] = marks[state];
    const head = paint(terminal, style, mark) + ' '.repeat(markWidth - mark.length);
    return [
      ...(isNarrow ? [head + title, margin + found] : [`${head}${title.padEnd(titleWidth)}  ${found}`]),
      ...(fix === null ? [] : [`${margin}${paint(terminal, 'green', 'fix')}: ${fix}`]),
    ];
  });
  const of = (state: Check['state']): number => checks.filter((one) => one.state === state).length;
  return [
    ...lines,
    '',
    `${count(of('ok'), 'check')} ok, ${count(of('warning'), 'warning')}, ${of('failed')} failed, ${of('skipped')} skipped`,
  ];
}
