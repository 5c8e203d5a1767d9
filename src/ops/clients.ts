import type { Endpoint } from '../plan/request-facts.ts';

/** What a client has to be told about this gateway. */
export type ClientSettings = {
  /** Address with `/v1`, for example `http://127.0.0.1:4000/v1`. */
  readonly baseUrl: string;
  /** Name that the client should ask for first. */
  readonly model: string;
  /** Every name worth listing, where a client wants a list. */
  readonly models: readonly string[];
  /** Whether the gateway wants a key; clients that insist on one get a placeholder otherwise. */
  readonly keyNeeded: boolean;
};

/** A file that a client reads, and how this gateway is written into it. */
export type ClientFile = {
  /** Path in the person's home folder, or, for `project`, in the current folder. */
  readonly path: string;
  readonly place: 'home' | 'project';
  readonly format: 'yaml' | 'json' | 'toml';
  /** What has to stand in the file, as a tree of values. */
  readonly content: (settings: ClientSettings) => ClientContent;
};

/** Values by path; a list entry is found again by the value of its `name`. */
export type ClientContent = readonly (
  | { readonly kind: 'set'; readonly path: readonly string[]; readonly value: ClientValue }
  | {
      readonly kind: 'entry';
      readonly path: readonly string[];
      readonly value: { readonly name: string } & ClientTable;
    }
)[];

export type ClientTable = { readonly [key: string]: ClientValue };
export type ClientValue = string | number | boolean | readonly ClientValue[] | ClientTable;

/** One client program and its settings for a gateway like ours. */
export type Client = {
  readonly id: string;
  readonly title: string;
  /** The wire that it speaks; `chat` is served by this version. */
  readonly speaks: Endpoint | 'responses' | 'messages';
  readonly file: ClientFile | undefined;
  /** Environment variables; `key` marks the one that holds the client's key. */
  readonly environment: (settings: ClientSettings) => readonly EnvironmentLine[];
  /** Sentences for the person, after the settings. */
  readonly notes: readonly string[];
};

export type EnvironmentLine =
  | { readonly kind: 'value'; readonly name: string; readonly value: string }
  | { readonly kind: 'key'; readonly name: string };

const keyVariable = 'SIGNALBOX_API_KEY';

/** Every client that `signalbox connect` knows, by its own documentation. */
export const clients: readonly Client[] = [
  {
    id: 'open-webui',
    title: 'Open WebUI',
    speaks: 'chat',
    file: undefined,
    // https://docs.openwebui.com/reference/env-configuration: read at the first start, then kept in its database.
    environment: (settings) => [
      { kind: 'value', name: 'ENABLE_OPENAI_API', value: 'true' },
      { kind: 'value', name: 'OPENAI_API_BASE_URL', value: settings.baseUrl },
      { kind: 'key', name: 'OPENAI_API_KEY' },
    ],
    notes: [
      'An Open WebUI that has run before keeps its own copy: set the same address under Admin Settings, Connections',
      'From a container the host is host.docker.internal (docker run --add-host=host.docker.internal:host-gateway), and the gateway has to listen there: up --host 0.0.0.0, with a key',
    ],
  },
  {
    id: 'continue',
    title: 'Continue',
    speaks: 'chat',
    // https://docs.continue.dev/reference: config.yaml; secrets come from ~/.continue/.env.
    file: {
      path: '.continue/config.yaml',
      place: 'home',
      format: 'yaml',
      content: (settings) => [
        { kind: 'set', path: ['name'], value: 'Local' },
        { kind: 'set', path: ['version'], value: '1.0.0' },
        { kind: 'set', path: ['schema'], value: 'v1' },
        {
          kind: 'entry',
          path: ['models'],
          value: {
            name: `Signalbox ${settings.model}`,
            provider: 'openai',
            model: settings.model,
            apiBase: settings.baseUrl,
            // The placeholder is Continue's own syntax for a secret.
            apiKey: settings.keyNeeded ? `\${{ secrets.${keyVariable} }}` : 'not-needed',
          },
        },
      ],
    },
    environment: () => [],
    notes: [`Put ${keyVariable}=… into ~/.continue/.env where the gateway wants a key`],
  },
  {
    id: 'aider',
    title: 'aider',
    speaks: 'chat',
    // https://aider.chat/docs/llms/openai-compat.html
    file: {
      path: '.aider.conf.yml',
      place: 'project',
      format: 'yaml',
      content: (settings) => [
        { kind: 'set', path: ['openai-api-base'], value: settings.baseUrl },
        { kind: 'set', path: ['model'], value: `openai/${settings.model}` },
      ],
    },
    environment: () => [{ kind: 'key', name: 'OPENAI_API_KEY' }],
    notes: [],
  },
  {
    id: 'opencode',
    title: 'opencode',
    speaks: 'chat',
    // https://opencode.ai/docs/providers
    file: {
      path: '.config/opencode/opencode.json',
      place: 'home',
      format: 'json',
      content: (settings) => [
        { kind: 'set', path: ['$schema'], value: 'https://opencode.ai/config.json' },
        {
          kind: 'set',
          path: ['provider', 'signalbox'],
          value: {
            npm: '@ai-sdk/openai-compatible',
            name: 'Signalbox',
            options: {
              baseURL: settings.baseUrl,
              apiKey: settings.keyNeeded ? `{env:${keyVariable}}` : 'not-needed',
            },
            models: Object.fromEntries(settings.models.map((model) => [model, { name: model }])),
          },
        },
      ],
    },
    environment: (settings) => (settings.keyNeeded ? [{ kind: 'key', name: keyVariable }] : []),
    notes: ['In opencode, choose a model with /models'],
  },
  {
    id: 'codex',
    title: 'Codex',
    speaks: 'responses',
    // https://developers.openai.com/codex/config-reference: "responses" is the only wire it accepts.
    file: {
      path: '.codex/config.toml',
      place: 'home',
      format: 'toml',
      content: (settings) => [
        { kind: 'set', path: ['model'], value: settings.model },
        { kind: 'set', path: ['model_provider'], value: 'signalbox' },
        {
          kind: 'set',
          path: ['model_providers', 'signalbox'],
          value: {
            name: 'Signalbox',
            base_url: settings.baseUrl,
            wire_api: 'responses',
            ...(settings.keyNeeded ? { env_key: keyVariable } : {}),
          },
        },
      ],
    },
    environment: (settings) => (settings.keyNeeded ? [{ kind: 'key', name: keyVariable }] : []),
    notes: [],
  },
  {
    id: 'claude-code',
    title: 'Claude Code',
    speaks: 'messages',
    file: {
      path: '.claude/settings.json',
      place: 'home',
      format: 'json',
      content: (settings) => [
        { kind: 'set', path: ['env', 'ANTHROPIC_BASE_URL'], value: settings.baseUrl.replace(/\/v1$/, '') },
        { kind: 'set', path: ['env', 'ANTHROPIC_MODEL'], value: settings.model },
      ],
    },
    environment: () => [{ kind: 'key', name: 'ANTHROPIC_AUTH_TOKEN' }],
    notes: [],
  },
];

/** Wires that this version serves; a client that speaks another can be shown its settings, but not be switched over. */
export const servedWires: ReadonlySet<Client['speaks']> = new Set<Client['speaks']>([
  'chat',
  'completions',
  'embeddings',
]);
