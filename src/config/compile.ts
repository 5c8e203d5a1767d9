/**
 * Config: from files to a plan. It reads every spelling of the configuration language, finds what
 * is wrong with its place and a fix, and lowers the rest to one typed plan. It never starts
 * anything, never calls a model and keeps no secret: those stay references. Start reading here;
 * the steps stand in their order below.
 */
import { createHash } from 'node:crypto';
import { type ProviderId, planHash } from '../plan/ids.ts';
import type { Member, NameTarget } from '../plan/model-group.ts';
import type { Plan, Wildcard } from '../plan/plan.ts';
import type { Settings } from '../plan/settings.ts';
import { canonical } from './canonical.ts';
import { createCatalog } from './catalog.ts';
import type { Compiled, Span } from './diagnostic.ts';
import { createFindings, type Findings } from './findings.ts';
import { createGroupDrafts, finishGroup } from './group-builder.ts';
import { interpolate } from './interpolate.ts';
import { lowerModelList } from './litellm/model-list.ts';
import { type Alias, lowerAliases, lowerGroupFallbacks } from './litellm/router.ts';
import { readSection, type SectionReader } from './litellm/section.ts';
import { type GroupLowering, lowerMappings, lowerProviderModels } from './lower-groups.ts';
import { lowerProviders } from './lower-providers.ts';
import { applySpecialCases, lowerRouting, type Mappings } from './lower-routing.ts';
import { lowerSettings, openSections } from './lower-settings.ts';
import { parseYaml } from './parse-yaml.ts';
import type { ParsedFile } from './parsed-file.ts';
import { parseMappings } from './shape-mappings.ts';
import { parseProviders } from './shape-providers.ts';
import type { Environment, SourceFile, SourceKind } from './source-file.ts';

/** How a configuration is compiled. */
export type CompileOptions = { readonly environment: Environment; readonly lenient: boolean };

/** A compiled configuration with what was decided on the way. */
export type CompiledPlan = Compiled<Plan> & {
  /** Sentences about references that were resolved by a rule. */
  readonly resolutions: readonly string[];
  /** The environment with the variables that the file itself declares: what secret references are read from. */
  readonly environment: Environment;
  /** Where settings stand that a start may have to speak about; absent where they are not written. */
  readonly places: {
    readonly host: Span | undefined;
    readonly port: Span | undefined;
    readonly masterKey: Span | undefined;
  };
};

/** Compiles the files of a configuration to a plan; without one where any finding is an error. */
export function compile(sources: readonly SourceFile[], options: CompileOptions): CompiledPlan {
  const findings = createFindings(options);
  const files = new Map<SourceKind, ParsedFile>();
  for (const source of sources) {
    if (source.kind === 'other') continue;
    const parsed = interpolate(parseYaml(source, findings), options.environment, findings);
    if (parsed.value !== undefined) files.set(source.kind, parsed);
  }
  const lowering: GroupLowering = {
    catalog: createCatalog(),
    findings,
    environment: withFileVariables(files, options.environment),
    groups: createGroupDrafts(),
    resolutions: [],
  };
  const settingsFile = files.get('settings') ?? files.get('litellm') ?? emptyFile(sources);
  const litellm = files.get('litellm');
  if (litellm !== undefined) readSection(litellm, 'root', [], findings);
  const sections = openSections(settingsFile, findings);
  const mappings = lowerSources(files, lowering, sections.litellm.boolean('drop_params') ?? false);
  lowerGroupFallbacks(sections, lowering);
  const plain = lowerSettings(sections, lowering.environment, findings);
  const routing = lowerRouting(mappings, sections, lowering);
  const aliases = lowerAliases(sections, mappings, lowering);
  const plan = assemble(
    lowering,
    { ...plain, cooldown: applySpecialCases(plain.cooldown, mappings), routing },
    aliases,
  );
  checkReachable(plan, lowering);
  return {
    value: findings.hasErrors() ? undefined : plan,
    diagnostics: findings.list(),
    resolutions: lowering.resolutions,
    environment: lowering.environment,
    places: {
      host: spanOf(sections.server, 'host'),
      port: spanOf(sections.server, 'port'),
      masterKey: spanOf(sections.general, 'master_key'),
    },
  };
}

function spanOf(section: SectionReader, key: string): Span | undefined {
  const { file, path } = section.place(key);
  return section.raw(key) === undefined ? undefined : file.spanOf(path);
}

