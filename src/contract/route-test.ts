import type { DecisionRecord } from './decision-record.ts';

/** `signalbox route test --json`: what became of every test of a file. */
export type RouteTestReport = {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly tests: readonly RouteTestResult[];
};

export type RouteTestResult = {
  readonly name: string;
  readonly line: number;
  readonly passed: boolean;
  readonly mismatches: readonly Mismatch[];
  /** The decision that was made, with every candidate; null where the test passed. */
  readonly decision: DecisionRecord | null;
};

/** One thing that is not as the test expects it. */
export type Mismatch = { readonly what: string; readonly expected: string; readonly found: string };
