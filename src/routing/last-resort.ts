import type { Candidate } from '../plan/decision.ts';
import type { DeploymentIndex, Milliseconds } from '../plan/ids.ts';
import { deploymentAt } from '../plan/plan.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import type { Draft } from './draft.ts';
import { type Excluded, excludedByHealth, excludedByUse, longerOf, takesPrompt } from './filter.ts';

/**
 * Adds the last resort: what has room for the prompt, though not for all of the answer that was allowed,
 * and then what is only cooling, the soonest to recover first. A full limit is no guess, so it holds here too.
 */
export function addLastResort(draft: Draft): void {
  const { candidates, planned } = draft;
  const resorts = candidates.flatMap((candidate, place) => {
    const end = servesFrom(draft, candidate);
    if (end === undefined) return [];
    const held = heldBack(draft, candidate);
    if (held === undefined) return [{ ...candidate, end }];
    const { reason, detail, numbers = candidate.numbers } = held;
    candidates[place] = { ...candidate, numbers, verdict: { kind: 'excluded', reason, detail } };
    return [];
  });
  resorts.sort((a, b) => a.end - b.end);
  for (const { deployment, model, group } of resorts) {
    if (planned[deployment] === 1) continue;
    planned[deployment] = 1;
    draft.attempts.push({ deployment, model, source: 'desperate', group, repeats: undefined });
  }
  if (resorts.some(({ end }) => end === atOnce))
    draft.notes.push('no context has room for all of the asked output, so the answer may be shorter');
  if (resorts.some(({ end }) => end !== atOnce))
    draft.notes.push('nothing is ready, so deployments that are cooling are tried');
}

const atOnce = Number.NEGATIVE_INFINITY;

/** When a deployment that was passed over could serve after all, if nothing else can. */
function servesFrom({ input }: Draft, { deployment: index, verdict }: Candidate): number | undefined {
  if (verdict.kind !== 'excluded') return undefined;
  const deployment = deploymentAt(input.plan, index);
  if (verdict.reason === 'context')
    return takesPrompt(input, deployment) && excludedByHealth(input, deployment) === undefined ? atOnce : undefined;
  const isSetAside = verdict.reason === 'cooling' || verdict.reason === 'half_open_busy';
  return isSetAside ? endOfCooling(input.state, index) : undefined;
}

/** The limit or budget that keeps a deployment from being a last resort. */
function heldBack({ input, passedOver }: Draft, { deployment, source }: Candidate): Excluded | undefined {
  const byName = source === 'group' ? passedOver : undefined;
  return longerOf(byName, excludedByUse(input, deploymentAt(input.plan, deployment)));
}

/** When a deployment recovers that is set aside by a guess of ours; a server that asked for quiet gets it. */
function endOfCooling(state: RoutingState, deployment: DeploymentIndex): Milliseconds | undefined {
  const health = state.health[deployment];
  if (health?.kind === 'half_open') return health.since;
  return health?.kind === 'cooling' && health.why !== 'rate_limited' ? health.until : undefined;
}
