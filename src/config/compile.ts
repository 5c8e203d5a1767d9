/**
 * Config: from files to a plan. It reads every spelling of the configuration language, finds what
 * is wrong with its place and a fix, and lowers the rest to one typed plan. It never starts
 * anything, never calls a model and keeps no secret: those stay references. Start reading here;
 * the steps stand in their order below.
 */
import { seconds } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { ProbeSettings, Provider } from '../plan/provider.ts';
import type { Environment } from '../plan/secret.ts';
import { assemblePlan } from './assemble-plan.ts';
import { noteBrokenNames } from './broken-names.ts';
import { checkPlan } from './check-plan.ts';
import { checkPorts } from './check-ports.ts';
import { type Declarations, gatherDeclarations, noDeclarations } from './declarations.ts';
import type { Compiled, Span } from './diagnostic.ts';
import { referenceCodes } from './diagnostic-catalogue.ts';
import { createFindings, type Findings, inside, keyOf, type Place, quietFindings } from './findings.ts';
import { createGroupDrafts } from './group-builder.ts';
import { settingsInForce } from './hand-edits.ts';
import { interpolate, isSecretHeader, readSecret, variableValue } from './interpolate.ts';
import { createInventory } from './inventory.ts';
import { tlsOf } from './litellm/entry-provider.ts';
import { mergeIncluded } from './litellm/merge-included.ts';
import { lowerModelList } from './litellm/model-list.ts';
import { isPlaceRead } from './litellm/read-places.ts';
import { lowerGroupFallbacks, modelGroupAliases } from './litellm/router.ts';
import { readSection, type SectionReader, valueAt } from './litellm/section.ts';
import { tellLostEdits } from './lost-edits.ts';
import { type Alias, declaredAliases, lowerAliases } from './lower-aliases.ts';
import { lowerFallbacks, lowerNames, lowerProviderModels } from './lower-groups.ts';
import { type HealthChecks, lowerProviders } from './lower-providers.ts';
import { applySpecialCases, lowerRouting } from './lower-routing.ts';
import { lowerSettings, openSections, type SettingsSections } from './lower-settings.ts';
import { type Lowering, usualProbe } from './lowering.ts';
import { noteNotExecuted } from './note-not-executed.ts';
import { parseYaml } from './parse-yaml.ts';
import type { ParsedFile, Path } from './parsed-file.ts';
import type { Reference } from './reference.ts';
import { createResolutions, type Resolution } from './resolutions.ts';
import { parseDashboard } from './shape-dashboard.ts';
import { parseHealthChecks } from './shape-health-checks.ts';
import { parseLaunches } from './shape-llamacpp-models.ts';
import { parseMappings } from './shape-mappings.ts';
import { parsePorts } from './shape-ports.ts';
import { parseProviders } from './shape-providers.ts';
import type { SourceFile, SourceKind } from './source-file.ts';
import { sourcesInside } from './sources-inside.ts';

/** How a configuration is compiled. */
export type CompileOptions = {
  readonly environment: Environment;
  readonly lenient: boolean;
  /** Whether the generated file is about to be replaced, whatever stands in it. */
  readonly overwrites?: boolean;
};

/** A compiled configuration with what was decided on the way. */
export type CompiledPlan = Compiled<Plan> & {
  /** What references came to by a rule. */
  readonly resolutions: readonly Resolution[];
  /** The environment with the variables that the file itself declares: what secret references are read from. */
  readonly environment: Environment;
  /** Where settings stand that a start may have to speak about; absent where they are not written. */
  readonly places: {
    readonly host: Span | undefined;
    readonly port: Span | undefined;
    readonly masterKey: Span | undefined;
    /** Where a setting is written, by its section and key; `a.b` is b within a. */
    readonly setting: (section: keyof SettingsSections, key: string) => Span | undefined;
    /** Where the strategies of names stand, and where they would. */
    readonly strategies: StrategyPlaces;
  };
};

