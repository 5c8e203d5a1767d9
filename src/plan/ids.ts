/**
 * Ids and units that must not be mixed up. A value gets its brand once, where it enters
 * (a parser, a maker, a clock); everything inside trusts the type.
 */
declare const brand: unique symbol;
type Branded<Value, Name extends string> = Value & { readonly [brand]: Name };

/** Name of one configured provider, for example `ollama` or `vllm-qwen`. */
export type ProviderId = Branded<string, 'ProviderId'>;
/** Stable hash that names one deployment; equal for equal configuration. */
export type DeploymentId = Branded<string, 'DeploymentId'>;
/** A name that clients may ask for. */
export type GroupName = Branded<string, 'GroupName'>;
/** Id of one request, as sent in `x-request-id`. */
export type RequestId = Branded<string, 'RequestId'>;
/** Id of one client key; never the key itself. */
export type KeyId = Branded<string, 'KeyId'>;
/** Hash of everything in a plan that can change a decision or an answer. */
export type PlanHash = Branded<string, 'PlanHash'>;
/** Position of a deployment in `plan.deployments`; index into every per-deployment array of the state. */
export type DeploymentIndex = Branded<number, 'DeploymentIndex'>;
/** Position of a model group in `plan.groups`. */
export type GroupIndex = Branded<number, 'GroupIndex'>;

/** A duration, or a point on the monotonic clock, in milliseconds. */
export type Milliseconds = Branded<number, 'Milliseconds'>;
/** A count of tokens, estimated or reported; the field's name says which. */
export type Tokens = Branded<number, 'Tokens'>;

// Only what parses or makes a value gives it its brand; nothing is checked here.
export const providerId = (value: string): ProviderId => value as ProviderId;
export const deploymentId = (value: string): DeploymentId => value as DeploymentId;
export const groupName = (value: string): GroupName => value as GroupName;
export const requestId = (value: string): RequestId => value as RequestId;
export const keyId = (value: string): KeyId => value as KeyId;
export const planHash = (value: string): PlanHash => value as PlanHash;
export const deploymentIndex = (value: number): DeploymentIndex => value as DeploymentIndex;
export const groupIndex = (value: number): GroupIndex => value as GroupIndex;
export const milliseconds = (value: number): Milliseconds => value as Milliseconds;
/** Seconds as the files write them, in milliseconds. */
export const seconds = (value: number): Milliseconds => milliseconds(value * 1000);
export const tokens = (value: number): Tokens => value as Tokens;
