import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { Clock } from '../../src/gateway/clock.ts';
import { type Running, start } from '../../src/main.ts';
import { until } from './until.ts';

/** A gateway in this process, with what it wrote. */
export type TestGateway = {
  readonly url: string;
  readonly port: number;
  /** Where its configuration and its state are. */
  readonly folder: string;
  readonly running: Running;
  /** Lines of its log so far. */
  readonly log: () => readonly Record<string, unknown>[];
  /** The first line of an event; waits for it, since lines are written behind the requests. */
  logged(event: string): Promise<Record<string, unknown>>;
  /** The same as text, as it was written. */
  readonly logText: () => string;
  /** Asks for a chat; fields go over the usual ones. */
  chat(
    fields?: Record<string, unknown>,
    options?: { signal?: AbortSignal; headers?: Record<string, string> },
  ): Promise<Response>;
  close(): Promise<void>;
};

export type TestGatewayOptions = {
  readonly providers?: Record<string, unknown>;
  /** LiteLLM's own file, in place of all others. */
  readonly litellm?: Record<string, unknown>;
  readonly mappings?: Record<string, unknown>;
  readonly settings?: Record<string, unknown>;
  /** Files by their paths in the folder, such as `config/ports.yaml`, in place of the three above. */
  readonly files?: Readonly<Record<string, unknown>>;
  readonly environment?: Record<string, string>;
  readonly clock?: Clock;
  readonly host?: string;
  /** Absent: one of its own. */
  readonly stateFolder?: string;
  /** Whether its log goes to files too; absent: no. */
  readonly logsToFile?: boolean;
  /** Absent: as the product draws. */
  readonly random?: () => number;
  /** Absent: a free one. */
  readonly port?: number | 'declared';
};

/** Starts a gateway with a configuration on a free port. */
export async function startGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-test-'));
  const write = (name: string, value: unknown): void => {
    if (value === undefined) return;
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, stringify(value));
  };
  const { providers, mappings, settings, litellm } = options;
  const files = options.files ?? {
    'config.yaml': litellm,
    'config/providers.yaml': providers && { providers },
    'config/model-mappings.yaml': mappings,
    'config/settings.yaml': settings,
  };
  for (const [name, value] of Object.entries(files)) write(name, value);
  let text = '';
  const running = await start({
    folder,
    ...(options.port === 'declared' ? {} : { port: options.port ?? 0 }),
    discover: false,
    environment: options.environment ?? {},
    log: {
      output: {
        write(bytes, done) {
          text += Buffer.from(bytes).toString();
          done();
        },
        style: 'json',
        colour: false,
      },
      file: options.logsToFile ?? false,
    },
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.stateFolder === undefined ? {} : { stateFolder: options.stateFolder }),
    ...(options.random === undefined ? {} : { random: options.random }),
    ...(options.host === undefined ? {} : { host: options.host }),
  });
  const { url, port } = running.address;
  const lines = (): readonly Record<string, unknown>[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    url,
    port,
    folder,
    running,
    logText: () => text,
    log: lines,
    logged: (event) => until(`a line of ${event}`, () => lines().find((line) => line['event'] === event)),
    chat: (fields = {}, { signal, headers } = {}) =>
      fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...fields }),
        ...(signal === undefined ? {} : { signal }),
        ...(headers === undefined ? {} : { headers }),
      }),
    async close() {
      await running.cut();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The data of every event of a stream, and its comments. */
export async function readStream(
  answer: Response,
): Promise<{ readonly events: readonly string[]; readonly comments: readonly string[] }> {
  const lines = (await answer.text()).split('\n');
  return {
    events: lines.flatMap((line) => (line.startsWith('data: ') ? [line.slice('data: '.length)] : [])),
    comments: lines.filter((line) => line.startsWith(':')),
  };
}

/** The text that a stream's events carry. */
export function textOf(events: readonly string[]): string {
  return events
    .filter((event) => event.startsWith('{'))
    .map(
      (event) =>
        (JSON.parse(event) as { choices?: { delta?: { content?: string } }[] }).choices?.[0]?.delta?.content ?? '',
    )
    .join('');
}
