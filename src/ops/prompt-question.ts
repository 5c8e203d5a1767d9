import { readFile } from 'node:fs/promises';
import type { ExplainQuestion } from '../contract/explain.ts';
import { readAskedFallbacks } from '../wire/asked-fallbacks.ts';
import { asText } from '../wire/json-shape.ts';
import { readRequestNeeds } from '../wire/request-needs.ts';
import { memberValue, scanBody } from '../wire/scan-body.ts';

/** What a prompt adds to a question, or why it cannot be read. */
export type PromptQuestion =
  | { readonly kind: 'read'; readonly question: ExplainQuestion }
  | { readonly kind: 'wrong'; readonly message: string };

/** Reads a file with the words of a prompt, or with the body of a request, as the gateway would understand it. */
export async function readPrompt(path: string, name: string): Promise<PromptQuestion> {
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined) return { kind: 'wrong', message: `The prompt ${name} cannot be read` };
  const body = scanBody(bytes);
  if (body.kind === 'scanned' && promptFields.some((field) => body.scan.members.has(field)))
    return { kind: 'read', question: questionOf(bytes) };
  const messages = [{ role: 'user', content: bytes.toString('utf8') }];
  return { kind: 'read', question: questionOf(Buffer.from(JSON.stringify({ messages }))) };
}

const promptFields = ['messages', 'prompt', 'input'];

function questionOf(body: Buffer): ExplainQuestion {
  const scanned = scanBody(body);
  if (scanned.kind === 'invalid') return {};
  const needs = readRequestNeeds(body, scanned.scan);
  const asked = asText(memberValue(body, scanned.scan, 'model'));
  return {
    tokens: needs.promptTokens,
    leastTokens: needs.leastPromptTokens,
    stream: needs.stream,
    tools: needs.tools,
    vision: needs.vision,
    jsonSchema: needs.jsonSchema,
    batchSize: needs.batchSize,
    code: needs.hasCodeFence,
    steps: needs.isMultiStep,
    maxOutputTokens: needs.maxOutputTokens,
    capability: needs.capability,
    priority: needs.priority,
    qualityTier: needs.qualityTier,
    minTier: needs.minTier,
    tags: needs.tags,
    ...readAskedFallbacks(body, scanned.scan, asked),
  };
}
