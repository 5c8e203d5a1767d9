/**
 * The command line: one file a verb under its noun. A verb is data (words, options, examples)
 * and one `run`, which gives an exit code; help, completion and the reference are made from the
 * data. This room prints; it decides nothing that a screen or a script could want as well: that
 * stands in ops. Start reading at `commands.ts`, the table of all verbs.
 */
import type { Terminal } from './terminal.ts';

/** Exit codes: scripts rely on them (docs/reference/cli.md). */
export const exitCode: {
  readonly done: 0;
  readonly failed: 1;
  readonly differences: 2;
  readonly wrongUsage: 64;
} = { done: 0, failed: 1, differences: 2, wrongUsage: 64 };

/** One option of a verb. A `text` takes a value, a `number` a number, a `flag` none. */
export type OptionDefinition =
  | { readonly kind: 'flag'; readonly help: string; readonly short?: string; readonly negatable?: boolean }
  | {
      readonly kind: 'text';
      readonly help: string;
      readonly value: string;
      readonly short?: string;
      readonly oneOf?: readonly string[];
    }
  | { readonly kind: 'list'; readonly help: string; readonly value: string; readonly short?: string }
  | {
      readonly kind: 'number';
      readonly help: string;
      readonly value: string;
      readonly short?: string;
      /** A whole number within these; absent: any number from 0. */
      readonly whole?: { readonly least: number; readonly most: number };
    };

export type OptionDefinitions = { readonly [name: string]: OptionDefinition };

/** One word after the verb. */
export type ArgumentDefinition = {
  readonly name: string;
  readonly help: string;
  readonly required: boolean;
  /** What it may be, where that is a closed list. */
  readonly oneOf?: readonly string[];
};

type ValueOf<Definition extends OptionDefinition> = Definition['kind'] extends 'flag'
  ? boolean
  : Definition['kind'] extends 'list'
    ? readonly string[]
    : Definition['kind'] extends 'number'
      ? number | undefined
      : string | undefined;

/** Values of a verb's options, typed by their definitions; flags not given are false, lists empty. */
export type OptionValues<Definitions extends OptionDefinitions> = {
  readonly [Name in keyof Definitions]: ValueOf<Definitions[Name]>;
};

/** What a verb is run with. */
export type Input<Definitions extends OptionDefinitions> = {
  readonly options: OptionValues<Definitions>;
  readonly arguments: readonly string[];
};

export type Example = { readonly line: string; readonly does: string };

/** A verb as the command line sees it. */
export type Command = {
  readonly words: readonly string[];
  readonly summary: string;
  /** Sentences below the usage line of the help. */
  readonly details: readonly string[];
  readonly arguments: readonly ArgumentDefinition[];
  readonly options: OptionDefinitions;
  readonly examples: readonly Example[];
  run(input: Input<OptionDefinitions>, terminal: Terminal): Promise<number>;
};

/** Makes a verb whose `run` sees its options typed. */
export function defineCommand<const Definitions extends OptionDefinitions>(definition: {
  readonly words: readonly string[];
  readonly summary: string;
  readonly details?: readonly string[];
  readonly arguments?: readonly ArgumentDefinition[];
  readonly options: Definitions;
  readonly examples: readonly Example[];
  run(input: Input<Definitions>, terminal: Terminal): Promise<number>;
}): Command {
  return {
    details: [],
    arguments: [],
    ...definition,
    // The parser fills `options` from these very definitions, so their values have these types.
    run: (input, terminal) => definition.run(input as unknown as Input<Definitions>, terminal),
  };
}

/** What a port may be; 0 takes any that is free. */
export const portRange: { readonly least: number; readonly most: number } = { least: 0, most: 65_535 };

/** Options that most verbs share, so that they are spelled and explained once. */
export const configOption: {
  readonly kind: 'text';
  readonly value: string;
  readonly short: string;
  readonly help: string;
} = {
  kind: 'text',
  value: 'PATH',
  short: 'c',
  help: 'config folder or file (default: ./config, else a LiteLLM config.yaml here)',
};

export const stateOption: {
  readonly kind: 'text';
  readonly value: string;
  readonly help: string;
} = { kind: 'text', value: 'PATH', help: 'folder for state and logs (default: beside the config)' };

export const keyOption: { readonly kind: 'text'; readonly value: string; readonly help: string } = {
  kind: 'text',
  value: 'NAME',
  help: 'variable that holds the key (default: LITELLM_MASTER_KEY)',
};

export const jsonOption: { readonly kind: 'flag'; readonly help: string } = {
  kind: 'flag',
  help: 'print JSON, in the shape that docs/reference/json.md gives',
};

export const lenientOption: { readonly kind: 'flag'; readonly help: string } = {
  kind: 'flag',
  help: 'turn errors about LiteLLM keys that are not executed into warnings',
};

/** A verb before it is loaded: `up` must start quickly, so no verb pays for another's imports. */
export type CommandEntry = {
  readonly words: readonly string[];
  readonly summary: string;
  load(): Promise<Command>;
};
