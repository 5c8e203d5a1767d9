import type { Snapshot } from '../gateway/snapshot.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { DeploymentId, ProviderId } from '../plan/ids.ts';
import type { RequestLog } from '../telemetry/request-log.ts';

/** A context that a server grants and that is not what was declared. */
export type ContextDifference = {
  readonly id: DeploymentId;
  readonly model: string;
  readonly declared: number;
  readonly granted: number;
  /** Whether the declared one was asked of the server (num_ctx), or only stated. */
  readonly isAsked: boolean;
};

/** Models whose server was seen to grant another context than they declare; more than was stated harms nobody. */
export function contextDifferences(
  { plan, state }: Pick<Snapshot, 'plan' | 'state'>,
  provider: ProviderId,
): readonly ContextDifference[] {
  return plan.deployments.flatMap((deployment) => {
    const granted = state.observations[deployment.index]?.effectiveContext;
    if (deployment.provider !== provider || granted === undefined) return [];
    const { declared, isAsked } = declaredContext(deployment);
    if (declared === undefined || (isAsked ? granted === declared : granted >= declared)) return [];
    return [{ id: deployment.id, model: deployment.backendModel, declared, granted, isAsked }];
  });
}

function declaredContext({ options, contextTokens }: Deployment): {
  readonly declared: number | undefined;
  readonly isAsked: boolean;
} {
  const asked = options['num_ctx'];
  return typeof asked === 'number' ? { declared: asked, isAsked: true } : { declared: contextTokens, isAsked: false };
}

/** Tells of each difference once, and again when it has changed. */
export function createContextCheck(
  log: Pick<RequestLog, 'event'>,
): (snapshot: Pick<Snapshot, 'plan' | 'state'>, provider: ProviderId) => void {
  const told = new Map<DeploymentId, number>();
  return (snapshot, provider) => {
    for (const { id, model, declared, granted, isAsked } of contextDifferences(snapshot, provider)) {
      if (told.get(id) === granted) continue;
      told.set(id, granted);
      log.event('warn', 'context_differs', {
        provider,
        model,
        declared,
        granted,
        message: `${provider} grants "${model}" a context of ${granted} tokens, ${declared} are ${isAsked ? 'asked for by num_ctx' : 'declared; options.num_ctx asks for more'}: prompts are held to ${granted}`,
      });
    }
  };
}
