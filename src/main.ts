/**
 * The composition root: the one place where dialects, configuration, gateway, control and logs
 * meet. It reads as what a start does, in order; everything that is decided here is decided by a
 * function of the room that owns it. Start reading at `start`.
 */
import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { splitAddress } from './config/base-url.ts';
import type { Diagnostic } from './config/diagnostic.ts';
import { isWeakKey } from './config/lower-settings.ts';
import type { Environment, SourceFile } from './config/source-file.ts';
import type { StartReport } from './contract/start-report.ts';
import { adminRoutes } from './control/admin-routes.ts';
import { type AdminSocket, openAdminSocket } from './control/admin-socket.ts';
import { type Control, startControl } from './control/control.ts';
import { getProbe } from './control/get-probe.ts';
import { decideBind } from './control/start-rules.ts';
import { findSystemFolders, type SystemFolders } from './control/state-folder.ts';
import { type Clock, systemClock } from './gateway/clock.ts';
import { createGateway, type Gateway } from './gateway/gateway.ts';
import { describeDiagnostic } from './ops/describe-diagnostic.ts';
import { discoveryCandidates } from './ops/discover.ts';
import { type LoadedPlan, loadPlan } from './ops/load-plan.ts';
import { findPortHolder } from './ops/port-holder.ts';
import { productVersion } from './ops/product-version.ts';
import type { Family, Probing } from './ops/server-family.ts';
import { type Milliseconds, milliseconds, providerId, requestId, seconds } from './plan/ids.ts';
import type { Credential, DialectName, Provider } from './plan/provider.ts';
import { Secret } from './plan/secret.ts';
import { anthropic } from './providers/anthropic.ts';
import { azure } from './providers/azure.ts';
import { echo } from './providers/echo.ts';
import { llamaCpp } from './providers/llama-cpp.ts';
import { ollama } from './providers/ollama.ts';
import { openai } from './providers/openai.ts';
import { openaiCompatible } from './providers/openai-compatible.ts';
import type { Dialect } from './providers/provider.ts';
import { vllm } from './providers/vllm.ts';
import { createLogWriter, type LogWriter } from './telemetry/log-writer.ts';
import { createRequestLog, type RequestLog } from './telemetry/request-log.ts';

/** Every dialect that the product speaks; a new provider is listed here. */
export const dialects: Readonly<Record<DialectName, Dialect>> = {
  ollama,
  llama_cpp: llamaCpp,
  vllm,
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
  readonly output:
    | { readonly write: (text: string) => void; readonly style: 'json' | 'pretty'; readonly colour: boolean }
    | undefined;
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

/** Why a start was refused; everything in it is for people. */
export class StartRefused extends Error {
  readonly kind: 'config' | 'secret' | 'bind' | 'port' | 'running' | 'state';
  /** What to do about it. */
  readonly fix: string | undefined;
  /** Findings of the configuration, with the files that they point into. */
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly SourceFile[];

  constructor(
    kind: StartRefused['kind'],
    message: string,
    details: {
      readonly fix?: string;
      readonly diagnostics?: readonly Diagnostic[];
      readonly sources?: readonly SourceFile[];
    } = {},
  ) {
    super(message);
    this.kind = kind;
    this.fix = details.fix;
    this.diagnostics = details.diagnostics ?? [];
    this.sources = details.sources ?? [];
  }
}

/** Starts a gateway: reads or finds a configuration, checks whether it may be served, and listens. */
export async function start(options: StartOptions): Promise<Running> {
  const clock = options.clock ?? systemClock;
  const loaded = await load(options, clock);
  const bind = decideBind({
    server: loaded.plan.settings.server,
    host: options.host,
    environment: loaded.environment,
    isWeak: isWeakKey,
  });
  if (bind.kind === 'refused') throw new StartRefused(bind.about, bind.message, { fix: bind.fix });
  const folders = findSystemFolders(loaded.home, options.stateFolder);
  const warnings = [
    ...loaded.diagnostics.filter((one) => one.severity !== 'error'),
    ...bind.warnings.map((one) => ({ ...one, span: loaded.places.host })),
    ...(folders.note === undefined ? [] : [folderWarning(folders.note)]),
  ];
  const system = assemble({ options, clock, loaded, folders, warnings });
  try {
    const socket = await openSocket(system, folders);
    const address = await listen(system, bind.host, options.port ?? loaded.plan.settings.server.port).catch(
      async (error: unknown) => {
        await socket.close();
        throw error;
      },
    );
    system.startedAt(address.url);
    const firstRound = system.control.prober.probeAll();
    system.control.prober.start();
    return { address, ...createRunning({ system, socket, loaded, folders, warnings, firstRound, clock, options }) };
  } catch (error) {
    await system.close();
    throw error;
  }
}
