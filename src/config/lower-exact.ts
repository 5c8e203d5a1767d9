import type { DeploymentIndex } from '../plan/ids.ts';
import type { Declaration } from './declarations.ts';
import { inside } from './findings.ts';
import { memberOf } from './group-builder.ts';
import { budgetOf } from './lower-providers.ts';
import type { Lowering } from './lowering.ts';
import { referenceOf } from './reference.ts';
import { resolveAtProvider, wantedBy } from './references.ts';
import type { ExactShape, PoolShape } from './written-mappings.ts';

/**
 * Lowers an exact match: the provider that answers a name, unless a pool of the same name says who
 * does; then the entry adds only the rest.
 */
export function lowerExact(
  { name, shape, at }: Declaration<ExactShape>,
  pool: Declaration<PoolShape> | undefined,
  lowering: Lowering,
): void {
  const group = lowering.groups.declare('exact_matches', { name, kind: 'model', place: at });
  group.description = shape.description ?? group.description;
  group.standsInFor = shape.capabilities ?? [];
  group.capability = shape.capabilities?.[0] ?? group.capability;
  group.budget = budgetOf(shape.budget);
  if (shape.rate_limit !== undefined) {
    group.limit = { requestsPerMinute: shape.rate_limit.rpm, tokensPerMinute: shape.rate_limit.tpm };
    group.limitPlace = inside(at, 'rate_limit');
  }
  if (pool !== undefined) return;
  const backendModel = referenceOf(shape.backend_model, inside(at, 'backend_model'));
  const found = resolveAtProvider(
    { name: shape.provider, at: inside(at, 'provider') },
    { wanted: { ...wantedBy(group, lowering), backendModel }, role: 'primary' },
    lowering,
  );
  group.members = found.map((index) =>
    memberOf(ofKind(index, shape.mode, lowering), { order: orderOf(shape.priority) }),
  );
}

const orders = { primary: 1, secondary: 2, tertiary: 3, fallback: 4 } as const;

/** Place in a pool by its word or number. */
export function orderOf(priority: ExactShape['priority']): number {
  return typeof priority === 'number' ? priority : orders[priority ?? 'primary'];
}

/** The deployment, or one like it that answers what the entry says. */
function ofKind(index: DeploymentIndex, kind: ExactShape['mode'], { inventory }: Lowering): DeploymentIndex {
  const deployment = inventory.deployments[index];
  if (kind === undefined || deployment === undefined || deployment.kind === kind) return index;
  const { index: _index, id: _id, ...draft } = deployment;
  return inventory.addFromEntry({ ...draft, kind }, 'followed').index;
}
