/** What a configuration file is, by its name. */
export type SourceKind =
  | 'providers'
  | 'model-mappings'
  | 'settings'
  | 'ports'
  | 'health-checks'
  | 'llamacpp-models'
  | 'dashboard-config'
  /** A LiteLLM config.yaml, or the generated litellm-unified.yaml. */
  | 'litellm'
  /** The generated file beside its sources: settings that were edited in it hold. */
  | 'generated'
  /** A file that a LiteLLM file includes. */
  | 'included'
  /** Another YAML file of the folder, which is not read. */
  | 'other';

/** The text of one configuration file. */
export type SourceFile = {
  readonly kind: SourceKind;
  /** Path as it is shown to people. */
  readonly path: string;
  readonly text: string;
  /** Why there is no text, where there is none. */
  readonly fault?: string;
};
