import type { Failure } from '../plan/failure.ts';
import { failureCatalogue } from '../plan/failure-catalogue.ts';
import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { Cooling, CoolingReason, DeploymentHealth, RecentFailure } from '../plan/routing-state.ts';
import type { CooldownSettings } from '../plan/settings.ts';
import { policyClass } from './policy-class.ts';

/** The state of whatever nothing is known against; one value, since most deployments are in it. */
export const ready: DeploymentHealth = { kind: 'ready' };

/**
 * What a deployment's state means for a request: it may be sent there; the deployment is passed over by a
 * guess of ours, so that a last resort may still go there; or nothing is sent there at all. While one
 * request tests it, it is set aside for all others.
 */
export type Standing = 'serves' | 'set_aside' | 'out';

/** Where a deployment stands; what is asked about it, be it by a condition, a retry or a view, is answered by this. */
export function standingOf(health: DeploymentHealth | undefined, now: Milliseconds): Standing {
  switch (health?.kind) {
    case undefined:
    case 'ready':
    case 'degraded':
    case 'loading':
    case 'missing':
      return 'serves';
    case 'cooling':
      return now < health.until ? 'set_aside' : 'serves';
    case 'half_open':
      return 'set_aside';
    case 'down':
    case 'draining':
    case 'disabled':
      return 'out';
  }
}

/** How long a deployment that has recovered takes less than its share. */
const recoveryMs: Milliseconds = milliseconds(10_000);
/** What it takes at first: a server that was pushed over once is not to be pushed over again. */
const firstShare = 0.1;

/** The part of its weight that a deployment takes among its peers: all of it, but for one that recovers, which begins with a tenth. */
export function shareOf(health: DeploymentHealth | undefined, now: Milliseconds): number {
  if (health?.kind !== 'degraded') return 1;
  return Math.min(1, Math.max(firstShare, (now - health.since) / recoveryMs));
}

/** What a transition after a failure has to know. */
export type FailureInput = {
  readonly failure: Failure;
  readonly now: Milliseconds;
  readonly settings: CooldownSettings;
  /** The deployment's own cooldown, where it declares one; 0 = never. */
  readonly cooldownMs: Milliseconds | undefined;
  /** Whether no other deployment could have stood in. */
  readonly alone: boolean;
  /** From 0 to 1: spreads the ends of cooldowns that began together. */
  readonly random: number;
  /** Recent failures, oldest first. */
  readonly failures: readonly RecentFailure[];
  /** How long its model takes to load, where that was learned. */
  readonly loadMs: number | undefined;
};

/** A health with the failures that are still remembered. */
export type AfterFailure = { readonly health: DeploymentHealth; readonly failures: readonly RecentFailure[] };

/** After an attempt that was answered: the deployment serves, at first with a small share where it had been set aside. */
export function afterSuccess(
  health: DeploymentHealth,
  { now, startedAt }: { readonly now: Milliseconds; readonly startedAt: Milliseconds },
): DeploymentHealth {
  switch (health.kind) {
    case 'cooling':
      // What was sent before says nothing of what came after.
      return startedAt <= health.since ? health : recovering(now);
    case 'half_open':
      return recovering(now);
    case 'degraded':
      return recovered(health, now);
    case 'loading':
    case 'down':
      return health.held === undefined ? ready : recovering(now);
    case 'missing':
      return ready;
    case 'ready':
    case 'draining':
    case 'disabled':
      return health;
  }
}

function recovering(now: Milliseconds): DeploymentHealth {
  return { kind: 'degraded', since: now, why: 'recovering' };
}

function recovered(health: Extract<DeploymentHealth, { kind: 'degraded' }>, now: Milliseconds): DeploymentHealth {
  return now - health.since >= recoveryMs ? ready : health;
}

/** When an attempt begins: a cooldown that is over lets exactly this one through. */
export function afterStart(health: DeploymentHealth, now: Milliseconds): DeploymentHealth {
  if (health.kind !== 'cooling' || now < health.until) return health;
  return { kind: 'half_open', since: now, round: health.round };
}

/** After a failed attempt. What the client did wrong, or did by leaving, counts against nobody. */
export function afterFailure(health: DeploymentHealth, input: FailureInput): AfterFailure {
  const { failure: failed, now, failures } = input;
  if (health.kind === 'disabled' || health.kind === 'draining') return { health, failures };
  if (failed.kind === 'upstream_loading') return { health: loadingSince(health, now, input.loadMs), failures };
  if (!failureCatalogue[failed.kind].countsAgainst) return { health: untested(health, now), failures };
  const recent = failures.filter(({ at }) => now - at < input.settings.windowMs);
  const remembered = [...recent, { at: now, kind: failed.kind }];
  const cooled = cooling(health, input, remembered);
  if (cooled === undefined) return { health: untested(health, now), failures: remembered };
  // What was on its way to a server that a probe has found gone adds nothing to that.
  return { health: health.kind === 'down' ? whileDown(health, cooled) : cooled, failures: [] };
}

function loadingSince(health: DeploymentHealth, now: Milliseconds, loadMs: number | undefined): DeploymentHealth {
  if (health.kind === 'loading') return health;
  const readyAt = loadMs === undefined ? undefined : milliseconds(now + loadMs);
  return { kind: 'loading', since: now, readyAt, ...heldBy(health, now) };
}

