import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { realFolder } from './servers.ts';

/** Real things that a test may need, and the file that proves them installed. */
const proofs = {
  llama: 'llama.version',
  gemma: 'gemma.version',
  ollama: 'ollama.version',
  litellm: 'litellm.version',
  openai: 'openai.version',
  redis: 'redis.version',
  shells: 'shells.version',
} as const;

/**
 * Describes tests that need real servers or clients. Where one is missing they are skipped with
 * the command that provides it; in CI a missing one is a failure.
 */
export function describeReal(title: string, needs: readonly (keyof typeof proofs)[], body: () => void): void {
  const missing = needs.filter((name) => !existsSync(join(realFolder, proofs[name])));
  if (missing.length === 0) {
    describe(title, body);
    return;
  }
  const hint = `test/real/install.sh ${missing.join(' ')}`;
  if (process.env['CI'] === 'true') {
    describe(title, () => {
      test('the real servers are installed', () => {
        throw new Error(`Missing in CI: run ${hint}`);
      });
    });
    return;
  }
  // The reason stands in the title, where a person sees it.
  describe.skip(`${title} (to run it: ${hint})`, body);
}
