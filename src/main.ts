/**
 * The composition root: the one place where dialects, configuration, gateway, control and logs
 * meet. It reads as what a start does, in order; everything that is decided here is decided by a
 * function of the room that owns it. Start reading at `start`.
 */
import { randomUUID } from 'node:crypto';
import { basename, join, resolve } from 'node:path';
import type { Diagnostic } from './config/diagnostic.ts';
import { isWeakKey } from './config/lower-settings.ts';
import type { DecisionRecord } from './contract/decision-record.ts';
import type { ExplainQuestion } from './contract/explain.ts';
import type { StartReport } from './contract/start-report.ts';
import { adminRoutes } from './control/admin-routes.ts';
import { type AdminSocket, AlreadyRunning, openAdminSocket } from './control/admin-socket.ts';
import { type Control, startControl } from './control/control.ts';
import { explain } from './control/explain.ts';
import { getProbe } from './control/get-probe.ts';
import { machineLimits } from './control/machine-limits.ts';
import { probeProvider } from './control/probe-provider.ts';
import { toServerFamily } from './control/server-families.ts';
import { createSpendingFile } from './control/spending-file.ts';
import { type BindDecision, decideBind } from './control/start-rules.ts';
import { type ChosenFolders, chooseFolders } from './control/state-folder.ts';
import { createUpstreams, destroyUpstreams } from './control/upstreams.ts';
import { type Clock, guardClock, systemClock } from './gateway/clock.ts';
import { createGateway, type Gateway } from './gateway/gateway.ts';
import { listModels } from './gateway/view-models.ts';
import { readAdminRecord } from './ops/admin-record.ts';
import { describeDiagnostic } from './ops/describe-diagnostic.ts';
import { discoveryCandidates } from './ops/discover.ts';
import { explainListenError } from './ops/listen-problem.ts';
import { type LoadedPlan, loadPlan } from './ops/load-plan.ts';
import { productVersion } from './ops/product-version.ts';
import type { Probing } from './ops/server-family.ts';
import { StartRefused } from './ops/start-refused.ts';
import { type Milliseconds, milliseconds, type ProviderId, requestId } from './plan/ids.ts';
import type { Plan } from './plan/plan.ts';
import type { ProbeReport } from './plan/probe.ts';
import type { DialectName } from './plan/provider.ts';
import type { Environment } from './plan/secret.ts';
import { anthropic } from './providers/anthropic.ts';
import { azure } from './providers/azure.ts';
import { echo } from './providers/echo.ts';
import { llamaCpp } from './providers/llama-cpp.ts';
import { lmStudio } from './providers/lm-studio.ts';
import { ollama } from './providers/ollama.ts';
import { openai } from './providers/openai.ts';
import { openaiCompatible } from './providers/openai-compatible.ts';
import type { Dialect } from './providers/provider.ts';
import { vllm } from './providers/vllm.ts';
import { createRoutingState } from './routing/state.ts';
import { openStore } from './stores/open-store.ts';
import { createLogFile } from './telemetry/log-file.ts';
import { createLogWriter, type LogOutput } from './telemetry/log-writer.ts';
import { createRequestLog, type RequestLog } from './telemetry/request-log.ts';

/** Every dialect that the product speaks; a new provider is listed here. */
export const dialects: Readonly<Record<DialectName, Dialect>> = {
  ollama,
  llama_cpp: llamaCpp,
  vllm,
  lm_studio: lmStudio,
  openai,
  azure,
  openai_compatible: openaiCompatible,
  anthropic,
  echo,
};

/** What `up` was asked to do. */
export type StartOptions = {
  /** Config folder or file; absent: looked for in `folder`, else discovered. */
  readonly config?: string;
  /** As given on the command line; a host that is refused is refused, never narrowed. */
  readonly host?: string;
  readonly port?: number;
  /** Whether to look for model servers where there is no configuration; on by default. */
  readonly discover?: boolean;
  readonly lenient?: boolean;
  readonly stateFolder?: string;
  readonly environment: Environment;
  /** The current folder. */
  readonly folder: string;
  readonly log: LogOptions;
  /** Ports that discovery looks at; absent: where model servers usually listen. */
  readonly discoveryPorts?: readonly number[];
  readonly clock?: Clock;
  readonly random?: () => number;
};

/** Where request lines go besides the log file. */
export type LogOptions = {
  readonly output: LogOutput | undefined;
  /** Whether lines go to `logs/signalbox.jsonl` too: not where standard output is the journal. */
  readonly file: boolean;
};

/** A gateway that serves. */
export type Running = {
  readonly address: { readonly host: string; readonly port: number; readonly url: string };
  /** What is known now; waits up to `waitMs` for the providers' first states. */
  report(waitMs: Milliseconds): Promise<StartReport>;
  /** Takes no new requests, lets running ones finish as long as the settings say, and ends. */
  stop(): Promise<void>;
  /** Ends at once; running requests are cut. */
  cut(): Promise<void>;
};

