import { relative, resolve } from 'node:path';
import { type CompiledPlan, compile } from '../config/compile.ts';
import { findConfig, readSources } from '../config/read-sources.ts';
import type { SourceFile } from '../config/source-file.ts';
import { shown } from '../ops/load-plan.ts';
import type { Terminal } from './terminal.ts';

/** A configuration that was read and compiled, or why there is none. */
export type OpenedConfig =
  | {
      readonly kind: 'opened';
      readonly path: string;
      readonly sources: readonly SourceFile[];
      readonly compiled: CompiledPlan;
    }
  | { readonly kind: 'missing'; readonly message: string };

/** Reads and compiles the configuration that a verb was pointed at, or the one of this folder. */
export async function openConfig(
  path: string | undefined,
  terminal: Terminal,
  options: { readonly lenient: boolean },
): Promise<OpenedConfig> {
  const target = path ?? (await findConfig(terminal.folder));
  if (target === undefined) {
    return {
      kind: 'missing',
      message: 'There is no ./config here and no LiteLLM config.yaml. Make one with: signalbox init',
    };
  }
  const read = await readSources(resolve(terminal.folder, target));
  if (read.kind === 'missing') return read;
  const sources = shown(read.files, terminal.folder);
  const compiled = compile(sources, { environment: terminal.environment, lenient: options.lenient });
  return { kind: 'opened', path: path ?? (relative(terminal.folder, target) || target), sources, compiled };
}
