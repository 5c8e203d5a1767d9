import type { SourceFile } from '../config/source-file.ts';
import type { DiscoveredModel, DiscoveredServer } from '../contract/discovered.ts';

/**
 * Writes what was found as configuration: what `up` runs without a config folder, and what
 * `init --from-discovered` writes into one. Without a server it is the built-in echo.
 */
export function discoveredSources(servers: readonly DiscoveredServer[], folder: string): readonly SourceFile[] {
  const providers: SourceFile = {
    kind: 'providers',
    path: `${folder}/providers.yaml`,
    text: servers.length === 0 ? echoProvider : `providers:\n${servers.map(providerText).join('\n')}`,
  };
  if (servers.length === 0) return [providers];
  return [providers, { kind: 'model-mappings', path: `${folder}/model-mappings.yaml`, text: mappingsText(servers) }];
}

const echoProvider = `providers:
  echo:
    type: echo
    status: active
    description: "Answers with the words that it was sent"
    models:
      - name: echo
`;

function providerText(server: DiscoveredServer): string {
  const models =
    server.models.length === 0 ? '    models: []\n' : `    models:\n${server.models.map(modelText).join('')}`;
  return `  ${server.name}:
    type: ${server.type}
    base_url: ${quoted(server.url)}
    status: active
    description: ${quoted(describe(server))}
${models}`;
}

function describe({ type, version, from }: DiscoveredServer): string {
  const found = from === 'environment' ? 'Named in SIGNALBOX_UPSTREAM' : 'Found on this machine';
  return `${found}: ${type}${version === null ? '' : ` ${version}`}`;
}

function modelText(model: DiscoveredModel): string {
  const size =
    model.parameterSize === null || !/^\d+(\.\d+)?[BT]$/.test(model.parameterSize) ? null : model.parameterSize;
  return [
    `      - name: ${quoted(model.id)}\n`,
    size === null ? '' : `        size: ${quoted(size)}\n`,
    model.kind === 'embedding' ? '        mode: embedding\n' : '',
    model.context === null ? '' : `        context_length: ${model.context}\n`,
    model.quantization === null || model.quantization === 'unknown'
      ? ''
      : `        quantization: ${quoted(model.quantization)}\n`,
  ].join('');
}

/** Models that are pulled later are reached by their names: unknown ones are looked up in the live lists. */
function mappingsText(servers: readonly DiscoveredServer[]): string {
  const [first, second] = servers;
  return [
    'routing_rules:\n',
    `  default_provider: ${first?.name}\n`,
    second === undefined ? '' : `  default_fallback: ${second.name}\n`,
  ].join('');
}

/** JSON's strings are YAML's double-quoted ones. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
