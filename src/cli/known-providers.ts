import type { ProviderStatus } from '../contract/status.ts';
import type { Problem } from './fail.ts';
import { openPlan } from './open-config.ts';
import { restingProviders } from './resting.ts';
import { findGateway, targetOf } from './running-gateway.ts';
import { paint } from './style.ts';
import type { Terminal } from './terminal.ts';

/** The providers of a system, or why they cannot be told. */
export type KnownProviders =
  | { readonly kind: 'known'; readonly running: boolean; readonly providers: readonly ProviderStatus[] }
  | { readonly kind: 'none'; readonly problem: Problem };

/** Providers with their states from the running gateway, else as the files declare them. */
export async function providersOf(
  options: { readonly config: string | undefined; readonly 'state-dir': string | undefined },
  terminal: Terminal,
): Promise<KnownProviders> {
  const found = await findGateway(targetOf(options, terminal));
  if (found.kind === 'running')
    return { kind: 'known', running: true, providers: (await found.admin.status()).providers };
  const opened = await openPlan(options.config, terminal, { lenient: true });
  if (opened.kind === 'none') return opened;
  return { kind: 'known', running: false, providers: restingProviders(opened.plan) };
}

/** Says that states are not known, and why. */
export function sayAtRest(running: boolean, terminal: Terminal): void {
  if (!running)
    terminal.err(
      paint(terminal, 'dim', 'No gateway runs with this configuration, so states are unknown: signalbox up'),
    );
}
