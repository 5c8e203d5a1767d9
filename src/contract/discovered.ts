/** A model of a server that was found. */
export type DiscoveredModel = {
  readonly id: string;
  readonly kind: 'chat' | 'completion' | 'embedding' | null;
  readonly context: number | null;
  readonly parameterSize: string | null;
  readonly quantization: string | null;
  readonly sizeBytes: number | null;
};

/** A model server that was found, or that a person named. */
export type DiscoveredServer = {
  /** Name that it would have as a provider; unique among those found. */
  readonly name: string;
  /** Type of provider, as in providers.yaml. */
  readonly type: string;
  readonly url: string;
  readonly state: 'up' | 'loading' | 'down';
  readonly why: string | null;
  readonly version: string | null;
  readonly models: readonly DiscoveredModel[];
  readonly latencyMs: number | null;
  /** Where the address came from: a port that such servers usually have, or the environment. */
  readonly from: 'port' | 'environment';
};

/** `signalbox discover --json`. */
export type DiscoverReport = { readonly servers: readonly DiscoveredServer[] };
