import type { Deployment } from '../plan/deployment.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { Usage } from '../plan/usage.ts';
import { assumedOutputTokens } from './speeds.ts';

/** Price of an answer; undefined where no price is stated, or its tokens were not told. */
export function answerUsd(
  { price }: Deployment,
  usage: Pick<Usage, 'promptTokens' | 'completionTokens'> | undefined,
): number | undefined {
  if (price === undefined || usage?.promptTokens === undefined || usage.completionTokens === undefined)
    return undefined;
  return usage.promptTokens * price.inputUsdPerToken + usage.completionTokens * price.outputUsdPerToken;
}

/** Price of a request at a deployment, as far as it is known before; undefined where nobody has stated one. */
export function estimatedUsd({ price }: Deployment, facts: RequestFacts): number | undefined {
  if (price === undefined) return undefined;
  return (
    price.inputUsdPerToken * facts.promptTokens +
    price.outputUsdPerToken * (facts.maxOutputTokens ?? assumedOutputTokens)
  );
}
