import { type Findings, inside, keyOf, type Place, quietFindings } from './findings.ts';
import type { ParsedFile } from './parsed-file.ts';
import { sectionNames } from './shape-mappings.ts';
import type {
  CapabilityShape,
  ChainShape,
  DescribedStrategyShape,
  ExactShape,
  MappingsShape,
  PatternShape,
  PoolShape,
  RulesShape,
  SectionsShape,
  SpecialCasesShape,
} from './written-mappings.ts';

/** One named entry of a section, with its place. */
export type Declaration<Shape> = { readonly name: string; readonly shape: Shape; readonly at: Place };

/** model-mappings.yaml with one word for each section: old names and wrappings are undone here. */
export type Declarations = {
  readonly exact: ReadonlyMap<string, Declaration<ExactShape>>;
  readonly pools: ReadonlyMap<string, Declaration<PoolShape>>;
  readonly capabilities: ReadonlyMap<string, Declaration<CapabilityShape>>;
  readonly chains: ReadonlyMap<string, Declaration<ChainShape>>;
  readonly aliases: ReadonlyMap<string, Declaration<string>>;
  readonly strategies: ReadonlyMap<string, Declaration<DescribedStrategyShape>>;
  readonly patterns: readonly Declaration<PatternShape>[];
  readonly rules: { readonly shape: RulesShape; readonly at: Place };
  readonly specialCases: SpecialCasesShape;
};

/** Gathers the sections of a checked file. A name that two spellings of one section both declare is told. */
export function gatherDeclarations(shape: MappingsShape, file: ParsedFile, findings: Findings): Declarations {
  const root: Place = { file, path: [] };
  const { routes, ...own } = shape;
  const blocks: readonly Block[] = [
    { sections: own, at: root },
    ...(routes === undefined ? [] : [{ sections: routes, at: inside(root, 'routes') }]),
  ];
  const named = <Shape>(...keys: readonly (keyof SectionsShape)[]): ReadonlyMap<string, Declaration<Shape>> =>
    gatherNamed<Shape>(blocks, keys, findings);
  const exact = new Map(named<ExactShape>('exact_matches'));
  for (const one of entriesUnderRoutes(routes, inside(root, 'routes'))) addOnce(exact, one, findings);
  return {
    exact,
    pools: named<PoolShape>('load_balancing', 'redundant_models'),
    capabilities: named<CapabilityShape>('capabilities'),
    chains: named<ChainShape>('fallback_chains'),
    aliases: named<string>('model_aliases'),
    strategies: named<DescribedStrategyShape>('custom_strategies', 'routing_strategies'),
    patterns: blocks.flatMap((block) =>
      (['patterns', 'pattern_matches'] as const).flatMap((key) => patternsOf(block, key)),
    ),
    rules: firstOf(blocks, 'routing_rules') ?? { shape: {}, at: inside(root, 'routing_rules') },
    specialCases: firstOf(blocks, 'special_cases')?.shape ?? {},
  };
}

/** The declarations of a configuration without model-mappings.yaml: every model of every provider is a name. */
export function noDeclarations(): Declarations {
  const span = { file: 'model-mappings.yaml', line: 1, column: 1, endLine: 1, endColumn: 1 };
  const file: ParsedFile = {
    source: { kind: 'model-mappings', path: span.file, text: '' },
    value: {},
    spanOf: () => span,
  };
  return gatherDeclarations({}, file, quietFindings);
}

type Block = { readonly sections: Partial<SectionsShape>; readonly at: Place };

function gatherNamed<Shape>(
  blocks: readonly Block[],
  keys: readonly (keyof SectionsShape)[],
  findings: Findings,
): ReadonlyMap<string, Declaration<Shape>> {
  const found = new Map<string, Declaration<Shape>>();
  for (const { sections, at } of blocks) {
    for (const key of keys) {
      // Each key of the callers belongs to a section whose entries have that shape.
      for (const [name, shape] of Object.entries((sections[key] ?? {}) as Readonly<Record<string, Shape>>))
        addOnce(found, { name, shape, at: inside(at, key, name) }, findings);
    }
  }
  return found;
}

function addOnce<Shape>(found: Map<string, Declaration<Shape>>, one: Declaration<Shape>, findings: Findings): void {
  const first = found.get(one.name);
  if (first === undefined) {
    found.set(one.name, one);
    return;
  }
  findings.add('duplicate-name', keyOf(one.at), `"${one.name}" is declared twice`, {
    found: one.name,
    related: [keyOf(first.at)],
    fix: 'Keep one of the two',
  });
}

function entriesUnderRoutes(routes: MappingsShape['routes'], at: Place): readonly Declaration<ExactShape>[] {
  // What is no section is an exact entry: the schema's catchall has proven it.
  return Object.entries(routes ?? {}).flatMap(([name, shape]) =>
    sectionNames.has(name) || shape === undefined ? [] : [{ name, shape: shape as ExactShape, at: inside(at, name) }],
  );
}

function firstOf<Key extends 'routing_rules' | 'special_cases'>(
  blocks: readonly Block[],
  key: Key,
): { readonly shape: NonNullable<SectionsShape[Key]>; readonly at: Place } | undefined {
  for (const { sections, at } of blocks) {
    const shape = sections[key];
    if (shape !== undefined) return { shape, at: inside(at, key) };
  }
  return undefined;
}

function patternsOf(
  { sections, at }: Block,
  key: 'patterns' | 'pattern_matches',
): readonly Declaration<PatternShape>[] {
  const shape = sections[key];
  if (shape === undefined) return [];
  if (Array.isArray(shape))
    return shape.map((one, index) => ({ name: one.pattern, shape: one, at: inside(at, key, index) }));
  return Object.entries(shape).map(([glob, entry]) => ({
    name: glob,
    shape: { pattern: fromGlob(glob), ...(typeof entry === 'string' ? { provider: entry } : entry) },
    at: inside(at, key, glob),
  }));
}

/** A glob as the regular expression that fits the same names. */
function fromGlob(glob: string): string {
  const escaped = glob.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return `^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`;
}
