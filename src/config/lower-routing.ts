import { RE2JS } from 're2js';
import type { Deployment } from '../plan/deployment.ts';
import { milliseconds, seconds } from '../plan/ids.ts';
import type { Chain, Target } from '../plan/model-group.ts';
import type {
  CooldownSettings,
  DefaultModel,
  MetadataRule,
  PatternRule,
  RoutingRules,
  SizeRule,
} from '../plan/settings.ts';
import type { Declarations } from './declarations.ts';
import { type Findings, inside, type Place } from './findings.ts';
import { lowerChain } from './lower-chains.ts';
import { lowerDefaultStrategy } from './lower-default-strategy.ts';
import type { SettingsSections } from './lower-settings.ts';
import type { Lowering } from './lowering.ts';
import { readCondition } from './read-condition.ts';
import { type Reference, referenceOf, referencesOf } from './reference.ts';
import { resolveProviders, resolveTarget, type WantedModel } from './references.ts';

/** Lowers the rules that stand above single groups. */
export function lowerRouting(declarations: Declarations, sections: SettingsSections, lowering: Lowering): RoutingRules {
  const { shape: rules, at } = declarations.rules;
  const cases = declarations.specialCases;
  const { router } = sections;
  const defaults = (['default_provider', 'default_fallback'] as const).flatMap((key) =>
    literalProviders(referenceOf(rules[key], inside(at, key)), lowering),
  );
  return {
    patterns: declarations.patterns.flatMap((one) => lowerPattern(one, lowering) ?? []),
    sizes: lowerSizes(declarations, lowering),
    metadata: lowerMetadata(declarations, lowering),
    defaultProviders: [...new Set(defaults)],
    defaultModel: lowerDefaultModel(rules.default_provider === undefined ? [] : defaults, lowering),
    defaultChain: lowerDefaultChain(declarations, lowering),
    defaultFallbacks: lowerDefaultFallbacks(sections, lowering),
    unknownModel: rules.unknown_model ?? 'default_chain',
    complexity: rules.complexity ?? { medium: 50, high: 100 },
    defaultStrategy: lowerDefaultStrategy(sections, lowering),
    preferWarm: {
      enabled: cases.first_request_routing?.strategy === 'prefer_warm_providers',
      checkTimeoutMs: milliseconds(cases.first_request_routing?.warm_check_timeout_ms ?? 100),
    },
    rateLimitedFallback: cases.rate_limited_fallback?.enabled ?? false,
    geographic: {
      enabled: cases.geographic_routing?.enabled ?? false,
      preferLocal: cases.geographic_routing?.prefer_local ?? true,
    },
    preCallChecks: router.boolean('enable_pre_call_checks') ?? true,
    tagFiltering: {
      enabled: router.boolean('enable_tag_filtering') ?? false,
      matchAny: router.boolean('tag_filtering_match_any') ?? true,
    },
  };
}

/** Cooldowns as special_cases declare them, over LiteLLM's own. */
export function applySpecialCases(cooldown: CooldownSettings, { specialCases }: Declarations): CooldownSettings {
  const errors = specialCases.error_based_routing;
  const held = specialCases.rate_limited_fallback?.fallback_duration_seconds;
  const rateLimitedMs = held === undefined ? cooldown.rateLimitedMs : seconds(held);
  if (errors === undefined || errors.enabled === false) return { ...cooldown, rateLimitedMs };
  const cooldownMs = seconds(errors.cooldown_seconds ?? 300);
  return {
    ...cooldown,
    rateLimitedMs,
    allowedFails: errors.error_threshold ?? 3,
    cooldownMs,
    maxCooldownMs: milliseconds(Math.max(cooldown.maxCooldownMs, cooldownMs)),
  };
}

/** The providers of a reference, which are asked for whatever name the client gives. */
function literalProviders(reference: Reference | undefined, lowering: Lowering): RoutingRules['defaultProviders'] {
  const found = reference === undefined ? [] : resolveProviders(reference, lowering).map((one) => one.id);
  for (const id of found) lowering.inventory.literal(id);
  return found;
}