function whileDown(health: Extract<DeploymentHealth, { kind: 'down' }>, cooled: Cooling): DeploymentHealth {
  return cooled.why === 'refused' ? health : { ...health, held: cooled };
}

/** What a deployment goes back to when its server is up: a cooldown that requests began, a test that is not made yet. */
function heldBy(health: DeploymentHealth, now: Milliseconds): { readonly held?: Cooling } {
  const at = untested(health, now);
  if (at.kind === 'cooling') return at.why === 'refused' ? {} : { held: at };
  return 'held' in at && at.held !== undefined ? { held: at.held } : {};
}

/** A test that told nothing is made again by the next request. */
function untested(health: DeploymentHealth, now: Milliseconds): DeploymentHealth {
  if (health.kind !== 'half_open') return health;
  return { kind: 'cooling', since: health.since, until: now, why: 'failures', round: health.round };
}

function cooling(
  health: DeploymentHealth,
  input: FailureInput,
  remembered: readonly RecentFailure[],
): Cooling | undefined {
  const { failure: failed, now, settings, alone } = input;
  if (!settings.enabled || input.cooldownMs === 0) return undefined;
  const why = reasonOf(failed);
  if (alone && why !== 'refused' && !(why === 'rate_limited' && failed.retryAfterMs !== undefined)) return undefined;
  const isSetAside = health.kind === 'half_open' || health.kind === 'cooling';
  if (!isSetAside && !isOneTooMany(why, input, remembered)) return undefined;
  // Only a failed test makes the next cooldown longer: what fails besides it was sent before it was known.
  const round = health.kind === 'half_open' ? health.round + 1 : health.kind === 'cooling' ? health.round : 0;
  const until = milliseconds(now + durationOf(why, input, round) * (1 + input.random * jitter));
  if (health.kind === 'cooling' && health.until >= until) return health;
  return { kind: 'cooling', since: isSetAside ? health.since : now, until, why, round };
}

/** Some failures count at once; others by their number, for which LiteLLM's policy may give each class its own. */
function isOneTooMany(
  why: CoolingReason,
  { failure: failed, settings }: FailureInput,
  remembered: readonly RecentFailure[],
): boolean {
  const kind = policyClass(failed);
  const allowed = kind === undefined ? undefined : settings.allowedFailsPolicy.get(kind);
  if (allowed !== undefined) return remembered.filter((one) => policyClass(one) === kind).length > allowed;
  return why !== 'failures' || remembered.length >= settings.allowedFails;
}

/** Part of a cooldown by which its end is spread. */
const jitter = 0.1;

function reasonOf(failed: Failure): CoolingReason {
  switch (failed.kind) {
    // Nobody opens: each further request would wait for that as long as the first one did.
    case 'upstream_refused':
    case 'upstream_timeout_connect':
    case 'upstream_unreachable':
      return 'refused';
    case 'upstream_rate_limited':
    case 'upstream_quota_exhausted':
      return 'rate_limited';
    case 'upstream_auth':
    case 'upstream_model_missing':
      return 'configuration';
    default:
      return 'failures';
  }
}

function durationOf(
  why: CoolingReason,
  { failure: failed, settings, cooldownMs }: FailureInput,
  round: number,
): number {
  if (why === 'rate_limited') return failed.retryAfterMs ?? settings.rateLimitedMs;
  if (why === 'configuration') return Math.max(cooldownMs ?? settings.cooldownMs, settings.maxCooldownMs);
  const first = cooldownMs ?? settings.cooldownMs;
  return Math.max(first, Math.min(settings.maxCooldownMs, first * 2 ** round));
}

/** When a person empties its provider. What is disabled gets no request as it is. */
export function afterDrain(health: DeploymentHealth, now: Milliseconds): DeploymentHealth {
  return health.kind === 'disabled' || health.kind === 'draining' ? health : { kind: 'draining', since: now };
}

/** When a person takes its provider back into service. What was known before is too old by now. */
export function afterReturn(health: DeploymentHealth): DeploymentHealth {
  return health.kind === 'draining' ? ready : health;
}

/** What a probe saw of one deployment. */
export type ProbeSight =
  | { readonly kind: 'up'; readonly listed: boolean | undefined }
  | { readonly kind: 'loading'; readonly loadMs: number | undefined }
  | { readonly kind: 'down'; readonly why: string };

/** After a probe. It ends only what a probe or a connection that failed began: failed requests are proven over by a request. */
export function afterProbe(health: DeploymentHealth, sight: ProbeSight, now: Milliseconds): DeploymentHealth {
  if (health.kind === 'disabled' || health.kind === 'draining') return health;
  switch (sight.kind) {
    case 'down':
      return health.kind === 'down' && health.why === sight.why
        ? health
        : { kind: 'down', since: health.kind === 'down' ? health.since : now, why: sight.why, ...heldBy(health, now) };
    case 'loading':
      return loadingSince(health, now, sight.loadMs);
    case 'up':
      return seenUp(health, sight.listed, now);
  }
}

function seenUp(health: DeploymentHealth, listed: boolean | undefined, now: Milliseconds): DeploymentHealth {
  const isHeld = health.kind === 'half_open' || (health.kind === 'cooling' && health.why !== 'refused');
  if (isHeld) return health;
  if ((health.kind === 'down' || health.kind === 'loading') && health.held !== undefined) return health.held;
  if (listed === false) return health.kind === 'missing' ? health : { kind: 'missing', since: now };
  return health.kind === 'degraded' ? recovered(health, now) : ready;
}
