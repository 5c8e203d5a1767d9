import { randomBytes } from 'node:crypto';
import { type Command, defineCommand, exitCode, jsonOption } from '../command.ts';
import { printJson } from '../print-json.ts';

/** `signalbox key generate`: a master key of 128 random bits in LiteLLM's form. */
export const command: Command = defineCommand({
  words: ['key', 'generate'],
  summary: 'make a strong master key',
  details: [
    'Prints LITELLM_MASTER_KEY=sk-… for an environment file; nothing is stored.',
    'The gateway takes the key from that variable, or from general_settings.master_key.',
  ],
  options: {
    bare: { kind: 'flag', help: 'print the key alone' },
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox key generate', does: 'a line for an environment file' },
    { line: 'export LITELLM_MASTER_KEY=$(signalbox key generate --bare)', does: 'the key for this shell' },
  ],
  async run({ options }, terminal) {
    const key = `sk-${randomBytes(16).toString('hex')}`;
    if (options.json) printJson<'key generate'>(terminal, { key, variable: 'LITELLM_MASTER_KEY' });
    else terminal.out(options.bare ? key : `LITELLM_MASTER_KEY=${key}`);
    return exitCode.done;
  },
});
