import { nearest } from '../../plan/nearest.ts';
import { type Findings, type Place, quoted } from '../findings.ts';
import { isSecretKey } from '../interpolate.ts';
import type { Path } from '../parsed-file.ts';
import { type KeyFate, litellmKeys, rightSection, type Section } from './keys.ts';
import { misspeltParam } from './request-fields.ts';
import { type SettingsSection, settingDocs } from './setting-docs.ts';

/** A section being read: typed values by key, with a finding for what is not of its type. */
export type SectionReader = {
  readonly place: (key: string) => Place;
  has(key: string): boolean;
  raw(key: string): unknown;
  number(key: string): number | undefined;
  boolean(key: string): boolean | undefined;
  text(key: string): string | undefined;
  texts(key: string): readonly string[] | undefined;
};

/** Reads one section and tells of every key that is not executed, misplaced or unknown. */
export function readSection({ file, path }: Place, section: Section, findings: Findings): SectionReader {
  const value = valueAt(file.value, path);
  const map =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  if (value !== undefined && value !== null && (typeof value !== 'object' || Array.isArray(value))) {
    const what = path.length === 0 ? 'The file' : `"${path.at(-1)}"`;
    findings.add('wrong-type', { file, path }, `${what} is no map`, { wanted: 'a map' });
  }
  for (const [key, value] of Object.entries(map))
    reportFate({ key, value, section }, { file, path: [...path, key], part: 'key' }, findings);
  const place = (key: string): Place => ({ file, path: [...path, key] });
  const typed = <Kind>(key: string, read: (one: unknown) => Kind | undefined, wanted: string): Kind | undefined => {
    const found = map[key];
    if (found === undefined || found === null) return undefined;
    const value = read(found);
    if (value !== undefined) return value;
    // A secret is not repeated, not even one that is no text.
    const what = isSecretKey(key) ? 'a value of another type' : JSON.stringify(found)?.slice(0, 60);
    findings.add('wrong-type', place(key), `"${key}" has ${what}`, { wanted });
    return undefined;
  };
  const reader: SectionReader = {
    place,
    has: (key) => map[key] !== undefined && map[key] !== null,
    raw: (key) => map[key],
    number: (key) => typed(key, (one) => numberIn(one, key), numberWanted(key)),
    boolean: (key) => typed(key, booleanIn, 'true or false'),
    text: (key) => typed(key, textIn, 'text'),
    texts: (key) => typed(key, textsIn, 'a list of texts'),
  };
  checkTypes(section, reader, findings);
  return reader;
}

/** Every documented setting is checked, read or not: one that another section overrides is wrong all the same. */
function checkTypes(section: Section, reader: SectionReader, findings: Findings): void {
  for (const [key, { type }] of Object.entries(hasDocs(section) ? settingDocs[section] : {})) {
    if (!reader.has(key)) continue;
    if (type === 'number') reader.number(key);
    if (type === 'boolean') reader.boolean(key);
    if (type === 'string' || type === 'secret') reader.text(key);
    if (type === 'strings') reader.texts(key);
    if (type === 'map' && (typeof reader.raw(key) !== 'object' || Array.isArray(reader.raw(key))))
      findings.add('wrong-type', reader.place(key), `"${key}" is no map`, { wanted: 'a map' });
    if (type === 'list' && !Array.isArray(reader.raw(key)))
      findings.add('wrong-type', reader.place(key), `"${key}" is no list`, { wanted: 'a list' });
  }
}

function hasDocs(section: Section): section is SettingsSection {
  return Object.hasOwn(settingDocs, section);
}

// What comes from the environment is text, whatever it stands for.
function numberIn(one: unknown, key: string): number | undefined {
  const number = typeof one === 'string' && /^-?\d+(?:\.\d+)?$/.test(one) ? Number(one) : one;
  if (typeof number !== 'number' || !Number.isFinite(number) || number < 0) return undefined;
  if (number === 0 && aboveZero.has(key)) return undefined;
  return wholeNumbers.has(key) && !Number.isInteger(number) ? undefined : number;
}

function numberWanted(key: string): string {
  return `a ${wholeNumbers.has(key) ? 'whole ' : ''}number ${aboveZero.has(key) ? 'above 0' : 'from 0 up'}`;
}

/** Settings that count things. */
const wholeNumbers: ReadonlySet<string> = new Set([
  'num_retries',
  'max_fallbacks',
  'allowed_fails',
  'max_parallel_requests',
  'global_max_parallel_requests',
  'max_concurrent_requests',
  'default_max_parallel_requests',
  'max_body_bytes',
  'order',
  'rpm',
  'tpm',
]);

/** Settings of which 0 would mean that nothing is ever done. */
const aboveZero: ReadonlySet<string> = new Set([
  'timeout',
  'request_timeout',
  'stream_timeout',
  'health_check_interval',
  'max_parallel_requests',
  'global_max_parallel_requests',
  'max_concurrent_requests',
  'default_max_parallel_requests',
  'max_request_size_mb',
  'max_body_bytes',
  'rpm',
  'tpm',
]);

function booleanIn(one: unknown): boolean | undefined {
  if (typeof one === 'string' && /^(?:true|false)$/i.test(one)) return one.toLowerCase() === 'true';
  return typeof one === 'boolean' ? one : undefined;
}