/** Starts a gateway: reads or finds a configuration, checks whether it may be served, and listens. */
export async function start(options: StartOptions): Promise<Running> {
  const clock = options.clock ?? systemClock;
  const loaded = await load(options, clock);
  const { server } = loaded.plan.settings;
  const bind = decideBind({ server, host: options.host, environment: loaded.environment, isWeak: isWeakKey });
  if (bind.kind === 'refused') throw new StartRefused(bind.about, bind.message, { fix: bind.fix });
  const folders = chooseFolders(loaded.home, options.stateFolder, options.environment);
  const warnings = [
    ...withStartWarnings(loaded, bind.warnings),
    ...(folders.note === undefined ? [] : [folderWarning(folders.note)]),
  ].map(describeDiagnostic);
  const system = assemble({ options, clock, loaded, folders, warnings });
  try {
    const socket = await openSocket(system, folders);
    system.onClose(() => socket.close());
    const address = await listen(system, bind.host, options.port ?? server.port);
    socket.announce({ address: address.url, config: loaded.origin });
    const firstRound = system.control.prober.probeAll();
    system.control.prober.start();
    return run(system, address, firstRound);
  } catch (error) {
    await system.close();
    throw error;
  }
}

async function load(options: StartOptions, clock: Clock): Promise<LoadedPlan> {
  const loaded = await loadPlan({
    config: options.config,
    folder: resolve(options.folder),
    environment: options.environment,
    lenient: options.lenient ?? false,
    candidates: options.discover === false ? [] : discoveryCandidates(options.environment, options.discoveryPorts),
    probing: createProbing(clock),
  });
  switch (loaded.kind) {
    case 'loaded':
      return loaded;
    case 'missing':
      throw new StartRefused('config', loaded.message, { fix: 'signalbox init, or up without --config' });
    case 'invalid':
      throw new StartRefused('config', 'The configuration cannot run', loaded);
  }
}

/** What the start finds goes where the configuration found the same: it says what follows from it. */
function withStartWarnings(
  { diagnostics, places }: LoadedPlan,
  warnings: Extract<BindDecision, { kind: 'bind' }>['warnings'],
): readonly Diagnostic[] {
  const others = diagnostics.filter((one) => !warnings.some(({ code }) => code === one.code));
  const placed = warnings.map((one): Diagnostic => {
    const place = one.code === 'host-narrowed' ? places.host : diagnostics.find(({ code }) => code === one.code)?.span;
    return { ...one, span: place };
  });
  return [...others, ...placed];
}

function folderWarning(message: string): Diagnostic {
  return {
    code: 'state-elsewhere',
    severity: 'warning',
    span: undefined,
    message,
    found: undefined,
    wanted: undefined,
    nearest: undefined,
    fix: 'Give a place with --state-dir',
  };
}

type AssembleInput = {
  readonly options: StartOptions;
  readonly clock: Clock;
  readonly loaded: LoadedPlan;
  readonly folders: ChosenFolders;
  readonly warnings: StartReport['warnings'];
};

/** The parts of a running system, and how they end. */
type System = AssembleInput & {
  readonly control: Control;
  readonly gateway: Gateway;
  readonly log: RequestLog;
  readonly startedAt: string;
  readonly logFile: string | undefined;
  readonly setAddress: (url: string) => void;
  readonly onClose: (close: () => Promise<void>) => void;
  readonly close: () => Promise<void>;
};

function assemble(input: AssembleInput): System {
  const { options, loaded, folders, warnings } = input;
  const logFile = options.log.file ? folders.log : undefined;
  const writer = createLogWriter({ output: options.log.output, file: logFile });
  const log = createRequestLog(writer, input.clock.wall);
  const clock = guardClock(input.clock, (error) => log.internalError(error, undefined));
  const shared = { dialects, clock, random: options.random ?? Math.random, log };
  const startedAt = new Date(clock.wall()).toISOString();
  let url: string | undefined;
  const control = startControl({
    plan: loaded.plan,
    environment: loaded.environment,
    ...shared,
    get: getProbe,
    decisionLog: createLogFile(folders.decisions, decisionBytes),
    spendingFile: createSpendingFile(join(folders.state, 'spending.json'), clock),
    keptPlaces: [
      { what: 'decisions and spending', folder: folders.state, files: [basename(folders.decisions)] },
      ...(logFile === undefined ? [] : [{ what: 'the log', folder: folders.logs, files: [basename(logFile)] }]),
    ],
    openStore: (settings) =>
      openStore(settings, {
        environment: loaded.environment,
        home: loaded.home.folder,
        stateFolder: folders.state,
        time: clock,
      }),
    facts: {
      version: productVersion(),
      configPath: 'path' in loaded.origin ? loaded.origin.path : undefined,
      address: () => url,
      startedAt,
      warnings,
      diskHash: loaded.diskHash,
    },
  });
  const gateway = createGateway({
    current: control.current,
    ...shared,
    newRequestId: () => requestId(randomUUID()),
    keep: control.keep,
    limits: machineLimits(),
    listing: control.prober.listing,
    residency: control.prober.residency,
    look: control.prober.look,
    soon: control.prober.soon,
  });
  const closers: (() => Promise<void>)[] = [control.close, writer.close];
  return {
    ...input,
    clock,
    control,
    gateway,
    log,
    startedAt,
    logFile,
    setAddress: (value) => {
      url = value;
    },
    onClose: (close) => {
      closers.unshift(close);
    },
    close: async () => {
      for (const close of closers.splice(0)) await close();
    },
  };
}

