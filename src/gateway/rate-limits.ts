import type { PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import type { LimitIndex } from '../plan/limit.ts';
import { tokensOf } from '../routing/facts.ts';
import { type LimitUse, takeNearlyFull, usesOf } from '../routing/limits.ts';
import { limitsOfAttempt, limitsOfDeployment, limitsOfRequest } from '../routing/limits-of.ts';
import { reserve, sendReserved, settleReservation } from '../routing/reservations.ts';
import type { GatewayDependencies } from './dependencies.ts';
import type { DecidedRequest, GatewayRequest } from './request.ts';

/** Takes room for an attempt in every limit that counts it, in the same turn in which the attempt was chosen. */
export function reserveAttempt(
  { clock, log }: GatewayDependencies,
  request: DecidedRequest,
  attempt: PlannedAttempt,
): void {
  const { limits: state } = request.snapshot.state;
  if (state.limits.length === 0) return;
  const { facts } = request.understood;
  const now = clock.now();
  const limits = limitsOfAttempt(state, facts, request.decision.group, attempt);
  request.reservation = reserve(state, limits, tokensOf(facts));
  for (const use of takeNearlyFull(state, limits, now)) log.limitNear(request, use);
}

/** Counts an attempt as sent: its wait for a seat, if it had one, is over. */
export function countSent({ clock }: GatewayDependencies, request: DecidedRequest): void {
  const { reservation, snapshot } = request;
  if (reservation !== undefined) request.reservation = sendReserved(snapshot.state.limits, reservation, clock.now());
}

/**
 * Makes an attempt's reservation true. What its server told counts. A failure without a word counts no
 * tokens; but where a server was given up on, the prompt that it was reading does.
 */
export function settleAttempt(
  { clock }: GatewayDependencies,
  request: GatewayRequest,
  failed: Failure | undefined,
): void {
  const { usage, firstTokenAt } = request;
  const used = usage === undefined ? undefined : (usage.promptTokens ?? 0) + (usage.completionTokens ?? 0);
  const unheard = failed === undefined || firstTokenAt !== undefined ? undefined : promptGivenTo(request, failed);
  end(clock.now(), request, used ?? unheard);
}

/** Tokens that a server had from an attempt that failed before its first word. */
function promptGivenTo({ understood }: GatewayRequest, { kind }: Failure): number {
  return givenUp.has(kind) ? (understood?.facts.promptTokens ?? 0) : 0;
}

const givenUp: ReadonlySet<Failure['kind']> = new Set<Failure['kind']>([
  'client_closed',
  'deadline_exceeded',
  'upstream_timeout_first_token',
  'upstream_timeout_total',
  'upstream_timeout_asked',
]);

/** Gives back what was taken for an attempt that was never sent. */
export function cancelReservation({ clock }: GatewayDependencies, request: GatewayRequest): void {
  end(clock.now(), request, undefined);
}

function end(
  now: ReturnType<GatewayDependencies['clock']['now']>,
  request: GatewayRequest,
  used: number | undefined,
): void {
  const { reservation } = request;
  if (reservation === undefined) return;
  request.reservation = undefined;
  settleReservation(request.snapshot.state.limits, reservation, used, now);
}

/** OpenAI's headers of the limit that has least room left, for requests and for tokens. */
export function rateLimitHeaders(
  request: GatewayRequest,
  attempt: PlannedAttempt | undefined,
  now: ReturnType<GatewayDependencies['clock']['now']>,
): readonly string[] {
  const { limits: state } = request.snapshot.state;
  if (state.limits.length === 0) return noHeaders;
  const uses = limitsShown(request, attempt).flatMap((index) => usesOf(state, index, now));
  return [
    ...headersOf('requests', tightest(uses, 'requests a minute')),
    ...headersOf('tokens', tightest(uses, 'tokens a minute')),
  ];
}

const noHeaders: readonly string[] = [];

/** Limits of the attempt that answers; of a refusal those of everything that was asked for. */
function limitsShown(request: GatewayRequest, attempt: PlannedAttempt | undefined): readonly LimitIndex[] {
  const { understood, decision, snapshot } = request;
  const { limits } = snapshot.state;
  if (understood === undefined) return [];
  const { facts } = understood;
  if (attempt !== undefined) return limitsOfAttempt(limits, facts, decision?.group, attempt);
  const asked = decision?.candidates.filter((one) => one.source === 'group') ?? [];
  return [
    ...limitsOfRequest(limits, facts, decision?.group),
    ...asked.flatMap(({ deployment }) => limitsOfDeployment(limits, deployment)),
  ];
}

function tightest(uses: readonly LimitUse[], unit: LimitUse['unit']): LimitUse | undefined {
  let least: LimitUse | undefined;
  for (const use of uses)
    if (use.unit === unit && (least === undefined || use.most - use.used < least.most - least.used)) least = use;
  return least;
}

function headersOf(what: 'requests' | 'tokens', use: LimitUse | undefined): readonly string[] {
  if (use === undefined) return noHeaders;
  return [
    `x-ratelimit-limit-${what}`,
    String(use.most),
    `x-ratelimit-remaining-${what}`,
    String(Math.max(0, use.most - use.used)),
    `x-ratelimit-reset-${what}`,
    shortDuration(use.resetMs),
  ];
}

/** A time as OpenAI writes it: `6m0s`, `1s`, `120ms`. */
function shortDuration(ms: number): string {
  const whole = Math.ceil(ms);
  if (whole < 1000) return `${whole}ms`;
  const seconds = Math.ceil(whole / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
