/**
 * The import directions of import-rules.mjs, held by dependency-cruiser. It says nothing where it
 * cannot read a file, so it also has to have seen every file of src. Without an argument it looks
 * at this project, else at the folder that is named.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import rules from '../import-rules.mjs';

const root = join(import.meta.dirname, '..');
const folder = process.argv[2] ?? root;

/** What dependency-cruiser tells, as far as it is read here. */
type Cruised = {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
};

const { modules, summary } = cruise();
const seen = new Set(modules.map(({ source }) => source));
const unseen = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
  .map((path) => join('src', path))
  .filter((path) => path.endsWith('.ts') && !seen.has(path));
for (const path of unseen) process.stdout.write(`unseen: ${path} was not looked at\n`);
// The form of dependency-cruiser's own configuration.
const { forbidden } = rules as { readonly forbidden: readonly { readonly name: string; readonly comment: string }[] };
for (const { from, to, rule } of summary.violations) {
  const sentence = forbidden.find(({ name }) => name === rule.name)?.comment ?? '';
  process.stdout.write(`${rule.name}: ${from} → ${to}\n  ${sentence}\n`);
}
process.exitCode = unseen.length + summary.violations.length === 0 ? 0 : 1;

function cruise(): Cruised {
  const program = join(root, 'node_modules/.bin/depcruise');
  const words = ['--config', join(root, 'import-rules.mjs'), '--output-type', 'json', 'src'];
  const { stdout, stderr } = spawnSync(program, words, { cwd: folder, encoding: 'utf8', maxBuffer: 1024 ** 3 });
  try {
    // Its JSON has this form; the parts that are read are checked by using them.
    return JSON.parse(stdout) as Cruised;
  } catch {
    throw new Error(`dependency-cruiser told nothing: ${stderr}`);
  }
}
