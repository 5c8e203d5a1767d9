import type { UrlProblem, UrlReport } from '../contract/url-report.ts';
import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { ServerAnswer, ServerFamily } from '../plan/probe.ts';
import { describeConnection } from './connection-problem.ts';
import { describeModel } from './describe-model.ts';
import { familyOf, type LookedAt, lookAtServer, type Probing } from './server-family.ts';

/** What to probe an address with. */
export type ProbeUrlOptions = {
  readonly key?: string | undefined;
  readonly timeoutMs?: Milliseconds;
};

/** Finds out what answers at an address, with one precise problem and its fix where it cannot be used as it is. */
export async function probeUrl(text: string, probing: Probing, options: ProbeUrlOptions = {}): Promise<UrlReport> {
  const url = completeUrl(text);
  if (url === undefined) {
    return failed(text, problem('not_a_url', `"${text}" is no http or https address`, 'Write it as http://HOST:PORT'));
  }
  const timeoutMs = options.timeoutMs ?? milliseconds(5000);
  const began = probing.now();
  const looked = await lookAtServer(probing, url, { timeoutMs, key: options.key });
  const latencyMs = Math.round(probing.now() - began);
  const known = familyOf(probing.families, url, looked.answers);
  if (known === undefined) return diagnose({ url, looked, latencyMs, probing, options, timeoutMs });
  const { family, report } = known;
  const refused = keyProblem(looked.answers, options.key);
  const isLoading = report.state === 'loading';
  return {
    url,
    reachable: true,
    type: family.name,
    baseUrl: url,
    state: report.state,
    version: report.version ?? null,
    latencyMs,
    key: keyNeed(refused, options.key),
    models: (report.models ?? []).map(describeModel),
    problem:
      refused ??
      (isLoading ? problem('loading', 'The server is loading its model', 'Wait until it has, and ask again') : null),
  };
}

/** People leave the scheme out, and paste the path of an endpoint. */
function completeUrl(text: string): string | undefined {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(whole)) return undefined;
  const { protocol, username, hostname } = new URL(whole);
  if ((protocol !== 'http:' && protocol !== 'https:') || username !== '' || hostname === '') return undefined;
  return whole.replace(/\/+$/, '');
}

type Diagnosis = {
  readonly url: string;
  readonly looked: LookedAt;
  readonly latencyMs: number;
  readonly probing: Probing;
  readonly options: ProbeUrlOptions;
  readonly timeoutMs: Milliseconds;
};

/** No family recognises the server: the answers say why, from the most telling to the least. */
async function diagnose(diagnosis: Diagnosis): Promise<UrlReport> {
  const { url, looked, latencyMs, options } = diagnosis;
  const { answers, errors } = looked;
  const [error] = errors;
  if (answers.length === 0) {
    const found = describeConnection(error?.code ?? 'unknown', url);
    return failed(url, found);
  }
  const refused = keyProblem(answers, options.key);
  const found = refused ?? redirectProblem(answers) ?? (await pathProblem(diagnosis)) ?? serverProblem(answers);
  return { ...failed(url, found), reachable: true, latencyMs, key: keyNeed(refused, options.key) };
}

function keyProblem(
  answers: readonly ServerAnswer[],
  key: string | undefined,
): NonNullable<UrlReport['problem']> | null {
  const unauthorised = answers.find(({ status }) => status === 401);
  if (unauthorised !== undefined && key === undefined)
    return problem('key_missing', 'The server wants a key (status 401)', 'Give it with --key-env NAME, or set env_var');
  if (unauthorised !== undefined)
    return problem('key_refused', 'The server refuses the key (status 401)', 'Check which key the variable holds');
  const isForbidden = answers.length > 0 && answers.every(({ status }) => status === 403);
  if (!isForbidden) return null;
  return problem(
    'forbidden',
    'The server refuses this client (status 403): the key lacks a right, or the host name is not one that it answers to',
    'Check the key’s rights; for Ollama behind another name set OLLAMA_HOST or OLLAMA_ORIGINS there',
  );
}

function keyNeed(refused: UrlReport['problem'], key: string | undefined): UrlReport['key'] {
  if (refused?.code === 'key_missing') return 'yes';
  if (refused?.code === 'key_refused') return 'refused';
  if (refused !== null) return 'unknown';
  return key === undefined ? 'no' : 'accepted';
}

function redirectProblem(answers: readonly ServerAnswer[]): UrlReport['problem'] {
  const redirect = answers.find(({ status, location }) => status >= 300 && status < 400 && location !== undefined);
  if (redirect?.location === undefined || answers.some(({ status }) => status === 200)) return null;
  const { location } = redirect;
  const target = URL.canParse(location) ? new URL(location).origin : location;
  return problem(
    'redirect',
    `The server sends elsewhere, to ${target} (status ${redirect.status}), and redirects are not followed`,
    `Write the address itself: ${target}`,
  );
}

/** The right server at the wrong path: its own origin, without the path that was given, is recognised. */
async function pathProblem({ url, probing, options, timeoutMs }: Diagnosis): Promise<UrlReport['problem']> {
  const { origin, pathname } = new URL(url);
  if (pathname === '/' || pathname === '') return null;
  for (const other of [origin, `${origin}/api`]) {
    if (other === url) continue;
    const looked = await lookAtServer(probing, other, { timeoutMs, key: options.key });
    const known = familyOf(probing.families, other, looked.answers);
    if (known === undefined) continue;
    return problem(
      'wrong_path',
      `Nothing answers under ${pathname}, but ${wordsOf(known.family)} answers at ${other}`,
      `Write base_url: ${other}`,
    );
  }
  return null;
}

function serverProblem(answers: readonly ServerAnswer[]): NonNullable<UrlReport['problem']> {
  const broken = answers.find(({ status }) => status >= 500);
  if (broken !== undefined)
    return problem('server_error', `The server fails (status ${broken.status})`, 'Look at the server’s own log');
  const good = answers.filter(({ status }) => status === 200);
  const page = good.find(
    ({ contentType, body }) => contentType.includes('text/html') || /^\s*<(!doctype|html)/i.test(body),
  );
  if (page !== undefined)
    return problem(
      'html',
      'A web page answers where a list of models was wanted',
      'Give the address of the interface, not of the web page: often another port, or the path that ends before /v1',
    );
  if (good.length === 0)
    return problem(
      'wrong_path',
      'The server has none of the paths of a model server (status 404)',
      'Check the path: give the address up to, not including, /chat/completions',
    );
  return problem(
    'unknown_server',
    'The server answers, but as no kind of model server that is known',
    'Check the address; a server of OpenAI’s wire answers GET /v1/models with {"data": [...]}',
  );
}

function problem(code: UrlProblem, message: string, fix: string): NonNullable<UrlReport['problem']> {
  return { code, message, fix };
}

function wordsOf({ name }: ServerFamily): string {
  return name === 'openai_compatible' ? 'an OpenAI-compatible server' : name;
}

function failed(url: string, found: NonNullable<UrlReport['problem']>): UrlReport {
  return {
    url,
    reachable: false,
    type: null,
    baseUrl: null,
    state: 'down',
    version: null,
    latencyMs: null,
    key: 'unknown',
    models: [],
    problem: found,
  };
}
