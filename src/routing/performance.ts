import type { DeploymentIndex, Milliseconds } from '../plan/ids.ts';
import type { PerformanceState } from '../plan/performance.ts';
import type { Plan } from '../plan/plan.ts';

/** First tokens of which the percentile is taken. */
const samplesKept = 64;
/** Slots of five seconds: a minute, and the slot that is still going on. */
const slotMs = 5000;
const slots = 13;
/** Part of a moving average that the newest measurement makes up. */
const newest = 0.2;

/** Creates the measurements of a plan; deployments that stay keep theirs. */
export function createPerformanceState(
  plan: Plan,
  previousIndex: (deployment: Plan['deployments'][number]) => DeploymentIndex | undefined,
  previous: PerformanceState | undefined,
): PerformanceState {
  const count = plan.deployments.length;
  const unknown = (): Float64Array => new Float64Array(count).fill(Number.NaN);
  const state: PerformanceState = {
    msPerToken: unknown(),
    firstTokenMs: unknown(),
    firstTokenP95: unknown(),
    success: unknown(),
    samples: new Float64Array(count * samplesKept),
    sampled: new Uint32Array(count),
    used: new Float64Array(count * slots),
    lastSlot: new Float64Array(count),
  };
  if (previous === undefined) return state;
  for (const deployment of plan.deployments) {
    const before = previousIndex(deployment);
    if (before === undefined) continue;
    const { index } = deployment;
    for (const name of ['msPerToken', 'firstTokenMs', 'firstTokenP95', 'success', 'lastSlot', 'sampled'] as const)
      state[name][index] = previous[name][before] ?? Number.NaN;
    state.samples.set(rowOf(previous.samples, before, samplesKept), index * samplesKept);
    state.used.set(rowOf(previous.used, before, slots), index * slots);
  }
  return state;
}

function rowOf(values: Float64Array, index: number, width: number): Float64Array {
  return values.subarray(index * width, (index + 1) * width);
}

/** An answer that was given to its end. */
export type MeasuredAnswer = {
  readonly totalMs: number;
  /** `undefined` where it came whole. */
  readonly firstTokenMs: number | undefined;
  readonly outputTokens: number | undefined;
  /** Tokens of prompt and answer beyond the estimate that was counted when the prompt was sent. */
  readonly furtherTokens: number;
};

/** Takes an answer into account. */
export function measureAnswer(
  state: PerformanceState,
  deployment: DeploymentIndex,
  answer: MeasuredAnswer,
  now: Milliseconds,
): void {
  const { totalMs, firstTokenMs, outputTokens, furtherTokens } = answer;
  blend(state.success, deployment, 1);
  // LiteLLM takes whole seconds where nobody told how many tokens came; so is it here.
  blend(state.msPerToken, deployment, totalMs / Math.max(1, outputTokens ?? 1));
  measureTokens(state, deployment, furtherTokens, now);
  if (firstTokenMs === undefined) return;
  blend(state.firstTokenMs, deployment, firstTokenMs);
  const count = state.sampled[deployment] ?? 0;
  state.samples[deployment * samplesKept + (count % samplesKept)] = firstTokenMs;
  state.sampled[deployment] = count + 1;
  const known = rowOf(state.samples, deployment, samplesKept).slice(0, Math.min(count + 1, samplesKept));
  state.firstTokenP95[deployment] = known.sort()[Math.ceil(known.length * 0.95) - 1] ?? Number.NaN;
}

/** Takes a failure of the deployment's own into account. */
export function measureFailure(state: PerformanceState, deployment: DeploymentIndex): void {
  blend(state.success, deployment, 0);
}

/** The first measurement is the average; success begins as complete, so that one failure is not all that is known. */
function blend(averages: Float64Array, deployment: DeploymentIndex, seen: number): void {
  const known = averages[deployment] ?? Number.NaN;
  const before = Number.isNaN(known) ? (seen === 0 ? 1 : seen) : known;
  averages[deployment] = before + newest * (seen - before);
}

/** Counts tokens that go to a deployment or come from it: those of a prompt when it is sent, so that requests which begin together do not all see an idle one. */
export function measureTokens(
  state: PerformanceState,
  deployment: DeploymentIndex,
  tokens: number,
  now: Milliseconds,
): void {
  const slot = Math.floor(now / slotMs);
  const last = state.lastSlot[deployment] ?? 0;
  for (let passed = Math.max(last + 1, slot - slots + 1); passed <= slot; passed++)
    state.used[deployment * slots + (passed % slots)] = 0;
  const at = deployment * slots + (slot % slots);
  state.used[at] = Math.max(0, (state.used[at] ?? 0) + tokens);
  state.lastSlot[deployment] = Math.max(last, slot);
}

/** Tokens that went to a deployment and came from it within the last minute. */
export function tokensThisMinute(state: PerformanceState, deployment: DeploymentIndex, now: Milliseconds): number {
  const last = state.lastSlot[deployment] ?? 0;
  const first = Math.max(0, Math.max(Math.floor(now / slotMs), last) - slots + 1);
  if (first > last) return 0;
  const row = deployment * slots;
  const end = row + slots;
  let at = row + (first % slots);
  let sum = 0;
  for (let left = last - first + 1; left > 0; left--) {
    sum += state.used[at] ?? 0;
    if (++at === end) at = row;
  }
  return sum;
}
