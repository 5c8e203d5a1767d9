import type { Deployment } from '../plan/deployment.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import { assumedOutputTokens } from './speeds.ts';

/** Price of a request at a deployment, as far as it is known before; undefined where nobody has stated one. */
export function estimatedUsd({ price }: Deployment, facts: RequestFacts): number | undefined {
  if (price === undefined) return undefined;
  return (
    price.inputUsdPerToken * facts.promptTokens +
    price.outputUsdPerToken * (facts.maxOutputTokens ?? assumedOutputTokens)
  );
}
