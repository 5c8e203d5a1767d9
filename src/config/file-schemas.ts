import type { JsonSchema } from './field.ts';
import { settingsJsonSchema } from './settings-schema.ts';
import { dashboardJsonSchema } from './shape-dashboard.ts';
import { healthChecksJsonSchema } from './shape-health-checks.ts';
import { launchesJsonSchema } from './shape-llamacpp-models.ts';
import { mappingsJsonSchema } from './shape-mappings.ts';
import { portsJsonSchema } from './shape-ports.ts';
import { providersJsonSchema } from './shape-providers.ts';
import type { SourceKind } from './source-file.ts';

/** Files of a configuration folder, each of which has a schema. */
export type FolderFile = Exclude<SourceKind, 'litellm' | 'generated' | 'included' | 'other'>;

/** The schema of every file of a configuration folder, made when it is asked for. */
export const fileSchemas: Readonly<Record<FolderFile, () => JsonSchema>> = {
  providers: providersJsonSchema,
  'model-mappings': mappingsJsonSchema,
  settings: settingsJsonSchema,
  ports: portsJsonSchema,
  'health-checks': healthChecksJsonSchema,
  'llamacpp-models': launchesJsonSchema,
  'dashboard-config': dashboardJsonSchema,
};
