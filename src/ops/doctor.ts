import type { Check, DoctorReport } from '../contract/doctor-report.ts';
import type { ProbeReport } from '../plan/probe.ts';
import type { Provider } from '../plan/provider.ts';
import { type Environment, revealSecret, type SecretReference } from '../plan/secret.ts';
import { connectAdmin } from './admin-client.ts';
import { foldersOfTarget, type SystemTarget } from './admin-record.ts';
import { check } from './check.ts';
import { discoveryCandidates } from './discover.ts';
import { checkMachine, type Machine } from './doctor-machine.ts';
import { type LoadedPlan, type LoadResult, loadPlan } from './load-plan.ts';
import { findPortHolder } from './port-holder.ts';
import type { Probing } from './server-family.ts';

/** What a check-up is made with. */
export type DoctorOptions = {
  readonly target: SystemTarget;
  readonly lenient: boolean;
  /** Port of `--port`; absent: the configuration's. */
  readonly port: number | undefined;
  readonly probing: Probing;
  /** Asks every active provider of a plan how it is, each by its own probes. */
  readonly askProviders: (loaded: LoadedPlan) => Promise<ReadonlyMap<string, ProbeReport>>;
  readonly machine: Machine;
};

/** Checks every precondition of a gateway, each with its fix; sends no request to a model and changes nothing. */
export async function examineSystem(options: DoctorOptions): Promise<DoctorReport> {
  const loaded = await loadPlan({
    ...options.target,
    lenient: options.lenient,
    candidates: discoveryCandidates(options.target.environment),
    probing: options.probing,
  });
  const places = await foldersOfTarget(options.target);
  const checks = [...(await checkMachine(options.machine, places)), checkConfig(loaded)];
  if (loaded.kind === 'loaded') {
    checks.push(...checkSecrets(loaded, options.target.environment));
    checks.push(...(await checkGateway(options, loaded)));
    checks.push(...(await checkProviders(options, loaded)));
  }
  return { ok: checks.every((check) => check.state !== 'failed'), checks };
}

function checkConfig(loaded: LoadResult): Check {
  const title = 'the configuration is valid';
  switch (loaded.kind) {
    case 'missing':
      return check('config', title, 'failed', loaded.message, 'signalbox init');
    case 'invalid': {
      const errors = loaded.diagnostics.filter((one) => one.severity === 'error');
      const first = errors[0];
      const where = first?.span === undefined ? '' : ` (${first.span.file}:${first.span.line})`;
      const found = `${errors.length} ${errors.length === 1 ? 'error' : 'errors'}: ${first?.message}${where}`;
      return check('config', title, 'failed', found, first?.fix ?? 'See all of them: signalbox validate');
    }
    case 'loaded': {
      if (loaded.origin.kind === 'discovered' || loaded.origin.kind === 'echo')
        return check(
          'config',
          title,
          'warning',
          'there is none: what runs on this machine is served',
          'signalbox init',
        );
      const warnings = loaded.diagnostics.filter((one) => one.severity === 'warning').length;
      if (warnings === 0) return check('config', title, 'ok', loaded.origin.path);
      const found = `${loaded.origin.path}, with ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`;
      return check('config', title, 'warning', found, 'See them: signalbox validate');
    }
  }
}

/** Every variable that a key is read from, once. */
function checkSecrets({ plan, environment }: LoadedPlan, own: Environment): readonly Check[] {
  const { masterKey, keys } = plan.settings.server;
  const references = new Map<string, { readonly reference: SecretReference; readonly whose: string }>();
  const note = (reference: SecretReference | undefined, whose: string): void => {
    if (reference?.kind === 'env' && !references.has(reference.name))
      references.set(reference.name, { reference, whose });
  };
  note(masterKey, 'the master key');
  for (const key of keys) note(key.secret, `the key "${key.name}"`);
  for (const { credential, id, status, headers } of plan.providers.values()) {
    if (status !== 'active') continue;
    if (credential.kind !== 'none') note(credential.secret, `the key of provider "${id}"`);
    for (const [name, value] of headers) if (typeof value !== 'string') note(value, `the header ${name} of "${id}"`);
  }
  return [...references].map(([name, { reference, whose }]) => {
    const text = revealSecret(reference, environment);
    const title = `${whose} is set`;
    if (text !== undefined) {
      const length = `${text.length} ${text.length === 1 ? 'character' : 'characters'}`;
      return check(`secret:${name}`, title, 'ok', `${name}, from ${sourceOf(name, environment, own)}, ${length}`);
    }
    const isMaster = reference === masterKey;
    const effect = isMaster ? 'the gateway does not start without it' : 'what needs it starts as down';
    return check(
      `secret:${name}`,
      title,
      isMaster ? 'failed' : 'warning',
      `${name} is not set here: ${effect}`,
      isMaster ? `export ${name}=$(signalbox key generate --bare)` : `export ${name}=…`,
    );
  });
}

