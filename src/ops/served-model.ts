import type { DeploymentStatus, ProviderStatus } from '../contract/status.ts';
import { otherSpelling } from '../plan/latest-tag.ts';

/**
 * The id under which a server really serves a declared model, where that is another: llama.cpp's
 * server has one model and answers with it whatever name is asked. A router of its kind, which
 * loads by name, would be missing the model instead.
 */
export function servedModel(
  { type, listed }: Pick<ProviderStatus, 'type' | 'listed'>,
  { model, state }: Pick<DeploymentStatus, 'model' | 'state'>,
): string | null {
  const [only, ...others] = listed ?? [];
  if (type !== 'llama_cpp' || only === undefined || others.length > 0) return null;
  const isOwn = only === model || only === otherSpelling(model);
  return isOwn || state === 'missing' || model.includes('*') ? null : only;
}

/** A declared model with what is really served under its name. */
export function servedWords(model: string, served: string | null): string {
  return served === null ? model : `${model} (serves ${served})`;
}
