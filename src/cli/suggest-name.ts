import { nearest } from '../plan/nearest.ts';
import { openPlan } from './open-config.ts';
import type { Terminal } from './terminal.ts';

/** Says which names of the configuration are nearly one that it does not have. */
export async function suggestName(name: string, config: string | undefined, terminal: Terminal): Promise<void> {
  const opened = await openPlan(config, terminal, { lenient: true });
  const groups = opened.kind === 'opened' ? opened.plan.groups.filter((group) => group.listed) : [];
  const known = groups.map((group) => group.name);
  if (known.some((one) => one === name)) return;
  const near = nearest(name, known);
  if (near.length > 0) terminal.err(`Did you mean ${near.map((one) => `"${one}"`).join(', ')}?`);
}
