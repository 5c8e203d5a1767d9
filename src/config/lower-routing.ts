import { RE2JS } from 're2js';
import { milliseconds, seconds } from '../plan/ids.ts';
import type { Chain, StrategyName, Target } from '../plan/model-group.ts';
import type { CooldownSettings, MetadataRule, PatternRule, RoutingRules, SizeRule } from '../plan/settings.ts';
import type { Findings, Place } from './findings.ts';
import type { GroupDraft } from './group-builder.ts';
import { type GroupLowering, lowerChain, readCondition, resolveTarget } from './lower-groups.ts';
import { providersNamed } from './lower-providers.ts';
import type { SettingsSections } from './lower-settings.ts';
import type { ParsedFile, Path } from './parsed-file.ts';
import { unknownProvider } from './references.ts';
import type { MappingsShape } from './shape-mappings.ts';
import { strategyName } from './strategy-name.ts';

/** A file's mappings, where the configuration has them. */
export type Mappings = { readonly shape: MappingsShape; readonly file: ParsedFile };

/** Lowers the rules that stand above single groups. */
export function lowerRouting(
  mappings: Mappings | undefined,
  sections: SettingsSections,
  lowering: GroupLowering,
): RoutingRules {
  const shape = mappings?.shape ?? {};
  const rules = shape.routing_rules;
  const cases = shape.special_cases;
  const at = (...path: Path): Place | undefined => (mappings === undefined ? undefined : { file: mappings.file, path });
  const { router } = sections;
  const provider = (reference: string | undefined, place: Place | undefined): RoutingRules['defaultProvider'] => {
    if (reference === undefined || place === undefined) return undefined;
    const [found] = providersNamed(lowering.catalog, reference);
    if (found === undefined) unknownProvider(lowering, reference, place);
    else lowering.catalog.literal(found.id);
    return found?.id;
  };
  const defaultProvider = provider(rules?.default_provider, at('routing_rules', 'default_provider'));
  const defaultFallback = provider(rules?.default_fallback, at('routing_rules', 'default_fallback'));
  return {
    patterns: mappings === undefined ? [] : lowerPatterns(mappings, lowering),
    sizes: mappings === undefined ? [] : lowerSizes(mappings, lowering),
    metadata: mappings === undefined ? [] : lowerMetadata(mappings, lowering),
    defaultProvider,
    defaultFallback,
    defaultDeployment:
      defaultProvider === undefined ? firstActive(lowering) : lowering.catalog.of(defaultProvider)[0]?.index,
    defaultChain: mappings === undefined ? undefined : lowerDefaultChain(mappings, lowering),
    defaultFallbacks: lowerDefaultFallbacks(sections, lowering),
    unknownModel: rules?.unknown_model ?? 'default_chain',
    complexity: rules?.complexity ?? { medium: 50, high: 100 },
    defaultStrategy: defaultStrategy(sections, lowering.findings),
    preferWarm: {
      enabled: cases?.first_request_routing?.strategy === 'prefer_warm_providers',
      checkTimeoutMs: milliseconds(cases?.first_request_routing?.warm_check_timeout_ms ?? 100),
    },
    rateLimitedFallback: cases?.rate_limited_fallback?.enabled ?? false,
    geographic: {
      enabled: cases?.geographic_routing?.enabled ?? false,
      preferLocal: cases?.geographic_routing?.prefer_local ?? false,
    },
    preCallChecks: router.boolean('enable_pre_call_checks') ?? false,
    tagFiltering: {
      enabled: router.boolean('enable_tag_filtering') ?? false,
      matchAny: router.boolean('tag_filtering_match_any') ?? true,
    },
  };
}

