import { commands } from '../../src/cli/commands.ts';
import { renderHelp } from '../../src/cli/help.ts';

/** Text of docs/reference/cli.md: every verb with its help. */
export async function cliReference(): Promise<string> {
  const verbs = await Promise.all(commands.map((entry) => entry.load()));
  return `# Commands

Noun, then verb. Every command has \`--help\`, and most have \`--json\`, whose shapes stand in [json.md](json.md).
In a clone, \`node bin/signalbox.js\` is \`signalbox\`.

| exit code | means |
| --- | --- |
| 0 | done, or no difference |
| 1 | failed, or refused |
| 2 | differences were found (\`generate --check\`, \`status --check\`) |
| 64 | wrong usage |

Colours are left out where nobody watches, and where \`NO_COLOR\` is set.

This page is written by \`npm run reference\` from the commands themselves.

${verbs.map((verb) => `## ${verb.words.join(' ')}\n\n\`\`\`text\n${renderHelp(verb)}\n\`\`\`\n`).join('\n')}`;
}
