import type { Deployment } from '../plan/deployment.ts';
import { failure } from '../plan/failure-catalogue.ts';
import type { ModelGroup } from '../plan/model-group.ts';
import { nearest } from '../plan/nearest.ts';
import { refuse } from './fail.ts';
import type { Snapshot } from './snapshot.ts';
import { type Seen, sendJson, type ViewInput, withoutVersion } from './view.ts';
import { isServing, stateWord } from './view-health.ts';

/** `GET /v1/models`: every name that clients can ask for. */
export function answerModels(view: ViewInput): void {
  sendJson(view.exchange, 200, { object: 'list', data: listModels(view) });
}

/** `GET /v1/models/{id}`; ids may hold `/` and `:`. */
export function answerOneModel(view: ViewInput): void {
  const { exchange, path } = view;
  const id = withoutVersion(path).slice('/models/'.length);
  const model = findModel(view, id);
  if (model !== undefined) return sendJson(exchange, 200, model);
  const near = nearest(
    id,
    listModels(view).map((model) => model.id),
  );
  const message = `The model "${id.slice(0, 200)}" does not exist`;
  refuse(exchange, failure('model_not_found', message, { param: 'model', nearest: near }));
}

/** What a name is that can be asked for, listed or not: a deployment has its own names too. */
function findModel(seen: Seen, id: string): ListedName | undefined {
  const { plan } = seen.snapshot;
  const known = plan.names.get(id);
  if (known === undefined) return undefined;
  if (known.kind !== 'deployment') {
    const group = plan.groups[known.group];
    return group === undefined ? undefined : describeModel(seen, group, id);
  }
  const deployment = plan.deployments[known.deployment];
  if (deployment === undefined) return undefined;
  return describe(seen, { id, owner: deployment.provider, kind: deployment.kind ?? 'model' }, [deployment]);
}

/** `GET /model/info`: LiteLLM's list of deployments; keys are never in it, addresses only where settings allow. */
export function answerModelInfo({ exchange, snapshot }: ViewInput): void {
  const { plan } = snapshot;
  const data = plan.groups.flatMap((group) =>
    group.members.flatMap((member) => {
      const deployment = plan.deployments[member.deployment];
      return deployment === undefined ? [] : [deploymentInfo(snapshot, group, deployment)];
    }),
  );
  sendJson(exchange, 200, { data });
}

/** `GET /model_group/info`: LiteLLM's summary of each name. */
export function answerGroupInfo({ exchange, snapshot }: ViewInput): void {
  const { plan } = snapshot;
  const data = plan.groups.map((group) => {
    const members = membersOf(snapshot, group);
    return {
      model_group: group.name,
      providers: [...new Set(members.map((one) => one.provider))],
      mode: members[0]?.kind ?? 'chat',
      max_input_tokens: largest(members.map((one) => one.contextTokens)),
      supports_function_calling: members.some((one) => one.capabilities.tools === true),
      supports_vision: members.some((one) => one.capabilities.vision === true),
      rpm: group.limit.requestsPerMinute ?? null,
      tpm: group.limit.tokensPerMinute ?? null,
    };
  });
  sendJson(exchange, 200, { data });
}

/** One item of `/v1/models`. */
export type ListedName = {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
  readonly provider: string;
  readonly kind: string;
  readonly context: number | null;
  readonly capabilities: readonly string[];
  readonly state: string;
  /** Whether a member's model is in memory; null where no server tells. */
  readonly loaded: boolean | null;
};

/** Start of the year in which the names were first served: OpenAI's clients want a number here. */
const created = 1_767_225_600;

/** Every listed name with its facts. */
export function listModels(seen: Seen): readonly ListedName[] {
  const { plan } = seen.snapshot;
  const listed = plan.groups.filter((group) => group.listed).map((group) => describeModel(seen, group, group.name));
  const aliases = [...plan.names].flatMap(([name, target]) => {
    if (target.kind !== 'alias' || target.hidden) return [];
    const group = plan.groups[target.group];
    return group === undefined ? [] : [describeModel(seen, group, name)];
  });
  return [...listed, ...aliases];
}

function describeModel(seen: Seen, group: ModelGroup, id: string): ListedName {
  const members = membersOf(seen.snapshot, group);
  const owner = group.owner ?? members[0]?.provider ?? 'signalbox';
  const kind = group.kind === 'model' ? (members[0]?.kind ?? 'model') : group.kind;
  return describe(seen, { id, owner, kind }, members);
}

function describe(
  seen: Seen,
  { id, owner, kind }: { readonly id: string; readonly owner: string; readonly kind: string },
  members: readonly Deployment[],
): ListedName {
  const { snapshot } = seen;
  return {
    id,
    object: 'model',
    created,
    owned_by: owner,
    provider: owner,
    kind,
    context: largest(
      members.map((one) => snapshot.state.observations[one.index]?.effectiveContext ?? one.contextTokens),
    ),
    capabilities: capabilityNames(members),
    state: groupState(seen, members),
    loaded: isLoaded(snapshot, members),
  };
}

function membersOf({ plan }: Snapshot, group: ModelGroup): readonly Deployment[] {
  return group.members.flatMap((member) => plan.deployments[member.deployment] ?? []);
}

function capabilityNames(members: readonly Deployment[]): readonly string[] {
  const names = new Set<string>();
  for (const { capabilities } of members) {
    for (const [name, has] of Object.entries(capabilities))
      if (has === true) names.add(name === 'jsonSchema' ? 'json_schema' : name);
  }
  return [...names];
}

/** The best state among the members: a name serves as long as one of them does. */
function groupState({ snapshot, now }: Seen, members: readonly Deployment[]): string {
  const states = members.map((one) => snapshot.state.health[one.index]);
  const serving = states.find((one) => isServing(one, now));
  return stateWord(states.find((one) => one?.kind === 'ready') ?? serving ?? states[0]);
}

function isLoaded({ state }: Snapshot, members: readonly Deployment[]): boolean | null {
  const known = members.flatMap((one) => state.observations[one.index]?.residency ?? []);
  return known.length === 0 ? null : known.some((one) => one.kind === 'loaded');
}

function largest(values: readonly (number | undefined)[]): number | null {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? null : Math.max(...known);
}

function deploymentInfo({ plan }: Snapshot, group: ModelGroup, deployment: Deployment): object {
  const provider = plan.providers.get(deployment.provider);
  return {
    model_name: group.name,
    litellm_params: {
      model: `${provider?.dialect ?? deployment.provider}/${deployment.backendModel}`,
      ...(plan.settings.server.showApiBase ? { api_base: provider?.baseUrl } : {}),
    },
    model_info: {
      id: deployment.id,
      mode: deployment.kind ?? 'chat',
      provider: deployment.provider,
      max_input_tokens: deployment.contextTokens ?? null,
      max_output_tokens: deployment.maxOutputTokens ?? null,
      input_cost_per_token: deployment.price?.inputUsdPerToken ?? null,
      output_cost_per_token: deployment.price?.outputUsdPerToken ?? null,
      supports_function_calling: deployment.capabilities.tools ?? null,
      supports_vision: deployment.capabilities.vision ?? null,
      tags: deployment.tags,
      ...deployment.info,
    },
  };
}