function textIn(one: unknown): string | undefined {
  return typeof one === 'string' ? one : undefined;
}

function textsIn(one: unknown): readonly string[] | undefined {
  if (typeof one === 'string') return [one];
  return Array.isArray(one) && one.every((item) => typeof item === 'string') ? one : undefined;
}

/** The value at a path of plain maps and lists. */
export function valueAt(value: unknown, path: Path): unknown {
  let inner = value;
  for (const step of path)
    inner = typeof inner === 'object' && inner !== null ? (inner as Record<string | number, unknown>)[step] : undefined;
  return inner;
}

/** Sections of which every key must be known: the others pass unknown keys on to the provider or to people. */
const strict: ReadonlySet<Section> = new Set<Section>([
  'root',
  'settings',
  'litellm_settings',
  'router_settings',
  'general_settings',
  'server_settings',
  'rate_limit_settings',
  'cache_params',
]);

type WrittenKey = { readonly key: string; readonly section: Section };
type Written = WrittenKey & { readonly value: unknown };

function reportFate({ key, value, section }: Written, place: Place, findings: Findings): void {
  if (key.startsWith('x-') || isComment(key, value)) return;
  const keys = litellmKeys[section];
  const fate = Object.hasOwn(keys, key) ? keys[key] : undefined;
  if (fate === undefined) {
    if (strict.has(section)) reportUnknown({ key, section }, place, findings);
    else if (section === 'litellm_params') reportMisspelt(key, place, findings);
    return;
  }
  switch (fate.kind) {
    case 'executed':
      return;
    case 'later':
      findings.add('not-executed-yet', place, `The ${keysOf(section, [key])} is not executed yet`, { found: key });
      return;
    case 'refused':
      if (asksForNothing(value)) return;
      findings.addToCause('key-not-executed', place, {
        key: `${section} ${fate.instead}`,
        subject: key,
        message: (all) =>
          `The ${keysOf(section, all)} ${all.length === 1 ? 'is' : 'are'} not executed: ${fate.instead}`,
        details: (all) => ({
          found: [...all],
          fix: `Take ${quoted(all)} out, or start with --lenient to go on without ${all.length === 1 ? 'it' : 'them'}`,
        }),
      });
      return;
    case 'ignored':
      if (asksForNothing(value)) return;
      reportIgnored({ key, section, why: fate.instead }, place, findings);
  }
}

type Ignored = WrittenKey & { readonly why: string };

function reportIgnored({ key, section, why }: Ignored, place: Place, findings: Findings): void {
  findings.addToCause('key-ignored', place, {
    key: `${section} ${why}`,
    subject: key,
    message: (all) => `The ${keysOf(section, all)} ${all.length === 1 ? 'has' : 'have'} no effect here: ${why}`,
    details: (all) => ({ found: [...all] }),
  });
}

function keysOf(section: Section, all: readonly string[]): string {
  const where = section === 'root' || section === 'settings' ? '' : ` of ${section}`;
  return `${all.length === 1 ? 'key' : 'keys'} ${quoted(all)}${where}`;
}

/** Some generators write their comments as keys without a value. */
function isComment(key: string, value: unknown): boolean {
  return key.startsWith('#') && value === null;
}

/** Without these values things are as they are with them: no key of LiteLLM's that is not executed is on by default. */
function asksForNothing(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === null || value === false || value === '';
  return Object.keys(value).length === 0 || ('enabled' in value && value.enabled === false);
}

/** Whether what stands under a key is read at all: what is not cannot miss a variable. */
export function isRead(key: string, section: Section): boolean {
  const fate: KeyFate | undefined = Object.hasOwn(litellmKeys[section], key) ? litellmKeys[section][key] : undefined;
  return fate === undefined || fate.kind === 'executed' || fate.kind === 'later';
}

/** Other keys of litellm_params are sent to the provider, so only one that looks like a key of ours is told. */
function reportMisspelt(key: string, place: Place, findings: Findings): void {
  const near = misspeltParam(key);
  if (near === undefined) return;
  findings.add('unknown-key', place, `Unknown key "${key}" of litellm_params`, {
    found: key,
    nearest: near,
    fix: `Write "${near}", or put "${key}" into extra_body if the provider takes it`,
  });
}

function reportUnknown({ key, section }: WrittenKey, place: Place, findings: Findings): void {
  const other = rightSection(key, section);
  if (other !== undefined) {
    const fate = litellmKeys[other][key];
    // Where it belongs it would do nothing either.
    if (fate?.kind === 'ignored') return reportIgnored({ key, section, why: fate.instead }, place, findings);
    findings.add('misplaced-key', place, `The key "${key}" belongs to ${other}, here it has no effect`, {
      found: key,
      fix: `Move it to ${other}`,
    });
    return;
  }
  // A word inside a much longer one is no typing error.
  const near = nearest(key, Object.keys(litellmKeys[section])).find((one) => one.length < 2 * key.length);
  findings.add('unknown-key', place, `Unknown key "${key}"`, {
    found: key,
    nearest: near,
    fix: near === undefined ? 'Take it out, or begin it with x- if it is a note of your own' : `Write "${near}"`,
  });
}
