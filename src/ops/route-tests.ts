import type { Diagnostic } from '../config/diagnostic.ts';
import { createFindings, type Place } from '../config/findings.ts';
import { parseYaml } from '../config/parse-yaml.ts';
import { parseRouteTests } from '../config/shape-route-tests.ts';
import type { SourceFile } from '../config/source-file.ts';
import type { GivenShape, RequestShape, StateShape } from '../config/written-route-tests.ts';
import type { DecisionRecord } from '../contract/decision-record.ts';
import type { ExplainQuestion, TimedState } from '../contract/explain.ts';
import type { RouteTestReport } from '../contract/route-test.ts';
import type { Plan } from '../plan/plan.ts';
import type { AssumedState } from '../plan/routing-state.ts';
import { checkRouteTest } from './check-route-test.ts';
import { readDuration } from './moment.ts';
import { mismatchesOf } from './route-expectation.ts';

/** Makes a decision that is never carried out. */
export type Explain = (plan: Plan, question: ExplainQuestion) => Promise<DecisionRecord>;

/** What came of a file of tests, or why it cannot be run. */
export type RouteTestRun =
  | { readonly kind: 'ran'; readonly report: RouteTestReport }
  | { readonly kind: 'unreadable'; readonly diagnostics: readonly Diagnostic[] };

/** Asks every question of a file, and holds what comes of it against what the file expects. */
export async function runRouteTests(source: SourceFile, plan: Plan, explain: Explain): Promise<RouteTestRun> {
  const findings = createFindings({ lenient: false });
  const parsed = parseYaml(source, findings);
  const shape = parsed.value === undefined ? undefined : parseRouteTests(parsed, findings);
  const placeOf = (index: number): Place => ({ file: parsed, path: ['tests', index] });
  // Where the shape has gaps what is left stands elsewhere, and the gaps have been told.
  if (!findings.hasErrors())
    for (const [index, test] of (shape?.tests ?? []).entries())
      checkRouteTest({ test, at: placeOf(index) }, plan, findings);
  if (shape === undefined || findings.hasErrors()) return { kind: 'unreadable', diagnostics: findings.list() };
  const tests: RouteTestReport['tests'][number][] = [];
  for (const [index, test] of shape.tests.entries()) {
    const decision = await explain(plan, questionOf(test.request, test.given ?? {}));
    const mismatches = mismatchesOf(test.expect, decision);
    const passed = mismatches.length === 0;
    const line = parsed.spanOf(['tests', index]).line;
    tests.push({ name: test.name, line, passed, mismatches, decision: passed ? null : decision });
  }
  const failed = tests.filter((one) => !one.passed).length;
  return { kind: 'ran', report: { file: source.path, passed: tests.length - failed, failed, tests } };
}

function questionOf(request: RequestShape, given: GivenShape): ExplainQuestion {
  const { max_tokens, json_schema, batch_size, disable_fallbacks, after, ...same } = request;
  return {
    ...same,
    maxOutputTokens: max_tokens,
    jsonSchema: json_schema,
    batchSize: batch_size,
    disableFallbacks: disable_fallbacks,
    afterMs: after === undefined ? undefined : readDuration(after),
    assume: {
      ...given,
      states: Object.fromEntries(Object.entries(given.states ?? {}).map(([name, one]) => [name, stateOf(one)])),
    },
  };
}

function stateOf(written: StateShape): AssumedState | TimedState {
  if (typeof written === 'string') return written;
  return { state: written.state, forMs: readDuration(written.for) ?? 0 };
}
