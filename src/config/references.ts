import type { Deployment } from '../plan/deployment.ts';
import type { DeploymentIndex } from '../plan/ids.ts';
import { nearest } from '../plan/nearest.ts';
import type { Catalog } from './catalog.ts';
import type { Findings, Place } from './findings.ts';
import { providerNames, providersNamed } from './lower-providers.ts';

/** What is known of the model that a reference to a provider is made for. */
export type WantedModel = {
  /** Name under which clients ask. */
  readonly name: string;
  /** Model that the entry names at the provider. */
  readonly backendModel: string | undefined;
  readonly specialty: string | undefined;
};

/** What resolving needs; every reference that was resolved by a rule is told in `resolutions`. */
export type ReferenceInput = { readonly catalog: Catalog; readonly findings: Findings; readonly resolutions: string[] };

/**
 * The deployments that "provider X for model M" means: X may be a provider, a type or a group; of
 * each provider the named model, else the one of the same name, else its only one, else the one of
 * the same specialty. A primary reference that stays ambiguous is an error, a fallback takes the
 * provider's first model and says so.
 */
export function resolveAtProvider(
  input: ReferenceInput,
  reference: string,
  wanted: WantedModel,
  at: { readonly place: Place; readonly role: 'primary' | 'fallback' },
): readonly DeploymentIndex[] {
  const providers = providersNamed(input.catalog, reference);
  if (providers.length === 0) {
    unknownProvider(input, reference, at.place);
    return [];
  }
  const found = providers.flatMap((provider) => {
    const models = input.catalog.of(provider.id);
    const model = pickModel(models, wanted);
    if (model !== undefined) {
      if (model.backendModel !== wanted.name)
        input.resolutions.push(`"${reference}" for "${wanted.name}" means ${provider.id}/${model.backendModel}`);
      return [model.index];
    }
    return ambiguous(input, { provider: provider.id, models, wanted, ...at, several: providers.length > 1 });
  });
  return [...new Set(found)];
}

/** Reports a name that stands for no provider. */
export function unknownProvider({ catalog, findings }: ReferenceInput, reference: string, place: Place): void {
  const [near] = nearest(reference, providerNames(catalog), 1);
  findings.add('unknown-provider', place, `No provider is called "${reference}"`, {
    found: reference,
    nearest: near,
    wanted: `one of ${[...catalog.providers.keys()].slice(0, 12).join(', ') || 'the providers of providers.yaml'}`,
  });
}

function pickModel(
  models: readonly Deployment[],
  { name, backendModel, specialty }: WantedModel,
): Deployment | undefined {
  if (backendModel !== undefined) return models.find((one) => isNamed(one, backendModel));
  const same = models.find((one) => isNamed(one, name));
  if (same !== undefined) return same;
  if (models.length === 1) return models[0];
  const fitting = specialty === undefined ? [] : models.filter((one) => one.specialty === specialty);
  return fitting.length === 1 ? fitting[0] : undefined;
}

function isNamed(deployment: Deployment, name: string): boolean {
  return (
    deployment.backendModel === name ||
    deployment.backendModel === `${name}:latest` ||
    `${deployment.backendModel}:latest` === name
  );
}

type Ambiguous = {
  readonly provider: Deployment['provider'];
  readonly models: readonly Deployment[];
  readonly wanted: WantedModel;
  readonly place: Place;
  readonly role: 'primary' | 'fallback';
  readonly several: boolean;
};

function ambiguous(
  { catalog, findings, resolutions }: ReferenceInput,
  { provider, models, wanted, place, role, several }: Ambiguous,
): readonly DeploymentIndex[] {
  const choices = models.map((one) => one.backendModel).join(', ');
  if (wanted.backendModel !== undefined) {
    // One provider of a group may lack the model; a single one that lacks it is a mistake, unless its list is open.
    if (several) return [];
    if (models.length === 0)
      return [catalog.add({ ...draftOf(catalog, provider), backendModel: wanted.backendModel }).index];
    const [near] = nearest(
      wanted.backendModel,
      models.map((one) => one.backendModel),
      1,
    );
    findings.add('unknown-model', place, `"${provider}" has no model "${wanted.backendModel}"`, {
      found: wanted.backendModel,
      nearest: near,
      wanted: `one of ${choices}`,
    });
    return [];
  }
  if (models.length === 0) {
    resolutions.push(`"${provider}" declares no models and is asked for "${wanted.name}" itself`);
    return [catalog.add({ ...draftOf(catalog, provider), backendModel: wanted.name }).index];
  }
  if (role === 'primary') {
    findings.add(
      'ambiguous-model',
      place,
      `"${provider}" has several models, and nothing says which one "${wanted.name}" means`,
      { wanted: `backend_model: one of ${choices}` },
    );
    return [];
  }
  const [first] = models;
  findings.add(
    'ambiguous-fallback',
    place,
    `"${provider}" has several models (${choices}); as fallback of "${wanted.name}" the first serves`,
    { fix: 'Name the model instead of the provider to choose another' },
  );
  return first === undefined ? [] : [first.index];
}

function draftOf(catalog: Catalog, provider: Deployment['provider']): Deployment {
  const index = catalog.literal(provider);
  const found = catalog.deployments[index];
  if (found === undefined) throw new RangeError(`The catalog has no deployment ${index}`);
  return found;
}