/** Size at which the file of decisions turns over: as much as the last ten thousand take in memory. */
const decisionBytes = 16 * 1024 * 1024;

async function openSocket(system: System, folders: ChosenFolders): Promise<AdminSocket> {
  try {
    return await openAdminSocket({
      folders,
      routes: adminRoutes(system.control, system.gateway, system.loaded.discoveredSources),
      startedAt: system.startedAt,
      clock: system.clock,
      log: system.log,
    });
  } catch (error) {
    if (error instanceof AlreadyRunning)
      throw new StartRefused('running', alreadyRunning(folders), {
        fix: 'See it with: signalbox status. A second one of the same configuration needs its own --state-dir',
      });
    throw new StartRefused('state', `The state folder ${folders.state} cannot be used: ${reasonOf(error)}`, {
      fix: 'Give another place with --state-dir',
    });
  }
}

function alreadyRunning(folders: ChosenFolders): string {
  const record = readAdminRecord(folders);
  const where =
    record?.address == null ? '' : ` at ${record.address} (process ${record.pid}, since ${record.startedAt})`;
  return `A gateway with this configuration runs already${where}`;
}

async function listen(system: System, host: string, port: number): Promise<Running['address']> {
  try {
    const bound = await system.gateway.listen(host, port);
    // Where every address is served, this machine's own is the one to name.
    const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
    const url = `http://${shown.includes(':') ? `[${shown}]` : shown}:${bound.port}`;
    system.setAddress(url);
    return { host, port: bound.port, url };
  } catch (error) {
    const { about, message, fix } = await explainListenError(error, host, port);
    throw new StartRefused(about, message, { fix });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function run(system: System, address: Running['address'], firstRound: Promise<void>): Running {
  const { clock, gateway, loaded } = system;
  const end = async (limit: Milliseconds): Promise<void> => {
    // Probes go on until control is closed: a request may wait for a model that they see loaded.
    await gateway.drain(limit);
    await system.close();
  };
  return {
    address,
    async report(waitMs) {
      await Promise.race([firstRound, pause(clock, waitMs)]);
      return describeStart(system, address);
    },
    stop: () => end(loaded.plan.settings.timeouts.drainMs),
    cut: () => end(milliseconds(0)),
  };
}

function pause(clock: Clock, wait: Milliseconds): Promise<void> {
  return new Promise((done) => {
    clock.after(wait, done);
  });
}

async function describeStart(system: System, address: Running['address']): Promise<StartReport> {
  const { control, gateway, loaded, folders, logFile, warnings } = system;
  const { providers } = await control.status(gateway);
  const snapshot = control.current();
  const { masterKey } = snapshot.plan.settings.server;
  const listed = listModels({ snapshot, now: control.now() });
  const serves = listed.find((one) => one.kind !== 'embedding' && (one.state === 'ready' || one.state === 'degraded'));
  return {
    address: address.url,
    host: address.host,
    config: loaded.origin,
    providers,
    names: listed.length,
    firstName: (serves ?? listed[0])?.id ?? null,
    key: { needed: snapshot.keys.length > 0, variable: masterKey?.kind === 'env' ? masterKey.name : null },
    stateFolder: folders.state,
    logFile: logFile ?? null,
    warnings,
  };
}

/** The outside that discovery and probing of addresses need, made of the dialects. */
export function createProbing(clock: Clock = systemClock): Probing {
  return { get: getProbe, families: recognisable.map(toServerFamily), now: clock.now };
}

/** The more particular first: most servers also answer as an OpenAI-compatible one. */
const recognisable: readonly Dialect[] = [ollama, llamaCpp, vllm, lmStudio, anthropic, openaiCompatible];

/** Asks every active provider of a plan how it is, once; those whose key is not set are left out. */
export async function askProviders({ plan, environment }: LoadedPlan): Promise<ReadonlyMap<string, ProbeReport>> {
  const { byProvider, keyless } = createUpstreams(plan, environment);
  const asked = [...plan.providers.values()].filter((one) => one.status === 'active' && !keyless.has(one.id));
  const reports = new Map<string, ProbeReport>();
  await Promise.all(
    asked.map(async (provider) => {
      const upstream = byProvider.get(provider.id);
      if (upstream === undefined) return;
      const report = await probeProvider({ provider, dialect: dialects[provider.dialect], upstream, get: getProbe });
      if (report !== undefined) reports.set(provider.id, report);
    }),
  );
  destroyUpstreams(byProvider);
  return reports;
}

/** Explains a request where no gateway runs: every provider that is not disabled is assumed ready. */
export function explainAtRest(plan: Plan, question: ExplainQuestion): Promise<DecisionRecord> {
  const now = systemClock.now();
  const state = createRoutingState(plan, now);
  // Nobody can be asked for a list.
  const listing = async (provider: ProviderId): Promise<void> => void state.listed.set(provider, new Set());
  return explain({ plan, state, now, listing }, question);
}
