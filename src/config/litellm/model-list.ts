import type { DeploymentIndex } from '../../plan/ids.ts';
import { nearest } from '../../plan/nearest.ts';
import { type Findings, inside, keyOf, type Place, quoted } from '../findings.ts';
import { memberOf } from '../group-builder.ts';
import type { Lowering } from '../lowering.ts';
import type { ParsedFile } from '../parsed-file.ts';
import type { Reference } from '../reference.ts';
import { type Entry, type EntryWithCredential, objectOf, type SplitModel, textOf } from './entry.ts';
import { draftOf } from './entry-deployment.ts';
import { providerOf } from './entry-provider.ts';
import { litellmKeys } from './keys.ts';
import { inferPrefix, prefixes } from './prefixes.ts';
import { prefixNotOffered } from './read-places.ts';
import { misspeltParam } from './request-fields.ts';
import { readSection, valueAt } from './section.ts';

/** Puts a LiteLLM model_list into inventory and groups: entries of one name form a pool. */
export function lowerModelList(file: ParsedFile, lowering: Lowering): void {
  const list = valueAt(file.value, ['model_list']);
  if (list === undefined || list === null) return;
  if (!Array.isArray(list)) {
    lowering.findings.add('wrong-type', { file, path: ['model_list'] }, '"model_list" is no list', {
      wanted: 'a list of deployments',
    });
    return;
  }
  list.forEach((_entry, index) => {
    lowerEntry(file, index, lowering);
  });
}

