import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Diagnostic } from '../../config/diagnostic.ts';
import { generatedName } from '../../config/read-sources.ts';
import type { SourceFile } from '../../config/source-file.ts';
import { strategyName } from '../../config/strategy-name.ts';
import type { StrategyChange } from '../../contract/strategy-report.ts';
import { type ChangedSource, changeSource } from '../../ops/change-source.ts';
import { lineDiff } from '../../ops/line-diff.ts';
import { editStrategy, type StrategyEdit, usualName } from '../../ops/set-strategy.ts';
import type { Plan } from '../../plan/plan.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from '../command.ts';
import { renderDiagnostics } from '../diagnostics.ts';
import { fail, type Problem } from '../fail.ts';
import { type OpenedPlan, openPlan } from '../open-config.ts';
import { printJson } from '../print-json.ts';
import { findGateway, targetOf } from '../running-gateway.ts';
import { paint } from '../style.ts';
import type { Terminal } from '../terminal.ts';

/** `signalbox strategy set NAME STRATEGY`: another strategy for a name, in the file that declares it. */
export const command: Command = defineCommand({
  words: ['strategy', 'set'],
  summary: 'give a name another strategy, in the file that declares it',
  details: [
    'Comments and order of the file stay. What would not compile is not written.',
    `The name "${usualName}" stands for all names that declare none: router_settings.routing_strategy.`,
    'A name that several providers have becomes a pool of these.',
  ],
  arguments: [
    { name: 'NAME', help: `a name that clients ask for, or ${usualName}`, required: true },
    { name: 'STRATEGY', help: 'any spelling that signalbox strategy show lists', required: true },
  ],
  options: {
    config: configOption,
    'state-dir': stateOption,
    weights: { kind: 'text', value: 'A=W,B=W', help: 'weights of members, by provider or provider/model' },
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox strategy set fast soonest', does: 'whose answer is predicted to be complete first' },
    { line: 'signalbox strategy set fast weighted --weights ollama=0.7,vllm=0.3', does: 'shares' },
    { line: `signalbox strategy set ${usualName} usage-based-routing-v2`, does: 'for names that declare none' },
  ],
  async run({ options, arguments: [name = '', strategy = ''] }, terminal) {
    const weights = readWeights(options.weights);
    if (weights === undefined)
      return fail(
        { kind: 'usage', message: `--weights wants NAME=NUMBER with commas between, found "${options.weights}"` },
        terminal,
        options,
      );
    const opened = await openPlan(options.config, terminal, { lenient: true });
    if (opened.kind === 'none') return fail(opened.problem, terminal, options);
    const config = { plan: opened.plan, places: opened.compiled.places.strategies, sources: opened.sources };
    const edit = editStrategy(config, { name, strategy, weights });
    if (edit.kind === 'refused')
      return fail({ kind: 'unknown', message: edit.message, fix: edit.fix }, terminal, options);
    const changed = await write(edit, opened, terminal);
    const problem = problemOf(changed, edit.path, { name, strategy });
    if (problem !== undefined) return fail(problem, terminal, options);
    const report: StrategyChange = {
      name,
      before: orderedBy(opened.plan, name),
      after: strategyName(strategy) ?? strategy,
      file: edit.path,
      changed: edit.after !== edit.before,
      diff: lineDiff(edit.before, edit.after),
    };
    if (options.json) printJson<'strategy set'>(terminal, report);
    else {
      const found = await findGateway(targetOf(options, terminal));
      tell({ report, warnings: newWarnings(opened, changed), isRunning: found.kind === 'running' }, terminal);
    }
    return exitCode.done;
  },
});

function readWeights(text: string | undefined): ReadonlyMap<string, number> | undefined {
  const weights = new Map<string, number>();
  for (const one of text?.split(',') ?? []) {
    const at = one.lastIndexOf('=');
    const [name, weight] = [one.slice(0, at).trim(), one.slice(at + 1).trim()];
    if (at < 1 || name === '' || !/^\d+(\.\d+)?$/.test(weight)) return undefined;
    weights.set(name, Number(weight));
  }
  return weights;
}

type Edit = Extract<StrategyEdit, { kind: 'edit' }>;

function write(edit: Edit, { sources }: OpenedPlan, { folder, environment }: Terminal): Promise<ChangedSource> {
  const fresh: SourceFile = {
    kind: basename(edit.path).startsWith('settings') ? 'settings' : 'model-mappings',
    path: edit.path,
    text: '',
  };
  const source = sources.find((one) => one.path === edit.path) ?? fresh;
  const change = { path: resolve(folder, edit.path), source, after: edit.after };
  return changeSource(change, sources, { environment, lenient: true });
}

/** The strategy that a name has, or that names have that declare none. */
function orderedBy(plan: Plan, name: string): string {
  return plan.groups.find((one) => one.name === name)?.strategy.name ?? plan.settings.routing.defaultStrategy.name;
}

function problemOf(
  changed: ChangedSource,
  path: string,
  wanted: { readonly name: string; readonly strategy: string },
): Problem | undefined {
  switch (changed.kind) {
    case 'changed':
      return undefined;
    case 'broken': {
      const { compiled, sources } = changed;
      const message = `${path} stays as it is, for "${wanted.name}" cannot have the strategy "${wanted.strategy}"`;
      return { kind: 'config', message, diagnostics: compiled.diagnostics, sources };
    }
    case 'moved':
      return { kind: 'refused', message: `${path} has been changed meanwhile`, fix: 'Try again' };
  }
}

function newWarnings({ compiled }: OpenedPlan, changed: ChangedSource): readonly Diagnostic[] {
  const known = new Set(compiled.diagnostics.map((one) => one.message));
  const found = changed.kind === 'changed' ? changed.compiled.diagnostics : [];
  return found.filter((one) => one.severity === 'warning' && !known.has(one.message));
}

type Told = {
  readonly report: StrategyChange;
  /** What the configuration is warned of since the change. */
  readonly warnings: readonly Diagnostic[];
  readonly isRunning: boolean;
};

function tell({ report, warnings, isRunning }: Told, terminal: Terminal): void {
  const { name, before, after, file, diff } = report;
  if (!report.changed) return terminal.out(`"${name}" has the strategy ${after} already: ${file} stays as it is`);
  terminal.out(file);
  for (const line of diff) terminal.out(paint(terminal, line.startsWith('-') ? 'red' : 'green', line));
  terminal.out('');
  for (const line of renderDiagnostics(warnings, [], terminal)) terminal.out(line);
  terminal.out(`"${name}" ${before === after ? `keeps the strategy ${after}` : `goes from ${before} to ${after}`}`);
  terminal.out(isRunning ? 'The running gateway takes it at its next start' : 'It holds from the next start on');
  const generated = join(dirname(file), generatedName);
  if (generated !== file && existsSync(resolve(terminal.folder, generated)))
    terminal.out(`${generated} is as it was; write it anew with: signalbox generate`);
}
