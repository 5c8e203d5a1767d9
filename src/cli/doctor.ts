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
  stateOption,
} from './command.ts';
import { printJson } from './print-json.ts';
import { targetOf } from './running-gateway.ts';
import { count, paint, renderTable } from './style.ts';
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

function renderReport({ checks }: DoctorReport, terminal: Terminal): string[] {
  const rows = checks.map(({ state, title, found }) => {
    const [mark, style] = marks[state];
    return [paint(terminal, style, mark), title, found];
  });
  const [, ...table] = renderTable(['', '', ''], rows);
  const lines = checks.flatMap(({ fix }, index) => [
    table[index] ?? '',
    ...(fix === null ? [] : [`         ${paint(terminal, 'green', 'fix')}: ${fix}`]),
  ]);
  const of = (state: Check['state']): number => checks.filter((one) => one.state === state).length;
  return [
    ...lines,
    '',
    `${count(of('ok'), 'check')} ok, ${count(of('warning'), 'warning')}, ${of('failed')} failed, ${of('skipped')} skipped`,
  ];
}
