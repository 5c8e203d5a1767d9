import { type Tokens, tokens } from '../plan/ids.ts';
import { asList, asNumber, asObject, asText } from './json-shape.ts';
import { type BodyScan, memberText, memberValue } from './scan-body.ts';

/** What a body says of itself beyond its text, as far as routing asks. */
export type RequestNeeds = {
  readonly stream: boolean;
  readonly wantsUsage: boolean;
  readonly promptTokens: Tokens;
  readonly maxOutputTokens: Tokens | undefined;
  readonly tools: boolean;
  readonly vision: boolean;
  readonly jsonSchema: boolean;
  readonly batchSize: number;
  readonly hasCodeFence: boolean;
  readonly encodingFormat: 'float' | 'base64' | undefined;
  readonly capability: string | undefined;
  readonly qualityTier: string | undefined;
  readonly minTier: string | undefined;
  readonly priority: string | undefined;
  readonly tags: readonly string[];
};

const imagePart = Buffer.from('"image_url"');
const codeFence = Buffer.from('```');

/** Reads the needs of a scanned body; only small members are parsed, the prompt itself is not. */
export function readRequestNeeds(bytes: Uint8Array, scan: BodyScan): RequestNeeds {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const prompt = scan.members.get('messages') ?? scan.members.get('prompt') ?? scan.members.get('input');
  const range = prompt === undefined ? text.subarray(0, 0) : text.subarray(prompt.value.start, prompt.value.end);
  const metadata = asObject(memberValue(bytes, scan, 'metadata'));
  const tools = scan.members.get('tools') ?? scan.members.get('functions');
  const vision = range.includes(imagePart);
  return {
    stream: memberText(bytes, scan, 'stream') === 'true',
    wantsUsage: asObject(memberValue(bytes, scan, 'stream_options'))?.['include_usage'] === true,
    promptTokens: estimatePrompt(range, vision, tools === undefined ? 0 : tools.value.end - tools.value.start),
    maxOutputTokens: outputLimit(bytes, scan),
    tools: tools !== undefined && (memberText(bytes, scan, 'tools')?.length ?? 3) > 2,
    vision,
    jsonSchema: asObject(memberValue(bytes, scan, 'response_format'))?.['type'] === 'json_schema',
    batchSize: batchSize(bytes, scan),
    hasCodeFence: range.includes(codeFence),
    encodingFormat: readEncoding(memberValue(bytes, scan, 'encoding_format')),
    capability: asText(metadata?.['capability']),
    qualityTier: asText(metadata?.['quality_tier']),
    minTier: asText(metadata?.['min_tier']),
    priority: asText(metadata?.['priority']),
    tags: [...texts(metadata?.['tags']), ...texts(memberValue(bytes, scan, 'tags'))],
  };
}

/**
 * Estimate of a prompt's tokens from its JSON. Characters over four is right for prose and code
 * within some percent; text in other scripts takes more bytes a character and about three a token;
 * pictures are counted by the piece, never by their base64 letters.
 */
function estimatePrompt(range: Buffer, hasPictures: boolean, toolBytes: number): Tokens {
  const bytes = hasPictures ? range.length - pictureBytes(range) : range.length;
  const perToken = isMostlyAscii(range) ? 4 : 3;
  const pictures = hasPictures ? count(range, imagePart) * tokensPerPicture : 0;
  return tokens(Math.ceil(bytes / perToken) + pictures + Math.ceil(toolBytes / 3.5));
}

/** What Ollama's own truncation counts for one, a middle among the vendors' figures. */
const tokensPerPicture = 768;
const dataUrl = Buffer.from('base64,');

function pictureBytes(range: Buffer): number {
  let sum = 0;
  for (let at = range.indexOf(dataUrl); at !== -1; at = range.indexOf(dataUrl, at)) {
    const end = range.indexOf(0x22, at);
    if (end === -1) break;
    sum += end - at;
    at = end;
  }
  return sum;
}

function count(range: Buffer, word: Buffer): number {
  let found = 0;
  for (let at = range.indexOf(word); at !== -1; at = range.indexOf(word, at + word.length)) found++;
  // The word stands twice in a part: as its type and as its member.
  return Math.max(1, Math.round(found / 2));
}

/** Looked at in samples, since a long prompt is in one script or another throughout. */
function isMostlyAscii(range: Buffer): boolean {
  const step = Math.max(1, Math.floor(range.length / 64));
  let other = 0;
  let seen = 0;
  for (let at = 0; at < range.length; at += step) {
    seen++;
    if ((range[at] ?? 0) >= 0x80) other++;
  }
  return other * 4 <= seen;
}

function outputLimit(bytes: Uint8Array, scan: BodyScan): Tokens | undefined {
  const limit =
    asNumber(memberValue(bytes, scan, 'max_completion_tokens')) ?? asNumber(memberValue(bytes, scan, 'max_tokens'));
  return limit === undefined || limit < 0 ? undefined : tokens(limit);
}

function batchSize(bytes: Uint8Array, scan: BodyScan): number {
  const prompts = startsWithBracket(bytes, scan, 'prompt') ? memberValue(bytes, scan, 'prompt') : undefined;
  const inputs = startsWithBracket(bytes, scan, 'input') ? memberValue(bytes, scan, 'input') : undefined;
  const list = asList(prompts) ?? asList(inputs);
  const several = list !== undefined && typeof list[0] !== 'number' ? list.length : 1;
  return Math.max(several, asNumber(memberValue(bytes, scan, 'n')) ?? 1);
}

function startsWithBracket(bytes: Uint8Array, scan: BodyScan, name: string): boolean {
  const member = scan.members.get(name);
  return member !== undefined && bytes[member.value.start] === 0x5b;
}

function readEncoding(value: unknown): 'float' | 'base64' | undefined {
  return value === 'float' || value === 'base64' ? value : undefined;
}

function texts(value: unknown): string[] {
  return (asList(value) ?? []).filter((one) => typeof one === 'string');
}
