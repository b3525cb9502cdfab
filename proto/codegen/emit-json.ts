/* JSON codecs: one reader and one writer per message, strict as `runtime/scalars.ts` says. */
import { ScalarType, type DescEnum, type DescField, type DescMessage } from '@bufbuild/protobuf';
import {
  camel,
  CUSTOM_JSON,
  enumJsonName,
  enumJsonValues,
  enumValueName,
  messageOf,
  reachable,
} from './names.js';
import type { Api } from './model.js';
import type { GeneratedFile } from './output.js';

/** `read`: a Reader. `write`: an expression over `value`, or undefined when JSON has the value as it is. */
interface Converter {
  readonly read: string;
  readonly write: ((value: string) => string) | undefined;
}

export function emitJson(api: Api): GeneratedFile {
  const messages = reachable(api.methods.flatMap((method) => [method.desc.input, method.desc.output]));
  const enums = new Set(messages.flatMap((message) => message.fields.flatMap((field) => field.enum ?? [])));
  const body = [...[...enums].map(emitEnum), ...messages.map(emitMessage)].join('\n');
  return {
    path: 'json.ts',
    content: `/* Strict JSON codecs of every message a method takes or gives. */\n${imports(body)}\n${body}`,
  };
}

function imports(body: string): string {
  const lines = [
    `import * as pb from './messages.js';`,
    `import type { Place, Step } from './runtime/place.js';`,
  ];
  const byModule = new Map<string, Set<string>>();
  const want = (module: string, name: string): void => {
    if (new RegExp(`\\b${name}\\b`).test(body))
      byModule.set(module, (byModule.get(module) ?? new Set()).add(name));
  };
  for (const custom of CUSTOM_JSON.values()) {
    want(custom.module, custom.read);
    want(custom.module, custom.write);
  }
  const scalars = [
    'readString',
    'readBool',
    'readUint32',
    'readDouble',
    'readFloat',
    'readInt64',
    'readBytes',
    'readEnum',
  ];
  for (const name of [...scalars, 'readList', 'readMap', 'bytesToJson', 'int64ToJson', 'mapToJson'])
    want('scalars', name);
  for (const name of ['openObject', 'unknownField']) want('scalars', name);
  for (const [module, names] of byModule) {
    const type = module === 'scalars' ? ', type JsonObject' : '';
    lines.push(`import { ${[...names].sort().join(', ')}${type} } from './runtime/${module}.js';`);
  }
  return lines.join('\n');
}

function emitEnum(desc: DescEnum): string {
  const pairs = enumJsonValues(desc).map((value) => ({
    json: enumJsonName(desc, value),
    ts: `pb.${desc.name}.${enumValueName(desc, value)}`,
  }));
  const names = enumNames(desc);
  return `
const ${names} = new Map<string, pb.${desc.name}>([${pairs.map(({ json, ts }) => `['${json}', ${ts}]`).join(', ')}]);

/** The JSON name, undefined for the zero value and for numbers without a name. */
export function ${camel(desc.name)}ToJson(value: pb.${desc.name}): string | undefined {
  switch (value) {
    ${pairs.map(({ json, ts }) => `case ${ts}: return '${json}';`).join('\n')}
    default: return undefined;
  }
}
`;
}

function enumNames(desc: DescEnum): string {
  return `${desc.name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}_NAMES`;
}

function emitMessage(message: DescMessage): string {
  if (message.oneofs.some((oneof) => oneof.fields.some((field) => field.proto.proto3Optional !== true))) {
    throw new Error(`${message.typeName}: a message with a oneof needs a JSON form of its own`);
  }
  const type = `pb.${message.name}`;
  const constant = `${message.name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}_FIELDS`;
  const read = message.fields.length === 0 ? emptyReader(constant) : fieldsReader(message, constant);
  const parameter = message.fields.length === 0 ? '_message' : 'message';
  return `
const ${constant} = new Set<string>([${message.fields.map((field) => `'${field.jsonName}'`).join(', ')}]);

export function ${camel(message.name)}FromJson(json: unknown, at: Place, step: Step): ${type} {
  const message: ${type} = { ${message.fields.map((field) => `${field.localName}: ${zero(field)}`).join(', ')} };
  const object = openObject(json, at, step);
  if (object === undefined) return message;
  ${read}
  at.leave();
  return message;
}

export function ${camel(message.name)}ToJson(${parameter}: ${type}): JsonObject {
  const object: JsonObject = {};
  ${message.fields.map(writeField).join('\n')}
  return object;
}
`;
}

