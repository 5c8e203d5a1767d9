import type { Milliseconds, Tokens } from './ids.ts';
import type { ListedModel } from './listed-model.ts';
import type { DialectName } from './provider.ts';

/** Sends one GET that runs no model; never rejects. */
export type Get = (url: string, options: GetOptions) => Promise<ProbeResult>;

export type GetOptions = {
  readonly headers: Record<string, string>;
  readonly timeoutMs: Milliseconds;
};

/** What one GET came to. */
export type ProbeResult =
  | ServerAnswer
  | { readonly kind: 'error'; readonly path: string; readonly code: string; readonly detail: string };

/** An answer with what tells of the server even where a dialect cannot read it. */
export type ServerAnswer = ProbeAnswer & {
  readonly kind: 'answer';
  readonly contentType: string;
  /** Where a redirect points; redirects are never followed. */
  readonly location: string | undefined;
};

/** What a dialect reads of an answer. */
export type ProbeAnswer = {
  readonly path: string;
  readonly status: number;
  readonly body: string;
};

/** What a server's answers say about it. */
export type ProbeReport = {
  readonly state: 'up' | 'loading' | 'down';
  /** Why it is not up, or what is odd; for people. */
  readonly detail: string | undefined;
  readonly version: string | undefined;
  /** `undefined` when the server does not tell. */
  readonly models: readonly ListedModel[] | undefined;
  readonly resident: readonly ResidentModel[] | undefined;
  /** True when the server answers with one model whatever name is asked (llama-server). */
  readonly servesOneModel: boolean;
};

/** A model in memory or on its way there, as far as the server tells. */
export type ResidentModel = {
  readonly id: string;
  readonly state: 'loaded' | 'loading';
  readonly effectiveContext: Tokens | undefined;
  readonly memoryBytes: number | undefined;
  readonly expiresAt: string | undefined;
  readonly busySeats: number | undefined;
  readonly seats: number | undefined;
  readonly waiting: number | undefined;
};

/** A kind of model server, as those see a dialect who look for servers and have no configuration yet. */
export type ServerFamily = {
  readonly name: DialectName;
  /** Paths on the server's origin of GETs that run no model. */
  paths(address: string): readonly string[];
  /** Headers that carry a key. */
  headers(address: string, key: string | undefined): Record<string, string>;
  recognises(answers: readonly ProbeAnswer[]): boolean;
  read(answers: readonly ProbeAnswer[]): ProbeReport;
};
