import { z } from 'zod';
import type { Json } from '../plan/json.ts';
import { type Checked, checkShape } from './check-shape.ts';
import { type JsonSchema, optional } from './field.ts';
import type { Findings } from './findings.ts';
import { jsonSchemaOf } from './json-schema.ts';
import type { ParsedFile } from './parsed-file.ts';

const text = z.string();
const replaced = 'The dashboard asks the gateway for this; kept so that old files load.';

const wholeFile: z.ZodType<DashboardShape> = z.strictObject({
  DASH_REFRESH_INTERVAL: optional(z.number().positive(), 'Time between two pictures of the terminal dashboard.', {
    unit: 'seconds',
    default: 5,
  }),
  LITELLM_GATEWAY: optional(z.record(text, z.json()), replaced),
  PROVIDER_ENDPOINTS: optional(z.array(z.json()), replaced),
  DASHBOARD_SETTINGS: optional(z.record(text, z.json()), 'Panels that the terminal dashboard shows.'),
  CONFIG_PATHS: optional(z.record(text, z.json()), replaced),
  LOGGING: optional(z.record(text, z.json()), replaced),
});

/** dashboard-config.yaml as it is written, checked. */
export type DashboardShape = {
  readonly DASH_REFRESH_INTERVAL?: number | undefined;
  readonly LITELLM_GATEWAY?: Readonly<Record<string, Json>> | undefined;
  readonly PROVIDER_ENDPOINTS?: readonly Json[] | undefined;
  readonly DASHBOARD_SETTINGS?: Readonly<Record<string, Json>> | undefined;
  readonly CONFIG_PATHS?: Readonly<Record<string, Json>> | undefined;
  readonly LOGGING?: Readonly<Record<string, Json>> | undefined;
};

/** Checks dashboard-config.yaml. */
export function parseDashboard(parsed: ParsedFile, findings: Findings): Checked<DashboardShape> | undefined {
  return checkShape(wholeFile, parsed, findings);
}

/** The schema as JSON Schema, for editors and for the reference. */
export function dashboardJsonSchema(): JsonSchema {
  return jsonSchemaOf(wholeFile);
}