/** Where a variable's value comes from: an empty one counts as not set, so that what stands behind it holds. */
function sourceOf(name: string, environment: Environment, own: Environment): string {
  const isSet = (value: string | undefined): boolean => value !== undefined && value.trim() !== '';
  if (!isSet(environment[name])) return 'the default in the configuration';
  return environment[name] === own[name] ? 'the environment' : 'environment_variables of the configuration';
}

/** Whether the port is free, or ours. */
async function checkGateway({ target, port, ...rest }: DoctorOptions, loaded: LoadedPlan): Promise<readonly Check[]> {
  const status = await connectAdmin(target)
    .then((client) => client.status())
    .catch(() => undefined);
  const served = status?.address == null ? undefined : Number(new URL(status.address).port);
  // It may have been started with another port than the configuration's, which then matters to nobody.
  const wanted = port ?? served ?? loaded.plan.settings.server.port;
  const title = `port ${wanted} is free, or this gateway’s`;
  if (status !== undefined && served === wanted) {
    const state = status.config.disk === status.config.running ? 'ok' : 'warning';
    return [
      check('port', title, 'ok', `the gateway of this configuration serves it (process ${status.pid})`),
      check(
        'running',
        'what runs is what stands on disk',
        state,
        state === 'ok' ? `plan ${status.config.running}` : 'the configuration on disk is another one',
        state === 'ok' ? undefined : 'Restart the gateway to take it over',
      ),
      // It runs as somebody else, perhaps, so its word goes before what can be seen from here.
      ...status.unwritten.map(({ what, folder, why }) =>
        check(`written:${folder}`, `the gateway can write ${what}`, 'failed', `${folder}: ${why}`, 'Let it be written'),
      ),
    ];
  }
  if (await rest.machine.canListen(wanted)) return [check('port', title, 'ok', 'it is free')];
  const holder = await findPortHolder(wanted);
  const who = holder === undefined ? 'another process' : `process ${holder.pid} (${holder.command})`;
  return [check('port', title, 'failed', `it is taken by ${who}`, `Stop it, or take another: --port ${wanted + 1}`)];
}

async function checkProviders({ askProviders }: DoctorOptions, loaded: LoadedPlan): Promise<readonly Check[]> {
  const reports = await askProviders(loaded);
  return [...loaded.plan.providers.values()].flatMap((provider) => {
    const title = `provider "${provider.id}" answers`;
    const id = `provider:${provider.id}`;
    if (provider.status !== 'active') return [check(id, title, 'skipped', 'it is not active')];
    if (provider.dialect === 'echo') return [check(id, title, 'ok', 'it is built in')];
    const report = reports.get(provider.id);
    if (report === undefined) return [check(id, title, 'skipped', 'it cannot be asked without its key')];
    const look = `signalbox provider probe ${provider.baseUrl}`;
    if (report.state === 'down') return [check(id, title, 'failed', report.detail ?? 'it gives no good answer', look)];
    if (report.state === 'loading')
      return [check(id, title, 'warning', 'it is loading its model', 'Wait until it has')];
    if (report.detail !== undefined) return [check(id, title, 'warning', report.detail, look)];
    return [check(id, title, 'ok', provider.baseUrl), ...checkModels(loaded, provider, report)];
  });
}

/** Declared models that the server does not list, where its list is complete. */
function checkModels({ plan }: LoadedPlan, provider: Provider, report: ProbeReport): readonly Check[] {
  const listed = report.models;
  if (listed === undefined || report.servesOneModel || provider.tier !== 'local') return [];
  const names = new Set(listed.flatMap(({ id }) => [id, id.replace(/:latest$/, '')]));
  const declared = plan.deployments.filter((one) => one.provider === provider.id && !one.backendModel.includes('*'));
  const missing = declared.filter((one) => !names.has(one.backendModel.replace(/:latest$/, '')));
  if (declared.length === 0) return [];
  const id = `models:${provider.id}`;
  const title = `provider "${provider.id}" has the models that are declared`;
  if (missing.length === 0) return [check(id, title, 'ok', `${declared.length} of ${declared.length}`)];
  const [first] = missing;
  const fix = provider.dialect === 'ollama' ? `ollama pull ${first?.backendModel}` : 'Correct the names, or load them';
  return [check(id, title, 'warning', `it lacks ${missing.map((one) => one.backendModel).join(', ')}`, fix)];
}
