import { type KeyFate, litellmKeys, type Section } from '../../src/config/litellm/keys.ts';
import { notOffered, prefixes } from '../../src/config/litellm/prefixes.ts';
import { litellmPlaces } from './declared-keys.ts';
import { declaredRows } from './declared-rows.ts';

const titles: Readonly<Record<Exclude<Section, 'settings'>, string>> = {
  root: 'The file itself',
  litellm_settings: 'litellm_settings',
  router_settings: 'router_settings',
  general_settings: 'general_settings',
  server_settings: 'server_settings',
  rate_limit_settings: 'rate_limit_settings',
  cache_params: 'litellm_settings.cache_params',
  litellm_params: 'model_list[].litellm_params',
  model_info: 'model_list[].model_info',
};

/** Text of docs/reference/litellm-keys.md: what becomes of each key of a LiteLLM file, and which providers are spoken to. */
export function litellmKeysReference(): string {
  const sections = Object.entries(titles) as [Exclude<Section, 'settings'>, string][];
  return `# LiteLLM files

\`signalbox up --config config.yaml\` starts from a LiteLLM file as it is. This page says what becomes of every key.

- **executed**: it does here what it does there; the last column says what differs because of it, which a test shows by taking the key out.
- **not yet**: it is read and checked, and a warning says that it does nothing yet.
- **refused**: leaving it out would change who answers, who may ask, a limit, an answer or a cost, so it is an error; \`--lenient\` makes it a warning.
- **no effect**: it changes none of these; a warning says so once.

Keys of \`litellm_params\` that stand in no row are sent to the provider as defaults of the request. Keys of \`model_info\` that stand in no row are shown in \`/model/info\`.

This page is written by \`npm run reference\` from \`src/config/litellm/keys.ts\` and \`prefixes.ts\`.

## Providers by prefix

| prefix | wire | default address | key |
| --- | --- | --- | --- |
${[...prefixes]
  .map(
    ([name, { dialect, baseUrl, keyVariable }]) =>
      `| \`${name}/\` | ${dialect} | ${baseUrl ?? 'api_base is needed'} | ${keyVariable === undefined ? '' : `\`${keyVariable}\``} |`,
  )
  .join('\n')}

Not offered, since their requests are signed or of a wire of their own: ${[...notOffered].map((one) => `\`${one}/\``).join(', ')}. \`--lenient\` leaves their deployments out.

${sections.map(([section, title]) => sectionText(title, section)).join('\n')}`;
}

function sectionText(title: string, section: keyof typeof titles): string {
  const rows = Object.entries(litellmKeys[section])
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([key, fate]) => {
      const text = 'instead' in fate ? fate.instead : (seen.get(`${litellmPlaces[section]}${key}`) ?? '');
      return `| \`${key}\` | ${words[fate.kind]} | ${text} |`;
    });
  return `## ${title}

| key | what becomes of it | what differs, why nothing does, or what to do instead |
| --- | --- | --- |
${rows.join('\n')}
`;
}

/** What differs because of a key of a LiteLLM file. */
const seen = new Map(declaredRows().flatMap(({ file, key, what }) => (file === 'config.yaml' ? [[key, what]] : [])));

const words: Readonly<Record<KeyFate['kind'], string>> = {
  executed: 'executed',
  later: 'not yet',
  refused: 'refused',
  ignored: 'no effect',
};
