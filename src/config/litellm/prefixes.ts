import type { DialectName, Tier } from '../../plan/provider.ts';

/** What a provider prefix of LiteLLM stands for. */
export type Prefix = {
  readonly dialect: DialectName;
  /** Address where none is declared; absent: the deployment has to name one. */
  readonly baseUrl: string | undefined;
  /** Variable that holds the address, which goes before the default. */
  readonly baseUrlVariable: string | undefined;
  /** Variable that holds the key where none is declared. */
  readonly keyVariable: string | undefined;
  readonly tier: Tier | undefined;
};

/** Vendors of OpenAI's wire: prefix, address, variable of the key. Sources: the vendors' own interface references. */
const vendors: readonly (readonly [prefix: string, baseUrl: string, keyVariable: string])[] = [
  // https://ai.google.dev/gemini-api/docs/openai
  ['gemini', 'https://generativelanguage.googleapis.com/v1beta/openai', 'GEMINI_API_KEY'],
  // https://console.groq.com/docs/openai
  ['groq', 'https://api.groq.com/openai/v1', 'GROQ_API_KEY'],
  // https://openrouter.ai/docs/api-reference
  ['openrouter', 'https://openrouter.ai/api/v1', 'OPENROUTER_API_KEY'],
  // https://api-docs.deepseek.com
  ['deepseek', 'https://api.deepseek.com/v1', 'DEEPSEEK_API_KEY'],
  // https://docs.together.ai/docs/openai-api-compatibility
  ['together_ai', 'https://api.together.xyz/v1', 'TOGETHERAI_API_KEY'],
  // https://docs.mistral.ai/api
  ['mistral', 'https://api.mistral.ai/v1', 'MISTRAL_API_KEY'],
  // https://docs.x.ai/docs/api-reference
  ['xai', 'https://api.x.ai/v1', 'XAI_API_KEY'],
  // https://docs.github.com/en/github-models
  ['github', 'https://models.github.ai/inference/v1', 'GITHUB_API_KEY'],
  // https://huggingface.co/docs/inference-providers
  ['huggingface', 'https://router.huggingface.co/v1', 'HUGGINGFACE_API_KEY'],
  // https://docs.perplexity.ai
  ['perplexity', 'https://api.perplexity.ai/v1', 'PERPLEXITYAI_API_KEY'],
  // https://docs.fireworks.ai/api-reference
  ['fireworks_ai', 'https://api.fireworks.ai/inference/v1', 'FIREWORKS_API_KEY'],
  // https://inference-docs.cerebras.ai
  ['cerebras', 'https://api.cerebras.ai/v1', 'CEREBRAS_API_KEY'],
  // https://docs.api.nvidia.com
  ['nvidia_nim', 'https://integrate.api.nvidia.com/v1', 'NVIDIA_NIM_API_KEY'],
  // https://docs.cohere.com/docs/compatibility-api
  ['cohere', 'https://api.cohere.ai/compatibility/v1', 'COHERE_API_KEY'],
  ['cohere_chat', 'https://api.cohere.ai/compatibility/v1', 'COHERE_API_KEY'],
  // https://help.aliyun.com/zh/model-studio/compatibility-of-openai-with-dashscope
  ['dashscope', 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1', 'DASHSCOPE_API_KEY'],
  // https://platform.moonshot.ai/docs
  ['moonshot', 'https://api.moonshot.ai/v1', 'MOONSHOT_API_KEY'],
  // https://docs.z.ai
  ['zai', 'https://api.z.ai/api/paas/v4', 'ZAI_API_KEY'],
  // https://open.bigmodel.cn/dev/api
  ['zhipu', 'https://open.bigmodel.cn/api/paas/v4', 'ZHIPU_API_KEY'],
  // https://www.volcengine.com/docs/82379
  ['volcengine', 'https://ark.cn-beijing.volces.com/api/v3', 'VOLCENGINE_API_KEY'],
  // https://docs.siliconflow.cn
  ['siliconflow', 'https://api.siliconflow.cn/v1', 'SILICONFLOW_API_KEY'],
  // https://docs.sambanova.ai
  ['sambanova', 'https://api.sambanova.ai/v1', 'SAMBANOVA_API_KEY'],
  // https://docs.hyperbolic.xyz
  ['hyperbolic', 'https://api.hyperbolic.xyz/v1', 'HYPERBOLIC_API_KEY'],
  // https://deepinfra.com/docs/openai_api
  ['deepinfra', 'https://api.deepinfra.com/v1/openai', 'DEEPINFRA_API_KEY'],
  // https://novita.ai/docs
  ['novita', 'https://api.novita.ai/v3/openai', 'NOVITA_API_KEY'],
  // https://docs.ai21.com
  ['ai21', 'https://api.ai21.com/studio/v1', 'AI21_API_KEY'],
];

const openAi = (baseUrl: string | undefined, known: Partial<Prefix> = {}): Prefix => ({
  dialect: 'openai_compatible',
  baseUrl,
  baseUrlVariable: undefined,
  keyVariable: undefined,
  tier: undefined,
  ...known,
});

/** Every prefix whose wire is spoken. */
export const prefixes: ReadonlyMap<string, Prefix> = new Map<string, Prefix>([
  [
    'openai',
    {
      dialect: 'openai',
      baseUrl: 'https://api.openai.com/v1',
      baseUrlVariable: 'OPENAI_BASE_URL',
      keyVariable: 'OPENAI_API_KEY',
      tier: undefined,
    },
  ],
  [
    'text-completion-openai',
    {
      dialect: 'openai',
      baseUrl: 'https://api.openai.com/v1',
      baseUrlVariable: 'OPENAI_BASE_URL',
      keyVariable: 'OPENAI_API_KEY',
      tier: undefined,
    },
  ],
  ['custom_openai', openAi(undefined)],
  ['openai_like', openAi(undefined)],
  ['aiohttp_openai', openAi(undefined)],
  [
    'hosted_vllm',
    openAi(undefined, { dialect: 'vllm', baseUrlVariable: 'HOSTED_VLLM_API_BASE', keyVariable: 'HOSTED_VLLM_API_KEY' }),
  ],
  [
    'vllm',
    openAi(undefined, { dialect: 'vllm', baseUrlVariable: 'HOSTED_VLLM_API_BASE', keyVariable: 'HOSTED_VLLM_API_KEY' }),
  ],
  ['llamafile', openAi('http://127.0.0.1:8080/v1', { dialect: 'llama_cpp', baseUrlVariable: 'LLAMAFILE_API_BASE' })],
  [
    'lm_studio',
    openAi('http://127.0.0.1:1234/v1', {
      dialect: 'lm_studio',
      baseUrlVariable: 'LM_STUDIO_API_BASE',
      keyVariable: 'LM_STUDIO_API_KEY',
    }),
  ],
  ['docker_model_runner', openAi('http://127.0.0.1:12434/engines/v1')],
  ['lemonade', openAi('http://127.0.0.1:8000/api/v1')],
  ['xinference', openAi('http://127.0.0.1:9997/v1')],
  ['infinity', openAi(undefined)],
  [
    'litellm_proxy',
    openAi(undefined, { baseUrlVariable: 'LITELLM_PROXY_API_BASE', keyVariable: 'LITELLM_PROXY_API_KEY' }),
  ],
  [
    'ollama',
    openAi('http://127.0.0.1:11434', {
      dialect: 'ollama',
      baseUrlVariable: 'OLLAMA_API_BASE',
      keyVariable: 'OLLAMA_API_KEY',
    }),
  ],
  [
    'ollama_chat',
    openAi('http://127.0.0.1:11434', {
      dialect: 'ollama',
      baseUrlVariable: 'OLLAMA_API_BASE',
      keyVariable: 'OLLAMA_API_KEY',
    }),
  ],
  [
    'anthropic',
    {
      dialect: 'anthropic',
      baseUrl: 'https://api.anthropic.com',
      baseUrlVariable: 'ANTHROPIC_API_BASE',
      keyVariable: 'ANTHROPIC_API_KEY',
      tier: undefined,
    },
  ],
  [
    'azure',
    {
      dialect: 'azure',
      baseUrl: undefined,
      baseUrlVariable: 'AZURE_API_BASE',
      keyVariable: 'AZURE_API_KEY',
      tier: undefined,
    },
  ],
  ['azure_ai', openAi(undefined, { baseUrlVariable: 'AZURE_AI_API_BASE', keyVariable: 'AZURE_AI_API_KEY' })],
  ['cloudflare', openAi(undefined, { keyVariable: 'CLOUDFLARE_API_KEY' })],
  ['databricks', openAi(undefined, { baseUrlVariable: 'DATABRICKS_API_BASE', keyVariable: 'DATABRICKS_API_KEY' })],
  ...vendors.map(([name, baseUrl, keyVariable]): [string, Prefix] => [name, openAi(baseUrl, { keyVariable })]),
]);

/** Prefixes of services whose requests must be signed or speak a wire of their own. */
export const notOffered: ReadonlySet<string> = new Set([
  'vertex_ai',
  'vertex_ai_beta',
  'bedrock',
  'bedrock_converse',
  'sagemaker',
  'sagemaker_chat',
  'watsonx',
  'watsonx_text',
  'oci',
  'snowflake',
  'replicate',
  'predibase',
  'petals',
  'triton',
  'nlp_cloud',
  'aleph_alpha',
  'baseten',
  'clarifai',
  'palm',
  'claude-agent-sdk',
  'auto_router',
]);

/** The prefix that a name without one means, by the models that vendors are known for. */
export function inferPrefix(model: string, apiBase: string | undefined): string | undefined {
  if (/^(gpt-|o\d|chatgpt-|text-embedding-|davinci|babbage|dall-e|whisper|tts-|omni-)/.test(model)) return 'openai';
  if (/^claude-/.test(model)) return 'anthropic';
  if (/^gemini-/.test(model)) return 'gemini';
  if (/^(mistral|codestral|ministral|pixtral)-/.test(model)) return 'mistral';
  if (/^deepseek-/.test(model)) return 'deepseek';
  if (/^grok-/.test(model)) return 'xai';
  if (/^command-/.test(model)) return 'cohere';
  if (model === '*') return 'openai';
  return apiBase === undefined ? undefined : prefixOfHost(apiBase);
}

function prefixOfHost(apiBase: string): string | undefined {
  if (!URL.canParse(apiBase)) return undefined;
  const { host, port } = new URL(apiBase);
  if (port === '11434') return 'ollama_chat';
  for (const [name, prefix] of prefixes)
    if (prefix.baseUrl !== undefined && new URL(prefix.baseUrl).host === host) return name;
  return undefined;
}
