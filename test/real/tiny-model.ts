/**
 * Makes a model of two megabytes that a real llama.cpp or Ollama loads: it counts from one to ten,
 * or calls the tool `f`, whatever it is asked. Its single layer does nothing (all its weights are
 * zero), so the output depends on the last token alone: the output matrix holds, for each token, the
 * embedding of the token that must come before it.
 * The format is GGUF, version 3: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { writeFileSync } from 'node:fs';

/** What the model says: ten number words, or one call of the tool `f` with `{"a": true}`. */
export type TinyModel = 'counting' | 'tool';

/** Writes the model to a file. */
export function writeTinyModel(path: string, model: TinyModel): void {
  writeFileSync(path, renderGguf(metadata(vocabulary), tensors(model)));
}

const width = 256;
const heads = 4;
const feedForward = 32;
const contextLength = 8192;

/** Kinds of tokens in GGUF. */
const kinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6 };

type Token = { readonly text: string; readonly score: number; readonly kind: number };

const numberWords = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
/** SentencePiece writes a space as this letter. */
const space = '\u2581';
const toolPieces = ['<tool_call>\n{"name": "f", "arguments": ', '{"a": ', 'true}', '}\n</tool_call>'];

const vocabulary = makeVocabulary();

function makeVocabulary(): readonly Token[] {
  const tokens: Token[] = [
    { text: '<unk>', score: 0, kind: kinds.unknown },
    ...['<s>', '</s>', '<|im_start|>', '<|im_end|>'].map((text) => ({ text, score: 0, kind: kinds.control })),
    ...toolPieces.map((text) => ({ text, score: 0, kind: kinds.userDefined })),
    ...Array.from({ length: 256 }, (_, byte) => ({
      text: `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
      score: 0,
      kind: kinds.byte,
    })),
    ...Array.from({ length: 94 }, (_, index) => ({
      text: String.fromCharCode(33 + index),
      score: -133 - index,
      kind: kinds.normal,
    })),
    { text: space, score: -99, kind: kinds.normal },
    ...numberWords.map((word, index) => ({ text: space + word, score: -1000 - index, kind: kinds.normal })),
  ];
  // A tokenizer of this kind joins letters step by step, so every beginning of a word is a token too.
  const known = new Set(tokens.map((token) => token.text));
  for (const word of numberWords) {
    for (let length = 2; length <= word.length; length++) {
      const text = (space + word).slice(0, length);
      if (known.has(text)) continue;
      known.add(text);
      tokens.push({ text, score: -500 - length, kind: kinds.normal });
    }
  }
  return tokens;
}

function indexOf(text: string): number {
  const index = vocabulary.findIndex((token) => token.text === text);
  if (index === -1) throw new Error(`The vocabulary has no "${text}"`);
  return index;
}

/** Which token follows which: an answer begins after the newline that ends the prompt. */
function successors(model: TinyModel): ReadonlyMap<number, number> {
  const words = model === 'tool' ? toolPieces : numberWords.map((word) => space + word);
  const chain = ['<0x0A>', ...words, '</s>'].map(indexOf);
  return new Map(chain.slice(0, -1).map((token, at) => [token, chain[at + 1] ?? 0]));
}

type Value =
  | { readonly type: 'u32' | 'f32'; readonly value: number }
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'list'; readonly of: 'text' | 'f32' | 'i32'; readonly value: readonly (string | number)[] };

const u32 = (value: number): Value => ({ type: 'u32', value });
const text = (value: string): Value => ({ type: 'text', value });

function metadata(tokens: readonly Token[]): Readonly<Record<string, Value>> {
  return {
    'general.architecture': text('llama'),
    'general.name': text('signalbox-tiny'),
    'general.file_type': u32(0),
    'llama.context_length': u32(contextLength),
    'llama.embedding_length': u32(width),
    'llama.block_count': u32(1),
    'llama.feed_forward_length': u32(feedForward),
    'llama.attention.head_count': u32(heads),
    'llama.attention.head_count_kv': u32(heads),
    'llama.rope.dimension_count': u32(width / heads),
    'llama.vocab_size': u32(tokens.length),
    'llama.attention.layer_norm_rms_epsilon': { type: 'f32', value: 1e-5 },
    'tokenizer.ggml.model': text('llama'),
    'tokenizer.ggml.tokens': { type: 'list', of: 'text', value: tokens.map((token) => token.text) },
    'tokenizer.ggml.scores': { type: 'list', of: 'f32', value: tokens.map((token) => token.score) },
    'tokenizer.ggml.token_type': { type: 'list', of: 'i32', value: tokens.map((token) => token.kind) },
    'tokenizer.ggml.bos_token_id': u32(indexOf('<s>')),
    'tokenizer.ggml.eos_token_id': u32(indexOf('</s>')),
    'tokenizer.ggml.unknown_token_id': u32(indexOf('<unk>')),
    'tokenizer.ggml.add_bos_token': { type: 'bool', value: true },
    'tokenizer.ggml.add_space_prefix': { type: 'bool', value: false },
    'tokenizer.chat_template': text(
      "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}" +
        '{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}',
    ),
  };
}

type Tensor = { readonly name: string; readonly shape: readonly number[]; readonly values: Float32Array };

function tensors(model: TinyModel): readonly Tensor[] {
  const embeddings = vocabulary.map((_, index) => unitVector(index));
  const output = new Float32Array(vocabulary.length * width);
  for (const [before, after] of successors(model)) {
    const vector = embeddings[before] ?? new Float32Array(width);
    vector.forEach((value, at) => {
      output[after * width + at] = (output[after * width + at] ?? 0) + value * 3;
    });
  }
  const flat = new Float32Array(vocabulary.length * width);
  embeddings.forEach((vector, index) => {
    flat.set(vector, index * width);
  });
  const zeros = (name: string, columns: number, rows: number): Tensor => ({
    name,
    shape: [columns, rows],
    values: new Float32Array(columns * rows),
  });
  const ones = (name: string): Tensor => ({ name, shape: [width], values: new Float32Array(width).fill(1) });
  return [
    { name: 'token_embd.weight', shape: [width, vocabulary.length], values: flat },
    ones('output_norm.weight'),
    { name: 'output.weight', shape: [width, vocabulary.length], values: output },
    ones('blk.0.attn_norm.weight'),
    ...['attn_q', 'attn_k', 'attn_v', 'attn_output'].map((name) => zeros(`blk.0.${name}.weight`, width, width)),
    ones('blk.0.ffn_norm.weight'),
    zeros('blk.0.ffn_gate.weight', width, feedForward),
    zeros('blk.0.ffn_up.weight', width, feedForward),
    zeros('blk.0.ffn_down.weight', feedForward, width),
  ];
}

/** A direction for each token, always the same: random ones in so many dimensions hardly overlap. */
function unitVector(index: number): Float32Array {
  let state = (index + 1) * 2654435761;
  const vector = Float32Array.from({ length: width }, () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0;
    return state / 2 ** 31 - 1;
  });
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

const typeNumbers = { u32: 4, i32: 5, f32: 6, bool: 7, text: 8, list: 9 };

function renderGguf(values: Readonly<Record<string, Value>>, list: readonly Tensor[]): Buffer {
  const alignment = 32;
  const aligned = (bytes: Buffer): Buffer =>
    Buffer.concat([bytes, Buffer.alloc((alignment - (bytes.length % alignment)) % alignment)]);
  let offset = 0;
  const described: Buffer[] = [];
  const contents: Buffer[] = [];
  for (const { name, shape, values: floats } of list) {
    const bytes = aligned(Buffer.from(floats.buffer));
    described.push(
      renderText(name),
      int(shape.length, 4),
      ...shape.map((size) => int(size, 8)),
      int(0, 4),
      int(offset, 8),
    );
    contents.push(bytes);
    offset += bytes.length;
  }
  const entries = Object.entries(values).flatMap(([key, value]) => [
    renderText(key),
    int(typeNumbers[value.type], 4),
    renderValue(value),
  ]);
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    int(3, 4),
    int(list.length, 8),
    int(Object.keys(values).length, 8),
    ...entries,
    ...described,
  ]);
  return Buffer.concat([aligned(head), ...contents]);
}

function renderValue(value: Value): Buffer {
  switch (value.type) {
    case 'u32':
      return int(value.value, 4);
    case 'f32':
      return float(value.value);
    case 'bool':
      return Buffer.from([value.value ? 1 : 0]);
    case 'text':
      return renderText(value.value);
    case 'list': {
      const items = value.value.map((item) =>
        typeof item === 'string' ? renderText(item) : value.of === 'f32' ? float(item) : int(item, 4),
      );
      return Buffer.concat([int(typeNumbers[value.of], 4), int(value.value.length, 8), ...items]);
    }
  }
}

function renderText(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int(bytes.length, 8), bytes]);
}

function int(value: number, size: 4 | 8): Buffer {
  const bytes = Buffer.alloc(size);
  if (size === 8) bytes.writeBigUInt64LE(BigInt(value));
  else bytes.writeInt32LE(value | 0);
  return bytes;
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