/** Cooldowns as special_cases declare them, over LiteLLM's own. */
export function applySpecialCases(cooldown: CooldownSettings, mappings: Mappings | undefined): CooldownSettings {
  const cases = mappings?.shape.special_cases;
  const errors = cases?.error_based_routing;
  const limited = cases?.rate_limited_fallback;
  const held = limited?.fallback_duration_seconds;
  const declared = errors !== undefined && errors.enabled !== false;
  const cooldownMs =
    declared && errors.cooldown_seconds !== undefined ? seconds(errors.cooldown_seconds) : cooldown.cooldownMs;
  return {
    ...cooldown,
    cooldownMs,
    maxCooldownMs: milliseconds(Math.max(cooldown.maxCooldownMs, cooldownMs)),
    allowedFails: declared ? (errors.error_threshold ?? cooldown.allowedFails) : cooldown.allowedFails,
    rateLimitedMs: held === undefined ? cooldown.rateLimitedMs : seconds(held),
  };
}

function firstActive({ catalog }: GroupLowering): RoutingRules['defaultDeployment'] {
  return catalog.deployments.find(
    (one) => one.backendModel !== '*' && catalog.providers.get(one.provider)?.status === 'active',
  )?.index;
}

function defaultStrategy({ router }: SettingsSections, findings: Findings): StrategyName {
  const spelling = router.text('routing_strategy');
  if (spelling === undefined) return 'simple_shuffle';
  const name = strategyName(spelling);
  if (name === undefined)
    findings.add('unknown-strategy', router.place('routing_strategy'), `No strategy is called "${spelling}"`, {
      found: spelling,
      wanted: 'such as simple-shuffle or least-busy',
    });
  return name ?? 'simple_shuffle';
}

/** A group that stands for a rule while its fallbacks are resolved. */
function ruleGroup(name: string, place: Place): GroupDraft {
  // Only the name and the place of it are looked at.
  return { name, place, members: [] } as unknown as GroupDraft;
}

function literalTarget(reference: string, place: Place, lowering: GroupLowering): Target | undefined {
  const [provider] = providersNamed(lowering.catalog, reference);
  if (provider === undefined) {
    unknownProvider(lowering, reference, place);
    return undefined;
  }
  return { kind: 'deployment', deployment: lowering.catalog.literal(provider.id) };
}

/** A pattern's or size's fallback: a provider is asked for the literal name too. */
function literalFallbacks(
  value: string | readonly string[] | null | undefined,
  place: Place,
  lowering: GroupLowering,
): readonly Target[] {
  const list = value === undefined || value === null ? [] : typeof value === 'string' ? [value] : value;
  return list.flatMap((reference) => {
    const [provider] = providersNamed(lowering.catalog, reference);
    const models = provider === undefined ? [] : lowering.catalog.of(provider.id);
    // A server that loads by name is asked for the name; one with a single model answers with that.
    if (provider !== undefined && models.length !== 1)
      return [{ kind: 'deployment' as const, deployment: lowering.catalog.literal(provider.id) }];
    return resolveTarget(reference, ruleGroup('', place), place, lowering);
  });
}

function lowerPatterns({ shape, file }: Mappings, lowering: GroupLowering): readonly PatternRule[] {
  const key = shape.patterns === undefined ? 'pattern_matches' : 'patterns';
  return (shape[key] ?? []).flatMap((pattern, index): PatternRule[] => {
    const place: Place = { file, path: [key, index, 'pattern'] };
    const matches = compilePattern(pattern.pattern, place, lowering.findings);
    const at: Place = { file, path: [key, index, 'provider'] };
    const target = literalTarget(pattern.provider, at, lowering);
    if (matches === undefined || target === undefined) return [];
    const fallback = literalFallbacks(pattern.fallback, { file, path: [key, index, 'fallback'] }, lowering);
    return [{ source: pattern.pattern, matches, target, fallback, description: pattern.description }];
  });
}

function compilePattern(source: string, place: Place, findings: Findings): ((name: string) => boolean) | undefined {
  try {
    const compiled = RE2JS.compile(source);
    return (name) => compiled.matcher(name).find();
  } catch (problem) {
    const isValid = isRegExp(source);
    const detail = problem instanceof Error ? problem.message.split('\n')[0] : undefined;
    findings.add(
      isValid ? 'non-linear-regex' : 'bad-regex',
      place,
      `The pattern "${source}" ${isValid ? 'cannot be matched in linear time' : 'is no regular expression'}`,
      { found: source, ...(detail === undefined ? {} : { wanted: detail }) },
    );
    return undefined;
  }
}

