import { milliseconds } from '../plan/ids.ts';
import type { GatewayDependencies } from './dependencies.ts';
import type { GatewayRequest } from './request.ts';

/** Waits for something, the request's deadline or the client's leaving, whichever comes first. */
export function waitFor(
  { clock }: Pick<GatewayDependencies, 'clock'>,
  request: GatewayRequest,
  wanted: Promise<void>,
): Promise<void> {
  return new Promise((resolve) => {
    const left = milliseconds(Math.max(0, request.deadline - clock.now()));
    const timer = clock.after(left, () => done());
    const leave = request.exchange.whenClosed(() => done());
    const done = (): void => {
      timer.stop();
      leave();
      resolve();
    };
    void wanted.then(done, done);
  });
}
