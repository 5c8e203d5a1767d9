import type { StartReport } from '../contract/start-report.ts';
import { renderWarnings } from './diagnostics.ts';
import { renderTable } from './render-table.ts';
import { paint, stateText } from './style.ts';
import type { Terminal } from './terminal.ts';

/** What a person wants to know when the gateway has started, and no more. */
export function renderStart(report: StartReport, terminal: Pick<Terminal, 'colour' | 'columns'>): string[] {
  const isOwn = /^(?:127\.|::1$)/.test(report.host);
  const lines = [
    `${paint(terminal, 'bold', 'Signalbox')} serves ${paint(terminal, 'cyan', `${report.address}/v1`)}${isOwn ? '' : `, for other machines too (${report.host})`}`,
    '',
  ];
  lines.push(`  config  ${originText(report)}`);
  lines.push(`  names   ${namesText(report)}`);
  lines.push(`  key     ${keyText(report)}`);
  lines.push(`  log     ${report.logFile ?? 'the journal'}`);
  if (report.config.kind !== 'echo') lines.push('', ...providerLines(report, terminal));
  lines.push(...tryLines(report));
  return [...lines, ...renderWarnings(report.warnings, terminal)];
}

function originText({ config }: StartReport): string {
  switch (config.kind) {
    case 'folder':
    case 'file':
      return config.path;
    case 'discovered':
      return 'none: what was found on this machine (signalbox init writes it down)';
    case 'echo':
      return `none${config.looked ? ', and no model server was found' : ''}: a built-in echo answers with your own words`;
  }
}

function namesText({ names }: StartReport): string {
  return names === 0 ? 'none yet: they come from what the providers list' : String(names);
}

function keyText({ key }: StartReport): string {
  if (!key.needed) return 'none is set: this machine only';
  return `needed${key.variable === null ? '' : ` (${key.variable})`}`;
}

function providerLines(report: StartReport, terminal: Pick<Terminal, 'colour' | 'columns'>): string[] {
  const rows = report.providers.map((provider) => [
    `  ${provider.name}`,
    provider.type,
    provider.address,
    String(provider.models),
    stateText(terminal, provider.state, provider.why),
  ]);
  return rows.length === 0 ? [] : renderTable(['  provider', 'type', 'address', 'models', 'state'], rows, terminal);
}

function tryLines(report: StartReport): string[] {
  if (report.firstName === null) return [];
  const key = report.key.needed ? ` -H "Authorization: Bearer $${report.key.variable ?? 'KEY'}"` : '';
  const body = JSON.stringify({ model: report.firstName, messages: [{ role: 'user', content: 'Hello' }] });
  return ['', '  try it:', `  curl ${report.address}/v1/chat/completions${key} -d '${body}'`];
}