/** The first model of each of the providers, or of what is active where there are none. */
function lowerDefaultModel(
  providers: RoutingRules['defaultProviders'],
  { inventory, groups }: Lowering,
): DefaultModel | undefined {
  const isActive = ({ provider }: Deployment): boolean => inventory.providers.get(provider)?.status === 'active';
  const [first, ...others] =
    providers.length > 0
      ? providers.flatMap((id) => inventory.of(id)[0] ?? [])
      : inventory.deployments.filter((one) => !one.backendModel.includes('*') && isActive(one)).slice(0, 1);
  if (first === undefined) return undefined;
  const named = [...groups.values()].filter(({ members }) => members.some((one) => one.deployment === first.index));
  const group = named.find(({ name }) => name === first.backendModel) ?? named[0];
  return {
    deployment: first.index,
    group: group?.index,
    standIns: others.map((one) => ({ kind: 'deployment', deployment: one.index })),
  };
}

/** Who a rule for many names asks: every provider of the reference for the literal name, then the rule's fallbacks. */
function literalTargets(
  provider: Reference,
  fallbacks: readonly Reference[],
  lowering: Lowering,
): { readonly target: Target; readonly fallback: readonly Target[] } | undefined {
  const [target, ...others] = resolveProviders(provider, lowering).map(
    (one): Target => ({ kind: 'deployment', deployment: lowering.inventory.literal(one.id) }),
  );
  if (target === undefined) return undefined;
  return { target, fallback: [...others, ...fallbacks.flatMap((one) => resolveTarget(one, anyName, lowering))] };
}

/** Rules stand for many names, of which none is known. */
const anyName: WantedModel = { name: '', backendModel: undefined, specialty: undefined };

function lowerPattern({ shape, at }: Declarations['patterns'][number], lowering: Lowering): PatternRule | undefined {
  const matches = compilePattern(shape.pattern, inside(at, 'pattern'), lowering.findings);
  const fallbacks = referencesOf(shape.fallback, inside(at, 'fallback'));
  const targets = literalTargets({ name: shape.provider, at: inside(at, 'provider') }, fallbacks, lowering);
  if (matches === undefined || targets === undefined) return undefined;
  return { source: shape.pattern, matches, ...targets };
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
      `The pattern "${source}" ${isValid ? 'cannot be matched in linear time' : 'is no regular expression'}${detail === undefined ? '' : `: ${detail}`}`,
      {
        found: source,
        fix: isValid ? 'Write it without lookaround and backreferences' : 'Check its brackets and escapes',
      },
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

function lowerSizes({ rules: { shape, at } }: Declarations, lowering: Lowering): readonly SizeRule[] {
  return (shape.model_size_routing ?? []).flatMap((row, index): SizeRule[] => {
    const place = inside(at, 'model_size_routing', index);
    const bounds = readBounds(row.size);
    if (bounds === undefined) {
      lowering.findings.add('bad-size', inside(place, 'size'), `"size" has "${row.size}"`, {
        found: row.size,
        wanted: '"< 8B", "8B - 13B" or "> 13B"',
      });
      return [];
    }
    const fallbacks = referencesOf(row.fallback, inside(place, 'fallback'));
    const targets = literalTargets({ name: row.provider, at: inside(place, 'provider') }, fallbacks, lowering);
    return targets === undefined ? [] : [{ source: row.size, ...bounds, ...targets }];
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

function lowerMetadata({ rules: { shape, at } }: Declarations, lowering: Lowering): readonly MetadataRule[] {
  return Object.entries(shape.request_metadata_routing ?? {}).flatMap(([name, rule]): MetadataRule[] => {
    const place = inside(at, 'request_metadata_routing', name);
    const condition = readCondition({ name: rule.condition, at: inside(place, 'condition') }, lowering);
    const providers = resolveProviders({ name: rule.provider, at: inside(place, 'provider') }, lowering);
    if (condition === undefined || providers.length === 0) return [];
    return [{ name, providers: providers.map((one) => one.id), condition }];
  });
}

function lowerDefaultChain({ chains }: Declarations, lowering: Lowering): Chain | undefined {
  const declared = chains.get('default');
  return declared === undefined ? undefined : lowerChain(declared, anyName, lowering);
}

function lowerDefaultFallbacks({ router, litellm }: SettingsSections, lowering: Lowering): readonly Target[] {
  const section = router.has('default_fallbacks') ? router : litellm;
  const references = referencesOf(section.texts('default_fallbacks'), section.place('default_fallbacks'));
  return references.flatMap((reference) => resolveTarget(reference, anyName, lowering));
}
