/**
 * A value that cannot be printed: as text and as JSON it is `[secret]`, and inspected it is empty.
 * Only {@link Secret.reveal} gives the text, and only where a request is built or a key compared.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself, for a header that is about to be sent or a comparison. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }
}

/**
 * Where a secret comes from. A plan holds references; the value of an `env` reference is read when
 * the gateway takes the plan into force, so that a plan can be stored, compared and shown.
 */
export type SecretReference =
  | { readonly kind: 'env'; readonly name: string; readonly fallback?: Secret }
  | WrittenSecret;

/**
 * A secret that stands in a source as text. Wherever it is written or compared it is a reference to
 * the variable that stands in for it, so a plan is the same whether the source or the variable has it.
 */
export class WrittenSecret {
  readonly kind = 'literal';
  readonly secret: Secret;
  /** Says whether two secrets are the same without saying what they are. */
  readonly fingerprint: string;

  constructor(secret: Secret, fingerprint: string) {
    this.secret = secret;
    this.fingerprint = fingerprint;
  }

  /** The variable that stands in for it. */
  get variable(): string {
    return `SIGNALBOX_SECRET_${this.fingerprint.toUpperCase()}`;
  }

  toJSON(): SecretReference {
    return { kind: 'env', name: this.variable };
  }
}

/** The variables that references to secrets and `${NAME}` in a file are read from. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a secret's text; undefined where its variable is not set. */
export function revealSecret(reference: SecretReference, environment: Environment): string | undefined {
  if (reference.kind === 'literal') return reference.secret.reveal();
  const value = environment[reference.name]?.trim();
  return value === undefined || value === '' ? reference.fallback?.reveal() : value;
}
