/** `signalbox key generate --json`: the one shape that holds a secret, since making it is the question. */
export type KeyReport = {
  readonly key: string;
  /** Environment variable that the gateway reads it from. */
  readonly variable: string;
};
