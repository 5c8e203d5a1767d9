import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { type Client, type ClientContent, type ClientSettings, clients, servedWires } from '../ops/clients.ts';
import { editClientFile, renderToml } from '../ops/write-client-file.ts';
import { nearest } from '../plan/nearest.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption } from './command.ts';
import { askGateway, type GatewayFacts } from './gateway-facts.ts';
import { paint } from './style.ts';
import type { Terminal } from './terminal.ts';

/** `signalbox connect CLIENT`: the settings of a client program for this gateway. */
export const command: Command = defineCommand({
  words: ['connect'],
  summary: 'print or write the settings of a client for this gateway',
  details: [
    `Clients: ${clients.map((client) => client.id).join(', ')}.`,
    'Keys are never written: settings name the variable that holds yours.',
  ],
  arguments: [{ name: 'CLIENT', help: 'one of the clients above', required: true }],
  options: {
    config: configOption,
    model: { kind: 'text', value: 'NAME', short: 'm', help: 'name that the client asks for (default: the first one)' },
    url: { kind: 'text', value: 'URL', help: 'address of the gateway (default: the one that runs)' },
    write: { kind: 'flag', help: 'put the settings into the client’s own file, keeping everything else in it' },
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox connect continue', does: 'print what Continue wants' },
    { line: 'signalbox connect aider --model fast --write', does: 'edit .aider.conf.yml here' },
    { line: 'eval "$(signalbox connect open-webui | grep ^export)"', does: 'set the variables of Open WebUI' },
  ],
  async run({ options, arguments: [name = ''] }, terminal) {
    const client = clients.find((one) => one.id === name);
    if (client === undefined) {
      const ids = clients.map((one) => one.id);
      const [near] = nearest(name, ids, 1);
      terminal.err(
        `No client is called "${name}"${near === undefined ? `: known are ${ids.join(', ')}` : `: did you mean "${near}"?`}`,
      );
      return exitCode.wrongUsage;
    }
    const facts = await askGateway(options, terminal);
    if (facts.kind === 'none') {
      terminal.err(facts.message);
      return exitCode.failed;
    }
    const settings = settingsFor(facts, options.model);
    const isServed = servedWires.has(client.speaks);
    if (!isServed)
      terminal.err(
        `${client.title} speaks /v1/${client.speaks}, which this version does not serve yet: these settings are for later`,
      );
    if (!options.write) {
      show(client, settings, terminal, options.json);
      return exitCode.done;
    }
    if (isServed) return write(client, settings, terminal, options.json);
    terminal.err('Nothing is written, since the client would stop working');
    return exitCode.failed;
  },
});

function settingsFor(facts: Extract<GatewayFacts, { kind: 'gateway' }>, model: string | undefined): ClientSettings {
  return {
    baseUrl: `${facts.url}/v1`,
    model: model ?? facts.names[0] ?? 'auto',
    models: facts.names,
    keyNeeded: facts.keyNeeded,
  };
}

function show(client: Client, settings: ClientSettings, terminal: Terminal, json: boolean): void {
  const variables = client.environment(settings);
  const content = client.file?.content(settings);
  if (json) {
    terminal.out(
      JSON.stringify({
        client: client.id,
        file: client.file?.path ?? null,
        content: content ?? null,
        environment: variables,
        notes: client.notes,
      }),
    );
    return;
  }
  terminal.out(`# ${client.title}`);
  for (const one of variables)
    terminal.out(
      one.kind === 'value'
        ? `export ${one.name}=${quoted(one.value)}`
        : `export ${one.name}=${settings.keyNeeded ? '"$LITELLM_MASTER_KEY"' : 'not-needed'}`,
    );
  if (client.file !== undefined && content !== undefined) {
    if (variables.length > 0) terminal.out('');
    terminal.out(`# ${placeOf(client.file)}`);
    terminal.out(renderContent(client.file.format, content));
  }
  for (const note of client.notes) terminal.out(`# ${note}`);
}

function quoted(value: string): string {
  return /^[\w:/.@-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}

function placeOf(file: NonNullable<Client['file']>): string {
  return file.place === 'home' ? `~/${file.path}` : `./${file.path}`;
}

function renderContent(format: NonNullable<Client['file']>['format'], content: ClientContent): string {
  if (format === 'toml') return renderToml(content).trimEnd();
  const edited = editClientFile(format, undefined, content);
  return edited.kind === 'edited' ? edited.text.trimEnd() : stringify(content);
}

async function write(client: Client, settings: ClientSettings, terminal: Terminal, json: boolean): Promise<number> {
  const { file } = client;
  if (file === undefined) {
    terminal.err(
      `${client.title} keeps its settings in a database of its own: set the variables that are printed without --write`,
    );
    return exitCode.failed;
  }
  const path = join(file.place === 'home' ? (terminal.environment['HOME'] ?? homedir()) : terminal.folder, file.path);
  const before = await readFile(path, 'utf8').catch(() => undefined);
  const edited = editClientFile(file.format, before, file.content(settings));
  if (edited.kind === 'refused') {
    terminal.err(`${path} is left as it is: ${edited.reason}`);
    return exitCode.failed;
  }
  if (edited.changed) {
    await mkdir(dirname(path), { recursive: true });
    if (before !== undefined) await writeFile(`${path}.before-signalbox`, before);
    await writeFile(`${path}.new`, edited.text);
    await rename(`${path}.new`, path);
  }
  if (json) terminal.out(JSON.stringify({ client: client.id, file: path, changed: edited.changed }));
  else
    terminal.out(
      edited.changed
        ? `${path} is ${before === undefined ? 'written' : `changed (before: ${paint(terminal, 'dim', `${path}.before-signalbox`)})`}`
        : `${path} has these settings already`,
    );
  return exitCode.done;
}
