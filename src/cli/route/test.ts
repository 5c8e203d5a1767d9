import { readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { routeTestsName } from '../../config/read-sources.ts';
import type { SourceFile } from '../../config/source-file.ts';
import type { RouteTestReport, RouteTestResult } from '../../contract/route-test.ts';
import { explainAtRest } from '../../main.ts';
import { runRouteTests } from '../../ops/route-tests.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, lenientOption } from '../command.ts';
import { renderDecision } from '../decision-text.ts';
import { fail } from '../fail.ts';
import { openPlan } from '../open-config.ts';
import { printJson } from '../print-json.ts';
import { count, paint } from '../style.ts';
import type { Terminal } from '../terminal.ts';

/** `signalbox route test FILE`: whether requests go where a file of policy tests says that they must. */
export const command: Command = defineCommand({
  words: ['route', 'test'],
  summary: 'prove by a file of tests where requests go',
  details: [
    'Each test is a request, the states that it meets and what must come of it; nothing is sent and no gateway is needed.',
    'A test that fails shows the decision. What is random is decided by the middle of every draw.',
    'Exit code 1 where a test fails, so that a pipeline can stop there.',
  ],
  arguments: [{ name: 'FILE', help: `the tests (default: ${routeTestsName} in the config folder)`, required: false }],
  options: { config: configOption, lenient: lenientOption, json: jsonOption },
  examples: [
    { line: 'signalbox route test', does: 'the tests beside the config' },
    { line: 'signalbox route test tests/night.yaml --config candidate', does: 'hold another config against them' },
  ],
  async run({ options, arguments: [given] }, terminal) {
    const opened = await openPlan(options.config, terminal, { lenient: options.lenient });
    if (opened.kind === 'none') return fail(opened.problem, terminal, options);
    const path = given ?? join(opened.path, routeTestsName);
    const source = await readTests(path, terminal);
    if (source === undefined) {
      const message = `There are no tests in "${path}"`;
      const fix = 'Write them as docs/how-to/test-your-routes.md shows, or name another file';
      return fail({ kind: 'unknown', message, fix }, terminal, options);
    }
    const run = await runRouteTests(source, opened.plan, explainAtRest);
    if (run.kind === 'unreadable') {
      const { diagnostics } = run;
      return fail(
        { kind: 'config', message: `${path} cannot be run`, diagnostics, sources: [source] },
        terminal,
        options,
      );
    }
    if (options.json) printJson<'route test'>(terminal, run.report);
    else for (const line of renderReport(run.report, terminal)) terminal.out(line);
    return run.report.failed === 0 ? exitCode.done : exitCode.failed;
  },
});

async function readTests(path: string, { folder }: Terminal): Promise<SourceFile | undefined> {
  const whole = resolve(folder, path);
  try {
    return { kind: 'other', path: relative(folder, whole), text: await readFile(whole, 'utf8') };
  } catch {
    return undefined;
  }
}

function renderReport({ file, passed, failed, tests }: RouteTestReport, terminal: Terminal): readonly string[] {
  const total = count(passed + failed, 'test');
  const verdict =
    failed === 0
      ? paint(terminal, 'green', 'all pass')
      : paint(terminal, 'red', `${failed} ${failed === 1 ? 'fails' : 'fail'}`);
  return [...tests.flatMap((test) => renderTest(test, file, terminal)), `${total}: ${verdict}`];
}

function renderTest(
  { name, line, passed, mismatches, decision }: RouteTestResult,
  file: string,
  terminal: Terminal,
): readonly string[] {
  if (passed) return [`${paint(terminal, 'green', '✓')} ${name}`];
  const found = mismatches.flatMap(({ what, expected, found }) => [
    `    ${what}`,
    `      expected  ${expected}`,
    `      found     ${paint(terminal, 'red', found)}`,
  ]);
  const shown = { ...terminal, columns: Math.max(1, terminal.columns - 4) };
  const why =
    decision === null
      ? []
      : renderDecision(decision, shown, { candidates: true }).map((text) => (text === '' ? '' : `    ${text}`));
  return [
    `${paint(terminal, 'red', '✗')} ${name}  ${paint(terminal, 'dim', `${file}:${line}`)}`,
    ...found,
    '',
    ...why,
    '',
  ];
}
