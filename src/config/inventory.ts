import { createHash } from 'node:crypto';
import { canonical } from '../plan/canonical.ts';
import type { Deployment } from '../plan/deployment.ts';
import { type DeploymentIndex, deploymentId, deploymentIndex, type ProviderId } from '../plan/ids.ts';
import { type DeploymentDraft, plainDeployment } from '../plan/plain-deployment.ts';
import type { Provider } from '../plan/provider.ts';
import type { Place } from './findings.ts';
import { unsupportedFields } from './unsupported-fields.ts';

/** Providers and deployments as they are gathered; references are resolved against it. */
export type Inventory = {
  readonly providers: Map<ProviderId, Provider>;
  /** Where each provider is declared. */
  readonly places: Map<ProviderId, Place>;
  readonly deployments: readonly Deployment[];
  /** Names whose own declaration has an error: what refers to them is not told again. */
  readonly broken: Set<string>;
  /** Names that were told to be no provider: what else refers to them stands beside that finding. */
  readonly unknown: Set<string>;
  /** Adds a deployment, or finds the equal one that is there already; one that has an id of its own keeps it. */
  add(draft: DeploymentDraft, ownId?: string): Deployment;
  /**
   * Adds what only an entry speaks of: a model that it names, or one that follows from the entry's
   * own name and says nothing of what the provider has.
   */
  addFromEntry(draft: DeploymentDraft, how: 'named' | 'followed'): Deployment;
  /** Deployments of a provider with a name of their own, in order. */
  of(provider: ProviderId): readonly Deployment[];
  /** Those that the provider itself declares, whatever entries speak of. */
  declared(provider: ProviderId): readonly Deployment[];
  /** Those that it declares or that an entry names at it. */
  known(provider: ProviderId): readonly Deployment[];
  /** The deployment that an id or `provider/backend_model` names. */
  named(reference: string): Deployment | undefined;
  /** The deployment of a provider that stands for whatever name is asked. */
  literal(provider: ProviderId): DeploymentIndex;
};

/** Creates an empty inventory. */
export function createInventory({ dropsParams }: { readonly dropsParams: boolean }): Inventory {
  const providers = new Map<ProviderId, Provider>();
  const deployments: Deployment[] = [];
  const byContent = new Map<string, Deployment>();
  const byName = new Map<string, Deployment>();
  const byProvider = new Map<ProviderId, Deployment[]>();
  const fromEntries = new Map<DeploymentIndex, 'named' | 'followed'>();
  const inventory: Inventory = {
    providers,
    places: new Map(),
    deployments,
    broken: new Set(),
    unknown: new Set(),
    add(draft, ownId) {
      const content = canonical(draft);
      const known = byContent.get(content);
      if (known !== undefined) return known;
      const id =
        ownId === undefined || byName.has(ownId)
          ? freeId(identityOf(draft, providers.get(draft.provider)), byName)
          : ownId;
      const deployment: Deployment = { ...draft, index: deploymentIndex(deployments.length), id: deploymentId(id) };
      deployments.push(deployment);
      byContent.set(content, deployment);
      byName.set(id, deployment);
      if (!draft.backendModel.includes('*')) {
        const name = `${draft.provider}/${draft.backendModel}`;
        if (!byName.has(name)) byName.set(name, deployment);
        byProvider.set(draft.provider, [...(byProvider.get(draft.provider) ?? []), deployment]);
      }
      return deployment;
    },
    addFromEntry(draft, how) {
      const count = deployments.length;
      const deployment = inventory.add(draft);
      const isNew = deployments.length > count;
      if (isNew || (how === 'named' && fromEntries.has(deployment.index))) fromEntries.set(deployment.index, how);
      return deployment;
    },
    of: (provider) => byProvider.get(provider) ?? [],
    declared: (provider) => inventory.of(provider).filter((one) => !fromEntries.has(one.index)),
    known: (provider) => inventory.of(provider).filter((one) => fromEntries.get(one.index) !== 'followed'),
    named: (reference) => byName.get(reference),
    literal(id) {
      const dialect = providers.get(id)?.dialect;
      const dropParams = dropsParams && dialect !== undefined ? unsupportedFields(dialect) : [];
      return inventory.add({ ...plainDeployment(id, '*'), dropParams }).index;
    },
  };
  return inventory;
}

/** What makes a deployment this one: a changed limit, price or description keeps its state and history. */
function identityOf(draft: DeploymentDraft, provider: Provider | undefined): string {
  const { backendModel, options, keepAlive, defaults, extraBody } = draft;
  return canonical({
    provider: draft.provider,
    server: provider === undefined ? undefined : [provider.dialect, provider.baseUrl, provider.apiPath],
    credential: provider?.credential,
    request: { backendModel, options, keepAlive, defaults, extraBody },
  });
}

function freeId(identity: string, taken: ReadonlyMap<string, Deployment>): string {
  for (let number = 1; ; number++) {
    const text = number === 1 ? identity : `${identity} ${number}`;
    const id = createHash('sha256').update(text).digest('hex').slice(0, 16);
    if (!taken.has(id)) return id;
  }
}
