/**
 * JSON Schemas of the shapes that `--json` prints, made from the types of src/contract by
 * TypeScript's own checker, so that no shape is written twice. It knows what serialisable types are
 * made of and refuses anything else.
 */
import { join } from 'node:path';
import ts from 'typescript';

/** A JSON Schema, as far as these shapes need one. */
export type Schema = { readonly [key: string]: unknown };

/** Schemas of the members of a type, by their names. */
export function schemasOf(file: string, typeName: string): ReadonlyMap<string, Schema> {
  const options = { ...compilerOptions(), noEmit: true };
  const program = ts.createProgram([file], options);
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error(`There is no ${file}`);
  const checker = program.getTypeChecker();
  const symbol = checker.getExportsOfModule(symbolOf(checker, source)).find((one) => one.name === typeName);
  if (symbol === undefined) throw new Error(`${file} does not export ${typeName}`);
  const schemas = new Map<string, Schema>();
  for (const member of checker.getDeclaredTypeOfSymbol(symbol).getProperties()) {
    const definitions = new Map<string, Schema>();
    const type = checker.getTypeOfSymbol(member);
    const root = createSchemaMaker(checker, definitions).whole(type);
    const $defs = definitions.size === 0 ? {} : { $defs: Object.fromEntries([...definitions].sort()) };
    const $schema = 'https://json-schema.org/draft/2020-12/schema';
    schemas.set(member.name, { $schema, title: type.aliasSymbol?.name, ...root, ...$defs });
  }
  return schemas;
}

function compilerOptions(): ts.CompilerOptions {
  const path = join(import.meta.dirname, '..', 'tsconfig.json');
  const { config } = ts.readConfigFile(path, ts.sys.readFile);
  return ts.parseJsonConfigFileContent(config, ts.sys, join(import.meta.dirname, '..')).options;
}

function symbolOf(checker: ts.TypeChecker, source: ts.SourceFile): ts.Symbol {
  const symbol = checker.getSymbolAtLocation(source);
  if (symbol === undefined) throw new Error(`${source.fileName} is not a module`);
  return symbol;
}

type SchemaMaker = { readonly whole: (type: ts.Type) => Schema };

/** Makes schemas of types; named ones inside a shape stand once, under `$defs`. */
function createSchemaMaker(checker: ts.TypeChecker, definitions: Map<string, Schema>): SchemaMaker {
  const part = (type: ts.Type): Schema => {
    const name = type.aliasSymbol?.name;
    if (name === undefined) return whole(type);
    if (!definitions.has(name)) {
      // Held before it is made, for a type that stands within itself.
      definitions.set(name, {});
      definitions.set(name, { ...documentation(checker, type.aliasSymbol), ...whole(type) });
    }
    return { $ref: `#/$defs/${name}` };
  };
  const whole = (type: ts.Type): Schema => {
    if (type.flags & (ts.TypeFlags.Unknown | ts.TypeFlags.Any)) return {};
    if (type.flags & ts.TypeFlags.Null) return { type: 'null' };
    if (type.flags & ts.TypeFlags.Boolean) return { type: 'boolean' };
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
    if (type.flags & ts.TypeFlags.String) return { type: 'string' };
    if (type.flags & ts.TypeFlags.Number) return { type: 'number' };
    if (type.isUnion()) return union(type);
    if (checker.isArrayType(type)) return { type: 'array', items: part(elementOf(checker, type)) };
    if (type.flags & ts.TypeFlags.Object || type.isIntersection()) return object(type);
    throw new Error(`No JSON Schema is known for ${checker.typeToString(type)}`);
  };
  const union = (type: ts.UnionType): Schema => {
    const isBoolean = (one: ts.Type): boolean => (one.flags & ts.TypeFlags.BooleanLiteral) !== 0;
    const words = type.types.flatMap((one) => (one.isStringLiteral() ? [one.value] : []));
    const others = type.types.filter(
      (one) => !one.isStringLiteral() && !isBoolean(one) && !(one.flags & ts.TypeFlags.Undefined),
    );
    // The checker gives members in the order in which it met them, which another file may change.
    const choices = [
      ...(words.length > 0 ? [{ enum: words.sort() }] : []),
      ...(type.types.some(isBoolean) ? [{ type: 'boolean' }] : []),
      ...others.map(part).sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
    ];
    return choices.length === 1 ? (choices[0] ?? {}) : { anyOf: choices };
  };
  const object = (type: ts.Type): Schema => {
    const members = type.getProperties();
    const isOptional = (member: ts.Symbol): boolean => (member.flags & ts.SymbolFlags.Optional) !== 0;
    const properties = members.map((member) => [
      member.name,
      { ...documentation(checker, member), ...part(checker.getTypeOfSymbol(member)) },
    ]);
    const index = checker.getIndexInfoOfType(type, ts.IndexKind.String);
    const required = members.filter((member) => !isOptional(member)).map((member) => member.name);
    return {
      type: 'object',
      ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }),
      ...(required.length === 0 ? {} : { required }),
      ...(index === undefined ? {} : { additionalProperties: part(index.type) }),
    };
  };
  return { whole };
}

function elementOf(checker: ts.TypeChecker, type: ts.Type): ts.Type {
  const element = checker.getIndexTypeOfType(type, ts.IndexKind.Number);
  if (element === undefined) throw new Error(`${checker.typeToString(type)} has no elements`);
  return element;
}

function documentation(checker: ts.TypeChecker, symbol: ts.Symbol | undefined): Schema {
  const text = ts.displayPartsToString(symbol?.getDocumentationComment(checker)).replaceAll('\n', ' ');
  return text === '' ? {} : { description: text };
}
