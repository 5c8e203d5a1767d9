import { asBuffer } from './as-buffer.ts';
import { skipBlanks, textEnd } from './json-bytes.ts';
import type { ByteRange } from './scan-body.ts';

/*
 * Tokens are estimated without a vocabulary, from counts that one walk over the bytes gives. The
 * weights were fitted to o200k and cl100k on prose, code, JSON, logs and nine languages; there the
 * estimate stays within 10 % of the truth for all but Polish (80 %), where bytes / 4 ranges from
 * 50 % (logs) to 140 % (Russian). A tokenizer would cost milliseconds for what is only compared
 * with limits.
 */
const perWord = 0.9;
/** Each letter of a word beyond the sixth. */
const perLongLetter = 0.39;
const perDigit = 0.82;
/** A sign after something else, and a further sign behind it. */
const perSign = 0.77;
const perFurtherSign = 0.38;
const perLineEnd = 0.47;
/** A letter of two bytes (Latin with accents, Greek, Cyrillic …), of three (Chinese, Japanese …), of four (emoji). */
const perTwoBytes = 0.35;
const perThreeBytes = 0.85;
const perFourBytes = 2;

/** How much less a letter can be: tokenizers that know its script well (Gemma's) take as little for Thai, Hindi and Russian. */
const spareTwoBytes = 0.11;
const spareThreeBytes = 0.57;

const shortWord = 6;

/** Roles and separators that a chat template puts around a message, and around all of them. */
const perMessage = 4;
const perPrompt = 3;
/** What Ollama's own truncation counts for a picture, a middle among the vendors' figures. */
const perPicture = 768;

/** What a prompt comes to: as most tokenizers count it, and as one may that knows its script well. */
export type PromptEstimate = { readonly tokens: number; readonly least: number; readonly pictures: number };

/** Tokens of text, and how many fewer they may be. */
export type TextEstimate = { tokens: number; spare: number };

/**
 * Estimates a prompt in valid JSON: messages, a text, texts, or numbers that are tokens already.
 * Keys, ids and the letters of pictures do not count.
 */
export function estimatePrompt(bytes: Uint8Array, { start, end }: ByteRange): PromptEstimate {
  const text = asBuffer(bytes);
  const sum: TextEstimate = { tokens: 0, spare: 0 };
  let [key, messages, pictures, numbers] = ['', 0, 0, 0];
  for (let at = start; at < end; at++) {
    const byte = text[at] ?? 0;
    if (isDigit(byte) && !isDigit(text[at - 1] ?? 0)) numbers++;
    if (byte !== quote) continue;
    const from = at + 1;
    at = textEnd(text, at);
    if (text[skipBlanks(text, at + 1)] === colon) {
      key = text.toString('latin1', from, at);
      continue;
    }
    if (key === 'role') messages++;
    else if (key === 'type') pictures += pictureTypes.has(text.toString('latin1', from, at)) ? 1 : 0;
    else if (!uncounted.has(key)) addText(sum, text, { start: from, end: at });
  }
  const around = messages === 0 ? numbers : messages * perMessage + perPrompt;
  const tokens = Math.ceil(sum.tokens + around + pictures * perPicture);
  return { tokens, least: Math.ceil(tokens - sum.spare), pictures };
}

const pictureTypes: ReadonlySet<string> = new Set(['image_url', 'input_image', 'image']);
/** Members whose text is no part of a prompt: addresses and letters of pictures, sounds and files, and ids. */
const uncounted: ReadonlySet<string> = new Set(['url', 'data', 'file_data', 'id', 'tool_call_id', 'format', 'detail']);

/** Longer texts are counted in samples: a block in each of these stretches stands for it. */
const stretch = 32 * 1024;
const block = 4 * 1024;

/** Estimates the tokens of text, which may be the inside of a JSON string with its escapes. */
export function estimateText(bytes: Uint8Array, start: number, end: number): TextEstimate {
  const sum = { tokens: 0, spare: 0 };
  addText(sum, bytes, { start, end });
  return sum;
}

function addText(sum: TextEstimate, bytes: Uint8Array, { start, end }: ByteRange): void {
  if (end - start <= stretch) return countText(sum, bytes, { start, end, times: 1 });
  for (let at = start; at < end; at += stretch) {
    const length = Math.min(stretch, end - at);
    const counted = Math.min(block, length);
    countText(sum, bytes, { start: at, end: at + counted, times: length / counted });
  }
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;

/** Kinds of bytes, as the walk tells them apart; those of continuation count nothing. */
const [letter, digit, lineEnd, space, sign, two, three, four] = [1, 2, 3, 4, 5, 6, 7, 8];
const kinds: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => kindOf(byte));

function kindOf(byte: number): number {
  if (byte >= 0xf0) return four;
  if (byte >= 0xe0) return three;
  if (byte >= 0xc0) return two;
  if (byte >= 0x80) return 0;
  if (isDigit(byte)) return digit;
  if (byte === 0x0a || byte === 0x0d) return lineEnd;
  if (byte <= 0x20) return space;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a ? letter : sign;
}

/** A part of a text, which stands for so many times its length. */
type Sample = ByteRange & { readonly times: number };

function countText(into: TextEstimate, bytes: Uint8Array, { start, end, times }: Sample): void {
  let [sum, before, length, twos, threes] = [0, 0, 0, 0, 0];
  for (let at = start; at < end; at++) {
    let kind = kinds[bytes[at] ?? 0] ?? 0;
    if (bytes[at] === backslash && at + 1 < end) {
      at++;
      kind = escapedKind(bytes[at] ?? 0);
      if (kind === three) at += 4;
    }
    switch (kind) {
      case letter:
        if (before !== letter) {
          sum += perWord;
          length = 0;
        }
        length++;
        if (length > shortWord) sum += perLongLetter;
        break;
      case digit:
        sum += perDigit;
        break;
      case sign:
        sum += before === sign ? perFurtherSign : perSign;
        break;
      case lineEnd:
        if (before !== lineEnd) sum += perLineEnd;
        break;
      case two:
        twos++;
        break;
      case three:
        threes++;
        break;
      case four:
        sum += perFourBytes;
        break;
      default:
    }
    before = kind;
  }
  into.tokens += (sum + twos * perTwoBytes + threes * perThreeBytes) * times;
  into.spare += (twos * spareTwoBytes + threes * spareThreeBytes) * times;
}

/** What an escape stands for: a line end, a blank, a letter that is mostly of another script, or a sign. */
function escapedKind(byte: number): number {
  if (byte === 0x6e || byte === 0x72) return lineEnd;
  if (byte === 0x74) return space;
  return byte === 0x75 ? three : sign;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
