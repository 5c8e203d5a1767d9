import type { Plan } from '../plan/plan.ts';
import type { Checked } from './check-shape.ts';
import { inside, keyOf, type Place } from './findings.ts';
import type { Lowering } from './lowering.ts';
import { type PortsShape, type ServiceShape, servicesOf } from './shape-ports.ts';

/** Compares the ports of ports.yaml with one another, with the gateway's and with the providers' addresses. */
export function checkPorts(
  checked: Checked<PortsShape> | undefined,
  plan: Plan,
  { findings, inventory }: Pick<Lowering, 'findings' | 'inventory'>,
): void {
  if (checked === undefined) return;
  const declared = servicesOf(checked.shape).map(
    ([path, shape]): Service => ({ name: path.at(-1) ?? '', shape, at: { file: checked.file, path } }),
  );
  const reserved = Object.entries(checked.shape.reserved ?? {}).map(
    ([name, port]): Service => ({ name, shape: { port }, at: { file: checked.file, path: ['reserved', name] } }),
  );
  const taken = new Map<number, Service>();
  for (const service of [...declared, ...reserved]) {
    if (!isPort(service, findings)) continue;
    const first = taken.get(service.shape.port);
    if (first === undefined) taken.set(service.shape.port, service);
    else
      conflict(
        { service, message: `"${service.name}" and "${first.name}" both have port ${service.shape.port}`, first },
        findings,
      );
  }
  for (const service of declared) compareProvider(service, plan, { findings, inventory });
  const { port } = plan.settings.server;
  const holder = taken.get(port);
  if (holder !== undefined && !gatewayNames.test(holder.name))
    conflict({ service: holder, message: `"${holder.name}" has port ${port}, on which the gateway listens` }, findings);
}

type Service = { readonly name: string; readonly shape: ServiceShape; readonly at: Place };

/** What people call this product's own line in their list of ports. */
const gatewayNames = /gateway|litellm|signalbox/i;

function isPort({ shape: { port }, at }: Service, findings: Lowering['findings']): boolean {
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return true;
  const place = at.path[0] === 'reserved' ? at : inside(at, 'port');
  findings.add('bad-port', place, `"port" has ${port}`, { found: port, wanted: 'a whole number from 1 to 65535' });
  return false;
}

/** A port that is taken twice, and by which service first, where it was one. */
type Conflict = { readonly service: Service; readonly message: string; readonly first?: Service };

function conflict({ service, message, first }: Conflict, findings: Lowering['findings']): void {
  findings.add('port-conflict', keyOf(service.at), message, {
    found: service.shape.port,
    fix: 'Give one of them another port',
    ...(first === undefined ? {} : { related: [keyOf(first.at)] }),
  });
}

/** A service with a provider's name says where that provider listens; its address must agree. */
function compareProvider(
  { name, shape, at }: Service,
  plan: Plan,
  { findings, inventory }: Pick<Lowering, 'findings' | 'inventory'>,
): void {
  const sameName = (id: string): boolean => id.replaceAll('-', '_') === name.replaceAll('-', '_');
  const provider = [...plan.providers.values()].find((one) => sameName(one.id));
  if (provider === undefined || !URL.canParse(provider.baseUrl)) return;
  const address = new URL(provider.baseUrl);
  const isHere = /^(localhost|127\.|\[::1\])/.test(address.hostname);
  const port = Number(address.port || (address.protocol === 'https:' ? 443 : 80));
  if (!isHere || port === shape.port) return;
  const place = inventory.places.get(provider.id);
  findings.add(
    'port-conflict',
    inside(at, 'port'),
    `"${name}" has port ${shape.port}, but its provider is at port ${port}`,
    {
      found: shape.port,
      fix: 'Make the two agree',
      ...(place === undefined ? {} : { related: [place] }),
    },
  );
}
