import type { DrainReport } from '../../contract/drain-report.ts';
import type { AdminClient } from '../../ops/admin-client.ts';
import { waitForDrain } from '../../ops/wait-for-drain.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from '../command.ts';
import { fail, unknownName } from '../fail.ts';
import { printJson } from '../print-json.ts';
import { findGateway, targetOf } from '../running-gateway.ts';
import { count, paint, stateText } from '../style.ts';
import type { Terminal } from '../terminal.ts';

/** `signalbox provider drain NAME`: empties a provider, so that its server can be worked on. */
export const command: Command = defineCommand({
  words: ['provider', 'drain'],
  summary: 'keep new requests from a provider, and let running ones finish',
  details: [
    'Its names are answered by what else serves them. Requests that wait for it go on elsewhere.',
    'No file changes: it lasts until --undo, also over a reload, or until the gateway ends.',
    'With --wait, exit code 1 where requests still run after the time of --timeout; it stays draining.',
  ],
  arguments: [{ name: 'NAME', help: 'the provider, as providers.yaml names it', required: true }],
  options: {
    config: configOption,
    'state-dir': stateOption,
    undo: { kind: 'flag', help: 'take it back into service' },
    wait: { kind: 'flag', help: 'end when nothing runs there any more' },
    timeout: { kind: 'number', value: 'SECONDS', help: 'how long to wait (default: as long as it takes)' },
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox provider drain ollama --wait && systemctl restart ollama', does: 'restart a server, empty' },
    { line: 'signalbox provider drain ollama --undo', does: 'give it requests again' },
  ],
  async run({ options, arguments: [name = ''] }, terminal) {
    const { undo, wait, timeout } = options;
    if ((undo && wait) || (timeout !== undefined && !wait))
      return fail(
        { kind: 'usage', message: '--wait goes without --undo, and --timeout with --wait' },
        terminal,
        options,
      );
    const found = await findGateway(targetOf(options, terminal));
    if (found.kind === 'none') return fail(found.problem, terminal, options);
    const { admin } = found;
    const changed = await (undo ? admin.endDrain(name) : admin.beginDrain(name));
    if (changed === undefined) return fail(unknownName('provider', name, await namesOf(admin)), terminal, options);
    if (!undo && !changed.draining) {
      const message = `${name} gets no request as it is: it is disabled, or has no models`;
      return fail({ kind: 'refused', message, fix: `signalbox provider show ${name}` }, terminal, options);
    }
    const report = wait ? await watch(admin, changed, { timeout, terminal }) : changed;
    if (options.json) printJson<'provider drain'>(terminal, report);
    else if (undo) terminal.out(`${name} takes requests: ${await stateOf(admin, name, terminal)}`);
    else sayDraining(report, wait, terminal);
    return wait && report.running > 0 ? exitCode.failed : exitCode.done;
  },
});

async function namesOf(admin: AdminClient): Promise<readonly string[]> {
  return (await admin.status()).providers.map((one) => one.name);
}

async function stateOf(admin: AdminClient, name: string, terminal: Terminal): Promise<string> {
  const provider = (await admin.status()).providers.find((one) => one.name === name);
  return provider === undefined ? 'unknown' : stateText(terminal, provider.state, provider.why);
}

async function watch(
  admin: AdminClient,
  begun: DrainReport,
  { timeout, terminal }: { readonly timeout: number | undefined; readonly terminal: Terminal },
): Promise<DrainReport> {
  const report = await waitForDrain(admin, begun, {
    limitMs: timeout === undefined ? Number.POSITIVE_INFINITY : timeout * 1000,
    onLook: ({ provider, running }) => terminal.progress(`${count(running, 'request')} still at ${provider} …`),
  });
  terminal.progress(undefined);
  return report;
}

function sayDraining({ provider, draining, running }: DrainReport, waited: boolean, terminal: Terminal): void {
  if (!draining) return terminal.out(`${provider} was taken back into service meanwhile`);
  const left = running === 0 ? 'nothing runs there any more' : `${count(running, 'request')} still there`;
  terminal.out(`${provider} gets no new request: ${left}`);
  if (running > 0 && !waited)
    terminal.err(hint(terminal, `wait for the end: signalbox provider drain ${provider} --wait`));
  terminal.err(hint(terminal, `undo: signalbox provider drain ${provider} --undo`));
}

function hint(terminal: Terminal, text: string): string {
  return `  ${paint(terminal, 'dim', text)}`;
}
