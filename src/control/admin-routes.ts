import type { SourceFile } from '../config/source-file.ts';
import type { DecisionList, DecisionRecord } from '../contract/decision-record.ts';
import type { ExplainQuestion } from '../contract/explain.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { listModels } from '../gateway/view-models.ts';
import { providerId } from '../plan/ids.ts';
import type { AdminRoutes } from './admin-socket.ts';
import { describeCache, flushCache } from './cache-report.ts';
import type { Control } from './control.ts';
import { describeConfig } from './effective-config.ts';
import { explain } from './explain.ts';

/** What the admin socket answers and does. */
export function adminRoutes(
  control: Control,
  gateway: Gateway,
  discovered: readonly SourceFile[] | undefined,
): AdminRoutes {
  return {
    '/v1/status': () => control.status(gateway),
    '/v1/models': () => ({ data: listModels({ snapshot: control.current(), now: control.now() }) }),
    '/v1/discovered': () => discovered,
    '/v1/config': () => describeConfig(control.current().plan),
    '/v1/decisions': (query): DecisionList => ({ decisions: control.decisions.last(readCount(query)) }),
    '/v1/decision': (query): DecisionRecord | undefined => {
      const id = query.get('id') ?? 'last';
      return id === 'last' ? control.decisions.last(1)[0] : control.decisions.find(id);
    },
    // Answers once everything that is kept stands on disk, for commands that read it there.
    '/v1/decisions/written': async () => {
      await control.decisionFile.write();
      return {};
    },
    '/v1/cache': () => describeCache(control.current()),
    '/v1/cache/flush': (_query, body) => flushCache(control.current(), readModel(body)),
    '/v1/drain': (query) => control.drains.report(query.get('provider') ?? ''),
    '/v1/drain/begin': (_query, body) => {
      const report = control.drains.report(readProvider(body));
      if (report === undefined) return undefined;
      control.drains.begin(providerId(report.provider));
      gateway.leaveDraining();
      return control.drains.report(report.provider);
    },
    '/v1/drain/end': async (_query, body) => {
      const report = control.drains.report(readProvider(body));
      if (report === undefined) return undefined;
      await control.takeBack(providerId(report.provider));
      return control.drains.report(report.provider);
    },
    '/v1/explain': (_query, body): Promise<DecisionRecord> => {
      const { plan, state } = control.current();
      // Only the command line of this product asks here, with a question of this type.
      const question = (typeof body === 'object' && body !== null ? body : {}) as ExplainQuestion;
      const { listing, residency } = control.prober;
      return explain({ plan, state, now: control.now(), listing, residency }, question);
    },
  };
}

/** A body that names a model, or none. */
function readModel(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) throw new Error('The cache is emptied by POST');
  return 'model' in body && typeof body.model === 'string' ? body.model : undefined;
}

/** A body that names a provider. */
function readProvider(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('provider' in body) || typeof body.provider !== 'string')
    throw new Error('The question names no provider');
  return body.provider;
}

/** Most decisions of one answer. */
const mostDecisions = 1000;

function readCount(query: URLSearchParams): number {
  const count = Number(query.get('count') ?? 20);
  return Number.isInteger(count) && count > 0 ? Math.min(mostDecisions, count) : 20;
}
