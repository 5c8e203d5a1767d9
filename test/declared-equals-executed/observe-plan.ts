import { stringify } from 'yaml';
import { generate } from '../../src/config/generate.ts';
import { notesOfPeople } from '../../src/config/notes-of-people.ts';
import { explainAtRest } from '../../src/main.ts';
import { listNames } from '../../src/ops/list-names.ts';
import { runRouteTests } from '../../src/ops/route-tests.ts';
import type { FailureKind } from '../../src/plan/failure.ts';
import { type Milliseconds, milliseconds, providerId } from '../../src/plan/ids.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { RequestFacts } from '../../src/plan/request-facts.ts';
import { unseenEngine } from '../../src/plan/residency.ts';
import type { DeploymentHealth, RoutingState } from '../../src/plan/routing-state.ts';
import { decide } from '../../src/routing/decide.ts';
import { applyRotation, createRoutingState } from '../../src/routing/state.ts';
import { factsOf } from '../support/plan-of.ts';
import { begin, half, playRequest } from '../support/play-attempts.ts';
import { compileFiles, nowhere, sourcesOf } from './configuration.ts';
import type { Observer } from './observe.ts';

/** A request to a system that is made of values, and the state that it is in. */
type Question = {
  readonly model?: string;
  readonly times?: number;
  readonly facts?: Partial<RequestFacts>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Provider → state of all that it serves. */
  readonly states?: Readonly<Record<string, DeploymentHealth['kind']>>;
  /** Provider → attempts under way at each of its deployments. */
  readonly busy?: Readonly<Record<string, number>>;
  /** Provider → names that its server lists. */
  readonly listed?: Readonly<Record<string, readonly string[]>>;
  /** Provider → whether its models are in memory. */
  readonly loaded?: Readonly<Record<string, boolean>>;
  /** Provider → what its answers have shown: milliseconds for a token, and the part of attempts that were answered. */
  readonly measured?: Readonly<Record<string, { readonly msPerToken: number; readonly success: number }>>;
  /** Provider → milliseconds that it takes for a token of an answer. */
  readonly speeds?: Readonly<Record<string, number>>;
};

/** Who would be asked, in which order, or with what the request is refused. */
export const decided: Observer = ({ files, ask }) => {
  const { plan, state, facts } = systemOf(files, ask as Question);
  const { times = 1 } = ask as Question;
  return Array.from({ length: times }, () => {
    const decision = decide(plan, state, facts, begin, half);
    if (decision.rotation !== undefined) applyRotation(state, decision.rotation);
    const order = decision.attempts.map(
      ({ deployment, model }) => `${plan.deployments[deployment]?.provider ?? '?'}/${model}`,
    );
    return decision.refusal === undefined ? order.join(', ') : `refused: ${decision.refusal.kind}`;
  });
};

type Course = Question & {
  /** Provider → what it answers, always or one after the other. */
  readonly answers?: Readonly<Record<string, FailureKind | 'ok' | readonly (FailureKind | 'ok')[]>>;
  readonly retryAfterMs?: number;
  /** Seconds at which the request is sent; absent: once. */
  readonly at?: readonly number[];
};

/** Who is asked after failures, with the waits between, and how it ends; of several requests one after the other. */
export const wentOn: Observer = ({ files, ask }) => {
  const course = ask as Course;
  const { plan, state, facts } = systemOf(files, course);
  return (course.at ?? [0]).map((second) => {
    const now = milliseconds(begin + second * 1000);
    const { retryAfterMs } = course;
    const request = { facts, answers: course.answers ?? {}, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    const { tried, ends } = playRequest({ plan, state }, request, now);
    return `${tried}: ${ends}`;
  });
};

/** What `validate` says. */
export const told: Observer = ({ files }) =>
  compileFiles(files, nowhere).diagnostics.map(({ code, message }) => `${code}: ${message}`);

/** What `route test` says. */
export const tested: Observer = async ({ files: { 'route-tests.yaml': tests, ...files } }) => {
  const source = { kind: 'other', path: 'route-tests.yaml', text: stringify(tests) } as const;
  const run = await runRouteTests(source, planOfFiles(files), explainAtRest);
  if (run.kind === 'unreadable') throw new Error(run.diagnostics.map(({ message }) => message).join('\n'));
  return run.report.tests.map(({ name, mismatches }) => ({ name, mismatches }));
};

/** What `config show notes` says. */
export const noted: Observer = ({ files }) =>
  notesOfPeople(sourcesOf(files)).map(({ key, value, file }) => `${file}: ${key}: ${JSON.stringify(value)}`);

/** What `model list` says. */
export const named: Observer = ({ files }) => listNames(planOfFiles(files), undefined);

/** The file that is written for LiteLLM, without what it carries for us. */
export const generated: Observer = ({ files }) => {
  const { value = '' } = generate(sourcesOf(files), { environment: nowhere, lenient: false });
  return value.slice(value.indexOf('\nmodel_list'), value.indexOf('\nsignalbox:'));
};

function planOfFiles(files: Parameters<typeof sourcesOf>[0]): Plan {
  const { value: plan } = compileFiles(files, nowhere);
  if (plan === undefined) throw new Error('The configuration has no plan');
  return plan;
}

function systemOf(
  files: Parameters<typeof sourcesOf>[0],
  question: Question,
): { readonly plan: Plan; readonly state: RoutingState; readonly facts: RequestFacts } {
  const plan = planOfFiles(files);
  const state = createRoutingState(plan, begin);
  const { states = {}, busy = {}, listed = {}, loaded = {}, speeds = {}, measured = {} } = question;
  for (const { index, provider } of plan.deployments) {
    const kind = states[provider];
    if (kind !== undefined) state.health[index] = healthOf(kind);
    state.inFlight[index] = busy[provider] ?? 0;
    const { msPerToken = Number.NaN, success = Number.NaN } = measured[provider] ?? {};
    state.performance.msPerToken[index] = msPerToken;
    state.performance.success[index] = success;
    const observation = state.observations[index];
    if (observation === undefined) continue;
    const isLoaded = loaded[provider];
    const residency =
      isLoaded === undefined ? undefined : ({ kind: isLoaded ? 'loaded' : 'unloaded', at: begin } as const);
    state.observations[index] = {
      ...observation,
      ...(residency === undefined ? {} : { residency: residencyOf(residency) }),
      speeds: { ...observation.speeds, decodeMsPerToken: speeds[provider] },
    };
  }
  for (const [provider, names] of Object.entries(listed)) state.listed.set(providerId(provider), new Set(names));
  const facts = factsOf({
    asked: question.model ?? 'm',
    ...question.facts,
    headers: new Map(Object.entries(question.headers ?? {})),
  });
  return { plan, state, facts };
}

function residencyOf({ kind, at }: { readonly kind: 'loaded' | 'unloaded'; readonly at: Milliseconds }) {
  return kind === 'loaded' ? ({ kind, at, engine: unseenEngine } as const) : ({ kind, at } as const);
}

function healthOf(kind: DeploymentHealth['kind']): DeploymentHealth {
  switch (kind) {
    case 'ready':
      return { kind };
    case 'cooling':
      return { kind, since: begin, until: milliseconds(begin + 60_000), why: 'failures', round: 1 };
    case 'half_open':
      return { kind, since: begin, round: 1 };
    case 'loading':
      return { kind, since: begin, readyAt: undefined };
    case 'degraded':
    case 'down':
      return { kind, since: begin, why: 'assumed' };
    default:
      return { kind, since: begin };
  }
}