function emptyReader(constant: string): string {
  return `for (const key of Object.keys(object)) unknownField(at, key, ${constant});`;
}

function fieldsReader(message: DescMessage, constant: string): string {
  const cases = message.fields.map(
    (field) => `case '${field.jsonName}': message.${field.localName} = ${readField(field)}; break;`,
  );
  return `
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!${constant}.has(key)) {
      unknownField(at, key, ${constant});
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      ${cases.join('\n')}
    }
  }`;
}

function zero(field: DescField): string {
  if (field.fieldKind === 'list') return '[]';
  if (field.fieldKind === 'map') return 'new Map()';
  if (field.fieldKind === 'message' || field.proto.proto3Optional) return 'undefined';
  if (field.fieldKind === 'enum') return '0';
  switch (field.scalar) {
    case ScalarType.STRING:
      return `''`;
    case ScalarType.BOOL:
      return 'false';
    case ScalarType.BYTES:
      return 'new Uint8Array(0)';
    case ScalarType.INT64:
      return '0n';
    default:
      return '0';
  }
}

function readField(field: DescField): string {
  const item = converter(field).read;
  if (field.fieldKind === 'list') return `readList(value, at, key, ${item})`;
  if (field.fieldKind === 'map') return `readMap(value, at, key, ${item})`;
  if (field.fieldKind === 'enum') return `readEnum(value, at, key, ${enumNames(field.enum)}, 0)`;
  return `${item}(value, at, key)`;
}

function writeField(field: DescField): string {
  const value = `message.${field.localName}`;
  const target = `object['${field.jsonName}']`;
  const { write } = converter(field);
  if (field.fieldKind === 'list') {
    return `${target} = ${write === undefined ? value : `${value}.map((item) => ${write('item')})`};`;
  }
  if (field.fieldKind === 'map') {
    return `${target} = mapToJson(${value}, (item) => ${write === undefined ? 'item' : write('item')});`;
  }
  const written = `${target} = ${write === undefined ? value : write(value)};`;
  if (field.fieldKind === 'enum') return `if (${value} !== 0) ${written}`;
  return zero(field) === 'undefined' ? `if (${value} !== undefined) ${written}` : written;
}

function converter(field: DescField): Converter {
  const message = messageOf(field);
  if (message !== undefined) {
    const custom = CUSTOM_JSON.get(message.typeName);
    const read = custom?.read ?? `${camel(message.name)}FromJson`;
    const write = custom?.write ?? `${camel(message.name)}ToJson`;
    return { read, write: (value) => `${write}(${value})` };
  }
  if (field.enum !== undefined) {
    if (field.fieldKind !== 'enum')
      throw new Error(`${field.parent.typeName}.${field.name}: no lists of enums yet`);
    const name = camel(field.enum.name);
    return { read: 'readEnum', write: (value) => `${name}ToJson(${value})` };
  }
  return scalarConverter(field);
}

function scalarConverter(field: DescField): Converter {
  switch (field.scalar) {
    case ScalarType.STRING:
      return { read: 'readString', write: undefined };
    case ScalarType.BOOL:
      return { read: 'readBool', write: undefined };
    case ScalarType.UINT32:
      return { read: 'readUint32', write: undefined };
    case ScalarType.DOUBLE:
      return { read: 'readDouble', write: undefined };
    case ScalarType.FLOAT:
      return { read: 'readFloat', write: undefined };
    case ScalarType.INT64:
      return { read: 'readInt64', write: (value) => `int64ToJson(${value})` };
    case ScalarType.BYTES:
      return { read: 'readBytes', write: (value) => `bytesToJson(${value})` };
    default:
      throw new Error(`${field.parent.typeName}.${field.name}: this scalar type has no JSON codec`);
  }
}
