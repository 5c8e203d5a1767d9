import { failure } from '../plan/failure-catalogue.ts';
import type { Usage } from '../plan/usage.ts';
import type { ReadContext, WholeAnswer } from './answer.ts';
import { asBuffer } from './as-buffer.ts';
import { convertEmbeddings } from './embeddings.ts';
import { asList, asObject } from './json-shape.ts';
import { readFinishReason, readOpenAiUsage } from './open-ai-usage.ts';
import { readErrorValue } from './read-error.ts';
import { type BodyScan, memberText, memberValue, type ScanResult, scanBody } from './scan-body.ts';
import { spliceBody } from './splice-body.ts';

/** Reads an answer of status 200; its bytes stay as they are but for `model` and the form of embeddings. */
export function readOpenAiWhole(answer: Uint8Array, context: ReadContext): WholeAnswer {
  const { body, scanned } = scanAnswer(answer);
  if (scanned.kind === 'invalid') return malformed('The provider’s answer is not a JSON object');
  const { scan } = scanned;
  if (isError(body, scan)) {
    return { kind: 'failed', failure: readErrorValue(parse(body)) };
  }
  const usage = readOpenAiUsage(memberValue(body, scan, 'usage'));
  const named = scan.members.has('model')
    ? spliceBody(body, scan, [{ kind: 'set', key: 'model', value: context.askedModel }])
    : body;
  if (context.endpoint !== 'embeddings') return readChoices(body, scan, named, usage);
  if (!scan.members.has('data')) return malformed('The provider’s answer has no "data"');
  return { kind: 'answer', body: convertEmbeddings(named, context.encodingFormat), usage, finish: undefined };
}

/** A server may say a key twice; clients take the last one, and so it is written once. */
function scanAnswer(answer: Uint8Array): { readonly body: Uint8Array; readonly scanned: ScanResult } {
  const scanned = scanBody(answer);
  if (scanned.kind === 'scanned' || scanned.failure.kind !== 'duplicate_key') return { body: answer, scanned };
  try {
    const body = Buffer.from(JSON.stringify(JSON.parse(Buffer.from(answer).toString('utf8'))));
    return { body, scanned: scanBody(body) };
  } catch {
    return { body: answer, scanned };
  }
}

function isError(body: Uint8Array, scan: BodyScan): boolean {
  const error = memberText(body, scan, 'error');
  if (error !== undefined && error !== 'null') return true;
  return memberText(body, scan, 'object') === '"error"';
}

function readChoices(body: Uint8Array, scan: BodyScan, named: Uint8Array, usage: Usage | undefined): WholeAnswer {
  const choices = asList(memberValue(body, scan, 'choices'));
  if (choices === undefined && scan.members.has('detail'))
    return { kind: 'failed', failure: readErrorValue(parse(body)) };
  if (choices === undefined || choices.length === 0) return malformed('The provider’s answer has no "choices"');
  const reason = asObject(choices[0])?.['finish_reason'];
  if (reason === 'error') {
    return { kind: 'failed', failure: failure('upstream_error', 'The provider ended its answer with an error') };
  }
  return { kind: 'answer', body: named, usage, finish: readFinishReason(reason) };
}

function parse(body: Uint8Array): unknown {
  return JSON.parse(asBuffer(body).toString('utf8'));
}

function malformed(message: string): WholeAnswer {
  return { kind: 'failed', failure: failure('upstream_malformed', message) };
}