/** What the files say of strategies, each with its place. */
export type StrategyPlaces = {
  /** The strategy of names that declare none: its spelling, where there is one. */
  readonly usual: { readonly spelling: string | undefined; readonly at: Place };
  readonly of: (name: string) => StrategyPlace;
};

/** What the files say of one name's strategy. */
export type StrategyPlace = {
  /** The strategy as some section gives it to the name. */
  readonly declared: Reference | undefined;
  /** The name's entry that can hold a strategy, with its kind. */
  readonly entry: { readonly kind: 'pool' | 'capability'; readonly at: Place } | undefined;
};

/** Compiles the files of a configuration to a plan; without one where any finding is an error. */
export function compile(sources: readonly SourceFile[], options: CompileOptions): CompiledPlan {
  const findings = createFindings(options);
  const read = parseFiles(sources, findings);
  const generated = read.get('generated');
  if (generated !== undefined) tellLostEdits(generated, { overwrites: options.overwrites === true }, findings);
  const parsed = opened(read, findings);
  const environment = withFileVariables(parsed, options.environment, findings);
  const files: Files = new Map(
    [...parsed].map(([kind, file]) => [kind, interpolate(file, { environment, isRead: isPlaceRead(file) }, findings)]),
  );
  const sections = openSections(files.get('settings') ?? files.get('litellm') ?? emptyFile(sources), findings);
  const declarations = readDeclarations(files, findings);
  const dropsParams = sections.litellm.boolean('drop_params') ?? false;
  const lowering: Lowering = {
    inventory: createInventory({ dropsParams }),
    groups: createGroupDrafts(),
    findings,
    environment,
    resolutions: createResolutions(),
    aliases: new Map(),
    strategies: declarations.strategies,
    probe: probeOf(sections),
    seats: sections.router.number('default_max_parallel_requests'),
    tls: usualTls(sections),
    dropsParams,
    inactive: new Map(),
  };
  noteBrokenNames(parsed, lowering);
  noteNotExecuted(files, findings);
  const aliases = lowerEverythingNamed(files, { declarations, sections }, lowering);
  const settings = lowerSettings(sections, environment, findings);
  const routing = lowerRouting(declarations, sections, lowering);
  const cooldown = applySpecialCases(settings.cooldown, declarations);
  const plan = assemblePlan({ ...settings, cooldown, routing }, aliases, lowering);
  checkPlan(plan, sections, lowering);
  checkFiles(files, plan, lowering);
  return {
    value: findings.hasErrors() ? undefined : plan,
    diagnostics: findings.list(),
    resolutions: lowering.resolutions.list(),
    environment,
    places: {
      host: spanOf(sections.server, 'host'),
      port: spanOf(sections.server, 'port'),
      masterKey: spanOf(sections.general, 'master_key'),
      setting: (section, key) => spanOf(sections[section], key),
      strategies: strategyPlaces(sections, declarations, lowering),
    },
  };
}

function strategyPlaces(
  { router }: SettingsSections,
  { pools, capabilities }: Declarations,
  { groups }: Lowering,
): StrategyPlaces {
  return {
    usual: { spelling: router.text('routing_strategy'), at: router.place('routing_strategy') },
    of: (name) => {
      const pool = pools.get(name)?.at;
      const capability = capabilities.get(name)?.at;
      const declared = groups.get(name)?.declaredStrategy;
      if (pool !== undefined) return { declared, entry: { kind: 'pool', at: pool } };
      return { declared, entry: capability === undefined ? undefined : { kind: 'capability', at: capability } };
    },
  };
}

type Files = ReadonlyMap<SourceKind, ParsedFile>;

