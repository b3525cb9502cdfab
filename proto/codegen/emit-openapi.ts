/* The OpenAPI 3.1 document: routes, schemas, examples and errors, from the same descriptors as the code. */
import { ScalarType, type DescEnum, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { CUSTOM_SCHEMAS, ERROR_SCHEMAS } from './custom-schemas.js';
import { EXAMPLES } from './examples.js';
import { CUSTOM_JSON, enumJsonName, enumJsonValues, messageOf, reachable, TIMESTAMP } from './names.js';
import { fieldRules, rulesSet, type Api, type ApiMethod, type RuleValues } from './model.js';
import type { GeneratedFile } from './output.js';

type Schema = Readonly<Record<string, unknown>>;

export function emitOpenApi(api: Api, version: string): GeneratedFile {
  const document = buildDocument(api, version);
  const content = `/** The OpenAPI document of the HTTP API, for \`GET /openapi.json\`. */
export const OPENAPI: Readonly<globalThis.Record<string, unknown>> = ${JSON.stringify(document, null, 2)};
`;
  return { path: 'openapi.ts', content };
}

function buildDocument(api: Api, version: string): Schema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const method of api.methods) {
    const path = openPath(method);
    paths[path] = { ...paths[path], [method.verb.toLowerCase()]: operation(api, method) };
  }
  const services = new Map(api.methods.map(({ desc }) => [desc.parent.name, api.comments.of(desc.parent)]));
  return {
    openapi: '3.1.0',
    info: {
      title: 'OmenDB Server',
      version,
      summary: 'A vector database whose only durable state is object storage.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This server' }],
    security: [{ bearer: [] }],
    tags: [...services].map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token that lives at most 24 hours, or an API key.',
        },
      },
      schemas: schemas(api),
      responses: {
        Error: {
          description:
            'The request failed; `error.details` has a `google.rpc.ErrorInfo` whose `reason` says why.',
          content: { 'application/json': { schema: ref('ErrorResponse') } },
        },
      },
    },
  };
}

