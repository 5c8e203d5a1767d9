import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from '../command.ts';
import { fail } from '../fail.ts';
import { printJson } from '../print-json.ts';
import { findGateway, targetOf } from '../running-gateway.ts';
import { count } from '../style.ts';
import { suggestName } from '../suggest-name.ts';

/** `signalbox cache flush`: removes what the cache holds. */
export const command: Command = defineCommand({
  words: ['cache', 'flush'],
  summary: 'remove answers from the response cache',
  details: [
    'Removes what the store holds in the gateway’s namespace, also what other gateways of that namespace put there.',
  ],
  options: {
    config: configOption,
    'state-dir': stateOption,
    model: { kind: 'text', value: 'NAME', help: 'only answers to requests for this name (default: all)' },
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox cache flush --model fast', does: 'answers to one name' },
    { line: 'signalbox cache flush', does: 'all of them' },
  ],
  async run({ options }, terminal) {
    const found = await findGateway(targetOf(options, terminal));
    if (found.kind === 'none') return fail(found.problem, terminal, options);
    const flushed = await found.admin.flushCache(options.model);
    if (flushed === undefined)
      return fail(
        { kind: 'nothing_found', message: 'No cache is configured', fix: 'Set litellm_settings.cache to true' },
        terminal,
        options,
      );
    if ('problem' in flushed)
      return fail(
        { kind: 'failed', message: `The cache cannot be emptied: ${flushed.problem}`, fix: 'signalbox cache stats' },
        terminal,
        options,
      );
    if (options.json) printJson<'cache flush'>(terminal, flushed);
    else {
      terminal.out(`${count(flushed.removed, 'answer')} removed`);
      if (flushed.removed === 0 && options.model !== undefined)
        suggestName(options.model, await found.admin.models(), terminal);
    }
    return exitCode.done;
  },
});