function parseFiles(sources: readonly SourceFile[], findings: Findings): Files {
  const files = new Map<SourceKind, ParsedFile>();
  const included: ParsedFile[] = [];
  for (const source of sources) {
    if (source.kind === 'other') {
      const span = { file: source.path, line: 1, column: 1, endLine: 1, endColumn: 1 };
      findings.addAt('file-not-read', span, `"${source.path}" is none of the files that are read`);
      continue;
    }
    if (source.fault !== undefined) {
      const at = source.kind === 'included' ? files.get('litellm')?.spanOf(['include']) : undefined;
      const span = at ?? { file: source.path, line: 1, column: 1, endLine: 1, endColumn: 1 };
      findings.addAt('unreadable-file', span, `"${source.path}" ${source.fault}`, { found: source.path });
      findings.mute(referenceCodes);
      continue;
    }
    // Of a generated file that is broken is told what that means; its sources stand beside it.
    const file = parseYaml(source, source.kind === 'generated' ? quietFindings : findings);
    if (file.value === undefined && source.kind !== 'generated') {
      findings.mute(referenceCodes);
      continue;
    }
    // An empty file declares nothing.
    const declared = file.value === null ? { ...file, value: {} } : file;
    if (source.kind === 'included') included.push(declared);
    else files.set(source.kind, declared);
  }
  const litellm = files.get('litellm');
  if (litellm !== undefined) files.set('litellm', mergeIncluded(litellm, included));
  return files;
}

/** The files by what they declare: a generated file stands for the sources that it carries. */
function opened(files: Files, findings: Findings): Files {
  const litellm = files.get('litellm');
  const settings = files.get('settings');
  const generated = files.get('generated');
  if (generated !== undefined)
    return opened(withoutGenerated(files, settingsInForce(settings, generated, findings)), findings);
  if (settings !== undefined) readSection({ file: settings, path: [] }, 'settings', findings);
  if (litellm !== undefined) readSection({ file: litellm, path: [] }, 'root', findings);
  const sources = litellm === undefined ? files : sourcesInside(litellm, findings);
  if (sources === undefined) return litellm === undefined ? files : withExtensions(litellm, files, findings);
  const own = sources.get('settings');
  return own === undefined ? sources : withExtensions(own, sources, findings);
}

function withoutGenerated(files: Files, settings: ParsedFile | undefined): Files {
  const others = [...files].filter(([kind]) => kind !== 'generated');
  return new Map(settings === undefined ? others : [...others, ['settings', settings]]);
}

/** Sections of the mappings that a file carries among its router_settings, where no file of their own declares them. */
function withExtensions(litellm: ParsedFile, files: Files, findings: Findings): Files {
  const at = ['router_settings', 'lab_extensions'];
  const extensions = valueAt(litellm.value, at);
  if (typeof extensions !== 'object' || extensions === null) return files;
  if (files.has('model-mappings')) {
    findings.add(
      'misplaced-key',
      keyOf({ file: litellm, path: at }),
      '"lab_extensions" stands beside model-mappings.yaml',
      {
        found: 'lab_extensions',
        fix: 'Move its sections into model-mappings.yaml',
      },
    );
    return files;
  }
  const oldName = (key: string): string => (key === 'pattern_routes' ? 'patterns' : key);
  const newName = (key: Path[number] | undefined) => (key === 'patterns' ? 'pattern_routes' : (key ?? ''));
  const mappings: ParsedFile = {
    ...litellm,
    value: Object.fromEntries(Object.entries(extensions).map(([key, value]) => [oldName(key), value])),
    spanOf: ([first, ...rest], part) =>
      litellm.spanOf(first === undefined ? at : [...at, newName(first), ...rest], part),
  };
  return new Map([...files, ['model-mappings', mappings]]);
}

/** Whether certificates are checked where an entry says nothing of it. */
function usualTls({ litellm }: SettingsSections): Provider['tls'] {
  const isOff = valueAt(litellm.raw('api_request_params'), ['verify']) === false;
  return tlsOf(litellm) ?? { verify: !isOff, caFile: undefined };
}

