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

/** A key with its documentation: docs/reference/config.md and the JSON Schemas are written from it. */
export function field<Schema extends z.ZodType>(schema: Schema, meaning: string, notes: FieldNotes = {}): Schema {
  const { unit, default: usual, danger } = notes;
  return schema.meta({
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
  });
}

/** The same for a key that may be absent. */
export function optional<Schema extends z.ZodType>(
  schema: Schema,
  meaning: string,
  notes: FieldNotes = {},
): z.ZodOptional<Schema> {
  return field(schema.optional(), meaning, notes);
}
