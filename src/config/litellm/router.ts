import type { Target } from '../../plan/model-group.ts';
import { nearest } from '../../plan/nearest.ts';
import { type Findings, inside, keyOf } from '../findings.ts';
import type { GroupDraft } from '../group-builder.ts';
import type { DeclaredAlias } from '../lower-aliases.ts';
import type { SettingsSections } from '../lower-settings.ts';
import type { Lowering } from '../lowering.ts';
import type { Reference } from '../reference.ts';
import { resolveTarget, wantedBy } from '../references.ts';
import { type DeclaredFallback, readFallbacks } from './fallbacks.ts';
import { valueAt } from './section.ts';

const kinds = [
  ['fallbacks', 'fallback'],
  ['context_window_fallbacks', 'contextFallbacks'],
  ['context_window_fallback_dict', 'contextFallbacks'],
  ['content_policy_fallbacks', 'contentFallbacks'],
] as const;

/** Puts the fallbacks of router_settings and litellm_settings into their groups. */
export function lowerGroupFallbacks({ router, litellm }: SettingsSections, lowering: Lowering): void {
  for (const [key, field] of kinds) {
    const declared = [router, litellm]
      .flatMap((section) => readFallbacks(section.raw(key), section.place(key), lowering.findings))
      .map((one) => ({ ...one, name: groupMeant(one.name, router.raw('model_group_alias'), lowering) }));
    for (const one of declared) {
      const targets = field === 'fallback' ? withTheirOwn(one.targets, declared, new Set([one.name])) : one.targets;
      addFallbacks({ ...one, targets }, field, lowering);
    }
  }
}

/** LiteLLM follows the fallbacks of a fallback before the next one, and no name twice. */
function withTheirOwn(
  targets: readonly string[],
  declared: readonly DeclaredFallback[],
  seen: Set<string>,
): readonly string[] {
  return targets.flatMap((target) => {
    if (seen.has(target)) return [];
    seen.add(target);
    const own = declared.filter((one) => one.name === target).flatMap((one) => one.targets);
    return [target, ...withTheirOwn(own, declared, seen)];
  });
}

/** Who declares a fallback for an alias means the group behind it. */
function groupMeant(name: string, aliases: unknown, { groups }: Lowering): string {
  const meant = valueAt(aliases, [name, 'model']) ?? valueAt(aliases, [name]);
  return !groups.has(name) && typeof meant === 'string' ? meant : name;
}

function addFallbacks(
  declared: DeclaredFallback,
  field: 'fallback' | 'contextFallbacks' | 'contentFallbacks',
  lowering: Lowering,
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
      group[field].push(...targetsOf({ name, at: declared.place }, group, lowering));
    }
  }
}

function targetsOf(target: Reference, group: GroupDraft, lowering: Lowering): readonly Target[] {
  const { name } = target;
  const wildcard = [...lowering.groups.values()].find((one) => one.kind === 'wildcard' && fits(one.name, name));
  if (wildcard === undefined || lowering.groups.has(name))
    return resolveTarget(target, wantedBy(group, lowering), lowering);
  // A name that only a wildcard reaches becomes deployments of that name.
  return wildcard.members.flatMap((member) => {
    const template = lowering.inventory.deployments[member.deployment];
    if (template === undefined) return [];
    const { index: _index, id: _id, ...draft } = template;
    const rest = name.slice(wildcard.name.indexOf('*'));
    return [
      {
        kind: 'deployment',
        deployment: lowering.inventory.add({ ...draft, backendModel: draft.backendModel.replace('*', () => rest) })
          .index,
      },
    ];
  });
}

function fits(pattern: string, name: string): boolean {
  const [before = '', after = ''] = pattern.split('*');
  return name.startsWith(before) && name.endsWith(after) && name.length >= before.length + after.length;
}

/** Other names of groups as `model_group_alias` declares them: alias → name, or alias → {model, hidden}. */
export function modelGroupAliases({ router }: SettingsSections, findings: Findings): readonly DeclaredAlias[] {
  const declared = router.raw('model_group_alias');
  if (typeof declared !== 'object' || declared === null) return [];
  return Object.entries(declared).flatMap(([name, value]: [string, unknown]) => {
    const at = inside(router.place('model_group_alias'), name);
    const target = typeof value === 'string' ? value : valueAt(value, ['model']);
    if (typeof target === 'string')
      return [{ name, at: keyOf(at), target: { name: target, at }, hidden: valueAt(value, ['hidden']) === true }];
    findings.add('wrong-type', at, `The alias "${name}" is no name`, {
      wanted: 'the name of one model, or {model: NAME, hidden: true}',
    });
    return [];
  });
}
