import { asSeconds, timeoutFields } from './asked-timeouts.ts';
import { asNumber, asObject } from './json-shape.ts';
import { rehearsals } from './rehearsal.ts';
import { type BodyScan, memberText, memberValue } from './scan-body.ts';

/** A field that holds something else than is read from it. */
export type WrongField = { readonly field: string; readonly wanted: string; readonly found: string };

/**
 * Finds the first field of a body that is of another type than the gateway reads. Null is a field
 * that is not set. Fields that only pass through are the upstream's to judge, so they stand in no table.
 */
export function findWrongField(body: Uint8Array, scan: BodyScan, prompt: PromptField): WrongField | undefined {
  for (const field of scan.members.keys()) {
    const type = field === prompt ? promptTypes[prompt] : fieldTypes.get(field);
    if (type === undefined) continue;
    const wrong =
      type.kind === 'letter' ? wrongByLetter(field, type, body, scan) : wrongByValue(field, type, body, scan);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** The field that an endpoint reads its prompt from. */
export type PromptField = 'messages' | 'prompt' | 'input';

/** A value as a message may repeat it. */
export function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 40);
}

/** What stands in a request for a number: the number, or its text, as headers have it. */
export function asWholeNumber(value: unknown): number | undefined {
  const isWritten = typeof value === 'string' && /^\s*\d+\s*$/.test(value);
  const number = isWritten ? Number(value) : asNumber(value);
  return Number.isSafeInteger(number) && Number(number) >= 0 ? number : undefined;
}

/** A field that only the gateway reads says true as JSON does, or as text, as some clients write it. */
export function asTruth(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

type ValueType = { readonly kind: 'value'; readonly wanted: string; readonly is: (value: unknown) => boolean };
/** Judged by its first letter, so that nothing need be parsed: values may be long, and come with every request. */
type LetterType = { readonly kind: 'letter'; readonly wanted: string; readonly opening: string };
/** An object of which some members are read. */
type MapType = { readonly kind: 'map'; readonly members: Readonly<Record<string, ValueType>> };

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}

const letters = (wanted: string, opening: string): LetterType => ({ kind: 'letter', wanted, opening });
const values = (wanted: string, is: ValueType['is']): ValueType => ({ kind: 'value', wanted, is });

const list = letters('a list', '[');
const text = letters('text', '"');
const number = letters('a number', '-0123456789');
const truth = letters('true or false', 'tf');
/** Of a field that only the gateway reads. */
const ownTruth = values('true or false', (value) => asTruth(value) !== undefined);
const texts = values('a list of texts', isTextList);
const textWithin = values('text', isText);

const promptTypes: Readonly<Record<PromptField, LetterType>> = {
  messages: list,
  prompt: letters('text or a list', '"['),
  input: letters('text or a list', '"['),
};

const fieldTypes: ReadonlyMap<string, ValueType | LetterType | MapType> = new Map<
  string,
  ValueType | LetterType | MapType
>([
  ...(['tools', 'functions'] as const).map((name) => [name, list] as const),
  ...(['model', 'encoding_format'] as const).map((name) => [name, text] as const),
  ...(['max_tokens', 'max_completion_tokens', 'n', 'temperature'] as const).map((name) => [name, number] as const),
  ['stream', truth],
  [
    'stream_options',
    { kind: 'map', members: { include_usage: values('true or false', (value) => typeof value === 'boolean') } },
  ],
  ['response_format', { kind: 'map', members: { type: textWithin } }],
  [
    'metadata',
    {
      kind: 'map',
      members: {
        ...{ capability: textWithin, quality_tier: textWithin, min_tier: textWithin, priority: textWithin },
        tags: texts,
      },
    },
  ],
  ['tags', texts],
  ['fallbacks', values('a list of names, or of objects that name them', isFallbacks)],
  ['disable_fallbacks', ownTruth],
  ['num_retries', values('a whole number from 0', (value) => asWholeNumber(value) !== undefined)],
  ...timeoutFields.map((name) => [name, values('seconds above 0', (value) => asSeconds(value) !== undefined)] as const),
  // What stands within is read as the cache's controls.
  ['cache', { kind: 'map', members: {} }],
  ...[...rehearsals.keys()].map((name) => [name, ownTruth] as const),
]);

/** LiteLLM takes names, objects with the name under `model`, and objects with lists of names under the name asked for. */
function isFallbacks(value: unknown): boolean {
  const isOne = (one: unknown): boolean => {
    if (typeof one === 'string') return true;
    const object = asObject(one);
    if (object === undefined) return false;
    return typeof object['model'] === 'string' || Object.values(object).every(isTextList);
  };
  return Array.isArray(value) && value.every(isOne);
}

function wrongByLetter(
  field: string,
  { wanted, opening }: LetterType,
  body: Uint8Array,
  scan: BodyScan,
): WrongField | undefined {
  const first = String.fromCharCode(body[scan.members.get(field)?.value.start ?? 0] ?? 0);
  if (opening.includes(first) || first === 'n') return undefined;
  return { field, wanted, found: (memberText(body, scan, field) ?? '').slice(0, 40) };
}

function wrongByValue(
  field: string,
  type: ValueType | MapType,
  body: Uint8Array,
  scan: BodyScan,
): WrongField | undefined {
  const value = memberValue(body, scan, field);
  if (value === null) return undefined;
  if (type.kind === 'value') return type.is(value) ? undefined : { field, wanted: type.wanted, found: shown(value) };
  const object = asObject(value);
  if (object === undefined) return { field, wanted: 'an object', found: shown(value) };
  for (const [name, { is, wanted }] of Object.entries(type.members)) {
    const member = object[name];
    if (member !== undefined && member !== null && !is(member))
      return { field: `${field}.${name}`, wanted, found: shown(member) };
  }
  return undefined;
}
