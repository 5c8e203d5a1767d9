import type { Milliseconds } from '../plan/ids.ts';
import { secondsWords } from '../plan/in-words.ts';
import { deploymentAt } from '../plan/plan.ts';
import { unseenSpeeds } from '../plan/residency.ts';
import { outlookOf, queueSight } from '../routing/seats.ts';
import { answerHeaders, headerText, streamHeaders } from './answer-headers.ts';
import type { Timer } from './clock.ts';
import type { GatewayDependencies } from './dependencies.ts';
import type { GatewayRequest, UnderstoodRequest, Waiting } from './request.ts';
import type { Snapshot } from './snapshot.ts';

/** Comments that keep a silent stream alive. */
export type Heartbeat = { stop(): void };

/**
 * After a long silence a stream is opened with comments, so that no proxy or client between gives
 * it up; going on stays possible, since no content is out. Only for clients that stream.
 */
export function startHeartbeat(dependencies: GatewayDependencies, request: UnderstoodRequest): Heartbeat {
  const { heartbeatAfterMs } = request.snapshot.plan.settings.timeouts;
  if (!request.understood.facts.stream || heartbeatAfterMs <= 0) return { stop: () => {} };
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
    exchange.write(`: ${waitingWords(request, dependencies.clock.now())}\n\n`);
    timer?.restart();
  };
  timer = dependencies.clock.after(heartbeatAfterMs, beat);
  return { stop: () => timer?.stop() };
}

/** What a heartbeat says to those who watch the stream: "loading gemma, 6 s of about 9 s, 2 waiting". */
function waitingWords({ waiting, snapshot }: GatewayRequest, now: Milliseconds): string {
  if (waiting === undefined) return 'waiting';
  if (waiting.kind === 'loading') return loadingWords(snapshot, waiting, now);
  const { waiter } = waiting;
  const { loading } = queueSight(snapshot.state, waiter.deployment);
  if (loading !== undefined) {
    const { loadMs: aboutMs } = snapshot.state.observations[waiter.deployment]?.speeds ?? unseenSpeeds;
    return loadingWords(snapshot, { ...loading, aboutMs }, now);
  }
  const { position, waitMs } = outlookOf(snapshot, waiter, now);
  const { provider } = deploymentAt(snapshot.plan, waiter.deployment);
  const of = snapshot.state.seats.queueOf[waiter.deployment]?.waiting.length ?? position;
  const about = waitMs === undefined ? '' : `, about ${secondsWords(waitMs)}`;
  return `waiting for a seat at ${headerText(`${provider}/${waiter.model}`)}, ${position} of ${of}${about}`;
}

type Loading = Omit<Extract<Waiting, { kind: 'loading' }>, 'kind'>;

function loadingWords({ state }: Snapshot, { deployment, model, since, aboutMs }: Loading, now: Milliseconds): string {
  const about = aboutMs === undefined ? '' : ` of about ${secondsWords(aboutMs)}`;
  const { waiting } = queueSight(state, deployment);
  const others = waiting === 0 ? '' : `, ${waiting} waiting`;
  return `loading ${headerText(model)}, ${secondsWords(now - since)}${about}${others}`;
}
