/** Whether a value is what a JSON Schema of ours asks for; a word of JSON Schema that is not known here throws. */
export function isAccepted(schema: unknown, value: unknown, root: unknown = schema): boolean {
  if (typeof schema === 'boolean') return schema;
  const rules = mapOf(schema);
  const isInside = (inner: unknown, one: unknown): boolean => isAccepted(inner, one, root);
  if (typeof rules['$ref'] === 'string') return isInside(definitionOf(rules['$ref'], root), value);
  return Object.entries(rules).every(([word, rule]) => {
    if (annotations.has(word)) return true;
    const holds = words[word];
    if (holds === undefined) throw new Error(`The word "${word}" of JSON Schema is not known here`);
    return holds(rule, value, { rules, isInside });
  });
}

/** What says something to people and nothing about a value. */
const annotations: ReadonlySet<string> = new Set([
  '$schema',
  '$defs',
  'description',
  'meaning',
  'unit',
  'usual',
  'danger',
  'forPeople',
]);

type Word = (
  rule: unknown,
  value: unknown,
  around: { readonly rules: Record<string, unknown>; readonly isInside: Inside },
) => boolean;
type Inside = (schema: unknown, value: unknown) => boolean;

const words: Readonly<Record<string, Word>> = {
  type: (rule, value) => listOf(rule).some((type) => isOfType(type, value)),
  enum: (rule, value) => listOf(rule).includes(value),
  const: (rule, value) => rule === value,
  anyOf: (rule, value, { isInside }) => listOf(rule).some((one) => isInside(one, value)),
  required: (rule, value) => !isMap(value) || listOf(rule).every((key) => Object.hasOwn(value, String(key))),
  properties: (rule, value, { isInside }) =>
    !isMap(value) ||
    Object.entries(mapOf(rule)).every(([key, one]) => !Object.hasOwn(value, key) || isInside(one, value[key])),
  patternProperties: (rule, value, { isInside }) =>
    !isMap(value) ||
    Object.entries(mapOf(rule)).every(([pattern, one]) =>
      Object.entries(value).every(([key, inner]) => !new RegExp(pattern).test(key) || isInside(one, inner)),
    ),
  additionalProperties: (rule, value, { rules, isInside }) =>
    !isMap(value) || Object.entries(value).every(([key, inner]) => isListed(key, rules) || isInside(rule, inner)),
  propertyNames: (rule, value, { isInside }) => !isMap(value) || Object.keys(value).every((key) => isInside(rule, key)),
  items: (rule, value, { isInside }) => !Array.isArray(value) || value.every((one) => isInside(rule, one)),
  pattern: (rule, value) => typeof value !== 'string' || new RegExp(String(rule)).test(value),
  minLength: (rule, value) => typeof value !== 'string' || value.length >= Number(rule),
  minimum: (rule, value) => typeof value !== 'number' || value >= Number(rule),
  maximum: (rule, value) => typeof value !== 'number' || value <= Number(rule),
  exclusiveMinimum: (rule, value) => typeof value !== 'number' || value > Number(rule),
};

function isListed(key: string, rules: Record<string, unknown>): boolean {
  const patterns = Object.keys(mapOf(rules['patternProperties']));
  return Object.hasOwn(mapOf(rules['properties']), key) || patterns.some((one) => new RegExp(one).test(key));
}

function isOfType(type: unknown, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isMap(value);
  // The types of JSON Schema that are left are those of JavaScript.
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mapOf(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function definitionOf(reference: string, root: unknown): unknown {
  const name = reference.replace('#/$defs/', '');
  const definitions = mapOf(mapOf(root)['$defs']);
  if (!Object.hasOwn(definitions, name)) throw new Error(`Nothing is defined as "${reference}"`);
  return definitions[name];
}
