import { readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { generate } from '../config/generate.ts';
import { findConfig, generatedName, readSources } from '../config/read-sources.ts';
import { describeDiagnostic } from '../ops/describe-diagnostic.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, lenientOption } from './command.ts';
import { countDiagnostics, renderDiagnostics } from './diagnostics.ts';

/** `signalbox generate`: writes the file that LiteLLM and this gateway both start from. */
export const command: Command = defineCommand({
  words: ['generate'],
  summary: 'write config/litellm-unified.yaml from the sources',
  details: ['The same sources always give the same file. Exit code 2 with --check where it would change.'],
  options: {
    config: configOption,
    check: { kind: 'flag', help: 'write nothing; say whether the file is what the sources give' },
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
      if (options.json) terminal.out(JSON.stringify({ error: message }));
      else terminal.err(message);
      return exitCode.failed;
    }
    const { value, diagnostics } = generate(read.files, {
      environment: terminal.environment,
      lenient: options.lenient,
    });
    if (value === undefined) {
      const errors = diagnostics.filter((one) => one.severity === 'error');
      if (options.json) terminal.out(JSON.stringify({ diagnostics: diagnostics.map(describeDiagnostic) }));
      for (const line of options.json ? [] : renderDiagnostics(errors, read.files, terminal)) terminal.err(line);
      terminal.err(`Nothing is written: ${countDiagnostics(diagnostics)}`);
      return exitCode.failed;
    }
    const path = join(target, generatedName);
    const before = await readFile(path, 'utf8').catch(() => undefined);
    const isSame = before === value;
    // A file that is half written is never seen: it is made beside its place and then put there.
    if (!isSame && !options.check) {
      await writeFile(`${path}.new`, value);
      await rename(`${path}.new`, path);
    }
    if (options.json) terminal.out(JSON.stringify({ path, changed: !isSame, written: !isSame && !options.check }));
    else
      terminal.out(
        isSame
          ? `${path} is up to date`
          : options.check
            ? `${path} is not what the sources give: run signalbox generate`
            : `${path} is written`,
      );
    return options.check && !isSame ? exitCode.differences : exitCode.done;
  },
});
