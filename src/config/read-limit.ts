import type { RateLimit } from '../plan/provider.ts';
import { type Findings, inside, type Place } from './findings.ts';
import { valueAt } from './litellm/section.ts';

/** What a limit can count. */
export const limitKeys: readonly string[] = ['rpm', 'tpm', 'max_parallel_requests'];

/** Reads the limit that stands in a map, beside whatever else is in it. */
export function readLimit(value: unknown, place: Place, findings: Findings): RateLimit {
  const number = (key: string): number | undefined => {
    const found = valueAt(value, [key]);
    if (found === undefined || (typeof found === 'number' && found > 0)) return found;
    findings.add('wrong-type', inside(place, key), `"${key}" has ${JSON.stringify(found)}`, {
      wanted: 'a number above 0',
    });
    return undefined;
  };
  const parallelRequests = number('max_parallel_requests');
  return {
    requestsPerMinute: number('rpm'),
    tokensPerMinute: number('tpm'),
    ...(parallelRequests === undefined ? {} : { parallelRequests }),
  };
}
