import type { DiscoveredServer, DiscoverReport } from '../contract/discovered.ts';
import { createProbing } from '../main.ts';
import { discover, discoveryCandidates } from '../ops/discover.ts';
import { type Command, defineCommand, exitCode, jsonOption } from './command.ts';
import { printJson } from './print-json.ts';
import { renderTable } from './render-table.ts';
import { duration, paint, stateText } from './style.ts';
import type { Terminal } from './terminal.ts';

/** `signalbox discover`: the model servers of this machine. */
export const command: Command = defineCommand({
  words: ['discover'],
  summary: 'list the model servers that run on this machine',
  details: [
    'It looks where model servers usually listen (11434, 8080, 8000, 8001, 1234) and at the addresses in SIGNALBOX_UPSTREAM.',
    'It asks for lists and versions only: no model is run.',
  ],
  options: { json: jsonOption },
  examples: [
    { line: 'signalbox discover', does: 'what runs here, with its models' },
    { line: 'SIGNALBOX_UPSTREAM=http://10.0.0.5:8000 signalbox discover', does: 'another machine too' },
  ],
  async run({ options }, terminal) {
    terminal.progress('looking at the usual ports …');
    const servers = await discover(discoveryCandidates(terminal.environment), createProbing());
    terminal.progress(undefined);
    const report: DiscoverReport = { servers };
    if (options.json) printJson<'discover'>(terminal, report);
    else for (const line of renderServers(servers, terminal)) terminal.out(line);
    return exitCode.done;
  },
});

function renderServers(servers: readonly DiscoveredServer[], terminal: Terminal): string[] {
  if (servers.length === 0)
    return [
      'No model server answers on the usual ports of this machine',
      paint(terminal, 'dim', 'Name others in SIGNALBOX_UPSTREAM, or look at one with: signalbox provider probe URL'),
    ];
  const table = renderTable(
    ['name', 'type', 'version', 'state', 'latency', 'address'],
    servers.map((one) => [
      one.name,
      one.type,
      one.version ?? 'unknown',
      stateText(terminal, one.state === 'up' ? 'ready' : one.state, one.why),
      duration(one.latencyMs),
      one.url,
    ]),
    terminal,
  );
  const models = servers.flatMap((server) =>
    server.models.length === 0 ? [] : ['', `${server.name}: ${server.models.map((one) => one.id).join(', ')}`],
  );
  return [
    ...table,
    ...models,
    '',
    paint(terminal, 'dim', 'Serve them: signalbox up. Write them down: signalbox init --from-discovered'),
  ];
}
