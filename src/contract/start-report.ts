import type { DiagnosticReport, ProviderStatus } from './status.ts';

/** Where the configuration that runs came from. */
export type ConfigOrigin =
  /** A config folder or a LiteLLM file. */
  | { readonly kind: 'folder' | 'file'; readonly path: string }
  /** No configuration: what was found on this machine, or named in `SIGNALBOX_UPSTREAM`. */
  | { readonly kind: 'discovered' }
  /** No configuration and nothing found: the built-in echo. `looked` is false where nothing was looked for. */
  | { readonly kind: 'echo'; readonly looked: boolean };

/** What a person wants to know when the gateway has started. */
export type StartReport = {
  /** For example `http://127.0.0.1:4000`. */
  readonly address: string;
  /** What is listened on: this machine's own address, or a wider one. */
  readonly host: string;
  readonly config: ConfigOrigin;
  /** Providers with the states known so far. */
  readonly providers: readonly ProviderStatus[];
  /** Names that clients can ask for. */
  readonly names: number;
  /** A name to try first; null where there is none. */
  readonly firstName: string | null;
  readonly key: {
    readonly needed: boolean;
    /** Environment variable that holds the master key; null where it stands in a file or there is none. */
    readonly variable: string | null;
  };
  readonly stateFolder: string;
  readonly logFile: string | null;
  /** Said once at start, and kept in `status`. */
  readonly warnings: readonly DiagnosticReport[];
};
