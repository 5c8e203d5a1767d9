import type { FieldMeta, JsonSchema } from './field.ts';

/** A key that has a meaning of its own, with what is known of it. */
export type DocumentedKey = {
  /** Keys that lead to it, such as `providers.*.models[].name`: `*` stands for any key, `[]` for any item. */
  readonly path: string;
  readonly meta: Omit<FieldMeta, 'description'>;
  readonly schema: JsonSchema;
};

/** Every documented key of a file's schema, each once, in the order in which the reference lists them. */
export function documentedKeys(schema: JsonSchema): readonly DocumentedKey[] {
  const keys = new Map<string, DocumentedKey>();
  for (const one of keysWithin(schema, '')) if (!keys.has(one.path)) keys.set(one.path, one);
  return [...keys.values()];
}

/** The steps of such a path. */
export function stepsOf(path: string): readonly string[] {
  return path
    .replaceAll('[]', '.[]')
    .split('.')
    .filter((step) => step !== '');
}

function keysWithin(schema: JsonSchema, path: string): readonly DocumentedKey[] {
  const branches = [schema, ...(schema.anyOf ?? [])];
  return branches.flatMap((branch) => [
    ...Object.entries(branch.properties ?? {}).flatMap(([key, inner]) =>
      keysAt(inner, path === '' ? key : `${path}.${key}`),
    ),
    ...(isSchema(branch.additionalProperties)
      ? keysAt(branch.additionalProperties, `${path}${path === '' ? '' : '.'}*`)
      : []),
    ...(isSchema(branch.items) ? keysWithin(branch.items, `${path}[]`) : []),
  ]);
}

function keysAt(schema: unknown, path: string): readonly DocumentedKey[] {
  if (!isSchema(schema)) return [];
  // Documented keys carry their notes beside the type.
  const { meaning, ...notes } = schema as Partial<FieldMeta>;
  const inner = keysWithin(schema, path);
  if (meaning === undefined) return inner;
  const own = { path, meta: { meaning, ...notes }, schema };
  // The sections within are those of the file itself.
  return path === 'routes' ? [own] : [own, ...inner];
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
