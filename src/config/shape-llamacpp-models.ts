import { z } from 'zod';
import { checkShape } from './check-shape.ts';
import { field, forPeople, type JsonSchema, optional } from './field.ts';
import { type Findings, inside, type Place } from './findings.ts';
import { jsonSchemaOf } from './json-schema.ts';
import type { ParsedFile } from './parsed-file.ts';

const text = z.string();

const launch = z.strictObject({
  alias: field(text, 'Short name of the file; a further name of backend_model where nothing else is called so.'),
  display: forPeople(text),
  repo_id: forPeople(text, 'Repository that the file comes from.'),
  filename: forPeople(text, 'The GGUF file.'),
  storage_dir: forPeople(text, 'Folder that the file is kept in.'),
  backend_model: optional(text, 'Name under which clients ask for it.'),
  size: forPeople(z.union([text, z.number()])),
  quantization: forPeople(text),
  context_length: forPeople(z.int().positive(), 'Context that it is launched with.', { unit: 'tokens' }),
  specialty: forPeople(text),
  recommended_gpu_layers: forPeople(z.int(), 'Layers that are kept on the card.'),
  notes: forPeople(text),
});

const wholeFile = z.strictObject({
  models: field(z.array(launch), 'Model files that llama.cpp can be launched with.'),
  metadata: forPeople(z.record(text, z.json())),
  notes: forPeople(z.json()),
});

/** A model file of llama.cpp with its short name. */
export type Launch = { readonly alias: string; readonly at: Place; readonly backendModel: string | undefined };

/** Checks llamacpp-models.yaml; two files of one short name are told. */
export function parseLaunches(parsed: ParsedFile, findings: Findings): readonly Launch[] {
  const checked = checkShape(wholeFile, parsed, findings);
  if (checked === undefined) return [];
  const at = (position: number): Place => inside({ file: checked.file, path: [] }, 'models', position, 'alias');
  const seen = new Map<string, number>();
  for (const [index, { alias }] of checked.shape.models.entries()) {
    const first = seen.get(alias);
    if (first === undefined) seen.set(alias, index);
    else
      findings.add('duplicate-name', at(index), `Two model files are called "${alias}"`, {
        found: alias,
        related: [at(first)],
        fix: 'Give one of them another alias',
      });
  }
  return checked.shape.models.map((one, index) => ({
    alias: one.alias,
    at: at(index),
    backendModel: one.backend_model,
  }));
}

/** The schema as JSON Schema, for editors and for the reference. */
export function launchesJsonSchema(): JsonSchema {
  return jsonSchemaOf(wholeFile);
}
