import type { NameTarget, Target } from '../../plan/model-group.ts';
import { nearest } from '../../plan/nearest.ts';
import type { Place } from '../findings.ts';
import type { GroupDraft } from '../group-builder.ts';
import { type GroupLowering, resolveTarget } from '../lower-groups.ts';
import type { Mappings } from '../lower-routing.ts';
import type { SettingsSections } from '../lower-settings.ts';
import { type DeclaredFallback, readFallbacks } from './fallbacks.ts';

/** Another name of a group. */
export type Alias = {
  readonly name: string;
  readonly group: Extract<NameTarget, { kind: 'alias' }>['group'];
  readonly hidden: boolean;
};

const kinds = [
  ['fallbacks', 'fallback'],
  ['context_window_fallbacks', 'contextFallbacks'],
  ['context_window_fallback_dict', 'contextFallbacks'],
  ['content_policy_fallbacks', 'contentFallbacks'],
] as const;

/** Puts the fallbacks of router_settings and litellm_settings into their groups. */
export function lowerGroupFallbacks({ router, litellm }: SettingsSections, lowering: GroupLowering): void {
  for (const [key, field] of kinds) {
    for (const section of [router, litellm]) {
      for (const declared of readFallbacks(section.raw(key), section.place(key), lowering.findings))
        addFallbacks(declared, field, lowering);
    }
  }
}

function addFallbacks(
  declared: DeclaredFallback,
  field: 'fallback' | 'contextFallbacks' | 'contentFallbacks',
  lowering: GroupLowering,
): void {
  const { groups, findings } = lowering;
  const own = groups.get(declared.name);
  const matched =
    declared.name === '*'
      ? [...groups.values()]
      : own === undefined
        ? [...groups.values()].filter((group) => group.name.endsWith(`/${declared.name}`))
        : [own];
  if (matched.length === 0) {
    const [near] = nearest(declared.name, groups.keys(), 1);
    findings.add(
      'unknown-fallback',
      { ...declared.place, part: 'key' },
      `A fallback is declared for "${declared.name}", which no request can ask for`,
      { found: declared.name, nearest: near },
    );
    return;
  }
  for (const group of matched) {
    for (const name of declared.targets) {
      // Of a fallback for all, a group is not its own.
      if (declared.name === '*' && name === group.name) continue;
      group[field].push(...targetsOf(name, group, declared.place, lowering));
    }
  }
}

function targetsOf(name: string, group: GroupDraft, place: Place, lowering: GroupLowering): readonly Target[] {
  const wildcard = [...lowering.groups.values()].find((one) => one.kind === 'wildcard' && fits(one.name, name));
  if (wildcard === undefined || lowering.groups.has(name)) return resolveTarget(name, group, place, lowering);
  // A name that only a wildcard reaches becomes deployments of that name.
  return wildcard.members.flatMap((member) => {
    const template = lowering.catalog.deployments[member.deployment];
    if (template === undefined) return [];
    const { index: _index, id: _id, ...draft } = template;
    const rest = name.slice(wildcard.name.indexOf('*'));
    return [
      {
        kind: 'deployment',
        deployment: lowering.catalog.add({ ...draft, backendModel: draft.backendModel.replace('*', () => rest) }).index,
      },
    ];
  });
}

function fits(pattern: string, name: string): boolean {
  const [before = '', after = ''] = pattern.split('*');
  return name.startsWith(before) && name.endsWith(after) && name.length >= before.length + after.length;
}

/** Other names of groups: LiteLLM's model_group_alias and our model_aliases. */
export function lowerAliases(
  { router }: SettingsSections,
  mappings: Mappings | undefined,
  lowering: GroupLowering,
): readonly Alias[] {
  const declared = router.raw('model_group_alias');
  const theirs = typeof declared === 'object' && declared !== null ? Object.entries(declared) : [];
  const ours = Object.entries(mappings?.shape.model_aliases ?? {});
  const from = (name: string): Place => {
    const place = router.place('model_group_alias');
    return { ...place, path: [...place.path, name] };
  };
  return [
    ...theirs.flatMap(([name, value]) => readAlias(name, value, from(name), lowering)),
    ...ours.flatMap(([name, value]) =>
      mappings === undefined
        ? []
        : readAlias(name, value, { file: mappings.file, path: ['model_aliases', name] }, lowering),
    ),
  ];
}

function readAlias(name: string, value: unknown, place: Place, { groups, findings }: GroupLowering): readonly Alias[] {
  const hidden = typeof value === 'object' && value !== null && 'hidden' in value && value.hidden === true;
  const target =
    typeof value === 'string'
      ? value
      : typeof value === 'object' && value !== null && 'model' in value && typeof value.model === 'string'
        ? value.model
        : undefined;
  if (target === undefined) {
    findings.add('wrong-type', place, `The alias "${name}" is no name`, {
      wanted: 'the name of one model, or {model: NAME, hidden: true}',
    });
    return [];
  }
  const group = groups.get(target) ?? groups.get(`${target}:latest`);
  if (group === undefined) {
    const [near] = nearest(target, groups.keys(), 1);
    findings.add('unknown-model', place, `The alias "${name}" stands for "${target}", which does not exist`, {
      found: target,
      nearest: near,
    });
    return [];
  }
  if (groups.has(name)) {
    findings.add('alias-collision', { ...place, part: 'key' }, `The alias "${name}" has the name of a model`, {
      found: name,
      fix: 'Give the alias another name',
    });
    return [];
  }
  return [{ name, group: group.index, hidden }];
}
