/**
 * The table of methods, for the server with validators and for the client with path builders; names of
 * messages and error reasons.
 */
import { ScalarType, type DescField } from '@bufbuild/protobuf';
import { camel, enumValueName, messageOf, TIMESTAMP } from './names.js';
import type { Api, ApiMethod } from './model.js';
import type { GeneratedFile } from './output.js';

export type Side = 'server' | 'client';

export function emitMethods(api: Api, side: Side): GeneratedFile {
  const own = side === 'server' ? 'ServerMethod' : 'ClientMethod';
  const codecs = [...new Set(api.methods.flatMap(({ desc }) => [desc.input.name, desc.output.name]))];
  const content = `/* Every method of the API: names, route, access rules, codecs. */
import * as json from './json.js';
import * as pb from './messages.js';
import { codec, type Method } from './runtime/method.js';
${side === 'server' ? `import { Place } from './runtime/place.js';\nimport * as validate from './validate.js';\n` : ''}
/** Request and response of each method, by its name. */
export interface MethodTypes {
${api.methods.map(emitTypes).join('\n')}
}

export type MethodName = keyof MethodTypes;

${side === 'server' ? SERVER_METHOD : CLIENT_METHOD}
/** JSON and protobuf codecs of every request and response. */
export const CODECS = {
${codecs.map(emitCodec).join('\n')}
} as const;

export const METHODS: { readonly [N in MethodName]: ${own}<MethodTypes[N]['request'], MethodTypes[N]['response']> } = {
${api.methods.map((method) => emitMethod(api, method, side)).join('\n')}
};
${side === 'server' ? RUN_VALIDATOR : ''}`;
  return { path: 'methods.ts', content };
}

const SERVER_METHOD = `
/** A method as the server needs it. */
export interface ServerMethod<I, O> extends Method<I, O> {
  /** Path for Fastify: parameters with a colon, literal colons doubled. */
  readonly routePath: string;
  /** Throws \`InvalidRequest\` that names every broken rule. */
  validate(request: I): void;
}
`;

const CLIENT_METHOD = `
/** A method as the client needs it. */
export interface ClientMethod<I, O> extends Method<I, O> {
  /** The path with the request's fields in it, each percent-encoded. */
  toPath(request: I): string;
}
`;

const RUN_VALIDATOR = `
function run<T>(check: (message: T, at: Place, step: string) => void): (message: T) => void {
  return (message) => {
    const at = new Place();
    check(message, at, '');
    at.finish();
  };
}
`;

function emitTypes({ desc }: ApiMethod): string {
  return `  readonly ${camel(desc.name)}: { readonly request: pb.${desc.input.name}; readonly response: pb.${desc.output.name} };`;
}

function emitCodec(name: string): string {
  const lower = camel(name);
  return `  ${name}: codec('omendb.v1.${name}', pb.${name}, json.${lower}FromJson, json.${lower}ToJson),`;
}

function emitMethod(api: Api, method: ApiMethod, side: Side): string {
  const { desc } = method;
  const names = (fields: readonly DescField[]): string =>
    fields.map((field) => `'${field.jsonName}'`).join(', ');
  const query = method.queryFields.map((field) => `${field.jsonName}: '${queryKind(field)}'`).join(', ');
  const named = method.collectionFields.map(({ localName }) => `request.${localName}`).join(', ');
  const collections = named === '' ? 'undefined' : `(request) => [${named}]`;
  return `
  /** ${api.comments.of(desc)} */
  ${camel(desc.name)}: {
    name: '${desc.name}',
    service: '${desc.parent.typeName}',
    grpcPath: '/${desc.parent.typeName}/${desc.name}',
    verb: '${method.verb}',
    path: '${method.path}',
    ${side === 'server' ? `routePath: '${routePath(method)}',` : `toPath: ${pathBuilder(method)},`}
    pathFields: [${names(method.pathFields)}],
    queryFields: { ${query} },
    hasBody: ${method.hasBody},
    scope: '${method.scope}',
    readOnly: ${method.readOnly},
    idempotent: ${method.idempotent},
    public: ${method.public},
    hasRequestId: ${method.requestIdField !== undefined},
    collectionsOf: ${collections},
    request: CODECS.${desc.input.name},
    response: CODECS.${desc.output.name},
    ${side === 'server' ? `validate: run(validate.check${desc.input.name}),` : ''}
  },`;
}

function queryKind(field: DescField): string {
  if (field.fieldKind === 'list' && field.scalar === ScalarType.STRING) return 'strings';
  // Their JSON codecs read them from text.
  if (field.fieldKind === 'enum' || messageOf(field)?.typeName === TIMESTAMP) return 'string';
  if (field.fieldKind === 'scalar') {
    if (field.scalar === ScalarType.STRING || field.scalar === ScalarType.INT64) return 'string';
    if (field.scalar === ScalarType.BOOL) return 'bool';
    if (field.scalar === ScalarType.UINT32) return 'uint32';
  }
  throw new Error(`${field.parent.typeName}.${field.name}: cannot travel in a query string`);
}

function routePath(method: ApiMethod): string {
  return method.path
    .replaceAll(':', '::')
    .replace(/\{([a-z_]+)\}(::)?/g, (_, name: string, verb: string | undefined) => {
      const parameter = `:${jsonName(method, name)}`;
      // The router takes everything up to the next slash for the parameter's name, unless it has a pattern.
      return verb === undefined ? parameter : `${parameter}([^/:]+)${verb}`;
    });
}

function pathBuilder(method: ApiMethod): string {
  if (method.pathFields.length === 0) return `() => '${method.path}'`;
  const filled = method.path.replace(
    /\{([a-z_]+)\}/g,
    (_, name: string) => `\${encodeURIComponent(request.${jsonName(method, name)})}`,
  );
  return `(request) => \`${filled}\``;
}

function jsonName(method: ApiMethod, name: string): string {
  return method.pathFields.find((field) => field.name === name)?.jsonName ?? name;
}

/** All messages and enums from one module. */
export function emitBarrel(api: Api): GeneratedFile {
  const byFile = new Map<string, string[]>();
  for (const desc of [...api.messages, ...api.enums]) {
    if ('proto' in desc && desc.kind === 'message' && desc.parent !== undefined) continue;
    byFile.set(desc.file.name, [...(byFile.get(desc.file.name) ?? []), desc.name]);
  }
  const lines = [...byFile].map(([file, names]) => `export { ${names.join(', ')} } from './${file}.js';`);
  return { path: 'messages.ts', content: `/* Every message and enum of the API. */\n${lines.join('\n')}\n` };
}

/** The reasons as a closed set. */
export function emitReasons(api: Api): GeneratedFile {
  const reasons = api.enums.find((desc) => desc.name === 'ErrorReason');
  if (reasons === undefined) throw new Error('no enum ErrorReason');
  const values = reasons.values.filter((value) => value.number !== 0);
  const rows = values.map(
    (value) => `  /** ${api.comments.of(value)} */\n  '${enumValueName(reasons, value)}',`,
  );
  const content = `/** ${api.comments.of(reasons)} */
export const ERROR_REASONS = [
${rows.join('\n')}
] as const;

export type ErrorReason = (typeof ERROR_REASONS)[number];

/** The domain of every \`google.rpc.ErrorInfo\`. */
export const ERROR_DOMAIN = 'omendb';
`;
  return { path: 'error-reasons.ts', content };
}
