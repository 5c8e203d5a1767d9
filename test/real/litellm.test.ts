import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compile } from '../../src/config/compile.ts';
import { generate } from '../../src/config/generate.ts';
import { readSources } from '../../src/config/read-sources.ts';
import { startProduct } from '../support/product.ts';
import { describeReal } from './real.ts';
import { startLitellm } from './servers.ts';

const configurations = [
  '../support/runbook-config',
  '../config/fixtures/predecessor/config',
  '../config/fixtures/older/config',
];
const key = 'sk-0123456789abcdef0123456789abcdef';
const environment = { OLLAMA_API_KEY: 'sk-cloud-0123456789', LITELLM_MASTER_KEY: key };

type Listing = { readonly data: readonly { readonly id: string }[] };

async function namesAt(url: string, headers: Record<string, string>): Promise<readonly string[]> {
  const answer = await fetch(`${url}/v1/models`, { headers });
  // What both document as the form of a list of models.
  return ((await answer.json()) as Listing).data.map((one) => one.id).sort();
}

describeReal('spine 2.4: the generated file in the real LiteLLM', ['litellm'], () => {
  test.each(configurations)(
    '%s loads without a word of complaint, and lists the names that this gateway lists',
    async (path) => {
      const read = await readSources(fileURLToPath(new URL(path, import.meta.url)));
      if (read.kind === 'missing') throw new Error(read.message);
      const options = { environment, lenient: false };
      const { value: text = '' } = generate(read.files, options);
      const folder = mkdtempSync(join(tmpdir(), 'signalbox-litellm-'));
      const file = join(folder, 'litellm-unified.yaml');
      writeFileSync(file, text);
      const litellm = await startLitellm(file, key);
      const product = await startProduct({
        files: { 'litellm-unified.yaml': text },
        args: ['--config', 'litellm-unified.yaml'],
        environment,
      });
      try {
        const theirs = await namesAt(litellm.url, { authorization: `Bearer ${key}` });
        expect(litellm.log()).not.toContain('Error creating deployment');
        expect(await namesAt(product.url, { authorization: `Bearer ${key}` })).toEqual(theirs);
        const plan = compile(read.files, options).value;
        const listed = plan?.groups.filter((group) => group.listed).map((group): string => group.name) ?? [];
        const aliases = [...(plan?.names ?? [])].flatMap(([name, target]) =>
          target.kind === 'alias' && !target.hidden ? [name] : [],
        );
        expect([...listed, ...aliases].sort()).toEqual(theirs);
      } finally {
        await Promise.all([litellm.stop(), product.stop()]);
        rmSync(folder, { recursive: true, force: true });
      }
    },
    240_000,
  );
});
