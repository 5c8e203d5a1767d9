import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Range, RequestKind, ServerPace, Workload } from '../analysis/workload.ts';
import { checkShape } from '../config/check-shape.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import { createFindings, type Findings, keyOf } from '../config/findings.ts';
import { parseYaml } from '../config/parse-yaml.ts';
import type { ParsedFile } from '../config/parsed-file.ts';
import type { SourceFile } from '../config/source-file.ts';
import { nearest } from '../plan/nearest.ts';
import type { Plan } from '../plan/plan.ts';

/** A workload that was read, or what is wrong with it and where. */
export type ReadWorkload = { readonly kind: 'read'; readonly workload: Workload } | WrongWorkload;

export type WrongWorkload = {
  readonly kind: 'wrong';
  readonly message: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly SourceFile[];
};

/** Reads a workload file, which people know by a name, for a plan. */
export async function openWorkload(path: string, name: string, plan: Plan): Promise<ReadWorkload> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined
    ? wrong(`The workload ${name} cannot be read`)
    : readWorkload({ kind: 'other', path: name, text }, plan);
}

/**
 * Reads a workload: YAML (or JSON) with `requests` and `servers`, or JSONL with a request a line,
 * each at its own second.
 */
export function readWorkload(source: SourceFile, plan: Plan): ReadWorkload {
  if (/\.(jsonl|ndjson)$/.test(source.path)) return readLines(source.text, source.path);
  const findings = createFindings({ lenient: false });
  const parsed = parseYaml(source, findings);
  const shape = parsed.value === undefined ? undefined : checkShape(workloadShape, parsed, findings)?.shape;
  for (const name of Object.keys(shape?.servers ?? {})) checkServer(name, { parsed, plan }, findings);
  if (shape === undefined || findings.hasErrors())
    return {
      ...wrong(`The workload ${source.path} cannot be played`),
      diagnostics: findings.list(),
      sources: [source],
    };
  const servers = new Map(Object.entries(shape.servers).map(([server, pace]) => [server, toPace(pace)]));
  return { kind: 'read', workload: { requests: shape.requests.map((one) => toKind(one)), servers } };
}

function wrong(message: string): WrongWorkload {
  return { kind: 'wrong', message, diagnostics: [], sources: [] };
}

/** The pace of a server that the plan does not have would be the pace of nobody. */
function checkServer(
  name: string,
  { parsed, plan }: { readonly parsed: ParsedFile; readonly plan: Plan },
  findings: Findings,
): void {
  const known = new Set<string>([
    ...plan.providers.keys(),
    ...plan.deployments.map(({ provider, backendModel }) => `${provider}/${backendModel}`),
  ]);
  if (known.has(name)) return;
  const [near] = nearest(name, known, 1);
  const place = keyOf({ file: parsed, path: ['servers', name] });
  findings.add('unknown-provider', place, `The configuration has no provider or deployment "${name}"`, {
    found: name,
    nearest: near,
  });
}

function readLines(text: string, name: string): ReadWorkload {
  const requests: RequestKind[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const place = `${name}:${index + 1}`;
    try {
      const parsed = lineShape.safeParse(JSON.parse(line));
      if (!parsed.success) return wrong(`${place}: ${firstIssue(parsed.error)}`);
      requests.push(toKind({ ...parsed.data, count: 1, per_second: 1, start: parsed.data.at }));
    } catch {
      return wrong(`${place} is not JSON`);
    }
  }
  return { kind: 'read', workload: { requests, servers: new Map() } };
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'it cannot be understood';
  return `${issue.path.length === 0 ? 'the line' : issue.path.join('.')}: ${issue.message}`;
}

const wholeRange = z.union([
  z.number().int().nonnegative(),
  z
    .tuple([z.number().int().nonnegative(), z.number().int().nonnegative()])
    .refine(([least, most]) => least <= most, 'the smaller number comes first'),
]);
const one = {
  model: z.string().optional(),
  prompt_tokens: wholeRange.default(100),
  output_tokens: wholeRange.default(200),
  max_tokens: z.number().int().positive().optional(),
  endpoint: z.enum(['chat', 'completions', 'embeddings']).default('chat'),
  stream: z.boolean().default(false),
  tools: z.boolean().default(false),
  vision: z.boolean().default(false),
  json_schema: z.boolean().default(false),
  batch_size: z.number().int().positive().default(1),
  tags: z.array(z.string()).default([]),
  headers: z.record(z.string(), z.string()).default({}),
};
const kindShape = z.strictObject({
  ...one,
  count: z.number().int().positive().max(1_000_000).default(1),
  per_second: z.number().positive().default(1),
  start: z.number().nonnegative().default(0),
});
const lineShape = z.strictObject({ ...one, at: z.number().nonnegative() });
const paceShape = z.strictObject({
  first_token_ms: z.number().nonnegative(),
  ms_per_token: z.number().nonnegative(),
  failures: z.number().min(0).max(1).default(0),
  down: z.array(z.tuple([z.number().nonnegative(), z.number().nonnegative()])).default([]),
});
const workloadShape = z.strictObject({
  requests: z.array(kindShape).min(1),
  servers: z.record(z.string(), paceShape).default({}),
});

function toKind(shape: z.infer<typeof kindShape>): RequestKind {
  return {
    model: shape.model,
    count: shape.count,
    perSecond: shape.per_second,
    start: shape.start,
    promptTokens: toRange(shape.prompt_tokens),
    outputTokens: toRange(shape.output_tokens),
    maxOutputTokens: shape.max_tokens,
    endpoint: shape.endpoint,
    stream: shape.stream,
    needs: { tools: shape.tools, vision: shape.vision, jsonSchema: shape.json_schema },
    batchSize: shape.batch_size,
    tags: shape.tags,
    headers: new Map(Object.entries(shape.headers).map(([name, value]) => [name.toLowerCase(), value])),
  };
}

function toRange(written: number | [number, number]): Range {
  return typeof written === 'number' ? [written, written] : written;
}

function toPace(shape: z.infer<typeof paceShape>): ServerPace {
  return {
    firstTokenMs: shape.first_token_ms,
    msPerToken: shape.ms_per_token,
    failures: shape.failures,
    down: shape.down,
  };
}
