import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compile } from '../config/compile.ts';
import type { SourceFile } from '../config/source-file.ts';
import type { DiscoveredServer } from '../contract/discovered.ts';
import { createProbing } from '../main.ts';
import { discover, discoveryCandidates } from '../ops/discover.ts';
import { type InitialChoices, initialSources } from '../ops/initial-sources.ts';
import { shippedSchemas } from '../ops/shipped-schemas.ts';
import { type Command, defineCommand, exitCode, jsonOption } from './command.ts';
import { fail } from './fail.ts';
import { printJson } from './print-json.ts';
import { openQuestions } from './questions.ts';
import { count, paint } from './style.ts';
import type { Terminal } from './terminal.ts';

/** `signalbox init`: a first configuration, from what runs here. */
export const command: Command = defineCommand({
  words: ['init'],
  summary: 'write a config folder from what runs here',
  details: [
    'It looks for model servers, asks what to do with them, and writes commented files. Nothing that exists is changed.',
    'Beside the files it puts their JSON Schemas, so that editors complete and check them.',
  ],
  options: {
    config: { kind: 'text', value: 'FOLDER', short: 'c', help: 'folder to write (default: ./config)' },
    yes: { kind: 'flag', short: 'y', help: 'ask nothing: every server that is found, and no key' },
    'from-discovered': { kind: 'flag', help: 'every server that is found; it is an error where none is' },
    discover: { kind: 'flag', negatable: true, help: 'do not look for servers: write the built-in echo' },
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox init', does: 'ask, then write ./config' },
    { line: 'signalbox init --yes', does: 'write what is found, without questions' },
    { line: 'signalbox init --config other/config --no-discover', does: 'a folder to fill in by hand' },
  ],
  async run({ options }, terminal) {
    const folder = options.config ?? 'config';
    const full = join(terminal.folder, folder);
    const taken = ['providers.yaml', 'model-mappings.yaml', 'settings.yaml'].filter((name) =>
      existsSync(join(full, name)),
    );
    if (taken.length > 0)
      return fail(
        {
          kind: 'exists',
          message: `${join(folder, taken[0] ?? '')} exists, so nothing is written`,
          fix: 'Edit it, or name another folder with --config',
        },
        terminal,
        options,
      );
    const servers = options.discover ? await look(terminal) : [];
    if (options['from-discovered'] && servers.length === 0)
      return fail(
        {
          kind: 'nothing_found',
          message: 'No model server answers on the usual ports of this machine',
          fix: 'Name one in SIGNALBOX_UPSTREAM, or run init without --from-discovered',
        },
        terminal,
        options,
      );
    const mayAsk = terminal.interactive && !options.yes && !options.json;
    const choices = mayAsk
      ? await askChoices(servers, options['from-discovered'], terminal)
      : { servers, wantsKey: false };
    const files = initialSources(choices, folder);
    const { value, diagnostics } = compile(files, { environment: terminal.environment, lenient: false });
    if (value === undefined)
      return fail(
        {
          kind: 'config',
          message: 'What was found cannot be written down',
          fix: 'Tell us of it; until then write config/providers.yaml by hand',
          diagnostics,
          sources: files,
        },
        terminal,
        options,
      );
    await writeFiles(files, full, folder);
    report(choices, files, folder, terminal, options.json);
    return exitCode.done;
  },
});

async function look(terminal: Terminal): Promise<readonly DiscoveredServer[]> {
  terminal.progress('looking for model servers …');
  const servers = await discover(discoveryCandidates(terminal.environment), createProbing());
  terminal.progress(undefined);
  return servers;
}

async function askChoices(
  servers: readonly DiscoveredServer[],
  takeAll: boolean,
  terminal: Terminal,
): Promise<InitialChoices> {
  const questions = openQuestions(terminal);
  const { yes } = questions;
  try {
    const chosen: DiscoveredServer[] = [];
    if (servers.length === 0)
      terminal.out('No model server answers on the usual ports: the built-in echo is written, to be replaced');
    for (const server of servers) {
      if (
        takeAll ||
        (await yes(`Serve ${server.name} at ${server.url} (${count(server.models.length, 'model')})?`, true))
      )
        chosen.push(server);
    }
    const wantsKey = await yes('Must every request carry a key? Without one only this machine is served.', false);
    return { servers: chosen, wantsKey };
  } finally {
    questions.close();
  }
}

async function writeFiles(files: readonly SourceFile[], full: string, folder: string): Promise<void> {
  await mkdir(join(full, 'schemas'), { recursive: true });
  for (const { path, text } of files) await writeFile(join(full, path.slice(folder.length + 1)), text, { flag: 'wx' });
  for (const [name, text] of shippedSchemas()) await writeFile(join(full, 'schemas', name), text);
}

function report(
  ...[{ servers, wantsKey }, files, folder, terminal, json]: [
    InitialChoices,
    readonly SourceFile[],
    string,
    Terminal,
    boolean,
  ]
): void {
  if (json) {
    printJson<'init'>(terminal, {
      folder,
      files: files.map((file) => file.path),
      servers: servers.map((one) => one.name),
      key: wantsKey,
    });
    return;
  }
  for (const { path } of files) terminal.out(`${paint(terminal, 'green', 'written')}  ${path}`);
  terminal.out('');
  terminal.out(
    servers.length === 0
      ? 'It serves the built-in echo until you name a provider'
      : `It serves ${servers.map((one) => one.name).join(', ')}`,
  );
  if (wantsKey) {
    terminal.out('Its key, for the environment of the gateway and of its clients; it is not kept anywhere:');
    terminal.out(`  export LITELLM_MASTER_KEY=sk-${randomBytes(16).toString('hex')}`);
  }
  terminal.out(paint(terminal, 'dim', `Next: signalbox up${folder === 'config' ? '' : ` --config ${folder}`}`));
}
