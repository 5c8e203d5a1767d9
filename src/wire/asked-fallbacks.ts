import { asTruth } from './field-types.ts';
import { asList, asObject, asText } from './json-shape.ts';
import { type BodyScan, memberValue } from './scan-body.ts';

/** What a request says of its fallbacks, in LiteLLM's words: who stands in, and whether anybody may. */
export type AskedFallbacks = { readonly fallbacks: readonly string[]; readonly disableFallbacks: boolean };

/** Reads what a body says, which asks for a name or for none. */
export function readAskedFallbacks(body: Uint8Array, scan: BodyScan, asked = 'auto'): AskedFallbacks {
  return {
    fallbacks: namesIn(memberValue(body, scan, 'fallbacks'), asked),
    disableFallbacks: asTruth(memberValue(body, scan, 'disable_fallbacks')) === true,
  };
}

/** LiteLLM takes names, objects with the name under `model`, and lists of names under the name that they stand in for. */
function namesIn(value: unknown, asked: string): readonly string[] {
  const isText = (one: unknown): one is string => typeof one === 'string';
  return (asList(value) ?? []).flatMap((one) => {
    if (isText(one)) return [one];
    const object = asObject(one) ?? {};
    const model = asText(object['model']);
    return model === undefined ? (asList(object[asked] ?? object['*']) ?? []).filter(isText) : [model];
  });
}
