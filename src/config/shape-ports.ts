import { z } from 'zod';
import { type Checked, checkShape } from './check-shape.ts';
import { field, forPeople, type JsonSchema, optional } from './field.ts';
import type { Findings } from './findings.ts';
import { jsonSchemaOf } from './json-schema.ts';
import type { ParsedFile } from './parsed-file.ts';

const text = z.string();

const service: z.ZodType<ServiceShape> = z.strictObject({
  port: field(z.number(), 'Port of this machine that it listens on.'),
  protocol: forPeople(z.enum(['http', 'https', 'tcp', 'udp', 'grpc']), 'What is spoken there.'),
  required: forPeople(z.boolean(), 'Whether everything else needs it.'),
  service: forPeople(text.nullable(), 'Its systemd unit.'),
  description: forPeople(text),
  health_check: forPeople(text.nullable(), 'Address that answers while it is well, or a curl command with it.'),
  notes: forPeople(text),
});

const wholeFile: z.ZodType<PortsShape> = z
  .object({
    services: optional(z.record(text, service), 'The services, where they do not stand at the top.'),
    reserved: optional(z.record(text, z.number()), 'Ports kept free for later.'),
    ranges: forPeople(z.record(text, z.json()), 'Ranges that kinds of services keep to.'),
    metadata: forPeople(z.record(text, z.json())),
    notes: forPeople(z.json()),
  })
  .catchall(field(service, 'A service and its port.'));

/** One service as it is written. */
export type ServiceShape = {
  readonly port: number;
  readonly protocol?: string | undefined;
  readonly required?: boolean | undefined;
  readonly service?: string | null | undefined;
  readonly description?: string | undefined;
  readonly health_check?: string | null | undefined;
  readonly notes?: string | undefined;
};

/** ports.yaml as it is written: other keys are services' names. */
export type PortsShape = {
  readonly services?: Readonly<Record<string, ServiceShape>> | undefined;
  readonly reserved?: Readonly<Record<string, number>> | undefined;
  readonly [service: string]: unknown;
};

const ownKeys: ReadonlySet<string> = new Set(['services', 'reserved', 'ranges', 'metadata', 'notes']);

/** Checks ports.yaml. */
export function parsePorts(parsed: ParsedFile, findings: Findings): Checked<PortsShape> | undefined {
  return checkShape(wholeFile, parsed, findings);
}

/** Services by name, wherever they stand, each with the path to it. */
export function servicesOf(shape: PortsShape): readonly (readonly [path: readonly string[], service: ServiceShape])[] {
  const nested = Object.entries(shape.services ?? {}).map(([name, one]) => [['services', name], one] as const);
  // What is no key of the file's own is a service: the schema's catchall has proven it.
  const flat = Object.entries(shape).flatMap(([name, one]) =>
    ownKeys.has(name) ? [] : [[[name], one as ServiceShape] as const],
  );
  return [...nested, ...flat];
}

/** The schema as JSON Schema, for editors and for the reference. */
export function portsJsonSchema(): JsonSchema {
  return jsonSchemaOf(wholeFile);
}
