import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { generate, isLost } from '../config/generate.ts';
import { findConfig, generatedName, readSources } from '../config/read-sources.ts';
import { describeDiagnostic } from '../ops/describe-diagnostic.ts';
import { shown, shownPath } from '../ops/load-plan.ts';
import { replaceFile } from '../ops/replace-file.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, lenientOption } from './command.ts';
import { renderDiagnostics } from './diagnostics.ts';
import { fail } from './fail.ts';
import { printJson } from './print-json.ts';

/** `signalbox generate`: writes the file that LiteLLM and this gateway both start from. */
export const command: Command = defineCommand({
  words: ['generate'],
  summary: 'write config/litellm-unified.yaml from the sources',
  details: [
    'The same sources always give the same file. Exit code 2 with --check where it would change.',
    'Settings that were edited in the file stay. Where anything else was, nothing is written without --force.',
  ],
  options: {
    config: configOption,
    check: { kind: 'flag', help: 'write nothing; say whether the file is what the sources give' },
    force: { kind: 'flag', help: 'replace the file, though something stands there that no source has' },
    lenient: lenientOption,
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox generate', does: 'write ./config/litellm-unified.yaml' },
    { line: 'signalbox generate --check', does: 'for CI: 0 when it is up to date, 2 when not' },
  ],
  async run({ options }, terminal) {
    const target = resolve(terminal.folder, options.config ?? (await findConfig(terminal.folder)) ?? 'config');
    const read = await readSources(target);
    if (read.kind === 'missing' || !read.isFolder) {
      const message =
        read.kind === 'missing'
          ? read.message
          : `"${target}" is a file already; generate wants a folder with providers.yaml`;
      return fail({ kind: 'no_config', message, fix: 'signalbox init, or another --config' }, terminal, options);
    }
    const sources = shown(read.files, terminal.folder);
    const { value, diagnostics } = generate(sources, {
      environment: terminal.environment,
      lenient: options.lenient,
      overwrites: options.force || options.check,
    });
    if (value === undefined)
      return fail({ kind: 'config', message: 'Nothing is written', diagnostics, sources }, terminal, options);
    const path = join(target, generatedName);
    const name = shownPath(path, terminal.folder);
    const before = await readFile(path, 'utf8').catch(() => undefined);
    const isSame = before === value;
    if (!isSame && !options.check) await replaceFile(path, value);
    const lost = diagnostics.filter(isLost);
    if (options.json)
      printJson<'generate'>(terminal, {
        path,
        changed: !isSame,
        written: !isSame && !options.check,
        lost: lost.map(describeDiagnostic),
      });
    else {
      for (const line of renderDiagnostics(lost, sources, terminal)) terminal.err(line);
      terminal.out(
        isSame
          ? `${name} is up to date`
          : options.check
            ? `${name} is not what the sources give: run signalbox generate${lost.length > 0 ? ' --force' : ''}`
            : `${name} is written`,
      );
    }
    return options.check && !isSame ? exitCode.differences : exitCode.done;
  },
});
