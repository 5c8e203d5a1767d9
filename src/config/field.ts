import type { z } from 'zod';

/** What people have to know of a key besides its type. */
export type FieldNotes = {
  /** What its number counts. */
  readonly unit?: string;
  /** What holds where it is absent. */
  readonly default?: string | number | boolean;
  /** What can go wrong with it. */
  readonly danger?: string;
};

/** What the reference is written from, in the schema beside the type. */
export function fieldMeta(meaning: string, { unit, default: usual, danger }: FieldNotes): FieldMeta {
  return {
    description: [
      meaning,
      unit === undefined ? '' : ` Unit: ${unit}.`,
      usual === undefined ? '' : ` Default: ${usual}.`,
      danger === undefined ? '' : ` Danger: ${danger}`,
    ].join(''),
    meaning,
    ...(unit === undefined ? {} : { unit }),
    ...(usual === undefined ? {} : { usual }),
    ...(danger === undefined ? {} : { danger }),
  };
}

/** A key's documentation as it stands in a JSON Schema. */
export type FieldMeta = {
  readonly description: string;
  readonly meaning: string;
  readonly unit?: string;
  readonly usual?: string | number | boolean;
  readonly danger?: string;
  /** Whether people write it for one another: nothing executes it. */
  readonly forPeople?: true;
};

/** A key with its documentation: docs/reference/config.md and the JSON Schemas are written from it. */
export function field<Schema extends z.ZodType>(schema: Schema, meaning: string, notes: FieldNotes = {}): Schema {
  return schema.meta({ ...fieldMeta(meaning, notes) });
}

/** The same for a key that may be absent. */
export function optional<Schema extends z.ZodType>(
  schema: Schema,
  meaning: string,
  notes: FieldNotes = {},
): z.ZodOptional<Schema> {
  return field(schema.optional(), meaning, notes);
}

/** A key that people write for one another: nothing executes it, and `signalbox config show` shows it with its place. */
export function forPeople<Schema extends z.ZodType>(
  schema: Schema,
  meaning?: string,
  notes: FieldNotes = {},
): z.ZodOptional<Schema> {
  const sentence = [...(meaning === undefined ? [] : [meaning]), 'For people; shown, not executed.'].join(' ');
  return schema.optional().meta({ ...fieldMeta(sentence, notes), forPeople: true });
}

/** A JSON Schema as zod writes it. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;
