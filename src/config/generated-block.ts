import { createHash } from 'node:crypto';
import { canonical } from '../plan/canonical.ts';
import { valueAt } from './litellm/section.ts';
import type { SourceKind } from './source-file.ts';

/** Form of the block, so that a later version can tell what it reads. */
export const blockVersion = 1;

/** Sources that the generated file carries whole; settings stand in LiteLLM's own sections instead. */
export const carriedSources: readonly SourceKind[] = [
  'providers',
  'model-mappings',
  'ports',
  'health-checks',
  'llamacpp-models',
];

/** Sections that settings.yaml shares with LiteLLM, in the order in which they are written. */
export const settingsSections: readonly string[] = [
  'litellm_settings',
  'router_settings',
  'server_settings',
  'rate_limit_settings',
  'general_settings',
  'environment_variables',
];

/**
 * The `signalbox` block of litellm-unified.yaml, which LiteLLM passes over. It carries the sources,
 * and says which parts of the file were made from them, so that an edit of such a part is noticed.
 */
export type GeneratedBlock = {
  readonly version: number;
  /** Digest of `model_list`. */
  readonly model_list: string;
  /** Digests of its entries, by name and id, to name those that were edited; a file of an earlier version has none. */
  readonly entries?: Readonly<Record<string, string>>;
  /** Keys of router_settings that were added, with their digests and what the sources had there. */
  readonly router_settings: Readonly<Record<string, { readonly digest: string; readonly declared?: unknown }>>;
  /** Digests of the settings as they were generated, leaf by leaf: what differs was edited by hand. */
  readonly settings?: Readonly<Record<string, DigestTree>>;
  readonly sources: Readonly<Record<string, unknown>>;
};

/** Digests of a value's leaves, in the form of the value. */
export type DigestTree = string | { readonly [key: string]: DigestTree };

/** What a value comes to as text, short; what is not there, since somebody took it out, is unlike everything. */
export function digestOf(value: unknown): string {
  if (value === undefined) return 'none';
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16);
}

/** Whether a value is a block that this version reads: by its version and sources; the rest was written with them. */
export function isBlock(value: unknown): value is GeneratedBlock {
  return valueAt(value, ['version']) === blockVersion && typeof valueAt(value, ['sources']) === 'object';
}
