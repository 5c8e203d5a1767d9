import type { Diagnostic } from '../config/diagnostic.ts';
import type { SourceFile } from '../config/source-file.ts';

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
      readonly fix?: string | undefined;
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
