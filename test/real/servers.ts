import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { writeTinyModel } from './tiny-model.ts';

/** Folder of the installed servers; install.sh fills it. */
export const realFolder: string = process.env['SIGNALBOX_REAL_DIR'] ?? join(homedir(), '.cache', 'signalbox-real');

const here = fileURLToPath(new URL('.', import.meta.url));

/** A real server under test. */
export type RealServer = {
  readonly url: string;
  /** Everything it printed so far. */
  readonly log: () => string;
  stop(): Promise<void>;
};

/** Kinds of llama.cpp servers: the counting model, the one that calls a tool, the one that embeds, real weights. */
export type LlamaKind = 'counting' | 'tool' | 'embedding' | 'gemma';

/** Starts llama.cpp's server; `ready: false` gives it back while it still loads. */
export async function startLlama(
  kind: LlamaKind,
  options: { readonly slots?: number; readonly context?: number; readonly ready?: boolean } = {},
): Promise<RealServer> {
  const port = await freePort();
  const model = kind === 'gemma' ? join(realFolder, 'gemma.gguf') : tinyModel(kind === 'tool' ? 'tool' : 'counting');
  const words = [
    join(here, 'llama-server.py'),
    ...['--model', model, '--alias', kind === 'gemma' ? 'gemma' : 'tiny', '--port', String(port)],
    ...(options.slots === undefined ? [] : ['--slots', String(options.slots)]),
    ...['--context', String(options.context ?? (kind === 'gemma' ? 4096 : 0))],
    ...(kind === 'embedding' ? ['--embeddings'] : []),
    ...(kind === 'tool' ? ['--template', join(here, 'tool-template.jinja')] : []),
  ];
  return launch(join(realFolder, 'llama/bin/python'), words, {
    url: `http://127.0.0.1:${port}`,
    readyPath: options.ready === false ? undefined : '/health',
    environment: {},
  });
}

