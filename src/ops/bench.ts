import { timesVerdict } from '../analysis/compare.ts';
import { quantile } from '../analysis/quantile.ts';
import type { BenchComparison, BenchLoad, BenchReport, BenchSide } from '../contract/bench-report.ts';
import { estimateText } from '../wire/estimate-tokens.ts';
import { type AskResult, askModel } from './ask-model.ts';

/** What is measured, through a running gateway. */
export type BenchOptions = {
  readonly name: string;
  readonly url: string;
  readonly key: string | undefined;
  /** What each side asks for. Fallbacks are off: nobody answers who is not measured, or was not agreed to. */
  readonly sides: readonly string[];
  readonly load: BenchLoad;
  /** Price of a request by its id; null where it is not known. */
  readonly costOf: (id: string) => Promise<number | null>;
  readonly onProgress: (done: number, asked: string) => void;
  readonly now: () => number;
};

/** The load of a measurement; its prompt is built here, so that a report can state it. */
export function benchLoad(load: Omit<BenchLoad, 'prompt'>): BenchLoad {
  return { ...load, prompt: `${promptOf(load.promptTokens, 0).slice(0, 60)}…` };
}

/**
 * Measures the sides by turns, a batch of one after a batch of the other, so that what changes on the
 * machine meanwhile meets all of them, and none competes with another.
 */
export async function bench(options: BenchOptions): Promise<BenchReport> {
  const { load, sides, now } = options;
  const measured = sides.map((asked) => ({
    asked,
    warmUp: undefined as AskResult | undefined,
    wallMs: 0,
    results: [] as AskResult[],
  }));
  let number = 0;
  let done = 0;
  const ask = async (asked: string): Promise<AskResult> => {
    number++;
    const question = promptOf(load.promptTokens, number);
    const { url, key } = options;
    const result = await askModel({
      url,
      key,
      model: asked,
      question,
      system: undefined,
      maxTokens: load.maxTokens,
      alone: true,
      onText: () => {},
    });
    options.onProgress(++done, asked);
    return result;
  };
  for (const side of measured) side.warmUp = await ask(side.asked);
  for (let first = 0; first < load.requests; first += load.concurrency) {
    const size = Math.min(load.concurrency, load.requests - first);
    for (const side of measured) {
      const began = now();
      side.results.push(...(await Promise.all(Array.from({ length: size }, () => ask(side.asked)))));
      side.wallMs += now() - began;
    }
  }
  const described = await Promise.all(measured.map((side) => describeSide(side, options)));
  const [base, ...others] = described;
  return {
    name: options.name,
    time: new Date(now()).toISOString(),
    asked: load,
    sides: described,
    comparisons: base === undefined ? [] : others.map((one) => compareSides(base, one)),
  };
}

/** A report with its sides held against those of an earlier one, or why they cannot be. */
export function against(report: BenchReport, earlier: BenchReport): BenchReport {
  const comparisons = report.sides.flatMap((side) => {
    const before = earlier.sides.find((one) => one.asked === side.asked);
    return before === undefined ? [] : [compareSides(before, side, ` (${earlier.time.slice(0, 16)}Z)`)];
  });
  return { ...report, comparisons: [...report.comparisons, ...comparisons] };
}

/** What two measurements must have in common; the first that they have not, in words. */
export function unlike(load: BenchLoad, earlier: BenchLoad): string | undefined {
  const keys = {
    promptTokens: 'prompt tokens',
    maxTokens: 'max tokens',
    concurrency: 'requests at the same time',
  } as const;
  for (const key of ['promptTokens', 'maxTokens', 'concurrency'] as const)
    if (load[key] !== earlier[key])
      return `it was measured with ${earlier[key]} ${keys[key]}, and this is ${load[key]}`;
  return undefined;
}

function compareSides(before: BenchSide, after: BenchSide, when = ''): BenchComparison {
  const firstTokens = ({ samples }: BenchSide): readonly number[] => samples.flatMap((one) => one.firstTokenMs ?? []);
  const totals = ({ samples }: BenchSide): readonly number[] => samples.map((one) => one.totalMs);
  return {
    before: `${before.asked}${when}`,
    after: after.asked,
    firstToken: timesVerdict(firstTokens(before), firstTokens(after)),
    total: timesVerdict(totals(before), totals(after)),
  };
}

/** Fewer answers than this have no twentieth part. */
const leastForP95 = 20;

type Measured = {
  readonly asked: string;
  readonly warmUp: AskResult | undefined;
  readonly wallMs: number;
  readonly results: readonly AskResult[];
};

async function describeSide(
  { asked, warmUp, wallMs, results }: Measured,
  { costOf }: BenchOptions,
): Promise<BenchSide> {
  const good = results.filter((one) => one.error === null);
  const firstTokens = good.flatMap((one) => one.firstTokenMs ?? []);
  const totals = good.map((one) => one.totalMs);
  const p95 = (values: readonly number[]): number | null =>
    values.length < leastForP95 ? null : quantile(values, 0.95);
  const median = (pick: (one: AskResult) => number | null): number | null =>
    quantile(
      good.flatMap((one) => pick(one) ?? []),
      0.5,
    );
  const tokens = good.map((one) => one.completionTokens);
  const isCounted = tokens.length > 0 && !tokens.includes(null);
  const routes: Record<string, number> = {};
  for (const { route } of good) routes[route ?? 'unknown'] = (routes[route ?? 'unknown'] ?? 0) + 1;
  const costs = await Promise.all(
    [...results, ...(warmUp === undefined ? [] : [warmUp])].map((one) => (one.id === null ? null : costOf(one.id))),
  );
  return {
    asked,
    answered: good.length,
    failed: results.length - good.length,
    errors: [...new Set(results.flatMap((one) => one.error ?? []))],
    routes,
    warmUpMs: warmUp?.error === null ? warmUp.totalMs : null,
    firstTokenP50Ms: quantile(firstTokens, 0.5),
    firstTokenP95Ms: p95(firstTokens),
    totalP50Ms: quantile(totals, 0.5),
    totalP95Ms: p95(totals),
    tokensPerSecond: median((one) => one.tokensPerSecond),
    throughput:
      isCounted && wallMs > 0
        ? Math.round((tokens.reduce<number>((sum, one) => sum + (one ?? 0), 0) / wallMs) * 10_000) / 10
        : null,
    promptTokens: median((one) => one.promptTokens),
    completionTokens: median((one) => one.completionTokens),
    costUsd: costs.includes(null) ? null : costs.reduce<number>((sum, one) => sum + (one ?? 0), 0),
    samples: good.map(({ firstTokenMs, totalMs }) => ({ firstTokenMs, totalMs })),
  };
}

/** A prompt of about so many tokens that asks for a long answer. Its number comes first, so that no engine knows its beginning. */
function promptOf(tokens: number, number: number): string {
  const task = `Measurement ${number}. Count up from one in words, each number on a line of its own, and do not stop.`;
  const filler = ' The signal box at the junction sets a route for each train and locks those that would cross it.';
  const [own, each] = [tokensOf(task), tokensOf(filler)];
  return task + filler.repeat(Math.max(0, Math.round((tokens - own) / each)));
}

function tokensOf(text: string): number {
  const bytes = Buffer.from(text);
  return estimateText(bytes, 0, bytes.length).tokens;
}
