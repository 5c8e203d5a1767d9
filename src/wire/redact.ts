import type { Failure } from '../plan/failure.ts';
import type { Json } from '../plan/json.ts';

/** Takes what looks like an address or a key out of an upstream's words. */
export function withoutAddresses(text: string): string {
  return text
    .replaceAll(/\bhttps?:\/\/[^\s"'<>)]+/gi, '[address]')
    .replaceAll(
      /\b(?:\d{1,3}(?:\.\d{1,3}){3}|localhost)(?::\d+)?\b|\[[\da-f]*(?::[\da-f]*){2,}\](?::\d+)?/gi,
      '[address]',
    )
    .replaceAll(/\b(?:sk|pk|key)-[\w*-]{6,}/gi, '[key]')
    .slice(0, 2000);
}

/** What must not come back from a provider: its key, the headers that it is sent, and its host. */
export type Concealed = { readonly secrets: readonly string[]; readonly hosts: readonly string[] };

/** Takes a provider's own key and host out of a failure, whatever they look like. */
export function conceal(failed: Failure, { secrets, hosts }: Concealed): Failure {
  const theirs = failed.upstreamError;
  if (theirs === undefined) return failed;
  const clean = (text: string): string => {
    let cleaned = text;
    for (const secret of secrets) cleaned = cleaned.replaceAll(secret, '[key]');
    for (const host of hosts) cleaned = cleaned.replaceAll(host, '[address]');
    return cleaned;
  };
  const cleanValue = (value: Json | undefined): Json | undefined => (typeof value === 'string' ? clean(value) : value);
  return {
    ...failed,
    message: clean(failed.message),
    ...(failed.param === undefined ? {} : { param: clean(failed.param) }),
    upstreamError: {
      message: clean(theirs.message),
      type: theirs.type === undefined ? undefined : clean(theirs.type),
      code: cleanValue(theirs.code),
      param: theirs.param === undefined ? undefined : clean(theirs.param),
    },
  };
}
