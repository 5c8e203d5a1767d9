/**
 * `npm run build`: puts the package that is published together in dist/package. One bundled file
 * starts quickest, and what is bundled needs no dependencies of its own; the licences of what is in
 * it stand beside it. `npm run pack` makes the tarball of that folder.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..');
const target = join(root, 'dist', 'package');

rmSync(target, { recursive: true, force: true });
mkdirSync(join(target, 'dist'), { recursive: true });
const packages = await bundle();
declareTypes();
for (const path of ['bin', 'schemas', 'examples', 'LICENSE', 'README.md'])
  cpSync(join(root, path), join(target, path), { recursive: true });
writeFileSync(join(target, 'THIRD-PARTY.md'), licences(packages));
writeFileSync(join(target, 'package.json'), `${JSON.stringify(packedManifest(), null, 2)}\n`);
process.stdout.write(`${target} holds ${packages.length} bundled packages: ${packages.join(', ')}\n`);

/**
 * Bundles the command line and the gateway into one file, and the client of Redis, which few load,
 * into one beside it; the names of the packages that are in them.
 */
async function bundle(): Promise<readonly string[]> {
  const main =
    "export { main } from './src/cli/entry.ts';\nexport { start } from './src/main.ts';\nexport { StartRefused } from './src/ops/start-refused.ts';\n";
  const bundled = [
    await bundleFile('signalbox.js', main, [besideIt('ioredis')]),
    await bundleFile('ioredis.js', "export { Redis } from 'ioredis';\n", []),
  ];
  return [...new Set(bundled.flatMap(packagesIn))].sort();
}

async function bundleFile(name: string, contents: string, plugins: Plugin[]): Promise<Metafile> {
  const { metafile } = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    outfile: join(target, 'dist', name),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    plugins,
    // Some packages ask for Node's modules in the older way.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  return metafile;
}

/** Leaves a package to the file of its own that stands beside the bundle. */
function besideIt(name: string): Plugin {
  return {
    name: `${name} stands beside`,
    setup({ onResolve }) {
      onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: `./${name}.js`, external: true }));
    },
  };
}

function packagesIn({ inputs }: Metafile): readonly string[] {
  const names = Object.keys(inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** Types of what a program can import: starting a gateway within it. */
function declareTypes(): void {
  const project = join(root, 'dist', 'tsconfig.json');
  const options = {
    extends: '../tsconfig.json',
    compilerOptions: {
      noEmit: false,
      emitDeclarationOnly: true,
      declaration: true,
      allowImportingTsExtensions: false,
      rewriteRelativeImportExtensions: true,
      rootDir: '../src',
      outDir: 'package/dist/types',
    },
    include: [],
    files: ['../src/main.ts', '../src/ops/start-refused.ts'],
  };
  writeFileSync(project, JSON.stringify(options));
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', project], { stdio: 'inherit' });
  rmSync(project);
  writeFileSync(
    join(target, 'dist', 'types', 'index.d.ts'),
    "export { type LogOptions, type Running, start, type StartOptions } from './main.js';\nexport { StartRefused } from './ops/start-refused.js';\n",
  );
}

function licences(names: readonly string[]): string {
  return `# What is bundled in Signalbox\n\n${names.map(licence).join('\n')}`;
}

function licence(name: string): string {
  const folder = join(root, 'node_modules', name);
  // A manifest of an installed package has these.
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    version: string;
    license: string;
  };
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  const text = file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  return `## ${name} ${version}, ${license}\n${text}`;
}

/** The manifest without what only a clone needs: everything is bundled, and a person has a Node already. */
function packedManifest(): object {
  // What package.json of this project holds.
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  const {
    private: _private,
    scripts: _scripts,
    dependencies: _own,
    optionalDependencies: _node,
    devDependencies: _dev,
    ...rest
  } = own;
  return {
    ...rest,
    exports: {
      '.': { types: './dist/types/index.d.ts', default: './dist/signalbox.js' },
      './schemas/*': './schemas/*',
    },
  };
}
