import { resolve } from 'node:path';
import { openWorkload } from '../../ops/read-workload.ts';
import { simulateRequests } from '../../ops/route-analysis.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from '../command.ts';
import { fail } from '../fail.ts';
import { openSystem } from '../open-system.ts';
import { printJson } from '../print-json.ts';
import { paint } from '../style.ts';
import { renderPlay } from './play-text.ts';
import { nothingRecorded, playOptions, recordingOf, seedOption } from './recording.ts';

/** `signalbox route simulate`: what a workload would come to under this configuration. */
export const command: Command = defineCommand({
  words: ['route', 'simulate'],
  summary: 'play requests on a virtual clock',
  details: [
    'Nothing is sent. The same code as in the gateway decides; a workload or records say how servers answer.',
    'docs/how-to/try-a-change.md shows what a workload file is.',
  ],
  options: {
    config: configOption,
    'state-dir': stateOption,
    workload: { kind: 'text', value: 'FILE', help: 'requests to play, YAML or JSONL (default: the recorded ones)' },
    ...playOptions,
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox route simulate --workload monday.yaml', does: 'shares, times, waits and cost of a file' },
    { line: 'signalbox route simulate --config new/ --since 1h', does: 'the last hour again, in another folder' },
  ],
  async run({ options }, terminal) {
    const opened = await openSystem(options, terminal, { lenient: true });
    if (opened.kind === 'none') return fail(opened.problem, terminal, options);
    const { workload: file } = options;
    const read = file === undefined ? undefined : await openWorkload(resolve(terminal.folder, file), file, opened.plan);
    if (read?.kind === 'wrong') return fail({ ...read, kind: 'failed' }, terminal, options);
    const recorded = await recordingOf(options, terminal);
    if (recorded.kind === 'wrong') return fail(recorded.problem, terminal, options);
    const report = await simulateRequests(recorded.recording, {
      plan: opened.plan,
      workload: read?.workload,
      seed: seedOption(options.seed),
    });
    if (report.requests === 0) return fail(nothingRecorded, terminal, options);
    if (options.json) printJson<'route simulate'>(terminal, report);
    else {
      for (const line of renderPlay(report, terminal)) terminal.out(line);
      for (const line of report.assumed) terminal.err(paint(terminal, 'dim', `assumed: ${line}`));
    }
    return exitCode.done;
  },
});
