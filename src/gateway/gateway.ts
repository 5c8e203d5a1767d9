/**
 * Gateway: the data plane. It takes HTTP requests, asks routing where they go, speaks to upstreams
 * through the providers' dialects and relays their answers. It never reads configuration files,
 * never chooses a deployment itself and never swaps the snapshot. Start reading at `pipeline.ts`.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Milliseconds } from '../plan/ids.ts';
import type { GatewayDependencies, PipelineContext } from './dependencies.ts';
import { createListener, type ListenerLimits } from './listener.ts';
import { handleExchange } from './pipeline.ts';
import { createSeats } from './seat-queue.ts';
import { createSettled } from './settle.ts';

/** A gateway that may be listening. */
export type Gateway = {
  /** Requests under way. */
  readonly active: () => number;
  listen(host: string, port: number): Promise<AddressInfo>;
  /** Sends on the requests that wait for a deployment that is draining. */
  readonly leaveDraining: () => void;
  /** Takes no new requests, lets running ones finish for so long, then cuts the rest. */
  drain(limit: Milliseconds): Promise<void>;
};

/** What a gateway is made of. */
export type GatewayInput = GatewayDependencies & {
  /** What is held for clients at once. */
  readonly limits: ListenerLimits;
};

/** Creates a gateway; it answers once it listens. */
export function createGateway({ limits, ...dependencies }: GatewayInput): Gateway {
  /** Requests under way, and who is told when there are none: a second signal ends what the first one began to. */
  let running = 0;
  const whenIdle: (() => void)[] = [];
  const seats = createSeats(dependencies);
  const settled = createSettled(dependencies);
  let draining = false;
  const context: PipelineContext = {
    ...dependencies,
    seats,
    settled,
    isDraining: () => draining,
    active: () => running,
  };
  const ended = (): void => {
    running--;
    if (running === 0) for (const tell of whenIdle.splice(0)) tell();
  };
  const { server, endUnused } = createListener({
    onExchange(exchange) {
      running++;
      void handleExchange(context, exchange)
        .catch((error: unknown) => {
          // Its failure could not be told either.
          exchange.destroy();
          dependencies.log.internalError(error, undefined);
        })
        .then(ended);
    },
    onBadClient: dependencies.log.badClient,
    onFault: (error) => dependencies.log.internalError(error, undefined),
    clock: dependencies.clock,
    limits,
  });
  return {
    active: () => running,
    leaveDraining: seats.leaveDraining,
    listen: (host, port) => listen(server, host, port),
    async drain(limit) {
      draining = true;
      seats.drain();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      endUnused();
      if (limit <= 0) server.closeAllConnections();
      const late = dependencies.clock.after(limit, () => server.closeAllConnections());
      await closed;
      late.stop();
      await new Promise<void>((resolve) => {
        if (running === 0) resolve();
        else whenIdle.push(resolve);
      });
      settled.flush();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject);
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('The listener has no TCP address'));
      else resolve(address);
    });
  });
}
