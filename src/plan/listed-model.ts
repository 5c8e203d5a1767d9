import type { Tokens } from './ids.ts';

/** A model that a server lists, as far as it tells. */
export type ListedModel = {
  readonly id: string;
  readonly kind: 'chat' | 'completion' | 'embedding' | undefined;
  readonly contextTokens: Tokens | undefined;
  readonly sizeBytes: number | undefined;
  readonly parameterSize: string | undefined;
  readonly quantization: string | undefined;
};
