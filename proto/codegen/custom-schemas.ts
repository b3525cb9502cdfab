/* JSON schemas that no descriptor tells: of messages with a JSON form of their own, and of errors. */

type Schema = Readonly<Record<string, unknown>>;

const SCALAR: Schema = { type: ['string', 'number', 'boolean'] };
const SCALARS: Schema = { type: 'array', items: SCALAR, maxItems: 10_000 };

/** By message name. The description comes from the proto. */
export const CUSTOM_SCHEMAS: Readonly<Record<string, Schema>> = {
  Vector: {
    oneOf: [
      { type: 'array', items: { type: 'number' }, minItems: 1, maxItems: 4096 },
      { type: 'string', contentEncoding: 'base64' },
    ],
  },
  Value: {
    oneOf: [
      { type: ['string', 'number', 'boolean', 'null'] },
      { type: 'array', items: { type: 'string' }, maxItems: 4096 },
      { type: 'array', items: { type: 'number' }, minItems: 1, maxItems: 4096 },
      { type: 'array', items: { type: 'boolean' }, minItems: 1, maxItems: 4096 },
    ],
  },
  Attributes: {
    type: 'object',
    additionalProperties: { $ref: '#/components/schemas/Value' },
    maxProperties: 256,
  },
  Filter: {
    type: 'object',
    properties: {
      $and: { type: 'array', items: { $ref: '#/components/schemas/Filter' } },
      $or: { type: 'array', items: { $ref: '#/components/schemas/Filter' } },
      $not: { $ref: '#/components/schemas/Filter' },
    },
    // As a property it would be named like a keyword of JSON Schema, which tools take for one.
    patternProperties: {
      '^\\$id$': { oneOf: [{ type: 'string' }, { $ref: '#/components/schemas/IdFilter' }] },
    },
    additionalProperties: { $ref: '#/components/schemas/FieldFilter' },
  },
  FieldFilter: {
    description:
      'What one attribute must be: a value, null for absent, or an object of operators that must all hold.',
    oneOf: [
      { type: ['string', 'number', 'boolean', 'null'] },
      {
        type: 'object',
        minProperties: 1,
        properties: {
          $eq: { type: ['string', 'number', 'boolean', 'null'] },
          $ne: { type: ['string', 'number', 'boolean', 'null'] },
          $lt: SCALAR,
          $lte: SCALAR,
          $gt: SCALAR,
          $gte: SCALAR,
          $in: SCALARS,
          $nin: SCALARS,
          $containsAny: SCALARS,
          $containsAll: SCALARS,
          $exists: { type: 'boolean' },
          $prefix: { type: 'string' },
        },
        additionalProperties: false,
      },
    ],
  },
  IdFilter: {
    description: 'What the record id must be.',
    type: 'object',
    minProperties: 1,
    properties: {
      $eq: { type: 'string' },
      $ne: { type: 'string' },
      $in: { type: 'array', items: { type: 'string' }, maxItems: 10_000 },
      $nin: { type: 'array', items: { type: 'string' }, maxItems: 10_000 },
      $prefix: { type: 'string' },
    },
    additionalProperties: false,
  },
  Int64: {
    description: 'A whole number; a decimal string where it is beyond ±2^53 and JSON readers would round it.',
    oneOf: [{ type: 'integer' }, { type: 'string', pattern: '^-?(0|[1-9][0-9]{0,18})$' }],
  },
};

/** The form of every error, as `google.rpc.Status` has it. */
export const ERROR_SCHEMAS: Readonly<Record<string, Schema>> = {
  ErrorResponse: {
    type: 'object',
    required: ['error'],
    properties: { error: { $ref: '#/components/schemas/Error' } },
    examples: [
      {
        error: {
          code: 400,
          status: 'INVALID_ARGUMENT',
          message: 'records[3].vector[7]: must be a finite number, not null',
          details: [
            {
              '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
              reason: 'INVALID_VECTOR',
              domain: 'omendb',
              metadata: {},
            },
            {
              '@type': 'type.googleapis.com/google.rpc.BadRequest',
              fieldViolations: [
                { field: 'records[3].vector[7]', description: 'must be a finite number, not null' },
              ],
            },
          ],
        },
      },
    ],
  },
  Error: {
    type: 'object',
    required: ['code', 'status', 'message', 'details'],
    properties: {
      code: { type: 'integer', description: 'The HTTP status.' },
      status: { type: 'string', description: 'Name of the gRPC status.' },
      message: {
        type: 'string',
        description: 'What was seen, what is allowed, and where. For people; may change.',
      },
      details: { type: 'array', items: { $ref: '#/components/schemas/ErrorDetail' } },
    },
  },
  ErrorDetail: {
    description: 'A detail message of `google.rpc`; `@type` says which. There is always an ErrorInfo.',
    type: 'object',
    required: ['@type'],
    properties: {
      '@type': { type: 'string' },
      reason: { $ref: '#/components/schemas/ErrorReason' },
      domain: { const: 'omendb' },
      metadata: { type: 'object', additionalProperties: { type: 'string' } },
      fieldViolations: {
        type: 'array',
        items: {
          type: 'object',
          properties: { field: { type: 'string' }, description: { type: 'string' } },
        },
      },
      retryDelay: { type: 'string', description: 'Of RetryInfo: smallest useful wait, such as `1.5s`.' },
      requestId: {
        type: 'string',
        description: 'Of RequestInfo: identifies the call in the logs of the server.',
      },
    },
  },
};
