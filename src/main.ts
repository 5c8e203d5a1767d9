/**
 * The composition root: the one place where dialects, configuration, gateway, control and logs
 * meet. It reads as what a start does, in order; everything that is decided here is decided by a
 * function of the room that owns it. Start reading at `start`.
 */
import type { StartReport } from './contract/start-report.ts';
import type { Diagnostic } from './config/diagnostic.ts';
import type { Environment, SourceFile } from './config/source-file.ts';
import type { Clock } from './gateway/clock.ts';
import type { Milliseconds } from './plan/ids.ts';

/** What `up` was asked to do. */
export type StartOptions = {
  /** Config folder or file; absent: looked for in `folder`, else discovered. */
  readonly config?: string;
  /** As given on the command line; a host that is refused is refused, never narrowed. */
  readonly host?: string;
  readonly port?: number;
  /** Whether to look for model servers where there is no configuration; on by default. */
  readonly discover?: boolean;
  readonly lenient?: boolean;
  readonly stateFolder?: string;
  readonly environment: Environment;
  /** The current folder. */
  readonly folder: string;
  readonly log: LogOptions;
  readonly clock?: Clock;
  readonly random?: () => number;
};

/** Where request lines go besides the log file. */
export type LogOptions = {
  readonly output:
    | { readonly write: (text: string) => void; readonly style: 'json' | 'pretty'; readonly colour: boolean }
    | undefined;
  /** Whether lines go to `logs/signalbox.jsonl` too: not where standard output is the journal. */
  readonly file: boolean;
};

/** A gateway that serves. */
export type Running = {
  readonly address: { readonly host: string; readonly port: number; readonly url: string };
  /** What is known now; waits up to `waitMs` for the providers' first states. */
  report(waitMs: Milliseconds): Promise<StartReport>;
  /** Takes no new requests, lets running ones finish as long as the settings say, and ends. */
  stop(): Promise<void>;
  /** Ends at once; running requests are cut. */
  cut(): Promise<void>;
};

/** Why a start was refused; everything in it is for people. */
export class StartRefused extends Error {
  readonly kind: 'config' | 'secret' | 'bind' | 'port' | 'running' | 'state';
  /** What to do about it. */
  readonly fix: string | undefined;
  /** Findings of the configuration, with the files that they point into. */
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly SourceFile[];

  constructor(
    kind: StartRefused['kind'],
    message: string,
    details: {
      readonly fix?: string;
      readonly diagnostics?: readonly Diagnostic[];
      readonly sources?: readonly SourceFile[];
    } = {},
  ) {
    super(message);
    this.kind = kind;
    this.fix = details.fix;
    this.diagnostics = details.diagnostics ?? [];
    this.sources = details.sources ?? [];
  }
}
