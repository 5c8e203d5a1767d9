import type { Json } from '../plan/json.ts';
import { type DiagnosticCode, diagnosticCatalogue } from './catalogue.ts';
import type { Diagnostic, Span } from './diagnostic.ts';
import type { ParsedFile, Path } from './parsed-file.ts';

/** A thing in a file that a finding points at. */
export type Place = { readonly file: ParsedFile; readonly path: Path; readonly part?: 'key' | 'value' };

/** What is known of a finding besides its message. */
export type FindingDetails = {
  readonly found?: Json;
  readonly wanted?: string;
  readonly nearest?: string | undefined;
  readonly fix?: string;
  /** Other places of the same cause. */
  readonly related?: readonly Place[];
  /** Where the code alone does not decide it. */
  readonly severity?: Diagnostic['severity'];
};

/** A place further inside: the value of a key, or an item of a list. */
export function inside({ file, path }: Place, ...steps: Path): Place {
  return { file, path: [...path, ...steps] };
}

/** The key of a place, where the key and not its value is what a finding is about. */
export function keyOf({ file, path }: Place): Place {
  return { file, path, part: 'key' };
}

/** Collects everything found while a configuration is compiled; never only the first. */
export type Findings = {
  add(code: DiagnosticCode, place: Place | undefined, message: string, details?: FindingDetails): void;
  addAt(code: DiagnosticCode, span: Span | undefined, message: string, details?: FindingDetails): void;
  hasErrors(): boolean;
  /** How many errors so far, to know whether something below has been told already. */
  errorCount(): number;
  /** In the order of files and lines. */
  list(): readonly Diagnostic[];
};

/** Creates an empty collection; `lenient` turns errors that allow it into warnings. */
export function createFindings(options: { readonly lenient: boolean }): Findings {
  const found: Diagnostic[] = [];
  const seen = new Set<string>();
  const unset = new Set<string>();
  const addAt: Findings['addAt'] = (code, span, message, details = {}) => {
    const key = `${code} ${span?.file} ${span?.line}:${span?.column} ${message}`;
    const place = `${span?.file} ${span?.line}:${span?.column}`;
    // What a variable that is not set leaves behind is no second cause.
    if (seen.has(key) || unset.has(place)) return;
    seen.add(key);
    if (code === 'unset-variable') unset.add(place);
    const entry = diagnosticCatalogue[code];
    const severity = details.severity ?? (options.lenient && entry.lenient ? 'warning' : entry.severity);
    found.push({
      code,
      severity,
      span,
      message,
      found: details.found,
      wanted: details.wanted,
      nearest: details.nearest,
      fix: details.fix ?? (details.nearest === undefined ? undefined : `Write "${details.nearest}"`),
      ...(details.related === undefined ? {} : { related: details.related.map(spanOf) }),
    });
  };
  return {
    addAt,
    add: (code, place, message, details) =>
      addAt(code, place === undefined ? undefined : spanOf(place), message, details),
    hasErrors: () => found.some((one) => one.severity === 'error'),
    errorCount: () => found.filter((one) => one.severity === 'error').length,
    list: () => found.toSorted(byPlace),
  };
}

function spanOf({ file, path, part }: Place): Span {
  return file.spanOf(path, part);
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return (
    (a.span?.file ?? '').localeCompare(b.span?.file ?? '') ||
    (a.span?.line ?? 0) - (b.span?.line ?? 0) ||
    (a.span?.column ?? 0) - (b.span?.column ?? 0)
  );
}
