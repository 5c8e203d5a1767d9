import { existsSync, readFileSync } from 'node:fs';
import { diagnosticCatalogue } from '../../src/config/diagnostic-catalogue.ts';

const corpus = new URL('../../test/config/corpus/', import.meta.url);

/** Text of docs/reference/diagnostics.md: every finding about a configuration, with a picture of it. */
export function diagnosticsReference(): string {
  const codes = Object.entries(diagnosticCatalogue).sort(([a], [b]) => a.localeCompare(b));
  return `# Diagnostics

What \`signalbox validate\`, and every start, can find in a configuration.
An error stops a start. A warning does not; it is listed once at start and stays in \`signalbox status\`. A note is something to know.
All findings are told at once, at most one for one cause. \`--lenient\` turns the errors that are marked below into warnings.

This page is written by \`npm run reference\` from \`src/config/diagnostic-catalogue.ts\` and from the configurations in \`test/config/corpus\`.

${codes.map(([code, entry]) => section(code, entry)).join('\n')}`;
}

function section(code: string, { severity, lenient, meaning }: (typeof diagnosticCatalogue)['wrong-type']): string {
  const picture = new URL(`${code}/golden.txt`, corpus);
  const example = existsSync(picture) ? `\n\`\`\`text\n${readFileSync(picture, 'utf8').trimEnd()}\n\`\`\`\n` : '';
  return `## ${code}

*${severity}${lenient ? ', a warning with --lenient' : ''}.* ${meaning}
${example}`;
}
