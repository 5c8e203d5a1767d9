import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './temporary-folder.ts';

/** Writes the config under which the gateway is measured: a pool with weights, a chain, an alias; logs on. */
export function writeBenchConfig(upstream: number): string {
  const folder = join(temporaryFolder('bench-config'), 'config');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'providers.yaml'),
    `providers:
  first:
    type: openai_compatible
    base_url: http://127.0.0.1:${upstream}
    status: active
    description: The measured upstream
    models:
      - name: bench-backend
        context_length: 32768
  second:
    type: openai_compatible
    base_url: http://127.0.0.1:${upstream}
    status: active
    description: The same upstream under another name
    models:
      - name: bench-backend
        context_length: 32768
`,
  );
  writeFileSync(
    join(folder, 'model-mappings.yaml'),
    `load_balancing:
  bench:
    providers:
      - {provider: first, weight: 0.7, model: bench-backend}
      - {provider: second, weight: 0.3, model: bench-backend}
    strategy: weighted_round_robin
    description: The measured name
`,
  );
  return folder;
}
