import type { Milliseconds } from '../plan/ids.ts';
import { answerHeaders, headerText, streamHeaders } from './answer-headers.ts';
import type { Timer } from './clock.ts';
import type { GatewayDependencies } from './dependencies.ts';
import type { GatewayRequest, Waiting } from './request.ts';

/** Comments that keep a silent stream alive. */
export type Heartbeat = { stop(): void };

/**
 * After a long silence a stream is opened with comments, so that no proxy or client between gives
 * it up; going on stays possible, since no content is out. Only for clients that stream.
 */
export function startHeartbeat(dependencies: GatewayDependencies, request: GatewayRequest): Heartbeat {
  const { heartbeatAfterMs } = request.snapshot.plan.settings.timeouts;
  if (request.facts?.stream !== true || heartbeatAfterMs <= 0) return { stop: () => {} };
  const { exchange } = request;
  let timer: Timer | undefined;
  const beat = (): void => {
    if (exchange.closed) return;
    if (!exchange.started)
      exchange.start(200, [
        ...streamHeaders,
        ...answerHeaders(request, undefined, dependencies.clock.now()),
        ...exchange.extraHeaders,
      ]);
    exchange.write(`: ${waitingWords(request.waiting, dependencies.clock.now())}\n\n`);
    timer?.restart();
  };
  timer = dependencies.clock.after(heartbeatAfterMs, beat);
  return { stop: () => timer?.stop() };
}

/** What a heartbeat says to those who watch the stream: "loading gemma, 6 s of about 9 s". */
function waitingWords(waiting: Waiting | undefined, now: Milliseconds): string {
  switch (waiting?.kind) {
    case undefined:
      return 'waiting';
    case 'loading': {
      const about = waiting.aboutMs === undefined ? '' : ` of about ${inSeconds(waiting.aboutMs)}`;
      return `loading ${headerText(waiting.model)}, ${inSeconds(now - waiting.since)}${about}`;
    }
  }
}

function inSeconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
