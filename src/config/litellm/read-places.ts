import type { ParsedFile, Path } from '../parsed-file.ts';
import type { Section } from './keys.ts';
import { notOffered } from './prefixes.ts';
import { isRead, valueAt } from './section.ts';

/** Whether anything reads what stands at a place of a file; LiteLLM's files have much that nobody reads here. */
export function isPlaceRead({ source, value }: ParsedFile): (path: Path) => boolean {
  const root: Section | undefined =
    source.kind === 'litellm' ? 'root' : source.kind === 'settings' ? 'settings' : undefined;
  if (root === undefined) return () => true;
  return ([key, ...rest]) => {
    if (typeof key !== 'string' || !isRead(key, root)) return false;
    // Variables of the environment are missed where they are used.
    if (key === 'environment_variables') return false;
    if (key === 'model_list') return isEntryRead(value, rest);
    const inner = rest[0];
    return typeof inner !== 'string' || !isSection(key) || isRead(inner, key);
  };
}

const sections = ['litellm_settings', 'router_settings', 'general_settings', 'server_settings'] as const;

function isSection(key: string): key is (typeof sections)[number] {
  return sections.some((one) => one === key);
}

function isEntryRead(file: unknown, [index, part, key]: Path): boolean {
  if (index === undefined) return true;
  const params = valueAt(file, ['model_list', index, 'litellm_params']);
  if (prefixNotOffered(params) !== undefined) return part === 'litellm_params' && key === 'model';
  return part !== 'litellm_params' || typeof key !== 'string' || isRead(key, 'litellm_params');
}

/** The prefix of a deployment whose provider is not offered; undefined for all others. */
export function prefixNotOffered(params: unknown): string | undefined {
  const model = valueAt(params, ['model']);
  const forced = valueAt(params, ['custom_llm_provider']);
  const first = typeof model === 'string' && model.includes('/') ? model.split('/', 1)[0] : undefined;
  const prefix = typeof forced === 'string' ? forced : first;
  return prefix !== undefined && notOffered.has(prefix) ? prefix : undefined;
}
