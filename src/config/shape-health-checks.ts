import { z } from 'zod';
import { type Checked, checkShape } from './check-shape.ts';
import { field, type JsonSchema, optional } from './field.ts';
import type { Findings } from './findings.ts';
import { jsonSchemaOf } from './json-schema.ts';
import type { ParsedFile } from './parsed-file.ts';
import type { HealthCheckShape, HealthChecksShape } from './written-health-checks.ts';

const times = {
  enabled: optional(z.boolean(), 'Whether it is probed.', {
    default: true,
    danger: 'Without probes a server that is down is found by the request that fails.',
  }),
  interval_seconds: optional(z.number().positive(), 'Time between two probes.', { unit: 'seconds', default: 60 }),
  timeout_seconds: optional(z.number().positive(), 'Time that a probe may take.', { unit: 'seconds', default: 5 }),
  retry_attempts: optional(z.int().nonnegative(), 'Further tries before a provider counts as down.', {
    unit: 'tries',
    default: 0,
  }),
};

const one: z.ZodType<HealthCheckShape> = z.strictObject({
  ...times,
  endpoint: optional(z.string(), 'Path of the probe, or its whole address.', {
    danger: 'A path that runs a model costs what a request costs, every minute.',
  }),
});

const all: z.ZodType<HealthChecksShape> = z
  .object({
    ...times,
    endpoints: optional(z.record(z.string(), z.string()), 'Paths or whole addresses of probes, by provider.'),
  })
  .catchall(field(one, 'How the provider of this name is probed.'));

/** How one provider is probed. */
export const healthCheck: z.ZodType<HealthCheckShape> = one;
/** How all are, with what is said of single ones. */
export const healthChecks: z.ZodType<HealthChecksShape> = all;

const wrapped = z.strictObject({ health_checks: field(all, 'How providers are probed.') });

/** Checks health-checks.yaml, whose keys may stand under `health_checks` as in providers.yaml. */
export function parseHealthChecks(parsed: ParsedFile, findings: Findings): Checked<HealthChecksShape> | undefined {
  if (!isWrapped(parsed.value)) return checkShape(all, parsed, findings);
  const checked = checkShape(wrapped, parsed, findings);
  if (checked === undefined) return undefined;
  const { spanOf } = checked.file;
  return {
    shape: checked.shape.health_checks,
    file: { ...checked.file, spanOf: (path, part) => spanOf(['health_checks', ...path], part) },
  };
}

function isWrapped(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'health_checks' in value;
}

/** The names of providers that a shape has checks for. */
export function checkedProviders(shape: HealthChecksShape): readonly string[] {
  return Object.keys(shape).filter((key) => !Object.hasOwn(times, key) && key !== 'endpoints');
}

/** The check of one provider in a shape, which the schema has proven to be one. */
export function checkOf(shape: HealthChecksShape | undefined, provider: string): HealthCheckShape | undefined {
  if (shape === undefined || Object.hasOwn(times, provider) || !Object.hasOwn(shape, provider)) return undefined;
  return shape[provider] as HealthCheckShape;
}

/** The schema as JSON Schema, for editors and for the reference. */
export function healthChecksJsonSchema(): JsonSchema {
  return jsonSchemaOf(z.union([wrapped, all]));
}
