import type { DialectName } from '../plan/provider.ts';
import type { ProviderShape } from './written-providers.ts';

/** The wire that a provider's type means; undefined for what serves no models: tools and web pages that the files list too. */
export function dialectOf(type: ProviderShape['type']): DialectName | undefined {
  switch (type) {
    case 'litellm':
    case 'custom':
      return 'openai_compatible';
    case 'tool_server':
    case 'web_ui':
      return undefined;
    default:
      return type;
  }
}
