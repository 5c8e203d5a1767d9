/** How one provider is probed, as it is written. */
export type HealthCheckShape = {
  readonly enabled?: boolean | undefined;
  readonly interval_seconds?: number | undefined;
  readonly timeout_seconds?: number | undefined;
  readonly retry_attempts?: number | undefined;
  readonly endpoint?: string | undefined;
};

/** How all providers are probed, as it is written: other keys are providers' names. */
export type HealthChecksShape = Omit<HealthCheckShape, 'endpoint'> & {
  readonly endpoints?: Readonly<Record<string, string>> | undefined;
  readonly [provider: string]: unknown;
};
