/**
 * Operations: what people do to a running system and around it, as code: finding servers, probing
 * an address, checking the preconditions, talking to the gateway. It prints nothing and decides no
 * route; whoever calls it shows what it found. Start reading here or at `doctor.ts`.
 */
import type { DiscoveredServer } from '../contract/discovered.ts';
import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { ProbeReport, ServerFamily } from '../plan/probe.ts';
import type { Environment } from '../plan/secret.ts';
import { describeModel } from './describe-model.ts';
import { familyOf, type LookedAt, lookAtServer, type Probing } from './server-family.ts';

/** An address to look at. */
export type Candidate = { readonly url: string; readonly from: DiscoveredServer['from'] };

/** Where model servers usually listen: Ollama, llama.cpp, vLLM and llama-cpp-python, LM Studio. */
const usualPorts: readonly number[] = [11434, 8080, 8000, 8001, 1234];

/** A local server answers at once; what does not is not worth waiting for at start. */
const localTimeoutMs = milliseconds(800);
const namedTimeoutMs = milliseconds(4000);

/** The addresses that discovery looks at: those a person named first, then the usual ports of this machine. */
export function discoveryCandidates(
  environment: Environment,
  ports: readonly number[] = usualPorts,
): readonly Candidate[] {
  const named = (environment['SIGNALBOX_UPSTREAM'] ?? '').split(/[\s,]+/).filter((text) => text !== '');
  return [
    ...named.map((url) => ({ url: url.includes('://') ? url : `http://${url}`, from: 'environment' as const })),
    ...ports.map((port) => ({ url: `http://127.0.0.1:${port}`, from: 'port' as const })),
  ];
}

/** Looks at every address at the same time; gives the servers that were found, in the order of the addresses. */
export async function discover(
  candidates: readonly Candidate[],
  probing: Probing,
): Promise<readonly DiscoveredServer[]> {
  const seen = new Set<string>();
  const distinct = candidates.filter(({ url }) => {
    const key = placeOf(url);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  const found = await Promise.all(distinct.map((candidate) => examine(candidate, probing)));
  return named(found.filter((server) => server !== undefined));
}

/** Two spellings of one server on this machine are one place. */
function placeOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const { protocol, hostname, port } = new URL(url);
  const host = hostname === 'localhost' || hostname === '[::1]' || hostname === '0.0.0.0' ? '127.0.0.1' : hostname;
  return `${host}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}

async function examine(candidate: Candidate, probing: Probing): Promise<DiscoveredServer | undefined> {
  const { url, from } = candidate;
  const isNamed = from === 'environment';
  if (!URL.canParse(url)) return isNamed ? unreachable(url, `"${url}" is no address`) : undefined;
  const timeoutMs = isNamed ? namedTimeoutMs : localTimeoutMs;
  const began = probing.now();
  if (!isNamed && !(await isListening(url, probing, timeoutMs))) return undefined;
  const looked = await lookAtServer(probing, url, { timeoutMs });
  const latencyMs = Math.round(probing.now() - began);
  const known = familyOf(probing.families, url, looked.answers);
  if (known !== undefined) return describe(candidate, known, latencyMs);
  return isNamed ? unreachable(url, whyUnknown(looked)) : undefined;
}

/** One request tells whether anything speaks HTTP there; most of the usual ports are closed. */
async function isListening(url: string, { get }: Probing, timeoutMs: Milliseconds): Promise<boolean> {
  return (await get(`${new URL(url).origin}/v1/models`, { timeoutMs, headers: {} })).kind === 'answer';
}

function whyUnknown({ answers, errors }: LookedAt): string {
  if (answers.some(({ status }) => status === 401 || status === 403)) return 'it wants a key: write a config with it';
  if (answers.length > 0) return 'it answers, but not as a model server';
  return errors[0]?.detail ?? 'no answer';
}

/** What a person named is kept though it does not answer: it may come back. */
function unreachable(url: string, why: string): DiscoveredServer {
  return {
    name: 'upstream',
    type: 'openai_compatible',
    url,
    state: 'down',
    why,
    version: null,
    models: [],
    latencyMs: null,
    from: 'environment',
  };
}

function describe(
  { url, from }: Candidate,
  { family, report }: { readonly family: ServerFamily; readonly report: ProbeReport },
  latencyMs: number,
): DiscoveredServer {
  return {
    name: baseName(family, url, from),
    type: family.name,
    url: url.replace(/\/+$/, ''),
    state: report.state,
    why: report.detail ?? null,
    version: report.version ?? null,
    models: (report.models ?? []).map(describeModel),
    latencyMs,
    from,
  };
}

/** An LM Studio before 0.3.6 has OpenAI's list alone; only its port tells it from others. */
function baseName(family: ServerFamily, url: string, from: DiscoveredServer['from']): string {
  if (family.name !== 'openai_compatible') return family.name;
  if (new URL(url).port === '1234') return 'lm_studio';
  return from === 'environment' ? 'upstream' : 'local';
}

/** Gives a second server of a family its port as part of its name. */
function named(servers: readonly DiscoveredServer[]): readonly DiscoveredServer[] {
  const taken = new Set<string>();
  return servers.map((server) => {
    const port = URL.canParse(server.url) ? new URL(server.url).port || '443' : 'x';
    let name = taken.has(server.name) ? `${server.name}_${port}` : server.name;
    for (let count = 2; taken.has(name); count++) name = `${server.name}_${port}_${count}`;
    taken.add(name);
    return { ...server, name };
  });
}