function operation(api: Api, method: ApiMethod): Schema {
  const { desc } = method;
  const example = EXAMPLES[desc.name];
  if (example === undefined) throw new Error(`${desc.name}: write an example in proto/codegen/examples.ts`);
  const parameters = [
    ...method.pathFields.map((field) => parameter(api, field, 'path', example.path?.[field.jsonName])),
    ...method.queryFields.map((field) => parameter(api, field, 'query', example.request?.[field.jsonName])),
  ];
  return {
    operationId: desc.name.charAt(0).toLowerCase() + desc.name.slice(1),
    tags: [desc.parent.name],
    summary: api.comments.of(desc),
    ...(method.public ? { security: [] } : { 'x-omendb-scope': method.scope }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(method.hasBody ? { requestBody: requestBody(api, method, example.request) } : {}),
    responses: {
      '200': { description: api.comments.of(desc.output), content: content(desc.output, example.response) },
      default: ref('Error', 'responses'),
    },
  };
}

function requestBody(api: Api, method: ApiMethod, example: unknown): Schema {
  return {
    required: true,
    description: api.comments.of(method.desc.input),
    content: content(method.desc.input, example),
  };
}

function content(message: DescMessage, example: unknown): Schema {
  return {
    'application/json': { schema: ref(message.name), example },
    'application/x-protobuf': { schema: { type: 'string', format: 'binary', description: message.typeName } },
  };
}

function parameter(api: Api, field: DescField, place: 'path' | 'query', example: unknown): Schema {
  return {
    name: field.jsonName,
    in: place,
    ...(place === 'path' ? { required: true } : {}),
    description: api.comments.of(field),
    schema: fieldSchema(api, field),
    ...(example === undefined ? {} : { example }),
  };
}

function openPath(method: ApiMethod): string {
  return method.path.replace(/\{([a-z_]+)\}/g, (_, name: string) => {
    const field = method.pathFields.find((candidate) => candidate.name === name);
    return `{${field?.jsonName ?? name}}`;
  });
}

/** Path fields are left out of request schemas: the path has them. */
function schemas(api: Api): Schema {
  const roots = api.methods.flatMap((method) => [
    ...(method.hasBody ? [method.desc.input] : []),
    method.desc.output,
  ]);
  const result: Record<string, unknown> = {};
  const inPath = new Map(api.methods.map((method) => [method.desc.input, method.pathFields]));
  for (const message of reachable(roots)) {
    const skipped = inPath.get(message) ?? [];
    const fields = message.fields.filter((field) => !skipped.includes(field));
    result[message.name] = messageSchema(api, message, fields);
    for (const field of fields)
      if (field.enum !== undefined) result[field.enum.name] = enumSchema(api, field.enum);
  }
  for (const [name, schema] of Object.entries(CUSTOM_SCHEMAS)) {
    const message = api.messages.find((candidate) => candidate.name === name);
    result[name] = { description: message === undefined ? '' : api.comments.of(message), ...schema };
  }
  for (const [name, schema] of Object.entries(ERROR_SCHEMAS)) result[name] = schema;
  const reasons = api.enums.find((desc) => desc.name === 'ErrorReason');
  if (reasons !== undefined) {
    const names = reasons.values
      .filter(({ number }) => number !== 0)
      .map((value) => enumJsonName(reasons, value));
    result['ErrorReason'] = {
      type: 'string',
      enum: names.map((name) => name.toUpperCase()),
      description: api.comments.of(reasons),
    };
  }
  return Object.fromEntries(Object.entries(result).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function messageSchema(api: Api, message: DescMessage, fields: readonly DescField[]): Schema {
  const required = fields.filter((field) => isRequired(api, field)).map((field) => field.jsonName);
  return {
    type: 'object',
    description: api.comments.of(message),
    properties: Object.fromEntries(
      fields.map((field) => [
        field.jsonName,
        { ...fieldSchema(api, field), description: api.comments.of(field) },
      ]),
    ),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

/** Required by a rule: must be there, or must not be empty. */
function isRequired(api: Api, field: DescField): boolean {
  const { required, type } = fieldRules(api.registry, field);
  if (required) return true;
  if (field.proto.proto3Optional || type.value === undefined) return false;
  const set = rulesSet(api.registry, type.value);
  return Number(set.get('minLen') ?? set.get('minItems') ?? 0) > 0;
}

function enumSchema(api: Api, desc: DescEnum): Schema {
  const values = enumJsonValues(desc);
  const lines = values.map((value) => `- \`${enumJsonName(desc, value)}\`: ${api.comments.of(value)}`);
  return {
    type: 'string',
    enum: values.map((value) => enumJsonName(desc, value)),
    description: `${api.comments.of(desc)}\n\n${lines.join('\n')}`,
  };
}

function fieldSchema(api: Api, field: DescField): Schema {
  const { type } = fieldRules(api.registry, field);
  const rules = type.value === undefined ? new Map<string, unknown>() : rulesSet(api.registry, type.value);
  if (field.fieldKind === 'list') {
    const items = rules.get('items') as { type: { value?: RuleValues } } | undefined;
    const inner =
      items?.type.value === undefined ? new Map<string, unknown>() : rulesSet(api.registry, items.type.value);
    return {
      type: 'array',
      items: { ...valueSchema(field), ...limits(inner) },
      ...pick(rules, { minItems: 'minItems', maxItems: 'maxItems' }),
    };
  }
  if (field.fieldKind === 'map') {
    return {
      type: 'object',
      additionalProperties: valueSchema(field),
      ...pick(rules, { maxPairs: 'maxProperties' }),
    };
  }
  return { ...valueSchema(field), ...(field.fieldKind === 'scalar' ? limits(rules) : {}) };
}

function valueSchema(field: DescField): Schema {
  const message = messageOf(field);
  if (message?.typeName === TIMESTAMP) return { type: 'string', format: 'date-time' };
  if (message !== undefined) {
    if (CUSTOM_JSON.has(message.typeName) && !(message.name in CUSTOM_SCHEMAS))
      throw new Error(`no schema of ${message.name}`);
    return ref(message.name);
  }
  if (field.enum !== undefined) return ref(field.enum.name);
  switch (field.scalar) {
    case ScalarType.STRING:
      return { type: 'string' };
    case ScalarType.BYTES:
      return { type: 'string', contentEncoding: 'base64' };
    case ScalarType.BOOL:
      return { type: 'boolean' };
    case ScalarType.UINT32:
      return { type: 'integer', minimum: 0, maximum: 4294967295 };
    case ScalarType.INT64:
      return ref('Int64');
    default:
      return { type: 'number' };
  }
}

function limits(rules: ReadonlyMap<string, unknown>): Schema {
  return pick(rules, {
    minLen: 'minLength',
    maxLen: 'maxLength',
    pattern: 'pattern',
    gte: 'minimum',
    lte: 'maximum',
  });
}

function pick(rules: ReadonlyMap<string, unknown>, names: Readonly<Record<string, string>>): Schema {
  const picked: Record<string, unknown> = {};
  for (const [rule, keyword] of Object.entries(names)) {
    const value = rules.get(rule);
    if (value !== undefined) picked[keyword] = typeof value === 'bigint' ? Number(value) : value;
  }
  return picked;
}

function ref(name: string, kind = 'schemas'): Schema {
  return { $ref: `#/components/${kind}/${name}` };
}
