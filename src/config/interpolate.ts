import { createHash } from 'node:crypto';
import { type Environment, Secret, type SecretReference, WrittenSecret } from '../plan/secret.ts';
import { type Findings, type Place, quietFindings } from './findings.ts';
import type { ParsedFile, Path } from './parsed-file.ts';

/** Keys whose values are secrets: they are kept as references and never put into the value tree. */
const secretKeys: ReadonlySet<string> = new Set([
  'api_key',
  'master_key',
  'salt_key',
  'password',
  'redis_password',
  'redis_url',
  'slack_webhook_url',
  'database_url',
  'env_var',
  'litellm_credential_name',
  'key',
]);

/** Whether a key's value is a secret, by the key's name. */
export function isSecretKey(key: string): boolean {
  return secretKeys.has(key);
}

const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::?-([^}]*))?\}/g;
const onlyReference = new RegExp(`^${reference.source}$`);
const wholeReference = /^os\.environ\/([A-Za-z_][A-Za-z0-9_]*)$/;

/** The variables that a text may refer to, and who is told of one that is not set. */
export type Variables = { readonly environment: Environment; readonly findings: Findings };

/**
 * Replaces `${NAME}`, `${NAME:-default}` and `os.environ/NAME` in a file's texts by the environment's values.
 * A variable that is not set is told, but for places that nobody reads.
 */
export function interpolate(
  file: ParsedFile,
  { environment, isRead }: { readonly environment: Environment; readonly isRead: (path: Path) => boolean },
  findings: Findings,
): ParsedFile {
  const walk = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string')
      return replaced(value, { file, path }, { environment, findings: isRead(path) ? findings : quietFindings });
    if (Array.isArray(value)) return value.map((inner, index) => walk(inner, [...path, index]));
    if (typeof value !== 'object' || value === null || value instanceof Date) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        typeof inner === 'string' && holdsSecret(key, inner, path) ? inner : walk(inner, [...path, key]),
      ]),
    );
  };
  return { ...file, value: walk(file.value, []) };
}

/** Secrets stay references: under the keys for them, and in headers that carry one. */
function holdsSecret(key: string, text: string, parent: Path): boolean {
  if (secretKeys.has(key)) return true;
  const isHeader = parent.at(-1) === 'headers' || parent.at(-1) === 'extra_headers';
  return isHeader && isSecretHeader(key) && isWholeReference(text);
}

/** Whether a header's value is a secret, by its name. */
export function isSecretHeader(name: string): boolean {
  return /key|token|auth|secret|cookie/i.test(name);
}

function isWholeReference(text: string): boolean {
  return wholeReference.test(text) || onlyReference.test(text);
}

/** What a text comes to that refers to variables; undefined where one is not set. */
export function variableValue(text: string, environment: Environment): string | undefined {
  const whole = wholeReference.exec(text)?.[1];
  if (whole !== undefined) return environment[whole];
  return text.replaceAll(
    reference,
    (_all, name: string, fallback: string | undefined) => environment[name] || (fallback ?? ''),
  );
}

function replaced(text: string, place: Place, { environment, findings }: Variables): unknown {
  const whole = wholeReference.exec(text)?.[1];
  if (whole !== undefined) return plainValue(environment[whole] || unset(whole, place, findings));
  if (!text.includes('${')) return text;
  const result = text.replaceAll(reference, (_all, name: string, fallback: string | undefined) => {
    const value = environment[name];
    if (value !== undefined && value !== '') return value;
    return fallback ?? unset(name, place, findings);
  });
  // A number or truth value that came from the environment is one, as it would be in the file.
  return onlyReference.test(text) ? plainValue(result) : result;
}

function plainValue(text: string): unknown {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return text;
}

function unset(name: string, place: Place, findings: Findings): string {
  findings.add('unset-variable', place, `The environment variable "${name}" is not set`, {
    found: name,
    fix: `Set ${name}, or write \${${name}:-default}`,
  });
  return '';
}

/** Words that people write where a client insists on a key; they are none. */
const noKeys: ReadonlySet<string> = new Set([
  '',
  'none',
  'null',
  'not-needed',
  'not_needed',
  'fake-key',
  'fake',
  'empty',
  'dummy',
  'no-key',
  'sk-no-key-required',
  'sk-not-needed',
  'sk-xxx',
  'anything',
  'na',
  'n/a',
]);

/** Whether a text stands for no key. */
function isNoKey(text: string): boolean {
  return noKeys.has(text.trim().toLowerCase());
}

/** Reads a secret as a reference; undefined where the text stands for no key. */
export function readSecret(text: string, place: Place, variables: Variables): SecretReference | undefined {
  const { environment, findings } = variables;
  const [, name, fallback] = wholeReference.exec(text) ?? onlyReference.exec(text) ?? [];
  if (name !== undefined) {
    const value = environment[name];
    if (value !== undefined && isNoKey(value) && value.trim() !== '') return undefined;
    if (fallback !== undefined && (value === undefined || value === '')) {
      return isNoKey(fallback) ? undefined : { kind: 'env', name, fallback: new Secret(fallback) };
    }
    if (value === undefined || value === '') {
      findings.addToCause('secret-unset', place, {
        key: name,
        subject: name,
        message: () => `The key is read from ${name}, which is not set`,
        details: () => ({ found: name, fix: `export ${name}=…` }),
      });
    }
    return { kind: 'env', name };
  }
  if (isNoKey(text)) return undefined;
  const filled = String(replaced(text, place, variables));
  // A part of it is a reference, as in redis://:${PASSWORD}@host: the secret stands elsewhere.
  if (filled !== text) return writtenSecret(text, filled);
  findings.add('secret-in-file', place, 'A secret stands in the file', {
    fix: 'Put it into an environment variable and write os.environ/NAME here',
  });
  return writtenSecret(text);
}

/** A secret by what stands in a file, with its references filled in where it has any. */
export function writtenSecret(text: string, filled: string = text): WrittenSecret {
  const fingerprint = createHash('sha256').update('signalbox:').update(text).digest('hex').slice(0, 12);
  return new WrittenSecret(new Secret(filled), fingerprint);
}

/** A value tree of a file without the secrets that stand in it as text. */
export function withoutSecrets(value: unknown, parent = ''): unknown {
  if (Array.isArray(value)) return value.map((inner) => withoutSecrets(inner));
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const isSecret = (key: string): boolean =>
    (secretKeys.has(key) && !namingKeys.has(key)) || (secretMaps.has(parent) && isSecretHeader(key));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => [
      key,
      isSecret(key) && typeof inner === 'string' ? withoutSecret(inner) : withoutSecrets(inner, key),
    ]),
  );
}

/** Maps whose keys a person names, so that only the name says whether the value is a secret. */
const secretMaps: ReadonlySet<string> = new Set(['headers', 'extra_headers', 'environment_variables']);

function withoutSecret(text: string): string {
  if (wholeReference.test(text) || isNoKey(text)) return text;
  const [, name, fallback] = onlyReference.exec(text) ?? [];
  // A default that is a secret stays behind, too: its variable has to be set.
  if (name !== undefined) return fallback === undefined || isNoKey(fallback) ? text : `os.environ/${name}`;
  return `os.environ/${writtenSecret(text).variable}`;
}

/** Secret keys under which not the secret stands but the name of its variable or entry. */
const namingKeys: ReadonlySet<string> = new Set(['env_var', 'litellm_credential_name']);
