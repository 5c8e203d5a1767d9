/** What `route explain` asks: a request that is never sent, and what to take for granted. */
export type ExplainQuestion = {
  /** Name that is asked for; absent, `auto` and `default` leave the choice to the gateway. */
  readonly model?: string;
  readonly endpoint?: 'chat' | 'completions' | 'embeddings';
  readonly stream?: boolean;
  /** Length of the prompt in tokens; a short one when absent. */
  readonly tokens?: number;
  readonly maxOutputTokens?: number;
  readonly tools?: boolean;
  readonly vision?: boolean;
  readonly jsonSchema?: boolean;
  readonly tags?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Provider → state, for what-if. */
  readonly assume?: Readonly<Record<string, AssumedState>>;
};

/** States that a question may assume of a provider. */
export type AssumedState = 'ready' | 'down' | 'disabled' | 'loading' | 'missing' | 'cooling';
