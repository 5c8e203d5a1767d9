import { parse, stringify } from 'yaml';
import { canonical } from '../plan/canonical.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { ModelGroup, Target } from '../plan/model-group.ts';
import type { Plan } from '../plan/plan.ts';
import type { DialectName, Provider } from '../plan/provider.ts';
import type { SecretReference } from '../plan/secret.ts';
import { type CompileOptions, compile } from './compile.ts';
import type { Compiled, Diagnostic } from './diagnostic.ts';
import { type Place, quietFindings } from './findings.ts';
import { blockVersion, carriedSources, digestOf, type GeneratedBlock, settingsSections } from './generated-block.ts';
import { digestTree, type HandEdit, handEdits, withEdits } from './hand-edits.ts';
import { withoutSecrets } from './interpolate.ts';
import { readFallbacks } from './litellm/fallbacks.ts';
import { entryDigests, generatedHeader } from './lost-edits.ts';
import { parseYaml } from './parse-yaml.ts';
import type { SourceFile, SourceKind } from './source-file.ts';

/**
 * Writes litellm-unified.yaml: a file that the real LiteLLM loads as it is, and that compiles to
 * the same plan as its sources. LiteLLM ignores the `signalbox` block, which carries the sources;
 * settings stand in LiteLLM's sections only, so that people can edit them there, and edits stay.
 */
export function generate(sources: readonly SourceFile[], options: CompileOptions): Compiled<string> {
  const compiled = compile(sources, options);
  const { diagnostics } = compiled;
  // What would be lost stays, until somebody says that it may go.
  const isKept = options.overwrites !== true && diagnostics.some(isLost);
  if (compiled.value === undefined || isKept)
    return {
      value: undefined,
      diagnostics: diagnostics.map((one) => (isLost(one) ? { ...one, severity: 'error' } : one)),
    };
  const generated = sources.find((source) => source.kind === 'generated');
  const without = sources.filter((source) => source !== generated);
  // What a person typed into that file stays as it was typed, in that file alone.
  const edits = generated === undefined ? [] : handEdits(parseYaml(generated, quietFindings).value);
  const raw = new Map<SourceKind, unknown>(
    without.map((source) => [source.kind, withoutSecrets(parse(source.text, { uniqueKeys: false }))]),
  );
  const body = renderBody(compiled.value, raw, edits);
  return { value: `${generatedHeader(blockVersion, body)}${body}`, diagnostics };
}

/** Whether a finding is about something in the generated file that no source has. */
export function isLost({ code }: Diagnostic): boolean {
  return code === 'generated-file-edited';
}

function renderBody(plan: Plan, raw: ReadonlyMap<SourceKind, unknown>, edits: readonly HandEdit[]): string {
  const list = modelList(plan, declaredPrefixes(raw));
  const made = settingsOf(raw);
  const settings = withEdits(made, edits);
  const declared = asMap(settings['router_settings']);
  const added = routerAdditions(plan, declared);
  const block: GeneratedBlock = {
    version: blockVersion,
    model_list: digestOf(list),
    entries: entryDigests(list),
    router_settings: Object.fromEntries(
      Object.entries(added).map(([key, value]) => [
        key,
        { digest: digestOf(value), ...(declared[key] === undefined ? {} : { declared: declared[key] }) },
      ]),
    ),
    settings: Object.fromEntries(Object.entries(made).map(([section, value]) => [section, digestTree(value)])),
    sources: Object.fromEntries(carriedSources.flatMap((kind) => (raw.has(kind) ? [[kind, raw.get(kind)]] : []))),
  };
  const router = { ...declared, ...added };
  const document = {
    model_list: list,
    ...settings,
    ...(Object.keys(router).length === 0 ? {} : { router_settings: router }),
    signalbox: block,
  };
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** What LiteLLM has to be told of the sources beyond its model_list: fallbacks and other names. */
function routerAdditions(plan: Plan, declared: Record<string, unknown>): Record<string, unknown> {
  const aliases = [...plan.names].flatMap(([name, target]) =>
    target.kind === 'alias' ? [[name, aliasOf(plan.groups[target.group]?.name ?? '', target.hidden)]] : [],
  );
  return {
    ...inLitellmForm(declared),
    ...fallbackSection(plan, declared),
    ...(aliases.length === 0 ? {} : { model_group_alias: Object.fromEntries(aliases) }),
  };
}

function aliasOf(model: string, hidden: boolean): unknown {
  return hidden ? { model, hidden } : model;
}

function settingsOf(raw: ReadonlyMap<SourceKind, unknown>): Record<string, unknown> {
  const own = { ...asMap(raw.get('settings')) };
  const litellm = asMap(own['litellm_settings']);
  // Of router_settings the block remembers what was declared; here the other form says the same by itself.
  if (Object.keys(litellm).length > 0) own['litellm_settings'] = { ...litellm, ...inLitellmForm(litellm) };
  return Object.fromEntries(
    settingsSections.flatMap((section) =>
      own[section] === undefined ? [] : [[section, asLitellmRefers(own[section])]],
    ),
  );
}

/** Of the ways to refer to a variable LiteLLM reads one alone; it would take `${NAME}` for the value itself. */
function asLitellmRefers(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/, 'os.environ/$1');
  if (Array.isArray(value)) return value.map(asLitellmRefers);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asLitellmRefers(inner)]));
}

