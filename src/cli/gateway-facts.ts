import { listNames } from '../ops/list-names.ts';
import type { Problem } from './fail.ts';
import { openSystem } from './open-system.ts';
import { findGateway, targetOf } from './running-gateway.ts';
import type { Terminal } from './terminal.ts';

/** What a client of the gateway has to know of it. */
export type GatewayFacts =
  | {
      readonly kind: 'gateway';
      readonly url: string;
      readonly names: readonly string[];
      readonly keyNeeded: boolean;
    }
  | { readonly kind: 'none'; readonly problem: Problem };

/** Facts of the running gateway; where none runs, as the files say it will be. */
export async function askGateway(
  options: { readonly config: string | undefined; readonly url: string | undefined },
  terminal: Terminal,
): Promise<GatewayFacts> {
  const found = await findGateway(targetOf({ config: options.config, 'state-dir': undefined }, terminal));
  const status = found.kind === 'running' ? await found.admin.status() : undefined;
  const opened = await openSystem(options, terminal, { lenient: true });
  const plan = opened.kind === 'opened' ? opened.plan : undefined;
  const url = options.url ?? status?.address ?? undefined;
  if (url === undefined && plan === undefined)
    return {
      kind: 'none',
      problem: {
        kind: 'not_running',
        message: 'No gateway runs here, and no configuration says where one would',
        fix: 'signalbox up, or name its address with --url',
      },
    };
  const { host, port } = plan?.settings.server ?? { host: '127.0.0.1', port: 4000 };
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return {
    kind: 'gateway',
    url: (url ?? `http://${shown}:${port}`).replace(/\/(v1\/?)?$/, ''),
    names: plan === undefined ? [] : listNames(plan, status).map((one) => one.name),
    keyNeeded: status?.key.needed ?? plan?.settings.server.masterKey !== undefined,
  };
}
