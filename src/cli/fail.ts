import type { Diagnostic } from '../config/diagnostic.ts';
import type { SourceFile } from '../config/source-file.ts';
import type { CommandFailureKind } from '../contract/failure-report.ts';
import { describeDiagnostic } from '../ops/describe-diagnostic.ts';
import { nearest } from '../plan/nearest.ts';
import { exitCode } from './command.ts';
import { countDiagnostics, renderDiagnostics } from './diagnostics.ts';
import { printJson } from './print-json.ts';
import { paint } from './style.ts';
import type { Terminal } from './terminal.ts';

/** Why a verb cannot do what it was asked, for the person or the script that asked. */
export type Problem = {
  readonly kind: CommandFailureKind;
  readonly message: string;
  readonly fix?: string | undefined;
  /** Findings of the configuration with the files that they point into, where they are the reason. */
  readonly diagnostics?: readonly Diagnostic[];
  readonly sources?: readonly SourceFile[];
};

/** Says why a verb cannot go on and what to do: the one way in which verbs fail. */
export function fail(problem: Problem, terminal: Terminal, { json }: { readonly json: boolean }): number {
  const { kind, message, fix, diagnostics = [], sources = [] } = problem;
  const code = kind === 'usage' ? exitCode.wrongUsage : exitCode.failed;
  if (json) {
    const error = { kind, message, fix: fix ?? null, diagnostics: diagnostics.map(describeDiagnostic) };
    printJson<'failure'>(terminal, { error });
    return code;
  }
  const errors = diagnostics.filter((one) => one.severity === 'error');
  for (const line of renderDiagnostics(errors, sources, terminal)) terminal.err(line);
  terminal.err(diagnostics.length === 0 ? message : `${message}: ${countDiagnostics(diagnostics)}`);
  if (fix !== undefined) terminal.err(`  ${paint(terminal, 'green', 'fix')}: ${fix}`);
  return code;
}

/** As many names as a line holds. */
const shownNames = 12;

/** A name that is not known, with the nearest one. */
export function unknownName(what: string, name: string, known: readonly string[]): Problem {
  const [near] = nearest(name, known, 1);
  const list = known.length === 0 ? 'none' : known.slice(0, shownNames).join(', ');
  const fix =
    near === undefined
      ? `Take one of these: ${list}${known.length > shownNames ? ', …' : ''}`
      : `Did you mean "${near}"?`;
  return { kind: 'unknown', message: `No ${what} is called "${name}"`, fix };
}
