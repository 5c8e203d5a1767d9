import type { z } from 'zod';

/** Keys that a schema takes at a path, in any branch of its unions: candidates for a misspelt key. */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  return [...new Set(membersAt(schema, path).map(([key]) => key))];
}

/** Those of the keys at a path that may be absent. */
export function optionalKeysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  return membersAt(schema, path).flatMap(([key, member]) => (member.def.type === 'optional' ? [key] : []));
}

function membersAt(
  schema: z.ZodType,
  path: readonly PropertyKey[],
): readonly (readonly [key: string, member: SchemaNode])[] {
  // zod's own description of a schema is wider than what is read of it here.
  let candidates: SchemaNode[] = [schema as unknown as SchemaNode];
  for (const step of path) candidates = candidates.flatMap((one) => stepInto(unwrap(one), step));
  return candidates.flatMap(unwrap).flatMap((one) => Object.entries(one.def.shape ?? {}));
}

type SchemaNode = {
  readonly def: {
    readonly type: string;
    readonly shape?: Readonly<Record<string, SchemaNode>>;
    readonly options?: readonly SchemaNode[];
    readonly innerType?: SchemaNode;
    readonly element?: SchemaNode;
    readonly valueType?: SchemaNode;
    readonly in?: SchemaNode;
    readonly getter?: () => SchemaNode;
  };
};

function unwrap(node: SchemaNode): SchemaNode[] {
  const { def } = node;
  if (def.options !== undefined) return def.options.flatMap(unwrap);
  if (def.innerType !== undefined) return unwrap(def.innerType);
  if (def.in !== undefined) return unwrap(def.in);
  return def.getter === undefined ? [node] : unwrap(def.getter());
}

function stepInto(nodes: readonly SchemaNode[], step: PropertyKey): SchemaNode[] {
  return nodes.flatMap(({ def }) => {
    if (typeof step === 'number') return def.element === undefined ? [] : [def.element];
    const member = def.shape?.[String(step)] ?? def.valueType;
    return member === undefined ? [] : [member];
  });
}
