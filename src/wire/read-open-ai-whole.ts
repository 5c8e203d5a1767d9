import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import type { Endpoint } from '../plan/request-facts.ts';
import type { FinishReason, Usage } from '../plan/usage.ts';
import { convertEmbeddings } from './embeddings.ts';
import { asList, asObject } from './json-shape.ts';
import { readFinishReason, readOpenAiUsage } from './open-ai-usage.ts';
import { readErrorValue } from './read-error.ts';
import { type BodyScan, memberValue, scanBody } from './scan-body.ts';
import { spliceBody } from './splice-body.ts';

/** A whole answer in OpenAI's wire, or the failure that stands in its place. */
type Whole =
  | {
      readonly kind: 'answer';
      readonly body: Uint8Array;
      readonly usage: Usage | undefined;
      readonly finish: FinishReason | undefined;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** What the reader must know of the request. */
export type WholeContext = {
  readonly endpoint: Endpoint;
  readonly askedModel: string;
  readonly encodingFormat: 'float' | 'base64' | undefined;
};

/** Reads an answer of status 200; its bytes stay as they are but for `model` and the form of embeddings. */
export function readOpenAiWhole(body: Uint8Array, context: WholeContext): Whole {
  const scanned = scanBody(body);
  if (scanned.kind === 'invalid')
    return { kind: 'failed', failure: failure('upstream_malformed', 'The provider’s answer is not a JSON object') };
  const { scan } = scanned;
  const error = memberValue(body, scan, 'error');
  if (error !== undefined && error !== null) return { kind: 'failed', failure: readErrorValue({ error }) };
  const usage = readOpenAiUsage(memberValue(body, scan, 'usage'));
  const named = scan.members.has('model')
    ? spliceBody(body, scan, [{ kind: 'set', key: 'model', value: context.askedModel }])
    : body;
  if (context.endpoint === 'embeddings') {
    if (!scan.members.has('data')) return noAnswer('data');
    return { kind: 'answer', body: convertEmbeddings(named, context.encodingFormat), usage, finish: undefined };
  }
  return readChoices(body, scan, named, usage);
}

function readChoices(body: Uint8Array, scan: BodyScan, named: Uint8Array, usage: Usage | undefined): Whole {
  const choices = asList(memberValue(body, scan, 'choices'));
  if (choices === undefined || choices.length === 0) return noAnswer('choices');
  return { kind: 'answer', body: named, usage, finish: readFinishReason(asObject(choices[0])?.['finish_reason']) };
}

function noAnswer(member: string): Whole {
  return { kind: 'failed', failure: failure('upstream_malformed', `The provider’s answer has no "${member}"`) };
}
