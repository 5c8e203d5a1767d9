import { request } from 'node:http';
import type { SourceFile } from '../config/source-file.ts';
import type { CacheFlushReport, CacheReport } from '../contract/cache-report.ts';
import type { DecisionList, DecisionRecord } from '../contract/decision-record.ts';
import type { DrainReport } from '../contract/drain-report.ts';
import type { EffectiveConfig } from '../contract/effective-config.ts';
import type { ExplainQuestion } from '../contract/explain.ts';
import type { StatusReport } from '../contract/status.ts';
import type { AdminRecord } from '../contract/system-folders.ts';
import { findAdminRecord, type SystemTarget } from './admin-record.ts';

/** The admin socket of a running gateway, typed. Every question rejects with an {@link AdminError}. */
export type AdminClient = {
  /** What the gateway has left in its state folder: its address, process and configuration. */
  readonly record: AdminRecord;
  status(): Promise<StatusReport>;
  /** A decision by the id of its request, or the last one; undefined where it is not kept. */
  decision(id: string | 'last'): Promise<DecisionRecord | undefined>;
  /** The newest decisions, newest first. */
  decisions(count: number): Promise<readonly DecisionRecord[]>;
  /** Waits until every decision that is kept stands on disk. */
  writeDecisions(): Promise<void>;
  /** Names that clients can ask for. */
  models(): Promise<readonly string[]>;
  explain(question: ExplainQuestion): Promise<DecisionRecord>;
  config(): Promise<EffectiveConfig>;
  /** What it found on this machine, as files would say it; undefined where it has files. */
  discovered(): Promise<readonly SourceFile[] | undefined>;
  cache(): Promise<CacheReport>;
  /** How a provider is emptied; undefined where there is none of that name, as with the next two. */
  drain(provider: string): Promise<DrainReport | undefined>;
  /** Keeps new requests from a provider. */
  beginDrain(provider: string): Promise<DrainReport | undefined>;
  /** Takes it back into service, once it was looked at. */
  endDrain(provider: string): Promise<DrainReport | undefined>;
  /** Empties the cache, of one asked name or all; undefined where there is none. */
  flushCache(model: string | undefined): Promise<CacheFlushReport | { readonly problem: string } | undefined>;
};

/** Why a gateway cannot be asked. */
export class AdminError extends Error {
  readonly kind: 'not_running' | 'stale' | 'refused' | 'failed';
  readonly fix: string;
  constructor(kind: AdminError['kind'], message: string, fix: string) {
    super(message);
    this.kind = kind;
    this.fix = fix;
  }
}

/** Finds the running gateway of a configuration; rejects where none runs. */
export async function connectAdmin(target: SystemTarget): Promise<AdminClient> {
  const { record, looked } = await findAdminRecord(target);
  if (record === undefined) {
    throw new AdminError(
      'not_running',
      `No gateway runs with this configuration (looked in ${looked[0]})`,
      `Start it with: signalbox up${target.config === undefined ? '' : ` --config ${target.config}`}`,
    );
  }
  return createAdminClient(record);
}

/** Makes a client of a gateway that left word of itself. */
function createAdminClient(record: AdminRecord): AdminClient {
  // The other end is this product, and changes its shapes by adding only: answers are taken as they are typed.
  const get = async <Answer>(path: string): Promise<Answer | undefined> =>
    (await ask(record, { method: 'GET', path })) as Answer | undefined;
  const post = async <Answer>(path: string, body: unknown): Promise<Answer | undefined> =>
    (await ask(record, { method: 'POST', path, body })) as Answer | undefined;
  const needed = async <Answer>(answer: Promise<Answer | undefined>): Promise<Answer> => {
    const value = await answer;
    if (value === undefined) throw new AdminError('failed', 'The gateway does not know this question', versions);
    return value;
  };
  return {
    record,
    status: () => needed(get<StatusReport>('/v1/status')),
    decision: (id) => get<DecisionRecord>(`/v1/decision?id=${encodeURIComponent(id)}`),
    decisions: async (count) => (await needed(get<DecisionList>(`/v1/decisions?count=${count}`))).decisions,
    writeDecisions: async () => {
      await needed(get('/v1/decisions/written'));
    },
    models: async () => (await needed(get<{ data: readonly { id: string }[] }>('/v1/models'))).data.map(({ id }) => id),
    explain: (question) => needed(post<DecisionRecord>('/v1/explain', question)),
    config: () => needed(get<EffectiveConfig>('/v1/config')),
    discovered: () => get<readonly SourceFile[]>('/v1/discovered'),
    drain: (provider) => get<DrainReport>(`/v1/drain?provider=${encodeURIComponent(provider)}`),
    beginDrain: (provider) => post<DrainReport>('/v1/drain/begin', { provider }),
    endDrain: (provider) => post<DrainReport>('/v1/drain/end', { provider }),
    cache: () => needed(get<CacheReport>('/v1/cache')),
    flushCache: (model) => post<CacheFlushReport | { readonly problem: string }>('/v1/cache/flush', { model }),
  };
}

const versions = 'The command and the running gateway may be of different versions: restart the gateway';

/** A gateway that takes longer is stuck. */
const answerTimeoutMs = 15_000;

type Question = { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: unknown };

function ask({ socket, token, pid }: AdminRecord, { method, path, body }: Question): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const outgoing = request(
      {
        socketPath: socket,
        method,
        path,
        timeout: answerTimeoutMs,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        },
      },
      (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('error', reject);
        answer.on('end', () => {
          try {
            resolve(readAnswer(answer.statusCode ?? 0, Buffer.concat(pieces).toString('utf8')));
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')));
    outgoing.on('error', (error: NodeJS.ErrnoException) => reject(connectionProblem(error, pid)));
    outgoing.end(text);
  });
}

function readAnswer(status: number, text: string): unknown {
  if (status === 404) return undefined;
  if (status === 401)
    throw new AdminError('refused', 'The gateway refuses the token of its state folder', 'Restart the gateway');
  const value: unknown = JSON.parse(text);
  if (status === 200) return value;
  const error = typeof value === 'object' && value !== null && 'error' in value ? value.error : undefined;
  const message = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : text;
  throw new AdminError('failed', message, versions);
}

function connectionProblem(error: NodeJS.ErrnoException, pid: number): AdminError {
  if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT')
    return new AdminError(
      'stale',
      `No gateway runs with this configuration: process ${pid} has ended without tidying up`,
      'Start it with: signalbox up',
    );
  if (error.code === 'EACCES')
    return new AdminError('refused', 'The gateway belongs to another user', 'Ask as the user who started it');
  return new AdminError('failed', `The gateway (process ${pid}) does not answer: ${error.message}`, `Look at its log`);
}
