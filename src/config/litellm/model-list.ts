import type { DeploymentIndex } from '../../plan/ids.ts';
import { nearest } from '../../plan/nearest.ts';
import type { Place } from '../findings.ts';
import { memberOf } from '../group-builder.ts';
import type { Lowering } from '../lowering.ts';
import type { ParsedFile } from '../parsed-file.ts';
import { type Entry, type SplitModel, textOf } from './entry.ts';
import { draftOf } from './entry-deployment.ts';
import { providerOf } from './entry-provider.ts';
import { litellmKeys } from './keys.ts';
import { inferPrefix, notOffered, prefixes } from './prefixes.ts';
import { readSection, valueAt } from './section.ts';

/** Puts a LiteLLM model_list into catalog and groups: entries of one name form a pool. */
export function lowerModelList(file: ParsedFile, lowering: Lowering, options: { readonly dropParams: boolean }): void {
  const list = valueAt(file.value, ['model_list']);
  if (list === undefined || list === null) return;
  if (!Array.isArray(list)) {
    lowering.findings.add('wrong-type', { file, path: ['model_list'] }, '"model_list" is no list', {
      wanted: 'a list of deployments',
    });
    return;
  }
  list.forEach((_entry, index) => {
    lowerEntry(file, index, lowering, options);
  });
}

function lowerEntry(
  file: ParsedFile,
  index: number,
  lowering: Lowering,
  options: { readonly dropParams: boolean },
): void {
  const { findings, groups } = lowering;
  const place: Place = { file, path: ['model_list', index] };
  const name = valueAt(file.value, ['model_list', index, 'model_name']);
  if (typeof name !== 'string' || name === '') {
    findings.add('missing-key', place, 'The key "model_name" is missing', { wanted: 'the name that clients ask for' });
    return;
  }
  checkEntryKeys(file, index, lowering);
  const entry: Entry = {
    params: readSection(file, 'litellm_params', ['model_list', index, 'litellm_params'], findings),
    info: readSection(file, 'model_info', ['model_list', index, 'model_info'], findings),
    place,
  };
  const deployment = lowerDeployment(name, entry, file, lowering, options);
  if (deployment === undefined) return;
  const group =
    groups.get(name) ??
    groups.add({
      name,
      kind: name.includes('*') ? 'wildcard' : 'model',
      place: { ...place, path: [...place.path, 'model_name'] },
    });
  group.listed = !name.includes('*');
  group.description ??= entry.info.text('description');
  group.members.push(
    memberOf(deployment, { order: entry.params.number('order') ?? 1, weight: entry.params.number('weight') }),
  );
}

const entryKeys = ['model_name', 'litellm_params', 'model_info', 'tpm', 'rpm'];

function checkEntryKeys(file: ParsedFile, index: number, { findings }: Lowering): void {
  const entry = valueAt(file.value, ['model_list', index]);
  for (const key of Object.keys(entry as object)) {
    if (entryKeys.includes(key) || key.startsWith('x-')) continue;
    const [near] = nearest(key, entryKeys, 1);
    const inside = Object.hasOwn(litellmKeys.litellm_params, key) ? 'litellm_params' : undefined;
    findings.add('unknown-key', { file, path: ['model_list', index, key], part: 'key' }, `Unknown key "${key}"`, {
      found: key,
      nearest: near,
      ...(inside === undefined ? {} : { fix: `Move it into ${inside}` }),
    });
  }
}

function lowerDeployment(
  name: string,
  entry: Entry,
  file: ParsedFile,
  lowering: Lowering,
  options: { readonly dropParams: boolean },
): DeploymentIndex | undefined {
  const { findings } = lowering;
  const model = entry.params.text('model');
  if (model === undefined || model === '') {
    if (entry.params.raw('model') === undefined)
      findings.add('missing-key', entry.place, `The deployment of "${name}" has no litellm_params.model`, {
        wanted: 'provider/name',
      });
    return undefined;
  }
  const credential = credentialValues(entry, file);
  const found = splitModel(model, entry, credential, lowering);
  if (found === undefined) return undefined;
  const provider = providerOf(found, entry, credential, lowering);
  if (provider === undefined) return undefined;
  return lowering.catalog.add(draftOf(found.model, provider, entry, options)).index;
}

/** Values of the credential_list entry that a deployment names. */
function credentialValues(entry: Entry, file: ParsedFile): Readonly<Record<string, unknown>> {
  const wanted = entry.params.text('litellm_credential_name');
  const list = valueAt(file.value, ['credential_list']);
  if (wanted === undefined || !Array.isArray(list)) return {};
  const found: unknown = list.find((one: unknown) => valueAt(one, ['credential_name']) === wanted);
  const values = valueAt(found, ['credential_values']);
  return typeof values === 'object' && values !== null ? (values as Record<string, unknown>) : {};
}

function splitModel(
  model: string,
  entry: Entry,
  credential: Readonly<Record<string, unknown>>,
  { findings }: Lowering,
): SplitModel | undefined {
  const forced = entry.params.text('custom_llm_provider');
  const slash = model.indexOf('/');
  const first = slash === -1 ? undefined : model.slice(0, slash);
  const base = entry.params.text('api_base') ?? entry.params.text('base_url') ?? textOf(credential['api_base']);
  const place = entry.params.place('model');
  const own = first !== undefined && (prefixes.has(first) || notOffered.has(first)) ? first : undefined;
  const prefixName = forced ?? own ?? inferPrefix(model, base);
  if (prefixName !== undefined && notOffered.has(prefixName)) {
    findings.add(
      'unsupported-provider',
      place,
      `"${model}": ${prefixName} needs requests that are signed or of another wire, which is not offered`,
      {
        found: prefixName,
        fix: 'Use the vendor’s OpenAI-compatible endpoint as openai/NAME with api_base, or start with --lenient to leave it out',
      },
    );
    return undefined;
  }
  const prefix = prefixName === undefined ? undefined : prefixes.get(prefixName);
  if (prefixName === undefined || prefix === undefined) {
    const [near] = nearest(forced ?? first ?? model, prefixes.keys(), 1);
    findings.add('unknown-prefix', place, `"${model}" names no provider that is known`, {
      found: model,
      nearest: near,
      fix: 'Write openai/NAME and api_base for a server of OpenAI’s wire',
    });
    return undefined;
  }
  const isStripped = own === prefixName || (forced !== undefined && first === forced);
  return { prefixName, prefix, model: isStripped ? model.slice(slash + 1) : model };
}