function asMap(value: unknown): Record<string, unknown> {
  // What a YAML map of texts parses to.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** Prefixes that exact matches declare for LiteLLM, by name. */
function declaredPrefixes(raw: ReadonlyMap<SourceKind, unknown>): ReadonlyMap<string, string> {
  const mappings = asMap(raw.get('model-mappings'));
  const blocks = [mappings, asMap(mappings['routes'])].flatMap((one) => [asMap(one['exact_matches']), one]);
  const entries = blocks.flatMap((block) => Object.entries(block)).map(([name, one]) => [name, asMap(one)] as const);
  return new Map(
    entries.flatMap(([name, { custom_llm_provider: prefix }]) => (typeof prefix === 'string' ? [[name, prefix]] : [])),
  );
}

/** One entry for each place of a deployment in a group, as LiteLLM reads pools. */
function modelList(plan: Plan, prefixes: ReadonlyMap<string, string>): readonly object[] {
  return plan.groups.flatMap((group) => {
    const active = group.members.filter((member) => isActive(plan, member.deployment));
    const serving =
      active.length > 0
        ? active
        : standIns(plan, group).map((deployment) => ({ deployment, order: 1, weight: undefined }));
    return serving.flatMap((member) => {
      const deployment = plan.deployments[member.deployment];
      const provider = deployment === undefined ? undefined : plan.providers.get(deployment.provider);
      if (deployment === undefined || provider === undefined) return [];
      const prefix = prefixes.get(group.name) ?? prefixOf[provider.dialect];
      return [entryOf(group, { deployment, provider, prefix }, member)];
    });
  });
}

function isActive(plan: Plan, index: Deployment['index']): boolean {
  const deployment = plan.deployments[index];
  return deployment !== undefined && plan.providers.get(deployment.provider)?.status === 'active';
}

/** What answers a name whose providers are not active: its first fallback that is. */
function standIns(plan: Plan, group: ModelGroup): readonly Deployment['index'][] {
  const { defaultFallbacks, defaultChain } = plan.settings.routing;
  const targets = [
    ...group.fallback,
    ...(group.chain?.items.map((item) => item.target) ?? []),
    ...defaultFallbacks,
    ...(defaultChain?.items.map((item) => item.target) ?? []),
  ];
  for (const target of targets) {
    const found = deploymentsOf(plan, target).filter((index) => isActive(plan, index));
    if (found.length > 0) return found;
  }
  return [];
}

function deploymentsOf(plan: Plan, target: Target): readonly Deployment['index'][] {
  if (target.kind === 'deployment') return [target.deployment];
  return plan.groups[target.group]?.members.map((member) => member.deployment) ?? [];
}

type Rank = { readonly order: number; readonly weight: number | undefined };

type Answering = { readonly deployment: Deployment; readonly provider: Provider; readonly prefix: string };

function entryOf(group: ModelGroup, { deployment, provider, prefix }: Answering, { order, weight }: Rank): object {
  const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000);
  return {
    model_name: group.name,
    litellm_params: defined({
      model: `${prefix}/${deployment.backendModel}`,
      api_base: apiBaseOf(provider),
      api_key: keyOf(provider),
      api_version: provider.apiVersion,
      // LiteLLM takes whole numbers only.
      weight: weight === undefined ? undefined : Math.round(weight * 100),
      order: order === 1 ? undefined : order,
      rpm: deployment.limit.requestsPerMinute,
      tpm: deployment.limit.tokensPerMinute,
      max_parallel_requests: deployment.seats,
      timeout: seconds(deployment.timeouts.totalMs),
      stream_timeout: seconds(deployment.timeouts.firstTokenMs),
      ...deployment.options,
      keep_alive: deployment.keepAlive,
    }),
    model_info: defined({
      id: `${deployment.id}-${group.index}`,
      provider: provider.id,
      mode: deployment.kind,
      max_input_tokens: deployment.contextTokens,
      max_output_tokens: deployment.maxOutputTokens,
    }),
  };
}