/** Starts Ollama with the tiny models and, where asked, the real weights. */
export async function startOllama(
  options: { readonly gemma?: boolean; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<RealServer> {
  const port = await freePort();
  const home = mkdtempSync(join(tmpdir(), 'signalbox-ollama-'));
  const program = join(realFolder, 'ollama/bin/ollama');
  const environment = {
    HOME: home,
    OLLAMA_HOST: `127.0.0.1:${port}`,
    OLLAMA_MODELS: join(home, 'models'),
    OLLAMA_NUM_PARALLEL: '1',
    ...options.environment,
  };
  const server = await launch(program, ['serve'], {
    url: `http://127.0.0.1:${port}`,
    readyPath: '/api/version',
    environment,
  });
  createOllamaModel({ program, home, environment }, 'tiny', `FROM ${tinyModel('counting')}`);
  createOllamaModel({ program, home, environment }, 'tiny-tool', `FROM ${tinyModel('tool')}\n${toolTemplate}`);
  if (options.gemma === true)
    createOllamaModel({ program, home, environment }, 'gemma', `FROM ${join(realFolder, 'gemma.gguf')}`);
  return {
    ...server,
    stop: async () => {
      await server.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

type OllamaHome = {
  readonly program: string;
  readonly home: string;
  readonly environment: Readonly<Record<string, string>>;
};

function createOllamaModel({ program, home, environment }: OllamaHome, name: string, file: string): void {
  const path = join(home, `${name}.modelfile`);
  writeFileSync(path, `${file}\nPARAMETER num_thread 1\n`);
  execFileSync(program, ['create', name, '-f', path], { env: { ...process.env, ...environment }, stdio: 'ignore' });
}

/** A template that mentions tools gives the model the capability; Ollama takes the tag of a call from the branch for calls. The answer begins after the newline behind "assistant". */
const toolTemplate = `TEMPLATE """{{ if .Tools }}<|im_start|>system
Tools: {{ .Tools }}<|im_end|>
{{ end }}{{ range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}{{ if .ToolCalls }}{{ range .ToolCalls }}<tool_call>
{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}
</tool_call>{{ end }}{{ end }}<|im_end|>
{{ end }}<|im_start|>assistant
"""`;

/** Path of a tiny model, made anew where its maker is newer. */
function tinyModel(model: 'counting' | 'tool'): string {
  mkdirSync(realFolder, { recursive: true });
  const path = join(realFolder, `tiny-${model}.gguf`);
  const maker = join(here, 'tiny-model.ts');
  if (!existsSync(path) || statSync(path).mtimeMs < statSync(maker).mtimeMs) writeTinyModel(path, model);
  return path;
}

type Launch = {
  readonly url: string;
  readonly readyPath: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
};

/** Longest start of a server on a busy machine. */
const startLimitMs = 90_000;

async function launch(
  program: string,
  words: readonly string[],
  { url, readyPath, environment }: Launch,
): Promise<RealServer> {
  const child = spawn(program, words, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let log = '';
  const keep = (chunk: Buffer): void => {
    log = (log + chunk.toString()).slice(-4_000_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const server: RealServer = { url, log: () => log, stop: () => stop(child) };
  if (readyPath === undefined) return server;
  const until = performance.now() + startLimitMs;
  for (;;) {
    const answer = await fetch(`${url}${readyPath}`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok === true) return server;
    if (child.exitCode !== null || performance.now() > until) {
      await server.stop();
      throw new Error(`${program} does not answer at ${url}:\n${log.slice(-2000)}`);
    }
    await pause(50);
  }
}

/** Ends a server with what it started: Ollama runs its models in processes of their own. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  signalGroup(child.pid, 'SIGTERM');
  const late = setTimeout(() => signalGroup(child.pid ?? 0, 'SIGKILL'), 5000);
  await ended;
  clearTimeout(late);
  signalGroup(child.pid, 'SIGKILL');
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Already gone, which is what was wanted.
  }
}

/** Starts the real LiteLLM proxy with a configuration file and a key of its own. */
export async function startLitellm(file: string, key: string): Promise<RealServer> {
  const port = await freePort();
  const words = ['--config', file, '--host', '127.0.0.1', '--port', String(port), '--telemetry', 'False'];
  return launch(join(realFolder, 'litellm/bin/litellm'), words, {
    url: `http://127.0.0.1:${port}`,
    readyPath: '/health/liveliness',
    environment: { LITELLM_MASTER_KEY: key, LITELLM_LOCAL_MODEL_COST_MAP: 'True' },
  });
}

/** A real Redis that can be frozen. */
export type RealRedis = {
  readonly port: number;
  /** Stops its process without ending it: connections stay open and nothing is answered. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
};

/** Starts Redis as Debian packages it, without files; with a port, where one stood before. */
export async function startRedis(
  options: { readonly port?: number; readonly tls?: Certificate } = {},
): Promise<RealRedis> {
  const port = options.port ?? (await freePort());
  const words = [...portWords(port, options.tls), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', words, { stdio: 'ignore', detached: true });
  const until = performance.now() + startLimitMs;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > until) throw new Error(`redis-server does not start on ${port}`);
    await pause(20);
  }
  return {
    port,
    freeze: () => signalGroup(child.pid ?? 0, 'SIGSTOP'),
    thaw: () => signalGroup(child.pid ?? 0, 'SIGCONT'),
    stop() {
      signalGroup(child.pid ?? 0, 'SIGCONT');
      return stop(child);
    },
  };
}

/** A certificate of its own issuer, as files. */
export type Certificate = { readonly folder: string; readonly certificate: string; readonly key: string };

/** Makes a certificate for this machine that is thrown away after the test. */
export function makeCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-tls-'));
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', certificate];
  execFileSync('openssl', [...words, ...names], { stdio: 'ignore' });
  return { folder, certificate, key };
}

function portWords(port: number, tls: Certificate | undefined): readonly string[] {
  if (tls === undefined) return ['--port', String(port)];
  const files = ['--tls-cert-file', tls.certificate, '--tls-key-file', tls.key];
  return ['--port', '0', '--tls-port', String(port), ...files, '--tls-auth-clients', 'no'];
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