function isRegExp(source: string): boolean {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
}

function lowerSizes({ shape, file }: Mappings, lowering: GroupLowering): readonly SizeRule[] {
  return (shape.routing_rules?.model_size_routing ?? []).flatMap((row, index): SizeRule[] => {
    const path: Path = ['routing_rules', 'model_size_routing', index];
    const bounds = readBounds(row.size);
    if (bounds === undefined) {
      lowering.findings.add('bad-size', { file, path: [...path, 'size'] }, `"size" has "${row.size}"`, {
        found: row.size,
        wanted: '"< 8B", "8B - 13B" or "> 13B"',
      });
      return [];
    }
    const target = literalTarget(row.provider, { file, path: [...path, 'provider'] }, lowering);
    if (target === undefined) return [];
    return [
      {
        source: row.size,
        ...bounds,
        target,
        fallback: literalFallbacks(row.fallback, { file, path: [...path, 'fallback'] }, lowering),
        reason: row.reason,
      },
    ];
  });
}

type Bounds = Pick<SizeRule, 'minBillions' | 'minInclusive' | 'maxBillions' | 'maxInclusive'>;

/** Boundary values belong to the row with two ends. */
function readBounds(text: string): Bounds | undefined {
  const between = /^\s*(\d+(?:\.\d+)?)\s*B?\s*-\s*(\d+(?:\.\d+)?)\s*B\s*$/i.exec(text);
  if (between !== null)
    return { minBillions: Number(between[1]), minInclusive: true, maxBillions: Number(between[2]), maxInclusive: true };
  const one = /^\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*B\s*$/i.exec(text);
  if (one === null) return undefined;
  const size = Number(one[2]);
  const inclusive = one[1]?.endsWith('=') === true;
  if (one[1]?.startsWith('<'))
    return { minBillions: 0, minInclusive: true, maxBillions: size, maxInclusive: inclusive };
  return { minBillions: size, minInclusive: inclusive, maxBillions: Number.MAX_VALUE, maxInclusive: true };
}

function lowerMetadata({ shape, file }: Mappings, lowering: GroupLowering): readonly MetadataRule[] {
  return Object.entries(shape.routing_rules?.request_metadata_routing ?? {}).flatMap(([name, rule]): MetadataRule[] => {
    const path: Path = ['routing_rules', 'request_metadata_routing', name];
    const condition = readCondition(rule.condition, { file, path: [...path, 'condition'] }, lowering);
    const providers = providersNamed(lowering.catalog, rule.provider);
    if (providers.length === 0) unknownProvider(lowering, rule.provider, { file, path: [...path, 'provider'] });
    if (condition === undefined || providers.length === 0) return [];
    lowering.findings.add(
      'not-executed-yet',
      { file, path, part: 'key' },
      `request_metadata_routing "${name}" is not executed yet`,
      { found: name },
    );
    return [{ name, providers: providers.map((one) => one.id), condition }];
  });
}

function lowerDefaultChain({ shape, file }: Mappings, lowering: GroupLowering): Chain | undefined {
  const chain = shape.fallback_chains?.['default'];
  const place: Place = { file, path: ['fallback_chains', 'default'] };
  return chain === undefined ? undefined : lowerChain(chain, ruleGroup('default', place), place, lowering);
}

function lowerDefaultFallbacks({ router, litellm }: SettingsSections, lowering: GroupLowering): readonly Target[] {
  const section = router.has('default_fallbacks') ? router : litellm;
  const place = section.place('default_fallbacks');
  return (section.texts('default_fallbacks') ?? []).flatMap((name) =>
    resolveTarget(name, ruleGroup('', place), place, lowering),
  );
}