function lowerSources(
  files: ReadonlyMap<SourceKind, ParsedFile>,
  lowering: GroupLowering,
  dropParams: boolean,
): Mappings | undefined {
  const providers = files.get('providers');
  const providersShape = providers === undefined ? undefined : parseProviders(providers, lowering.findings);
  if (providers !== undefined && providersShape !== undefined) lowerProviders(providersShape, providers, lowering);
  lowerProviderModels(lowering);
  const litellm = files.get('litellm');
  if (litellm !== undefined) lowerModelList(litellm, lowering, { dropParams });
  const file = files.get('model-mappings');
  const shape = file === undefined ? undefined : parseMappings(file, lowering.findings);
  if (file === undefined || shape === undefined) return undefined;
  // Without providers every reference would be wrong, and only their own problem is worth telling.
  if (providersShape !== undefined) lowerMappings(shape, file, lowering);
  return { shape, file };
}

/** LiteLLM's environment_variables count as set for the whole file. */
function withFileVariables(files: ReadonlyMap<SourceKind, ParsedFile>, environment: Environment): Environment {
  const value = files.get('litellm')?.value ?? files.get('settings')?.value;
  const declared =
    typeof value === 'object' && value !== null && 'environment_variables' in value
      ? value.environment_variables
      : undefined;
  if (typeof declared !== 'object' || declared === null) return environment;
  return { ...environment, ...Object.fromEntries(Object.entries(declared).map(([key, one]) => [key, String(one)])) };
}

function emptyFile(sources: readonly SourceFile[]): ParsedFile {
  const path = sources[0]?.path ?? 'config';
  const span = { file: path, line: 1, column: 1, endLine: 1, endColumn: 1 };
  return { source: { kind: 'settings', path, text: '' }, value: {}, spanOf: () => span };
}

function assemble({ catalog, groups }: GroupLowering, settings: Settings, aliases: readonly Alias[]): Plan {
  const ownerOf = (member: Member): ProviderId | undefined => catalog.deployments[member.deployment]?.provider;
  const finished = [...groups.values()].map((draft) => finishGroup(draft, settings.routing.defaultStrategy, ownerOf));
  const names = new Map<string, NameTarget>();
  for (const one of catalog.deployments) {
    if (one.backendModel.includes('*')) continue;
    names.set(one.id, { kind: 'deployment', deployment: one.index });
    names.set(`${one.provider}/${one.backendModel}`, { kind: 'deployment', deployment: one.index });
  }
  for (const alias of aliases) names.set(alias.name, { kind: 'alias', group: alias.group, hidden: alias.hidden });
  for (const group of finished)
    if (group.kind !== 'wildcard') names.set(group.name, { kind: 'group', group: group.index });
  const wildcards: Wildcard[] = finished
    .filter((group) => group.kind === 'wildcard')
    .map((group) => ({ pattern: group.name, pieces: group.name.split('*'), group }));
  // The more letters a pattern has, the less it leaves to the star.
  wildcards.sort((a, b) => b.pattern.length - a.pattern.length || a.pieces.length - b.pieces.length);
  const plan = {
    providers: catalog.providers,
    deployments: catalog.deployments,
    groups: finished,
    names,
    wildcards,
    settings,
  };
  return { ...plan, hash: planHash(createHash('sha256').update(canonical(plan)).digest('hex').slice(0, 16)) };
}

/** Every listed name must have something that can answer it, now or after a provider is enabled. */
function checkReachable(
  plan: Plan,
  { groups, findings }: { readonly groups: GroupLowering['groups']; readonly findings: Findings },
): void {
  for (const group of plan.groups) {
    const isActive = group.members.some((member) => isActiveMember(plan, member));
    const hasFallback =
      group.fallback.length > 0 ||
      (group.chain?.items.length ?? 0) > 0 ||
      plan.settings.routing.defaultFallbacks.length > 0 ||
      plan.settings.routing.defaultChain !== undefined;
    if (isActive || hasFallback || findings.hasErrors()) continue;
    const place = groups.get(group.name)?.place;
    findings.add(
      'unreachable-name',
      place,
      `Nothing can answer "${group.name}": its providers are not active, and it has no fallback`,
      { found: group.name, fix: 'Enable a provider, or declare a fallback' },
    );
  }
}

function isActiveMember(plan: Plan, member: Member): boolean {
  const deployment = plan.deployments[member.deployment];
  return deployment !== undefined && plan.providers.get(deployment.provider)?.status === 'active';
}
