import type { EffectiveConfig } from '../contract/effective-config.ts';
import type { Json } from '../plan/json.ts';
import type { Plan } from '../plan/plan.ts';
import type { SecretReference } from '../plan/secret.ts';

/** The plan in force as plain values; a secret is shown as where it comes from, never as what it is. */
export function describeConfig(plan: Plan): EffectiveConfig {
  return {
    id: plan.hash,
    settings: toJson(plan.settings),
    providers: [...plan.providers.values()].map((provider) => toJson(provider)),
    deployments: plan.deployments.map((deployment) => toJson(deployment)),
    groups: plan.groups.map((group) => toJson(group)),
  };
}

function toJson(value: unknown): Json {
  if (value === null || value === undefined || typeof value === 'function') return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value) || value instanceof Set) return [...value].map(toJson);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, inner]) => [String(key), toJson(inner)]));
  if (isSecret(value)) return secretWords(value);
  if (typeof value !== 'object' || 'toJSON' in value) return String(value);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined && typeof inner !== 'function')
      .map(([key, inner]) => [key, toJson(inner)]),
  );
}

function isSecret(value: object | bigint | symbol): value is SecretReference {
  if (typeof value !== 'object' || !('kind' in value)) return false;
  return (value.kind === 'env' && 'name' in value) || (value.kind === 'literal' && 'secret' in value);
}

function secretWords(reference: SecretReference): Json {
  return reference.kind === 'env' ? `from ${reference.name}` : `in the file, fingerprint ${reference.fingerprint}`;
}
