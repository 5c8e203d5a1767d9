import { basename, dirname, join } from 'node:path';
import type { StrategyPlaces } from '../config/compile.ts';
import { setInYaml } from '../config/edit-yaml.ts';
import { inside, type Place } from '../config/findings.ts';
import type { Path } from '../config/parsed-file.ts';
import { generatedName } from '../config/read-sources.ts';
import type { SourceFile } from '../config/source-file.ts';
import { strategyName, strategySpellings } from '../config/strategy-name.ts';
import type { Json } from '../plan/json.ts';
import type { ModelGroup } from '../plan/model-group.ts';
import { nearest } from '../plan/nearest.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';

/** The name that stands for all names that declare no strategy. */
export const usualName = 'default';

/** What a person wants changed. */
export type WantedStrategy = {
  readonly name: string;
  /** In any spelling, which is kept. */
  readonly strategy: string;
  /** Weights by member: a provider, a model or `provider/model`. */
  readonly weights: ReadonlyMap<string, number>;
};

/** The configuration that is to be changed. */
export type StrategySources = {
  readonly plan: Plan;
  readonly places: StrategyPlaces;
  readonly sources: readonly SourceFile[];
};

/** One file with its text before and after, or why it cannot be. */
export type StrategyEdit =
  | { readonly kind: 'edit'; readonly path: string; readonly before: string; readonly after: string }
  | Refused;

type Refused = { readonly kind: 'refused'; readonly message: string; readonly fix: string };

/** Works out which lines of which file give a name another strategy; nothing is written. */
export function editStrategy(config: StrategySources, wanted: WantedStrategy): StrategyEdit {
  const { plan, places } = config;
  const { name, strategy, weights } = wanted;
  if (strategyName(strategy) === undefined) {
    const [near = 'signalbox strategy show'] = nearest(strategy, strategySpellings, 1);
    return refused(`No strategy is called "${strategy}"`, `Take one that is offered: ${near}`);
  }
  const group = plan.groups.find((one) => one.name === name);
  if (group === undefined) return name === usualName ? editUsual(config, wanted) : unknownName(name, plan);
  const { entry, declared } = places.of(name);
  if (entry === undefined) return declarePool(config, group, wanted);
  if (entry.kind === 'capability' && weights.size > 0)
    return refused(
      `"${name}" is a capability, whose models have no weights`,
      `Declare "${name}" under load_balancing with its providers and their weights`,
    );
  const key = entry.kind === 'pool' ? 'strategy' : 'routing_strategy';
  const at = declared !== undefined && isWithin(declared.at, entry.at) ? declared.at : inside(entry.at, key);
  const weighted = weightEdits(entry.at, wanted);
  return weighted.kind === 'refused' ? weighted : edited(entry.at, [[at.path, strategy], ...weighted.edits]);
}

function refused(message: string, fix: string): Refused {
  return { kind: 'refused', message, fix };
}

function unknownName(name: string, plan: Plan): Refused {
  const known = plan.groups.filter((one) => one.listed).map((one) => one.name);
  const [near] = nearest(name, [...known, usualName], 1);
  return refused(
    `No name is called "${name}"`,
    near === undefined ? `Take a name of "signalbox model list", or "${usualName}"` : `Did you mean "${near}"?`,
  );
}

function isWithin(place: Place, entry: Place): boolean {
  return place.file.source.path === entry.file.source.path && entry.path.every((step, at) => place.path[at] === step);
}

/** The strategy of all names that declare none: router_settings.routing_strategy. */
function editUsual({ places, sources }: StrategySources, { strategy, weights }: WantedStrategy): StrategyEdit {
  if (weights.size > 0)
    return refused('Weights belong to one name', 'Name a pool instead of "default", or leave --weights away');
  const { at } = places.usual;
  const path: Path = ['router_settings', 'routing_strategy'];
  const own = sources.find((one) => one.path === at.file.source.path && one.text !== '');
  const litellm = sources.find((one) => one.kind === 'litellm');
  if (litellm !== undefined && basename(litellm.path) === generatedName)
    return refused(`"${litellm.path}" is written by signalbox generate`, 'Change the sources that it was made from');
  // Where it was edited in the generated file, that edit holds, so it is what has to change.
  const generated = sources.find((one) => one.kind === 'generated' && one.path === at.file.spanOf(at.path).file);
  if (generated !== undefined) return editedText(generated, [[path, strategy]]);
  const file = litellm ?? sources.find((one) => one.kind === 'settings') ?? own;
  if (file !== undefined && (file.kind === 'litellm' || file.kind === 'settings'))
    return editedText(file, [[path, strategy]]);
  const folder = dirname(sources[0]?.path ?? join('config', 'providers.yaml'));
  return editedText({ path: join(folder, 'settings.yaml'), text: '' }, [[path, strategy]]);
}