/** LiteLLM's environment_variables count as set for all files. */
function withFileVariables(files: Files, environment: Environment, findings: Findings): Environment {
  const file = files.get('litellm') ?? files.get('settings');
  const value = file?.value;
  const declared =
    typeof value === 'object' && value !== null && 'environment_variables' in value
      ? value.environment_variables
      : undefined;
  if (file === undefined || declared === undefined || declared === null) return environment;
  const place = inside({ file, path: [] }, 'environment_variables');
  if (typeof declared !== 'object' || Array.isArray(declared)) {
    findings.add('wrong-type', place, '"environment_variables" is no map', { wanted: '{NAME: value}' });
    return environment;
  }
  const entries = Object.entries(declared).map(([name, value]) => {
    const text = value === null ? undefined : String(value);
    const isLiteral = text !== undefined && variableValue(text, {}) === text;
    if (isLiteral && isSecretHeader(name)) readSecret(text, inside(place, name), { environment: {}, findings });
    return [name, text === undefined ? undefined : variableValue(text, environment)] as const;
  });
  return { ...environment, ...Object.fromEntries(entries) };
}

function emptyFile(sources: readonly SourceFile[]): ParsedFile {
  const path = sources[0]?.path ?? 'config';
  const span = { file: path, line: 1, column: 1, endLine: 1, endColumn: 1 };
  return { source: { kind: 'settings', path, text: '' }, value: {}, spanOf: () => span };
}

/** LiteLLM's interval of health checks counts for every provider that has none of its own. */
function probeOf({ general }: SettingsSections): ProbeSettings {
  const interval = general.number('health_check_interval');
  return interval === undefined ? usualProbe : { ...usualProbe, intervalMs: seconds(interval) };
}

function readDeclarations(files: Files, findings: Findings): Declarations {
  const file = files.get('model-mappings');
  const checked = file === undefined ? undefined : parseMappings(file, findings);
  return checked === undefined ? noDeclarations() : gatherDeclarations(checked.shape, checked.file, findings);
}

/** Providers and models, then names, then what stands in for them: each step knows all of the one before. */
function lowerEverythingNamed(
  files: Files,
  { declarations, sections }: { readonly declarations: Declarations; readonly sections: SettingsSections },
  lowering: Lowering,
): readonly Alias[] {
  const { findings } = lowering;
  const providers = files.get('providers');
  const checked = providers === undefined ? undefined : parseProviders(providers, findings);
  if (checked !== undefined) lowerProviders(checked, healthChecksOf(files, checked, findings), lowering);
  lowerProviderModels(lowering);
  const litellm = files.get('litellm');
  if (litellm !== undefined) lowerModelList(litellm, lowering);
  const declared = [...declaredAliases(declarations), ...modelGroupAliases(sections, findings)];
  for (const { name, target } of declared) lowering.aliases.set(name, target.name);
  lowerNames(declarations, lowering);
  const launches = files.get('llamacpp-models');
  const aliases = lowerAliases(declared, launches === undefined ? [] : parseLaunches(launches, findings), lowering);
  lowerFallbacks(declarations, lowering);
  lowerGroupFallbacks(sections, lowering);
  return aliases;
}

function healthChecksOf(
  files: Files,
  providers: NonNullable<ReturnType<typeof parseProviders>>,
  findings: Findings,
): HealthChecks {
  const own = providers.shape.health_checks;
  const file = files.get('health-checks');
  const further = file === undefined ? undefined : parseHealthChecks(file, findings);
  return [
    ...(own === undefined ? [] : [{ shape: own, at: { file: providers.file, path: ['health_checks'] } }]),
    ...(further === undefined ? [] : [{ shape: further.shape, at: { file: further.file, path: [] } }]),
  ];
}

/** Files that declare no routes are checked against those that do. */
function checkFiles(files: Files, plan: Plan, { findings, inventory }: Lowering): void {
  const ports = files.get('ports');
  if (ports !== undefined) checkPorts(parsePorts(ports, findings), plan, { findings, inventory });
  const dashboard = files.get('dashboard-config');
  if (dashboard !== undefined) parseDashboard(dashboard, findings);
}

function spanOf(section: SectionReader, key: string): Span | undefined {
  const [first = '', ...within] = key.split('.');
  const { file, path } = section.place(first);
  const whole = [...path, ...within];
  return valueAt(file.value, whole) === undefined ? undefined : file.spanOf(whole);
}
