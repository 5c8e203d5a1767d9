import { asBuffer } from './as-buffer.ts';
import { skipBlanks } from './json-bytes.ts';
import { asList, asObject, asText } from './json-shape.ts';

/** How a client wants its vectors; OpenAI's own client asks for base64 and reads nothing else. */
export type EncodingFormat = 'float' | 'base64';

/** Brings the vectors of an embeddings answer into the form that was asked; `float` where none was. */
export function convertEmbeddings(body: Uint8Array, asked: EncodingFormat | undefined): Uint8Array {
  const text = asBuffer(body);
  const form = formOf(text);
  if (form === undefined || form === (asked ?? 'float')) return body;
  const answer = asObject(JSON.parse(text.toString('utf8')));
  const data = asList(answer?.['data']);
  if (answer === undefined || data === undefined) return body;
  const converted = data.map((value) => {
    const item = asObject(value) ?? {};
    return {
      ...item,
      embedding: asked === 'base64' ? encodeVector(item['embedding']) : decodeVector(item['embedding']),
    };
  });
  return Buffer.from(JSON.stringify({ ...answer, data: converted }));
}

const embeddingKey = Buffer.from('"embedding"');

/** Form of the first vector: what stands behind `"embedding":`. An answer without one counts as right. */
function formOf(text: Buffer): EncodingFormat | undefined {
  for (let key = text.indexOf(embeddingKey); key !== -1; key = text.indexOf(embeddingKey, key + 1)) {
    const at = skipBlanks(text, key + embeddingKey.length);
    // `"object":"embedding"` has no colon behind it.
    if (text[at] !== 0x3a) continue;
    const first = text[skipBlanks(text, at + 1)];
    if (first === 0x5b) return 'float';
    if (first === 0x22) return 'base64';
  }
  return undefined;
}

/** Little-endian float32, as OpenAI writes base64 vectors. */
function encodeVector(value: unknown): unknown {
  const numbers = asList(value);
  if (numbers === undefined) return value;
  const bytes = Buffer.alloc(numbers.length * 4);
  numbers.forEach((number, index) => {
    bytes.writeFloatLE(Number(number), index * 4);
  });
  return bytes.toString('base64');
}

function decodeVector(value: unknown): unknown {
  const text = asText(value);
  if (text === undefined) return value;
  const bytes = Buffer.from(text, 'base64');
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readFloatLE(index * 4));
}
