import type { Recording } from '../../ops/route-analysis.ts';
import type { Problem } from '../fail.ts';
import { findGateway, targetOf } from '../running-gateway.ts';
import type { Terminal } from '../terminal.ts';
import { momentOf } from './times.ts';

/** Options of every verb that plays requests. */
export const playOptions: {
  readonly since: { readonly kind: 'text'; readonly value: string; readonly help: string };
  readonly seed: { readonly kind: 'number'; readonly value: string; readonly help: string };
} = {
  since: { kind: 'text', value: 'TIME', help: 'requests from then on: 1h, 14:30 or an ISO time (default: all)' },
  seed: { kind: 'number', value: 'N', help: 'the same seed gives the same result (default: 1)' },
};

/** The recorded requests that a verb's options name. */
export async function recordingOf(
  options: {
    readonly config: string | undefined;
    readonly 'state-dir': string | undefined;
    readonly since: string | undefined;
  },
  terminal: Terminal,
): Promise<
  { readonly kind: 'recording'; readonly recording: Recording } | { readonly kind: 'wrong'; readonly problem: Problem }
> {
  const since = options.since === undefined ? undefined : momentOf('--since', options.since, Date.now());
  if (since?.kind === 'wrong') return since;
  const target = targetOf(options, terminal);
  const found = await findGateway(target);
  const running = found.kind === 'running' ? found.admin : undefined;
  return { kind: 'recording', recording: { target, running, since: since?.at } };
}

/** A seed as it was given; the usual one is 1. */
export function seedOption(seed: number | undefined): number {
  return seed === undefined ? 1 : Math.abs(Math.trunc(seed));
}

/** What verbs say where there is nothing to work with. */
export const nothingRecorded: Problem = {
  kind: 'nothing_found',
  message: 'No request is recorded that was routed',
  fix: 'Send some through the gateway, or give an earlier --since',
};
