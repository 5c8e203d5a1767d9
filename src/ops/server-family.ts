import type { Milliseconds } from '../plan/ids.ts';
import type { ListedModel } from '../plan/listed-model.ts';
import type { DialectName } from '../plan/provider.ts';

/** What one GET came to. */
export type GetResult =
  | {
      readonly kind: 'answer';
      readonly path: string;
      readonly status: number;
      readonly body: string;
      readonly contentType: string;
      /** Where a redirect points; redirects are never followed. */
      readonly location: string | undefined;
    }
  | { readonly kind: 'error'; readonly path: string; readonly code: string; readonly detail: string };

export type GetAnswer = Extract<GetResult, { kind: 'answer' }>;

/** Sends one GET; never rejects. */
export type Get = (
  url: string,
  options: { readonly timeoutMs: Milliseconds; readonly headers: Record<string, string> },
) => Promise<GetResult>;

/** What a server's answers say about it. */
export type ServerReport = {
  readonly state: 'up' | 'loading' | 'down';
  readonly detail: string | undefined;
  readonly version: string | undefined;
  readonly models: readonly ListedModel[] | undefined;
  /** Whether it answers with one model whatever name is asked. */
  readonly servesOneModel: boolean;
};

/** A kind of model server, as operations see a dialect: what to ask it and how to read it. */
export type Family = {
  readonly name: DialectName;
  /** Paths on the server's origin of GETs that run no model. */
  paths(address: string): readonly string[];
  /** Headers that carry a key. */
  headers(address: string, key: string | undefined): Record<string, string>;
  recognises(answers: readonly GetAnswer[]): boolean;
  read(answers: readonly GetAnswer[]): ServerReport;
};

/** The outside that probing needs; the composition root wires dialects and sockets in. */
export type Probing = {
  readonly get: Get;
  /** The more particular first: most servers also answer as an OpenAI-compatible one. */
  readonly families: readonly Family[];
  /** Monotonic time. */
  readonly now: () => Milliseconds;
};

/** A server that was looked at with everything that a family asks. */
export type LookedAt = {
  readonly answers: readonly GetAnswer[];
  readonly errors: readonly Extract<GetResult, { kind: 'error' }>[];
};

/** Asks a server everything that these families would ask it, each path once. */
export async function lookAtServer(
  { get, families }: Pick<Probing, 'get' | 'families'>,
  address: string,
  options: { readonly timeoutMs: Milliseconds; readonly key?: string | undefined },
): Promise<LookedAt> {
  const { origin } = new URL(address);
  const headersOfPath = new Map<string, Record<string, string>>();
  for (const family of families) {
    const headers = family.headers(address, options.key);
    for (const path of family.paths(address)) headersOfPath.set(path, { ...headersOfPath.get(path), ...headers });
  }
  const results = await Promise.all(
    [...headersOfPath].map(([path, headers]) => get(`${origin}${path}`, { timeoutMs: options.timeoutMs, headers })),
  );
  return {
    answers: results.filter((one) => one.kind === 'answer'),
    errors: results.filter((one) => one.kind === 'error'),
  };
}

/** The family that recognises a server's answers. */
export function familyOf(
  families: readonly Family[],
  address: string,
  answers: readonly GetAnswer[],
): { readonly family: Family; readonly report: ServerReport } | undefined {
  for (const family of families) {
    const paths = new Set(family.paths(address));
    const own = answers.filter((answer) => paths.has(answer.path));
    if (own.length > 0 && family.recognises(own)) return { family, report: family.read(own) };
  }
  return undefined;
}
