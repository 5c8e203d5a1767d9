import type { ProviderStatus, StatusReport } from '../contract/status.ts';
import { describeDiagnostic } from '../ops/describe-diagnostic.ts';
import { productVersion } from '../ops/product-version.ts';
import { servedModel, servedWords } from '../ops/served-model.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from './command.ts';
import { renderWarnings } from './diagnostics.ts';
import { openConfig } from './open-config.ts';
import { printJson } from './print-json.ts';
import { renderTable } from './render-table.ts';
import { restingProviders } from './resting.ts';
import { findGateway, targetOf } from './running-gateway.ts';
import { count, duration, elapsed, paint, stateText } from './style.ts';
import type { Terminal } from './terminal.ts';

/** `signalbox status`: what runs, and whether it is what the files say. */
export const command: Command = defineCommand({
  words: ['status'],
  summary: 'show what runs: providers, names, key, config',
  details: ['Exit code 1 when no gateway runs. With --check 2 when the files say something else than what runs.'],
  options: {
    config: configOption,
    'state-dir': stateOption,
    check: { kind: 'flag', help: 'exit with 2 where the files differ from what runs' },
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox status', does: 'the gateway of ./config' },
    { line: 'signalbox status --json | jq .config', does: 'disk, applied, running as hashes' },
  ],
  async run({ options }, terminal) {
    const found = await findGateway(targetOf(options, terminal));
    const report = found.kind === 'running' ? await found.admin.status() : await atRest(options.config, terminal);
    if (options.json) printJson<'status'>(terminal, report);
    else for (const line of renderStatus(report, terminal)) terminal.out(line);
    if (found.kind === 'none') {
      if (!options.json) terminal.err(`\n${found.problem.fix}`);
      return exitCode.failed;
    }
    return options.check && isChanged(report) ? exitCode.differences : exitCode.done;
  },
});

function isChanged({ config }: StatusReport): boolean {
  return config.disk !== config.running;
}

/** What is known where no gateway runs: the files, and nothing of the providers. */
async function atRest(config: string | undefined, terminal: Terminal): Promise<StatusReport> {
  const opened = await openConfig(config, terminal, { lenient: true });
  const plan = opened.kind === 'opened' ? opened.compiled.value : undefined;
  const key = plan?.settings.server.masterKey;
  return {
    running: false,
    version: productVersion(),
    pid: null,
    address: null,
    since: null,
    config: {
      path: opened.kind === 'opened' ? opened.path : null,
      disk: plan?.hash ?? null,
      applied: null,
      running: null,
    },
    generation: null,
    providers: plan === undefined ? [] : restingProviders(plan),
    names: plan?.groups.filter((group) => group.listed).length ?? null,
    key: { needed: plan === undefined ? null : key !== undefined, fingerprint: null },
    activeRequests: 0,
    unwritten: [],
    warnings: opened.kind === 'opened' ? opened.compiled.diagnostics.map(describeDiagnostic) : [],
  };
}

function renderStatus(report: StatusReport, terminal: Terminal): string[] {
  const { config } = report;
  const state = report.running
    ? `${paint(terminal, 'green', 'running')} at ${report.address ?? 'an unknown address'}, process ${report.pid}, since ${report.since === null ? 'an unknown time' : elapsed(report.since)}`
    : paint(terminal, 'yellow', 'not running');
  const lines = [
    `gateway  ${state}`,
    `config   ${config.path ?? 'none: what was found on this machine'}${configState(report, terminal)}`,
    `names    ${report.names ?? 'unknown'}`,
    `key      ${keyWords(report)}`,
    ...(report.running ? [`active   ${count(report.activeRequests, 'request')}`] : []),
    ...report.unwritten.map(({ what, folder, since, why }) => {
      const text = `${what} cannot be written to ${folder}, since ${elapsed(since)}: ${why}`;
      return `disk     ${paint(terminal, 'red', text)}`;
    }),
  ];
  if (report.providers.length > 0) lines.push('', ...providerTable(report, terminal));
  const queues = report.providers.flatMap(queueLines);
  if (queues.length > 0) lines.push('', ...queues);
  return [...lines, ...renderWarnings(report.warnings, terminal)];
}

function keyWords({ key }: StatusReport): string {
  if (key.needed === null) return 'unknown';
  return key.needed ? 'needed' : 'none is set: this machine only';
}

function configState(report: StatusReport, terminal: Terminal): string {
  const { disk, running, path } = report.config;
  if (path === null) return '';
  if (disk === null) return paint(terminal, 'red', ' (on disk it does not compile: signalbox validate)');
  if (!report.running) return '';
  return disk === running
    ? ` (as on disk, ${running?.slice(0, 8)})`
    : paint(terminal, 'yellow', ` (on disk it has changed: start again to serve ${disk.slice(0, 8)})`);
}

function providerTable({ providers }: StatusReport, terminal: Terminal): string[] {
  return renderTable(
    ['provider', 'type', 'address', 'models', 'loaded', 'probe', 'state'],
    providers.map((one) => [
      one.name,
      one.type,
      one.address,
      String(one.models),
      loadedWords(one),
      one.latencyMs === null ? 'unknown' : duration(one.latencyMs),
      stateText(terminal, one.state, one.why),
    ]),
    terminal,
  );
}

/** Deployments for which requests wait: "ollama  loading gemma, 6 s of about 9 s, 2 waiting". */
function queueLines({ name, deployments }: ProviderStatus): string[] {
  return deployments.flatMap(({ model, queue }) => {
    if (queue === null || (queue.waiting === 0 && queue.loadingMs === null)) return [];
    const about = queue.loadingAboutMs === null ? '' : ` of about ${duration(queue.loadingAboutMs)}`;
    const what = queue.loadingMs === null ? model : `loading ${model}, ${duration(queue.loadingMs)}${about}`;
    const since =
      queue.loadingMs === null && queue.longestWaitMs !== null ? ` for ${duration(queue.longestWaitMs)}` : '';
    return [`${name}  ${what}, ${queue.waiting} waiting${since}`];
  });
}

/** Models that a provider has in memory: their names, or how many they are. */
function loadedWords(provider: ProviderStatus): string {
  const known = provider.deployments.filter((one) => one.loaded !== null);
  if (known.length === 0) return 'unknown';
  const loaded = known.filter((one) => one.loaded).map((one) => servedWords(one.model, servedModel(provider, one)));
  return loaded.length <= 2 ? loaded.join(', ') || 'none' : String(loaded.length);
}
