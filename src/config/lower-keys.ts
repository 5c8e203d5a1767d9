import { keyId } from '../plan/ids.ts';
import { nearest } from '../plan/nearest.ts';
import type { NamedKey } from '../plan/settings.ts';
import { type Findings, inside, keyOf, type Place } from './findings.ts';
import { readSecret, type Variables } from './interpolate.ts';
import { valueAt } from './litellm/section.ts';
import { limitKeys, readLimit } from './read-limit.ts';
import type { Reference } from './reference.ts';

/**
 * Reads `server_settings.keys`. Whatever is wrong with an entry is an error: a right that is
 * misspelt must not become a right to everything.
 */
export function lowerKeys(value: unknown, place: Place, variables: Variables): readonly NamedKey[] {
  if (!Array.isArray(value)) return [];
  const { findings } = variables;
  const seen = new Map<string, Place>();
  return value.flatMap((entry: unknown, index): NamedKey[] => {
    const at = inside(place, index);
    const name = valueAt(entry, ['name']);
    const key = valueAt(entry, ['key']);
    reportUnknownKeys(entry, at, findings);
    const models = readModels(valueAt(entry, ['models']), inside(at, 'models'), findings);
    if (typeof name !== 'string' || typeof key !== 'string') {
      findings.add('missing-key', at, 'A key wants "name" and "key"', {
        wanted: '{name: laptop, key: os.environ/LAPTOP_KEY}',
      });
      return [];
    }
    const first = seen.get(name);
    if (first === undefined) seen.set(name, inside(at, 'name'));
    else reportTwice({ name, at: inside(at, 'name') }, first, findings);
    const secret = readSecret(key, inside(at, 'key'), variables);
    if (secret === undefined) {
      findings.add('wrong-type', inside(at, 'key'), `The key of "${name}" is none`, {
        wanted: 'a secret, as os.environ/NAME',
      });
      return [];
    }
    const limit = readLimit(entry, at, findings);
    const priority = readPriority(entry, at, findings);
    const mayRehearse = readRehearsal(entry, at, findings);
    return [{ id: keyId(name), name, secret, models, limit, priority, mayRehearse }];
  });
}

/** As LiteLLM calls it in a key's metadata. */
const rehearsalKey = 'allow_client_mock_response';

const entryKeys: readonly string[] = ['name', 'key', 'models', 'priority', rehearsalKey, ...limitKeys];

function reportUnknownKeys(entry: unknown, at: Place, findings: Findings): void {
  for (const key of Object.keys(typeof entry === 'object' && entry !== null ? entry : {})) {
    if (entryKeys.includes(key) || key.startsWith('x-')) continue;
    const [near] = nearest(key, entryKeys, 1);
    findings.add('unknown-key', keyOf(inside(at, key)), `Unknown key "${key}"`, {
      found: key,
      nearest: near,
      wanted: `one of ${entryKeys.join(', ')}`,
    });
  }
}

function readPriority(entry: unknown, at: Place, findings: Findings): string | undefined {
  const priority = valueAt(entry, ['priority']);
  if (priority === undefined || priority === null || typeof priority === 'string') return priority ?? undefined;
  findings.add('wrong-type', inside(at, 'priority'), `"priority" has ${JSON.stringify(priority)}`, {
    wanted: 'a word such as batch',
  });
  return undefined;
}

function readRehearsal(entry: unknown, at: Place, findings: Findings): boolean {
  const flag = valueAt(entry, [rehearsalKey]) ?? false;
  if (typeof flag !== 'boolean')
    findings.add('wrong-type', inside(at, rehearsalKey), `"${rehearsalKey}" has ${JSON.stringify(flag)}`, {
      wanted: 'true or false',
    });
  return flag === true;
}

function readModels(value: unknown, at: Place, findings: Findings): readonly string[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  findings.add('wrong-type', at, '"models" is no list of names', { wanted: 'a list such as [fast, code]' });
  return [];
}

function reportTwice({ name, at }: Reference, first: Place, findings: Findings): void {
  findings.add('duplicate-name', at, `Two keys are called "${name}"`, {
    found: name,
    related: [first],
    fix: 'Give one of them another name',
  });
}