function lowerEntry(file: ParsedFile, index: number, lowering: Lowering): void {
  const { findings, groups } = lowering;
  const place: Place = { file, path: ['model_list', index] };
  const name = nameOf(file, place, findings);
  if (name === undefined) return;
  const params = valueAt(file.value, [...place.path, 'litellm_params']);
  const unsigned = prefixNotOffered(params);
  if (unsigned !== undefined) {
    const model = { name: String(valueAt(params, ['model'])), at: inside(place, 'litellm_params', 'model') };
    tellNotOffered(unsigned, model, findings);
    return;
  }
  const entry: Entry = {
    params: readSection(inside(place, 'litellm_params'), 'litellm_params', findings),
    info: readSection(inside(place, 'model_info'), 'model_info', findings),
    place,
  };
  const deployment = lowerDeployment(name, entry, lowering);
  if (deployment === undefined) return;
  const group = groups.declare('model_list', {
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

/** The name of an entry that has what an entry needs; what is misspelt is told, and not again as missing. */
function nameOf(file: ParsedFile, place: Place, findings: Findings): string | undefined {
  const entry = valueAt(file.value, place.path);
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    findings.add('wrong-type', place, 'An entry of model_list is no map', {
      wanted: '{model_name: NAME, litellm_params: {model: provider/NAME}}',
    });
    return undefined;
  }
  const misspelt = unknownEntryKeys(entry, place, findings);
  const name = valueAt(entry, ['model_name']);
  if (name === undefined || name === null || name === '') {
    if (!misspelt.includes('model_name'))
      findings.add('missing-key', place, 'The key "model_name" is missing', {
        wanted: 'the name that clients ask for',
      });
    return undefined;
  }
  if (typeof name !== 'string') {
    findings.add('wrong-type', inside(place, 'model_name'), `"model_name" has ${JSON.stringify(name)}`, {
      wanted: 'text',
      fix: 'Put it into quotes',
    });
    return undefined;
  }
  return misspelt.includes('litellm_params') ? undefined : name;
}

/** Tells the keys of an entry that are none, and gives back what they were meant to be. */
function unknownEntryKeys(entry: object, place: Place, findings: Findings): readonly string[] {
  return Object.keys(entry).flatMap((key) => {
    if (entryKeys.includes(key) || key.startsWith('x-')) return [];
    const [near] = nearest(key, entryKeys, 1);
    const isParam = Object.hasOwn(litellmKeys.litellm_params, key);
    findings.add('unknown-key', keyOf(inside(place, key)), `Unknown key "${key}"`, {
      found: key,
      nearest: near,
      ...(isParam ? { fix: 'Move it into litellm_params' } : {}),
    });
    return near === undefined || Object.hasOwn(entry, near) ? [] : [near];
  });
}

function tellNotOffered(prefix: string, model: Reference, findings: Findings): void {
  findings.addToCause('unsupported-provider', model.at, {
    key: prefix,
    subject: model.name,
    message: (all) =>
      `${quoted(all)}: ${prefix} needs requests that are signed or of another wire, which is not offered`,
    details: () => ({
      found: prefix,
      fix: 'Use the vendor’s OpenAI-compatible endpoint as openai/NAME with api_base, or start with --lenient to leave it out',
    }),
  });
}

function lowerDeployment(name: string, entry: Entry, lowering: Lowering): DeploymentIndex | undefined {
  const { findings } = lowering;
  const model = entry.params.text('model');
  if (model === undefined || model === '') {
    const written = Object.keys(objectOf(valueAt(entry.place.file.value, [...entry.place.path, 'litellm_params'])));
    if (entry.params.raw('model') === undefined && !written.some((key) => misspeltParam(key) === 'model'))
      findings.add('missing-key', entry.place, `The deployment of "${name}" has no litellm_params.model`, {
        wanted: 'provider/name',
      });
    return undefined;
  }
  const named = { entry, credential: credentialValues(entry, findings) };
  const split = splitModel(model, named, lowering);
  if (split === undefined) return undefined;
  const asked = { ...split, ...named };
  const provider = providerOf(asked, lowering);
  if (provider === undefined) return undefined;
  return lowering.inventory.add(draftOf(asked, provider, lowering), entry.info.text('id')).index;
}

/** Values of the credential_list entry that a deployment names. */
function credentialValues({ params, place }: Entry, findings: Findings): EntryWithCredential['credential'] {
  const wanted = params.text('litellm_credential_name');
  const list = valueAt(place.file.value, ['credential_list']);
  if (wanted === undefined) return {};
  const all: readonly unknown[] = Array.isArray(list) ? list : [];
  const found = all.find((one) => valueAt(one, ['credential_name']) === wanted);
  if (found === undefined) {
    const names = all.map((one) => valueAt(one, ['credential_name'])).filter((one) => typeof one === 'string');
    const [near] = nearest(wanted, names, 1);
    findings.add(
      'unknown-credential',
      params.place('litellm_credential_name'),
      `No entry of credential_list is called "${wanted}"`,
      {
        found: wanted,
        nearest: near,
        wanted: names.length === 0 ? 'an entry of credential_list' : `one of ${names.join(', ')}`,
      },
    );
  }
  const values = valueAt(found, ['credential_values']);
  return typeof values === 'object' && values !== null ? (values as Record<string, unknown>) : {};
}

function splitModel(
  model: string,
  { entry, credential }: EntryWithCredential,
  { findings }: Lowering,
): SplitModel | undefined {
  const forced = entry.params.text('custom_llm_provider');
  const slash = model.indexOf('/');
  const first = slash === -1 ? undefined : model.slice(0, slash);
  const base = entry.params.text('api_base') ?? entry.params.text('base_url') ?? textOf(credential['api_base']);
  const place = entry.params.place('model');
  const own = first !== undefined && prefixes.has(first) ? first : undefined;
  const prefixName = forced ?? own ?? inferPrefix(model, base);
  const prefix = prefixName === undefined ? undefined : prefixes.get(prefixName);
  if (prefixName === undefined || prefix === undefined) {
    const [near] = nearest(forced ?? first ?? model, prefixes.keys(), 1);
    findings.add('unknown-prefix', place, `"${model}" names no provider that is known`, {
      found: model,
      nearest: near,
      fix:
        near === undefined || slash === -1
          ? 'Write openai/NAME and api_base for a server of OpenAI’s wire'
          : `Write "${near}${model.slice(slash)}"`,
    });
    return undefined;
  }
  const isStripped = own === prefixName || (forced !== undefined && first === forced);
  return { prefixName, prefix, model: isStripped ? model.slice(slash + 1) : model };
}
