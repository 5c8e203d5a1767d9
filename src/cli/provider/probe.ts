import type { UrlReport } from '../../contract/url-report.ts';
import { createProbing } from '../../main.ts';
import { probeUrl } from '../../ops/probe-url.ts';
import { seconds } from '../../plan/ids.ts';
import { revealSecret } from '../../plan/secret.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption } from '../command.ts';
import { fail } from '../fail.ts';
import { openSystem } from '../open-system.ts';
import { printJson } from '../print-json.ts';
import { renderTable } from '../render-table.ts';
import { duration, paint } from '../style.ts';
import type { Terminal } from '../terminal.ts';

/** `signalbox provider probe URL`: what answers there, or precisely why nothing does. */
export const command: Command = defineCommand({
  words: ['provider', 'probe'],
  summary: 'find out what answers at a URL',
  details: [
    'It asks for lists and versions only: no model is run. Exit code 1 where the address cannot be used as it is.',
  ],
  arguments: [
    { name: 'URL', help: 'address of the server, with or without /v1, or a provider of the config', required: true },
  ],
  options: {
    config: configOption,
    'key-env': { kind: 'text', value: 'NAME', help: 'variable that holds the key to try' },
    timeout: { kind: 'number', value: 'SECONDS', help: 'how long to wait (default: 5)' },
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox provider probe http://127.0.0.1:11434', does: 'its family, version and models' },
    { line: 'signalbox provider probe ollama_cloud', does: 'a provider of the config, with its key' },
    { line: 'signalbox provider probe https://api.openai.com --key-env OPENAI_API_KEY', does: 'with a key' },
  ],
  async run({ options, arguments: [named = ''] }, terminal) {
    const variable = options['key-env'];
    const declared = await declaredAt(named, options, terminal);
    const url = declared?.url ?? named;
    const key = variable === undefined ? declared?.key : terminal.environment[variable];
    if (variable !== undefined && key === undefined)
      return fail(
        { kind: 'secret', message: `The variable ${variable} is not set`, fix: `export ${variable}=…` },
        terminal,
        options,
      );
    terminal.progress(`asking ${url} …`);
    const report = await probeUrl(url, createProbing(), { key, timeoutMs: seconds(options.timeout ?? 5) });
    terminal.progress(undefined);
    if (options.json) printJson<'provider probe'>(terminal, report);
    else for (const line of renderReport(report, terminal)) terminal.out(line);
    return report.problem === null ? exitCode.done : exitCode.failed;
  },
});

/** Address and key of a provider that the system has; undefined where it is none of these. */
async function declaredAt(
  name: string,
  options: { readonly config: string | undefined },
  terminal: Terminal,
): Promise<{ readonly url: string; readonly key: string | undefined } | undefined> {
  if (/[.:/]/.test(name)) return undefined;
  const opened = await openSystem(options, terminal, { lenient: true });
  if (opened.kind === 'none') return undefined;
  const provider = [...opened.plan.providers.values()].find((one) => one.id === name);
  if (provider === undefined) return undefined;
  const { credential, baseUrl } = provider;
  const key = credential.kind === 'none' ? undefined : revealSecret(credential.secret, opened.compiled.environment);
  return { url: baseUrl, key };
}

const keyWords: Readonly<Record<UrlReport['key'], string>> = {
  no: 'not needed',
  yes: 'needed',
  accepted: 'needed, and the given one is taken',
  refused: 'needed, and the given one is refused',
  unknown: 'unknown',
};

function renderReport(report: UrlReport, terminal: Terminal): string[] {
  const lines = [
    `${report.url}  ${report.reachable ? paint(terminal, 'green', 'answers') : paint(terminal, 'red', 'does not answer')}`,
    ...(report.reachable
      ? [
          `  type     ${report.type ?? 'unknown'}${report.version === null ? '' : ` ${report.version}`}`,
          `  state    ${report.state}`,
          `  latency  ${duration(report.latencyMs)}`,
          `  key      ${keyWords[report.key]}`,
        ]
      : []),
  ];
  if (report.models.length > 0) {
    const rows = report.models.map((one) => [
      `  ${one.id}`,
      one.kind ?? 'unknown',
      one.parameterSize ?? 'unknown',
      one.context === null ? 'unknown' : String(one.context),
    ]);
    lines.push('', ...renderTable(['  model', 'kind', 'size', 'context'], rows, terminal));
  }
  if (report.problem !== null) {
    lines.push(
      '',
      paint(terminal, 'red', report.problem.message),
      `  ${paint(terminal, 'green', 'fix')}: ${report.problem.fix}`,
    );
  } else if (report.type !== null) {
    lines.push(
      '',
      paint(terminal, 'dim', '# for config/providers.yaml'),
      `  my-${report.type.replaceAll('_', '-')}:`,
      `    type: ${report.type}`,
      `    base_url: ${report.baseUrl ?? report.url}`,
    );
  }
  return lines;
}
