import { homedir } from 'node:os';
import { stringify } from 'yaml';
import type { ConnectReport } from '../contract/connect-report.ts';
import { type Client, type ClientContent, type ClientSettings, clients, servedWires } from '../ops/clients.ts';
import { installClient } from '../ops/install-client.ts';
import { editClientFile, renderToml } from '../ops/write-client-file.ts';
import { nearest } from '../plan/nearest.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption } from './command.ts';
import { fail } from './fail.ts';
import { askGateway, type GatewayFacts } from './gateway-facts.ts';
import { printJson } from './print-json.ts';
import type { Terminal } from './terminal.ts';

const clientIds = clients.map((client) => client.id);

/** `signalbox connect CLIENT`: the settings of a client program for this gateway. */
export const command: Command = defineCommand({
  words: ['connect'],
  summary: 'print or write the settings of a client for this gateway',
  details: ['Keys are never written: settings name the variable that holds yours.'],
  arguments: [{ name: 'CLIENT', help: clientIds.join(', '), required: true, oneOf: clientIds }],
  options: {
    config: configOption,
    model: { kind: 'text', value: 'NAME', short: 'm', help: 'name that the client asks for (default: the first one)' },
    url: { kind: 'text', value: 'URL', help: 'address of the gateway (default: the one that runs)' },
    write: { kind: 'flag', help: 'put the settings into the client’s own file, keeping everything else in it' },
    force: { kind: 'flag', help: 'with --write: also for a client whose wire this version does not serve yet' },
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox connect continue', does: 'print what Continue wants' },
    { line: 'signalbox connect aider --model fast --write', does: 'edit .aider.conf.yml here' },
    { line: 'eval "$(signalbox connect open-webui | grep ^export)"', does: 'set the variables of Open WebUI' },
  ],
  async run({ options, arguments: [name = ''] }, terminal) {
    const client = clients.find((one) => one.id === name);
    // The definition of the argument lets no other name through.
    if (client === undefined) return exitCode.wrongUsage;
    const facts = await askGateway(options, terminal);
    if (facts.kind === 'none') return fail(facts.problem, terminal, options);
    noteMisspelt(options.model, facts.names, terminal);
    const setup = { client, settings: settingsFor(facts, options.model) };
    const isServed = servedWires.has(client.speaks);
    const missing = `${client.title} speaks /v1/${client.speaks}, which this version does not serve yet`;
    if (options.write && !isServed && !options.force) {
      const message = `${missing}: nothing is written without --force, since it would stop working`;
      return fail({ kind: 'not_offered', message }, terminal, options);
    }
    if (!isServed) terminal.err(`${missing}: these settings are for later`);
    if (options.write) return write(setup, terminal, options.json);
    show(setup, terminal, options.json);
    return exitCode.done;
  },
});

/** Wildcards and patterns answer names that no list holds, so a name that is nearly one of them is told, not refused. */
function noteMisspelt(model: string | undefined, names: readonly string[], terminal: Terminal): void {
  if (model === undefined || names.includes(model)) return;
  const [near] = nearest(model, names, 1);
  if (near !== undefined) terminal.err(`"${model}" is not among the listed names: did you mean "${near}"?`);
}

function settingsFor(facts: Extract<GatewayFacts, { kind: 'gateway' }>, model: string | undefined): ClientSettings {
  return {
    baseUrl: `${facts.url}/v1`,
    model: model ?? facts.names[0] ?? 'auto',
    models: facts.names,
    keyNeeded: facts.keyNeeded,
  };
}

/** A client with its settings for this gateway. */
type Setup = { readonly client: Client; readonly settings: ClientSettings };

function show({ client, settings }: Setup, terminal: Terminal, json: boolean): void {
  if (json) {
    printJson<'connect'>(terminal, reportOf({ client, settings }));
    return;
  }
  const content = client.file?.content(settings);
  const variables = variableLines({ client, settings });
  terminal.out(`# ${client.title}`);
  for (const line of variables) terminal.out(line);
  if (client.file !== undefined && content !== undefined) {
    if (variables.length > 0) terminal.out('');
    terminal.out(`# ${placeOf(client.file)}`);
    terminal.out(renderContent(client.file.format, content));
  }
  for (const note of client.notes) terminal.out(`# ${note}`);
}

/** The variables of a client as a shell sets them; a key is named by the variable that the gateway reads. */
function variableLines({ client, settings }: Setup): readonly string[] {
  return client
    .environment(settings)
    .map((one) =>
      one.kind === 'value'
        ? `export ${one.name}=${quoted(one.value)}`
        : `export ${one.name}=${settings.keyNeeded ? '"$LITELLM_MASTER_KEY"' : 'not-needed'}`,
    );
}

function reportOf({ client, settings }: Setup): ConnectReport {
  return {
    client: client.id,
    file: client.file === undefined ? null : placeOf(client.file),
    settings: client.file?.content(settings).map(({ path, value }) => ({ path, value })) ?? [],
    environment: client
      .environment(settings)
      .map((one) => ({ name: one.name, value: one.kind === 'value' ? one.value : null })),
    notes: client.notes,
    written: null,
  };
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

async function write({ client, settings }: Setup, terminal: Terminal, json: boolean): Promise<number> {
  const { file } = client;
  if (file === undefined) {
    const message = `${client.title} keeps its settings in a database of its own`;
    const fix = `Set the variables that signalbox connect ${client.id} prints`;
    return fail({ kind: 'refused', message, fix }, terminal, { json });
  }
  const home = terminal.environment['HOME'] ?? homedir();
  const installed = await installClient(file, file.content(settings), { home, project: terminal.folder });
  const { path } = installed;
  if (installed.kind === 'refused') {
    const problem = { kind: 'refused', message: `${path} is left as it is: ${installed.reason}` } as const;
    return fail({ ...problem, fix: `signalbox connect ${client.id} prints the settings` }, terminal, { json });
  }
  const { changed, before } = installed;
  if (json)
    printJson<'connect'>(terminal, {
      ...reportOf({ client, settings }),
      file: path,
      written: { changed, before: before ?? null },
    });
  else if (!changed) terminal.out(`${path} has these settings already`);
  else terminal.out(`${path} is written${before === undefined ? '' : `; as it was before: ${before}`}`);
  if (!json) for (const line of variableLines({ client, settings })) terminal.out(line);
  return exitCode.done;
}
