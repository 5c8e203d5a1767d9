import type { JsonObject } from '../../plan/json.ts';
import type { Place } from '../findings.ts';
import type { Prefix } from './prefixes.ts';
import type { SectionReader } from './section.ts';

/** One entry of a model_list while it is read. */
export type Entry = {
  readonly params: SectionReader;
  readonly info: SectionReader;
  readonly place: Place;
};

/** An entry with the values of the credential_list entry that it names. */
export type EntryWithCredential = { readonly entry: Entry; readonly credential: Readonly<Record<string, unknown>> };

/** A map of a file as an object; empty where it is none. */
export function objectOf(value: unknown): JsonObject {
  // A map of a parsed YAML file holds what JSON can hold; dates were refused as texts above.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** What a deployment's model says: the prefix, what it stands for, and the model's name behind it. */
export type SplitModel = { readonly prefixName: string; readonly prefix: Prefix; readonly model: string };

/** An entry with what its model says. */
export type AskedEntry = SplitModel & EntryWithCredential;

/** A text, where a value is one that says something. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
