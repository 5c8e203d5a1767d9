import { relative, resolve } from 'node:path';
import { type CompiledPlan, compile } from '../config/compile.ts';
import { findConfig, readSources } from '../config/read-sources.ts';
import type { SourceFile } from '../config/source-file.ts';
import { shown } from '../ops/load-plan.ts';
import type { Plan } from '../plan/plan.ts';
import type { Problem } from './fail.ts';
import type { Terminal } from './terminal.ts';

/** A configuration that was read and compiled, with or without errors. */
export type OpenedConfig = {
  readonly kind: 'opened';
  readonly path: string;
  readonly sources: readonly SourceFile[];
  readonly compiled: CompiledPlan;
};

/** Why there is no configuration to look at. */
export type NoConfig = { readonly kind: 'none'; readonly problem: Problem };

/** Reads and compiles the configuration that a verb was pointed at, or the one of this folder. */
export async function openConfig(
  path: string | undefined,
  terminal: Terminal,
  { lenient }: { readonly lenient: boolean },
): Promise<OpenedConfig | NoConfig> {
  const target = path ?? (await findConfig(terminal.folder));
  if (target === undefined) {
    const message = 'There is no ./config here, and no LiteLLM config.yaml';
    return { kind: 'none', problem: { kind: 'no_config', message, fix: 'signalbox init' } };
  }
  const read = await readSources(resolve(terminal.folder, target));
  if (read.kind === 'missing')
    return {
      kind: 'none',
      problem: { kind: 'no_config', message: read.message, fix: 'signalbox init, or another --config' },
    };
  const sources = shown(read.files, terminal.folder);
  const compiled = compile(sources, { environment: terminal.environment, lenient });
  return { kind: 'opened', path: path ?? (relative(terminal.folder, target) || target), sources, compiled };
}

/** A configuration that can run. */
export type OpenedPlan = OpenedConfig & { readonly plan: Plan };

/** The same for verbs that need a plan: a configuration with errors is a problem to them. */
export async function openPlan(
  path: string | undefined,
  terminal: Terminal,
  { lenient }: { readonly lenient: boolean },
): Promise<OpenedPlan | NoConfig> {
  const opened = await openConfig(path, terminal, { lenient });
  if (opened.kind === 'none') return opened;
  const { value: plan, diagnostics } = opened.compiled;
  if (plan !== undefined) return { ...opened, plan };
  const problem = {
    kind: 'config',
    message: `${opened.path} cannot run`,
    diagnostics,
    sources: opened.sources,
  } as const;
  return { kind: 'none', problem };
}
