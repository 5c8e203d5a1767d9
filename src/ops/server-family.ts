import type { Milliseconds } from '../plan/ids.ts';
import type { Get, ProbeReport, ProbeResult, ServerAnswer, ServerFamily } from '../plan/probe.ts';

/** The outside that probing needs; the composition root wires dialects and sockets in. */
export type Probing = {
  readonly get: Get;
  /** The more particular first: most servers also answer as an OpenAI-compatible one. */
  readonly families: readonly ServerFamily[];
  /** Monotonic time. */
  readonly now: () => Milliseconds;
};

/** A server that was looked at with everything that a family asks. */
export type LookedAt = {
  readonly answers: readonly ServerAnswer[];
  readonly errors: readonly Extract<ProbeResult, { kind: 'error' }>[];
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
  families: readonly ServerFamily[],
  address: string,
  answers: readonly ServerAnswer[],
): { readonly family: ServerFamily; readonly report: ProbeReport } | undefined {
  for (const family of families) {
    const paths = new Set(family.paths(address));
    const own = answers.filter((answer) => paths.has(answer.path));
    if (own.length > 0 && family.recognises(own)) return { family, report: family.read(own) };
  }
  return undefined;
}
