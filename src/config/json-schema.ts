import { z } from 'zod';
import type { JsonSchema } from './field.ts';

/**
 * A schema as JSON Schema, for editors and for the reference. It takes what the reader takes: keys
 * of a person's own, keys without a value, and numbers that come from the environment.
 */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    unrepresentable: 'any',
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      if (jsonSchema.type === 'object') jsonSchema.patternProperties = ownNotes;
      if (jsonSchema.type === 'number' || jsonSchema.type === 'integer' || jsonSchema.type === 'boolean') {
        jsonSchema.type = [jsonSchema.type, 'string'] as unknown as JsonSchema['type'] & string;
        jsonSchema.pattern = fromEnvironment;
      }
      if (zodSchema._zod.def.type === 'optional') allowNoValue(jsonSchema);
    },
  });
}

/** Keys of a person's own. */
export const ownNotes: NonNullable<JsonSchema['patternProperties']> = { '^x-': true };

/** A text that stands for a value of the environment. */
export const fromEnvironment = '^os\\.environ/|\\$\\{';

function allowNoValue(schema: JsonSchema): void {
  const types = [schema.type ?? []].flat();
  if (schema.anyOf !== undefined) schema.anyOf = [...schema.anyOf, { type: 'null' }];
  else if (types.length > 0 && !types.includes('null'))
    schema.type = [...types, 'null'] as unknown as JsonSchema['type'] & string;
  if (schema.enum !== undefined) schema.enum = [...schema.enum, null];
}
