import { type Tokens, tokens } from '../plan/ids.ts';
import { asBuffer } from './as-buffer.ts';
import { estimatePrompt, estimateText, type PromptEstimate } from './estimate-tokens.ts';
import { skipBlanks, textEnd } from './json-bytes.ts';
import { asList, asNumber, asObject, asText } from './json-shape.ts';
import { type BodyScan, type ByteRange, memberText, memberValue } from './scan-body.ts';

/** What a body says of itself beyond its text, as far as routing asks. */
export type RequestNeeds = {
  readonly stream: boolean;
  readonly wantsUsage: boolean;
  readonly promptTokens: Tokens;
  readonly leastPromptTokens: Tokens;
  readonly maxOutputTokens: Tokens | undefined;
  readonly tools: boolean;
  readonly vision: boolean;
  readonly jsonSchema: boolean;
  readonly batchSize: number;
  readonly hasCodeFence: boolean;
  /** Whether the prompt asks for work in steps. */
  readonly isMultiStep: boolean;
  readonly encodingFormat: 'float' | 'base64' | undefined;
  readonly capability: string | undefined;
  readonly qualityTier: string | undefined;
  readonly minTier: string | undefined;
  readonly priority: string | undefined;
  readonly tags: readonly string[];
};

const codeFence = Buffer.from('```');
const stepMarkers = ['step by step', 'step-by-step', 'multi-step', 'Step 1', 'step 1'].map((text) => Buffer.from(text));
/** Stands in all of them, so that one search is enough for nearly every prompt. */
const anyStep = Buffer.from('tep');
const [quote, comma, minus] = [0x22, 0x2c, 0x2d];
const [bracket, bracketEnd, brace, braceEnd] = [0x5b, 0x5d, 0x7b, 0x7d];
const noPrompt: PromptEstimate = { tokens: 0, least: 0, pictures: 0 };

/** Reads the needs of a scanned body; only small members are parsed, the prompt itself is walked over once. */
export function readRequestNeeds(bytes: Uint8Array, scan: BodyScan): RequestNeeds {
  const text = asBuffer(bytes);
  const prompt = scan.members.get('messages') ?? scan.members.get('prompt') ?? scan.members.get('input');
  const range = prompt === undefined ? text.subarray(0, 0) : text.subarray(prompt.value.start, prompt.value.end);
  const metadata = asObject(memberValue(bytes, scan, 'metadata'));
  const tools = scan.members.get('tools') ?? scan.members.get('functions');
  const estimate = prompt === undefined ? noPrompt : estimatePrompt(bytes, prompt.value);
  // Tool schemas reach the model as the JSON they are.
  const toolTokens = tools === undefined ? 0 : estimateText(bytes, tools.value.start, tools.value.end).tokens;
  return {
    stream: memberText(bytes, scan, 'stream') === 'true',
    wantsUsage: asObject(memberValue(bytes, scan, 'stream_options'))?.['include_usage'] === true,
    promptTokens: tokens(Math.ceil(estimate.tokens + toolTokens)),
    leastPromptTokens: tokens(Math.ceil(estimate.least + toolTokens)),
    maxOutputTokens: outputLimit(bytes, scan),
    tools: tools !== undefined && bytes[tools.value.start] === bracket && !isEmptyList(text, tools.value),
    vision: estimate.pictures > 0,
    jsonSchema: asObject(memberValue(bytes, scan, 'response_format'))?.['type'] === 'json_schema',
    batchSize: batchSize(bytes, scan),
    hasCodeFence: range.includes(codeFence),
    isMultiStep: range.includes(anyStep) && stepMarkers.some((marker) => range.includes(marker)),
    encodingFormat: readEncoding(memberValue(bytes, scan, 'encoding_format')),
    capability: asText(metadata?.['capability']),
    qualityTier: asText(metadata?.['quality_tier']),
    minTier: asText(metadata?.['min_tier']),
    priority: asText(metadata?.['priority']),
    tags: [...texts(metadata?.['tags']), ...texts(memberValue(bytes, scan, 'tags'))],
  };
}

function outputLimit(bytes: Uint8Array, scan: BodyScan): Tokens | undefined {
  const limit =
    asNumber(memberValue(bytes, scan, 'max_completion_tokens')) ?? asNumber(memberValue(bytes, scan, 'max_tokens'));
  return limit === undefined || limit < 0 ? undefined : tokens(limit);
}

function batchSize(bytes: Uint8Array, scan: BodyScan): number {
  const prompts = (scan.members.get('prompt') ?? scan.members.get('input'))?.value;
  return Math.max(
    prompts === undefined ? 1 : countPrompts(bytes, prompts),
    asNumber(memberValue(bytes, scan, 'n')) ?? 1,
  );
}

/** Prompts of a list, which may be long and so is not parsed; numbers are the tokens of one. */
function countPrompts(bytes: Uint8Array, { start, end }: ByteRange): number {
  const first = bytes[skipBlanks(bytes, start + 1)] ?? 0;
  if (bytes[start] !== bracket || first === minus || (first >= 0x30 && first <= 0x39)) return 1;
  let [depth, count] = [0, 1];
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === quote) at = textEnd(bytes, at);
    else if (byte === bracket || byte === brace) depth++;
    else if (byte === bracketEnd || byte === braceEnd) depth--;
    else if (byte === comma && depth === 1) count++;
  }
  return count;
}

function isEmptyList(text: Buffer, { start, end }: ByteRange): boolean {
  return text.toString('latin1', start + 1, end - 1).trim() === '';
}

function readEncoding(value: unknown): 'float' | 'base64' | undefined {
  return value === 'float' || value === 'base64' ? value : undefined;
}

function texts(value: unknown): string[] {
  return (asList(value) ?? []).filter((one) => typeof one === 'string');
}