/** A name that several providers have becomes a pool of just these. */
function declarePool({ plan, sources }: StrategySources, group: ModelGroup, wanted: WantedStrategy): StrategyEdit {
  const { name, strategy, weights } = wanted;
  if (group.members.length < 2)
    return refused(
      `"${name}" has one deployment, so there is nothing to put in order`,
      `Declare "${name}" under load_balancing with several providers`,
    );
  const litellm = sources.find((one) => one.kind === 'litellm');
  if (litellm !== undefined)
    return refused(
      `"${name}" takes the strategy of the whole file`,
      `signalbox strategy set ${usualName} ${strategy}, which is router_settings.routing_strategy`,
    );
  const members = group.members.map(({ deployment, weight }) => {
    const { provider, backendModel } = deploymentAt(plan, deployment);
    const own = weights.get(`${provider}/${backendModel}`) ?? weights.get(provider) ?? weight;
    return {
      provider,
      ...(backendModel === name ? {} : { preferred_model: backendModel }),
      ...(own === undefined ? {} : { weight: own }),
    };
  });
  const known = members.flatMap(({ provider, preferred_model = name }) => [provider, `${provider}/${preferred_model}`]);
  const stray = [...weights.keys()].find((one) => !known.includes(one));
  if (stray !== undefined) return noMember(stray, name, known);
  const file = sources.find((one) => one.kind === 'model-mappings') ?? {
    path: join(dirname(sources[0]?.path ?? join('config', 'providers.yaml')), 'model-mappings.yaml'),
    text: '',
  };
  return editedText(file, [[['load_balancing', name], { strategy, providers: members }]]);
}

function noMember(found: string, name: string, known: readonly string[]): Refused {
  const [near] = nearest(found, known, 1);
  return refused(
    `"${name}" has no member "${found}"`,
    near === undefined ? `Take one of these: ${known.join(', ')}` : `Did you mean "${near}"?`,
  );
}

type Edits = readonly (readonly [path: Path, value: Json])[];

/** A pool's members as they are written: a provider alone, or a map of it. */
type WrittenMember = string | { readonly [key: string]: Json };

function weightEdits(
  entry: Place,
  { name, weights }: WantedStrategy,
): { readonly kind: 'edits'; readonly edits: Edits } | Refused {
  if (weights.size === 0) return { kind: 'edits', edits: [] };
  const at = inside(entry, 'providers');
  const members = membersAt(at);
  const namesOf = members.map((one): readonly string[] => {
    if (typeof one === 'string') return [one];
    const provider = String(one['provider'] ?? one['name']);
    const model = one['preferred_model'] ?? one['model'];
    return model === undefined ? [provider] : [provider, String(model), `${provider}/${String(model)}`];
  });
  const edits: (readonly [Path, Json])[] = [];
  for (const [member, weight] of weights) {
    const found = namesOf.flatMap((names, index) => (names.includes(member) ? [index] : []));
    const [index] = found;
    if (index === undefined) return noMember(member, name, namesOf.flat());
    if (found.length > 1)
      return refused(`"${member}" is ${found.length} members of "${name}"`, 'Write provider/model before the weight');
    const own = members[index];
    edits.push(
      typeof own === 'string'
        ? [[...at.path, index], { provider: own, weight }]
        : [[...at.path, index, 'weight'], weight],
    );
  }
  return { kind: 'edits', edits };
}

function membersAt({ file, path }: Place): readonly WrittenMember[] {
  let value = file.value;
  for (const step of path) value = (value as Readonly<Record<string | number, unknown>>)[step];
  // The schema has proven that a pool's providers are such a list.
  return value as readonly WrittenMember[];
}

function edited({ file }: Place, edits: Edits): StrategyEdit {
  const { source } = file;
  if (source.kind !== 'model-mappings')
    return refused(`"${source.path}" is written by signalbox generate`, 'Change the sources that it was made from');
  return editedText(source, edits);
}

function editedText({ path, text }: Pick<SourceFile, 'path' | 'text'>, edits: Edits): StrategyEdit {
  const after = edits.reduce((before, [at, value]) => setInYaml(before, at, value), text);
  return { kind: 'edit', path, before: text, after };
}
