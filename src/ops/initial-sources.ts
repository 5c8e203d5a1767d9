import type { SourceFile } from '../config/source-file.ts';
import type { DiscoveredServer } from '../contract/discovered.ts';
import { discoveredSources } from './discovered-sources.ts';

/** What a person decided about a first configuration. */
export type InitialChoices = {
  readonly servers: readonly DiscoveredServer[];
  /** Whether every request must carry a key. */
  readonly wantsKey: boolean;
};

/** Files of a first configuration, with a comment for every key that people change early. */
export function initialSources({ servers, wantsKey }: InitialChoices, folder: string): readonly SourceFile[] {
  const [providers, mappings] = discoveredSources(servers, folder);
  return [
    source('providers', folder, `${providersHead}${providers?.text ?? ''}${providersTail}`),
    source('model-mappings', folder, `${mappingsHead}${mappings?.text ?? ''}${mappingsTail}`),
    source('settings', folder, settingsText(wantsKey)),
  ];
}

function source(kind: 'providers' | 'model-mappings' | 'settings', folder: string, text: string): SourceFile {
  const schema = `# yaml-language-server: $schema=schemas/${kind}.schema.json\n`;
  return { kind, path: `${folder}/${kind}.yaml`, text: `${schema}${text}` };
}

const providersHead = `# The model servers behind this gateway. Check a change with: signalbox validate
# Each model's name can be asked for as it is; further names and pools stand in model-mappings.yaml.

`;

const providersTail = `
# Another one, to be uncommented and filled in. Its key stays in the environment:
#
#  openai:
#    type: openai                  # or anthropic, openai_compatible, vllm, lm_studio, llama_cpp, ollama
#    base_url: https://api.openai.com/v1
#    env_var: OPENAI_API_KEY
#    status: active                # disabled: its names are answered by their fallbacks
#    models:
#      - name: gpt-4o-mini
#        context_length: 128000
`;

const mappingsHead = `# Names, pools, fallbacks and rules. See where a name goes with: signalbox route explain NAME

`;

const mappingsTail = `
# A name of your own for a model, and what answers when it cannot:
#
#exact_matches:
#  fast:
#    provider: ollama
#    backend_model: llama3.1
#    fallback: gpt-4o-mini
#
# One name for several models, by shares:
#
#load_balancing:
#  general:
#    strategy: weighted_round_robin
#    providers:
#      - {provider: ollama, preferred_model: llama3.1, weight: 0.7}
#      - {provider: openai, preferred_model: gpt-4o-mini, weight: 0.3}
`;

function settingsText(wantsKey: boolean): string {
  return `# Address, keys, limits in time, retries. What holds: signalbox config show

server_settings:
  port: 4000
  host: 127.0.0.1                  # a wider address is served only with a key
#  cors:
#    enabled: true
#    allowed_origins: ["http://localhost:*"]

${wantsKey ? keyText : keyText.replaceAll(/^/gm, '#').replaceAll(/^#$/gm, '')}
router_settings:
  num_retries: 2                   # further attempts within a name's own deployments
  cooldown_time: 5                 # seconds for which a deployment that failed is set aside
`;
}

const keyText = `general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
`;
