import { compile } from '../config/compile.ts';
import { type NoConfig, type OpenedPlan, openPlan } from './open-config.ts';
import { findGateway, targetOf } from './running-gateway.ts';
import type { Terminal } from './terminal.ts';

/** Which system a verb is about. */
type SystemOptions = { readonly config: string | undefined; readonly 'state-dir'?: string | undefined };

/** The plan of a system: of its files, or where it has none, of what its running gateway has found. */
export async function openSystem(
  options: SystemOptions,
  terminal: Terminal,
  { lenient }: { readonly lenient: boolean },
): Promise<OpenedPlan | NoConfig> {
  const opened = await openPlan(options.config, terminal, { lenient });
  if (opened.kind === 'opened' || opened.problem.kind !== 'no_config' || options.config !== undefined) return opened;
  const found = await findGateway(targetOf({ 'state-dir': undefined, ...options }, terminal));
  const sources = found.kind === 'running' ? await found.admin.discovered() : undefined;
  if (sources === undefined) return opened;
  const compiled = compile(sources, { environment: terminal.environment, lenient });
  const { value: plan } = compiled;
  return plan === undefined ? opened : { kind: 'opened', path: 'discovered', sources, compiled, plan };
}
