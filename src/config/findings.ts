import type { Json } from '../plan/json.ts';
import type { Diagnostic, Span } from './diagnostic.ts';
import { type DiagnosticCode, diagnosticCatalogue } from './diagnostic-catalogue.ts';
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

/** What several things have in common that one finding tells of all of them. */
export type Cause = {
  /** What makes it one cause, besides its code. */
  readonly key: string;
  /** What this place adds to the names in the message. */
  readonly subject: string;
  /** The message for all subjects. */
  readonly message: (subjects: readonly string[]) => string;
  readonly details?: (subjects: readonly string[]) => FindingDetails;
};

/** Names as a sentence has them: "a", "b" and "c". */
export function quoted(names: readonly string[]): string {
  const all = names.map((name) => `"${name}"`);
  const last = all.pop() ?? '';
  return all.length === 0 ? last : `${all.join(', ')} and ${last}`;
}

/** Takes what is found. */
export type Teller = {
  add(code: DiagnosticCode, place: Place | undefined, message: string, details?: FindingDetails): void;
  addAt(code: DiagnosticCode, span: Span | undefined, message: string, details?: FindingDetails): void;
  /** The same for one of several places of one cause: the first has the finding, the others stand beside it. */
  addToCause(code: DiagnosticCode, place: Place, cause: Cause): void;
};

/** Collects everything found while a configuration is compiled; never only the first. */
export type Findings = Teller & {
  /** Takes what follows from something that is wrong itself, as far as can be seen: it is told where nothing is. */
  readonly ifNothingElse: Teller;
  /** From here on nothing of these codes is told: its cause was. */
  mute(codes: Iterable<DiagnosticCode>): void;
  hasErrors(): boolean;
  /** How often an error was told so far, in a finding of its own or in one that was there: to know whether something below needs no word more. */
  errorCount(): number;
  /** In the order of files and lines. */
  list(): readonly Diagnostic[];
};

const quiet: Teller = { add: () => {}, addAt: () => {}, addToCause: () => {} };
/** A collection that keeps nothing, for what is read only to be looked at. */
export const quietFindings: Findings = {
  ...quiet,
  ifNothingElse: quiet,
  mute: () => {},
  hasErrors: () => false,
  errorCount: () => 0,
  list: () => [],
};

type Options = { readonly lenient: boolean };

/** Creates an empty collection; `lenient` turns errors that allow it into warnings. */
export function createFindings(options: Options): Findings {
  const sure = collect(options);
  const doubtful = collect(options);
  const hasDoubts = (): boolean => !sure.hasFaults();
  return {
    ...sure,
    ifNothingElse: doubtful,
    mute(codes) {
      const all = [...codes];
      sure.mute(all);
      doubtful.mute(all);
    },
    hasErrors: () => sure.hasErrors() || (hasDoubts() && doubtful.hasErrors()),
    errorCount: () => sure.errorCount() + doubtful.errorCount(),
    list: () => [...sure.list(), ...(hasDoubts() ? doubtful.list() : [])].toSorted(byPlace),
  };
}

/** Whether anything is wrong, though it may only be warned of. */
type Collection = Omit<Findings, 'ifNothingElse'> & { hasFaults(): boolean };

function collect(options: Options): Collection {
  const found: Diagnostic[] = [];
  const seen = new Set<string>();
  const unset = new Set<string>();
  const causes = new Map<string, Gathered>();
  const muted = new Set<DiagnosticCode>();
  let errorsTold = 0;
  let hasFaults = false;
  const count = (code: DiagnosticCode, details: FindingDetails): void => {
    if (severityOf(code, details) === 'error') errorsTold++;
    if ((details.severity ?? diagnosticCatalogue[code].severity) === 'error') hasFaults = true;
  };
  const severityOf = (code: DiagnosticCode, details: FindingDetails): Diagnostic['severity'] => {
    const entry = diagnosticCatalogue[code];
    return details.severity ?? (options.lenient && entry.lenient ? 'warning' : entry.severity);
  };
  const add = (code: DiagnosticCode, finding: Finding, index: number): void => {
    found[index] = diagnosticOf(code, finding, severityOf(code, finding.details));
  };
  const addAt: Findings['addAt'] = (code, span, message, details = {}) => {
    count(code, details);
    const key = `${code} ${span?.file} ${span?.line}:${span?.column} ${message}`;
    const place = `${span?.file} ${span?.line}:${span?.column}`;
    // What a variable that is not set leaves behind is no second cause.
    if (seen.has(key) || unset.has(place) || muted.has(code)) return;
    seen.add(key);
    if (code === 'unset-variable') unset.add(place);
    add(code, { span, message, details }, found.length);
  };
  return {
    addAt,
    add: (code, place, message, details) =>
      addAt(code, place === undefined ? undefined : spanOf(place), message, details),
    addToCause(code, place, cause) {
      count(code, {});
      if (muted.has(code)) return;
      const key = `${code} ${cause.key}`;
      const gathered = causes.get(key) ?? { index: found.length, subjects: [], places: [] };
      causes.set(key, gathered);
      if (!gathered.subjects.includes(cause.subject)) gathered.subjects.push(cause.subject);
      if (!gathered.places.some((one) => isSame(spanOf(one), spanOf(place)))) gathered.places.push(place);
      add(code, gatheredFinding(gathered, cause), gathered.index);
    },
    mute(codes) {
      for (const code of codes) muted.add(code);
    },
    hasErrors: () => found.some((one) => one.severity === 'error'),
    hasFaults: () => hasFaults,
    errorCount: () => errorsTold,
    list: () => found,
  };
}

type Gathered = { readonly index: number; readonly subjects: string[]; readonly places: Place[] };
type Finding = { readonly span: Span | undefined; readonly message: string; readonly details: FindingDetails };

function gatheredFinding({ subjects, places }: Gathered, { message, details }: Cause): Finding {
  const [first, ...related] = places;
  return {
    span: first === undefined ? undefined : spanOf(first),
    message: message(subjects),
    details: { ...details?.(subjects), ...(related.length === 0 ? {} : { related }) },
  };
}

function diagnosticOf(
  code: DiagnosticCode,
  { span, message, details }: Finding,
  severity: Diagnostic['severity'],
): Diagnostic {
  return {
    code,
    severity,
    span,
    message,
    found: details.found,
    wanted: details.wanted,
    nearest: details.nearest,
    fix: details.fix ?? (details.nearest === undefined ? undefined : `Write "${details.nearest}"`),
    ...(details.related === undefined ? {} : { related: details.related.map(spanOf) }),
  };
}

/** Where a place is in its file. */
export function spanOf({ file, path, part }: Place): Span {
  return file.spanOf(path, part);
}

function isSame(a: Span, b: Span): boolean {
  return a.file === b.file && a.line === b.line && a.column === b.column;
}

/** The order of files and lines. */
export function byPlace(a: Pick<Diagnostic, 'span'>, b: Pick<Diagnostic, 'span'>): number {
  return (
    (a.span?.file ?? '').localeCompare(b.span?.file ?? '') ||
    (a.span?.line ?? 0) - (b.span?.line ?? 0) ||
    (a.span?.column ?? 0) - (b.span?.column ?? 0)
  );
}
