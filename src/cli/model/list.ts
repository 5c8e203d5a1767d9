import type { NameReport } from '../../contract/name-report.ts';
import { listNames } from '../../ops/list-names.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from '../command.ts';
import { sayAtRest } from '../known-providers.ts';
import { openConfig } from '../open-config.ts';
import { findGateway, targetOf } from '../running-gateway.ts';
import { paintState, renderTable } from '../style.ts';
import type { Terminal } from '../terminal.ts';

/** `signalbox model list`: the names that clients can ask for, and who answers them. */
export const command: Command = defineCommand({
  words: ['model', 'list'],
  summary: 'list the names that clients can ask for',
  details: ['What a name stands for comes from the files; states come from the running gateway.'],
  options: {
    config: configOption,
    'state-dir': stateOption,
    provider: { kind: 'text', value: 'NAME', help: 'only names that this provider answers' },
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox model list', does: 'every name, with its members' },
    { line: 'signalbox model list --provider ollama', does: 'what one provider answers' },
  ],
  async run({ options }, terminal) {
    const opened = await openConfig(options.config, terminal, { lenient: true });
    const plan = opened.kind === 'opened' ? opened.compiled.value : undefined;
    if (plan === undefined) {
      const message =
        opened.kind === 'missing' ? opened.message : `${opened.path} does not compile: signalbox validate`;
      if (options.json) terminal.out(JSON.stringify({ error: message }));
      else terminal.err(message);
      return exitCode.failed;
    }
    const found = await findGateway(targetOf(options, terminal));
    const status = found.kind === 'running' ? await found.admin.status() : undefined;
    const names = listNames(plan, status).filter(
      (one) => options.provider === undefined || one.members.some((member) => member.provider === options.provider),
    );
    if (options.json) terminal.out(JSON.stringify({ running: status !== undefined, names }));
    else {
      for (const line of renderNames(names, terminal)) terminal.out(line);
      sayAtRest(status !== undefined, terminal);
    }
    return exitCode.done;
  },
});

function renderNames(names: readonly NameReport[], terminal: Terminal): string[] {
  if (names.length === 0) return ['No name is declared: signalbox init'];
  return renderTable(
    ['name', 'kind', 'strategy', 'state', 'answered by'],
    names.map((one) => [
      one.name,
      one.kind,
      one.members.length > 1 ? one.strategy : '',
      paintState(terminal, one.state),
      one.alias === null
        ? one.members.map((member) => `${member.provider}/${member.model}`).join(', ')
        : `as ${one.alias}`,
    ]),
  );
}