function defined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The prefix under which LiteLLM speaks a dialect. */
const prefixOf: Readonly<Record<DialectName, string>> = {
  ollama: 'ollama_chat',
  llama_cpp: 'openai',
  vllm: 'hosted_vllm',
  lm_studio: 'lm_studio',
  openai: 'openai',
  azure: 'azure',
  openai_compatible: 'openai',
  anthropic: 'anthropic',
  echo: 'openai',
};

/** LiteLLM wants OpenAI's wire with its version in the address, and the others without. */
function apiBaseOf(provider: Provider): string | undefined {
  if (provider.dialect === 'ollama' || provider.dialect === 'anthropic' || provider.dialect === 'azure')
    return provider.baseUrl;
  return `${provider.baseUrl}${provider.apiPath}`;
}

function keyOf({ credential, dialect }: Provider): string | undefined {
  if (credential.kind === 'none') return dialect === 'ollama' ? undefined : 'none';
  return referenceText(credential.secret);
}

/** A secret is never written: what stands in a source as text is read from a variable in the generated file. */
function referenceText(secret: SecretReference): string {
  return `os.environ/${secret.kind === 'env' ? secret.name : secret.variable}`;
}

/** Fallbacks that are declared in another form than the one which LiteLLM takes. */
function inLitellmForm(declared: Record<string, unknown>): Record<string, unknown> {
  const keys = ['fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks'];
  return Object.fromEntries(
    keys.flatMap((key) => {
      const own = declared[key];
      const pairs = readFallbacks(own, nowhere, quietFindings).map(({ name, targets }) => ({ [name]: targets }));
      return own === undefined || own === null || canonical(own) === canonical(pairs) ? [] : [[key, pairs]];
    }),
  );
}

/** Sources that compile have nothing to tell of their places. */
const nowhere: Place = {
  file: {
    source: { kind: 'settings', path: '', text: '' },
    value: undefined,
    spanOf: () => ({ file: '', line: 1, column: 1, endLine: 1, endColumn: 1 }),
  },
  path: [],
};

/** LiteLLM's own fallbacks, group to group, for those who run the file there; ours are read from the sources. */
function fallbackSection(plan: Plan, declared: Record<string, unknown>): Record<string, unknown> {
  if (declared['fallbacks'] !== undefined) return {};
  const listed = new Map<string, string[]>();
  for (const group of plan.groups) {
    const names = [...group.fallback, ...(group.chain?.items.map((item) => item.target) ?? [])]
      .flatMap((target) => groupNames(plan, target))
      .filter((name) => name !== group.name);
    if (names.length > 0) listed.set(group.name, [...new Set(names)]);
  }
  return listed.size === 0 ? {} : { fallbacks: [...listed].map(([name, targets]) => ({ [name]: targets })) };
}

/** Groups that stand for a target: LiteLLM falls back to names. */
function groupNames(plan: Plan, target: Target): readonly string[] {
  if (target.kind === 'group') return [plan.groups[target.group]?.name ?? ''];
  const holder = plan.groups.find((group) => group.members.some((member) => member.deployment === target.deployment));
  return holder === undefined ? [] : [holder.name];
}
