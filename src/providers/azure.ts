import { basePath, buildOpenAiRequest, endpointPath } from './open-ai-wire.ts';
import { openai } from './openai.ts';
import type { BuildInput, Dialect } from './provider.ts';

/** Version of Azure's interface that is asked for where the configuration names none. */
const defaultApiVersion = '2024-10-21';

/**
 * Azure OpenAI: OpenAI's bodies under Azure's paths, the deployment's name in the path.
 * https://learn.microsoft.com/azure/ai-services/openai/reference
 */
export const azure: Dialect = {
  ...openai,
  name: 'azure',
  buildRequest: (input) => buildOpenAiRequest(input, { learnUsage: takesStreamOptions(input), path: deploymentPath }),
  probes: (provider) => [
    {
      path:
        provider.probe.path ??
        `${basePath(provider)}/openai/models?api-version=${provider.apiVersion ?? defaultApiVersion}`,
      required: true,
    },
  ],
  recognises: () => false,
};

/** Earlier versions refuse fields that they do not know, stream_options among them. */
function takesStreamOptions({ provider }: BuildInput): boolean {
  return (provider.apiVersion ?? defaultApiVersion) >= '2024-09-01';
}

function deploymentPath(input: BuildInput): string {
  const version = input.provider.apiVersion ?? defaultApiVersion;
  const endpoint = endpointPath[input.endpoint];
  return `${basePath(input.provider)}/openai/deployments/${encodeURIComponent(input.model)}/${endpoint}?api-version=${encodeURIComponent(version)}`;
}
