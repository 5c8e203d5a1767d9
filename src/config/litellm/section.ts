import { nearest } from '../../plan/nearest.ts';
import type { Findings, Place } from '../findings.ts';
import type { ParsedFile, Path } from '../parsed-file.ts';
import { litellmKeys, rightSection, type Section } from './keys.ts';

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
export function readSection(file: ParsedFile, section: Section, path: Path, findings: Findings): SectionReader {
  const value = valueAt(file.value, path);
  const map =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  if (value !== undefined && value !== null && (typeof value !== 'object' || Array.isArray(value))) {
    findings.add('wrong-type', { file, path }, `"${path.at(-1)}" is no map`, { wanted: 'a map' });
  }
  for (const key of Object.keys(map)) reportFate(key, section, { file, path: [...path, key], part: 'key' }, findings);
  const place = (key: string): Place => ({ file, path: [...path, key] });
  const typed = <Kind>(key: string, is: (one: unknown) => one is Kind, wanted: string): Kind | undefined => {
    const found = map[key];
    if (found === undefined || found === null) return undefined;
    if (is(found)) return found;
    findings.add('wrong-type', place(key), `"${key}" has ${JSON.stringify(found)?.slice(0, 60)}`, { wanted });
    return undefined;
  };
  return {
    place,
    has: (key) => map[key] !== undefined && map[key] !== null,
    raw: (key) => map[key],
    number: (key) => typed(key, isNumber, 'a number'),
    boolean: (key) => typed(key, isBoolean, 'true or false'),
    text: (key) => typed(key, isText, 'text'),
    texts: (key) => (typeof map[key] === 'string' ? [map[key]] : typed(key, isTexts, 'a list of texts')),
  };
}

const isNumber = (one: unknown): one is number => typeof one === 'number' && Number.isFinite(one);
const isBoolean = (one: unknown): one is boolean => typeof one === 'boolean';
const isText = (one: unknown): one is string => typeof one === 'string';
const isTexts = (one: unknown): one is readonly string[] => Array.isArray(one) && one.every(isText);

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

function reportFate(key: string, section: Section, place: Place, findings: Findings): void {
  if (key.startsWith('x-')) return;
  const keys = litellmKeys[section];
  const fate = Object.hasOwn(keys, key) ? keys[key] : undefined;
  if (fate === undefined) {
    if (strict.has(section)) reportUnknown(key, section, place, findings);
    return;
  }
  const where = section === 'root' || section === 'settings' ? '' : ` of ${section}`;
  switch (fate.kind) {
    case 'executed':
      return;
    case 'later':
      findings.add('not-executed-yet', place, `The key "${key}"${where} is not executed yet`, { found: key });
      return;
    case 'refused':
      findings.add('key-not-executed', place, `The key "${key}"${where} is not executed: ${fate.instead}`, {
        found: key,
        fix: `Take "${key}" out, or start with --lenient to go on without it`,
      });
      return;
    case 'ignored':
      findings.add('key-ignored', place, `The key "${key}"${where} has no effect here: ${fate.instead}`, {
        found: key,
      });
  }
}

function reportUnknown(key: string, section: Section, place: Place, findings: Findings): void {
  const other = rightSection(key, section);
  if (other !== undefined) {
    findings.add('misplaced-key', place, `The key "${key}" belongs to ${other}, here it has no effect`, {
      found: key,
      fix: `Move it to ${other}`,
    });
    return;
  }
  const [near] = nearest(key, Object.keys(litellmKeys[section]), 1);
  findings.add('unknown-key', place, `Unknown key "${key}"`, { found: key, nearest: near });
}
