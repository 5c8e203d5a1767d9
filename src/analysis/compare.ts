import type { ComparedSide, ComparedVerdict, CompareReport } from '../contract/route-play.ts';
import { significance } from './chi-square.ts';
import { timesOf } from './quantile.ts';
import { proportions, rankSum } from './rank-sum.ts';
import { isAnswered, isError, type SeenRequest } from './seen-request.ts';
import { providerUse } from './stats.ts';

/** Requests of one side, and what they are in words. */
export type Side = { readonly what: string; readonly requests: readonly SeenRequest[] };

/** Fewer answers than this on either side tell nothing about times. */
const leastAnswers = 30;
/** Errors and non-errors of both sides together, below which parts are not compared. */
const leastEvents = 10;

/** Holds two sets of requests against each other, with tests that say when they are too few to tell. */
export function compare(before: Side, after: Side): CompareReport {
  const [old, now] = [sideOf(before), sideOf(after)];
  return { before: old, after: now, latency: latencyVerdict(before, after), errors: errorVerdict(old, now) };
}

function sideOf({ what, requests }: Side): ComparedSide {
  const answered = requests.filter(isAnswered);
  return {
    what,
    requests: requests.length,
    answered: answered.length,
    errors: requests.filter(isError).length,
    times: timesOf(answered.flatMap((one) => one.totalMs ?? [])),
    firstToken: timesOf(answered.flatMap((one) => one.firstTokenMs ?? [])),
    shares: providerUse(requests).map(({ provider, share }) => ({ provider, share })),
  };
}

function latencyVerdict(before: Side, after: Side): ComparedVerdict {
  const [old = [], now = []] = [before, after].map(({ requests }) =>
    requests.filter(isAnswered).flatMap((one) => one.totalMs ?? []),
  );
  return timesVerdict(old, now);
}

/** Whether two sets of times differ by more than chance. */
export function timesVerdict(before: readonly number[], after: readonly number[]): ComparedVerdict {
  const test = 'rank-sum test of Mann and Whitney, two-sided, 0.01';
  if (Math.min(before.length, after.length) < leastAnswers) return { test, p: null, verdict: 'too_few' };
  return verdictOf(test, rankSum(before, after));
}

function errorVerdict(before: ComparedSide, after: ComparedSide): ComparedVerdict {
  const test = 'z-test of two proportions, two-sided, 0.01';
  const errors = before.errors + after.errors;
  const others = before.requests + after.requests - errors;
  const isShort = Math.min(before.requests, after.requests) < leastAnswers;
  // Without a single error on either side there is nothing to differ.
  if (!isShort && errors === 0) return { test, p: 1, verdict: 'no_difference_shown' };
  if (isShort || Math.min(errors, others) < leastEvents) return { test, p: null, verdict: 'too_few' };
  return verdictOf(
    test,
    proportions({ part: before.errors, of: before.requests }, { part: after.errors, of: after.requests }),
  );
}

function verdictOf(test: string, p: number): ComparedVerdict {
  return { test, p, verdict: p < significance ? 'differs' : 'no_difference_shown' };
}
