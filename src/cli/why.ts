import { findDecision, recordedDecisions } from '../ops/recorded-requests.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from './command.ts';
import { renderDecision } from './decision-text.ts';
import { fail } from './fail.ts';
import { printJson } from './print-json.ts';
import { findGateway, targetOf } from './running-gateway.ts';

/** `signalbox why [REQUEST]`: a decision in plain lines. */
export const command: Command = defineCommand({
  words: ['why'],
  summary: 'explain how a request was routed',
  details: [
    'The id of a request stands in its answer as x-request-id, and in its line of the log.',
    'Decisions are read from the running gateway, else from the state folder, which keeps the last ten thousand.',
  ],
  arguments: [{ name: 'REQUEST', help: 'the id of a request, or "last" (default)', required: false }],
  options: {
    config: configOption,
    'state-dir': stateOption,
    all: { kind: 'flag', help: 'every candidate with its verdict and numbers' },
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox why', does: 'the last request' },
    { line: 'signalbox why --all', does: 'with every candidate and its numbers' },
    { line: 'signalbox why 3f2c9a7e', does: 'one request; the beginning of its id is enough' },
  ],
  async run({ options, arguments: [id = 'last'] }, terminal) {
    const target = targetOf(options, terminal);
    const found = await findGateway(target);
    const running = found.kind === 'running' ? found.admin : undefined;
    // What was before the last restart stands in the state folder.
    const record = (await running?.decision(id)) ?? findDecision(await recordedDecisions(target, running), id);
    if (record === undefined) {
      if (found.kind === 'none') return fail(found.problem, terminal, options);
      const none = {
        kind: 'nothing_found',
        message: 'No request has been routed yet',
        fix: 'signalbox ask NAME "Hello"',
      } as const;
      const lost = {
        kind: 'unknown',
        message: `No decision is kept of the request "${id}"`,
        fix: 'signalbox why last',
      } as const;
      return fail(id === 'last' ? none : lost, terminal, options);
    }
    if (options.json) printJson<'why'>(terminal, record);
    else for (const line of renderDecision(record, terminal, { candidates: options.all })) terminal.out(line);
    return exitCode.done;
  },
});
