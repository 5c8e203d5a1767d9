import { readFileSync } from 'node:fs';

const contract = new URL('../../src/contract/', import.meta.url);

/** Verbs and the file of the contract that their `--json` is typed by. */
const shapes: readonly (readonly [verb: string, file: string, type: string])[] = [
  ['up', 'start-report', 'StartReport'],
  ['status', 'status', 'StatusReport'],
  ['discover', 'discovered', 'DiscoverReport'],
  ['doctor', 'doctor-report', 'DoctorReport'],
  ['why [REQUEST]', 'decision-record', 'DecisionRecord'],
  ['route explain NAME', 'decision-record', 'DecisionRecord, with assumedReady: boolean'],
  ['provider show NAME', 'status', 'ProviderStatus'],
  ['provider list', 'status', '{running: boolean, providers: ProviderStatus[]}'],
  ['provider probe URL', 'url-report', 'UrlReport'],
  ['model list', 'name-report', '{running: boolean, names: NameReport[]}'],
  ['config show [KEY]', 'setting-report', '{settings: SettingReport[]}'],
  ['validate', 'status', '{diagnostics: DiagnosticReport[]}'],
];

/** Text of docs/reference/json.md: what `--json` prints, by the types that the code is checked with. */
export function jsonReference(): string {
  const files = [...new Set(shapes.map(([, file]) => file))];
  return `# JSON shapes

What commands print with \`--json\`: one object on one line. Shapes change by adding fields only.
Unknown is \`null\`, never zero. Times are ISO 8601 in UTC. No secret stands in any of them.
Where a command fails, it prints \`{"error": ...}\` and its exit code says so.

| command | prints |
| --- | --- |
${shapes.map(([verb, , type]) => `| \`signalbox ${verb}\` | \`${type}\` |`).join('\n')}

This page is written by \`npm run reference\` from \`src/contract\`.

${files.map((file) => `## ${file}.ts\n\n\`\`\`ts\n${readFileSync(new URL(`${file}.ts`, contract), 'utf8').trimEnd()}\n\`\`\`\n`).join('\n')}`;
}
