import type { FailureMeaning } from '../../src/plan/failure.ts';
import { failureCatalogue } from '../../src/plan/failure-catalogue.ts';

/** Who has to act, in words. */
const actors: Readonly<Record<FailureMeaning['blame'], string>> = {
  client: 'whoever sent the request',
  us: 'whoever runs the gateway',
  upstream: 'whoever runs the model server',
  configuration: 'whoever writes the configuration',
};

/** Text of docs/reference/errors.md: every failure of the catalogue, with what it means and what to do. */
export function errorsReference(): string {
  const kinds = Object.entries(failureCatalogue).sort(([a], [b]) => a.localeCompare(b));
  return `# Errors

Every error answer of the gateway has OpenAI's form: \`{"error": {"message", "type", "param", "code"}}\`.
Logs, metrics and decision records name the failure itself, which is the heading here; \`code\` is what a client sees.
"Another attempt" says whether the gateway tries another deployment before it gives up; "counts" says whether the failure counts towards the deployment's cooldown.
"Client may retry" is told to clients in \`x-should-retry\`, as \`true\` only beside a Retry-After, since the gateway has tried again itself.
A refused request keeps the status and the code that its model server gave it.
In a stream that has begun, the error object comes as an event without \`choices\`, and no \`[DONE]\` follows.

This page is written by \`npm run reference\` from \`src/plan/failure-catalogue.ts\`.

${kinds.map(([kind, meaning]) => section(kind, meaning)).join('\n')}`;
}

function section(kind: string, { status, type, code, blame, meaning, ...does }: FailureMeaning): string {
  return `## ${kind}

${meaning}.

| status | type | code | who acts | another attempt | counts | client may retry | log level |
|---|---|---|---|---|---|---|---|
| ${status} | \`${type}\` | \`${code}\` | ${actors[blame]} | ${yes(does.goesOn)} | ${yes(does.countsAgainst)} | ${yes(does.clientMayRetry)} | ${does.level} |
`;
}

function yes(value: boolean): string {
  return value ? 'yes' : 'no';
}
