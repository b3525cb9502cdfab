// Generated from proto/ by `npm run generate`. Do not edit: a test compares it with a fresh run.
/** The OpenAPI document of the HTTP API, for `GET /openapi.json`. */
export const OPENAPI: Readonly<globalThis.Record<string, unknown>> = {
  openapi: '3.1.0',
  info: {
    title: 'OmenDB Server',
    version: '0.1.0',
    summary: 'A vector database whose only durable state is object storage.',
    license: {
      name: 'Apache-2.0',
      identifier: 'Apache-2.0',
    },
  },
  servers: [
    {
      url: '/',
      description: 'This server',
    },
  ],
  security: [
    {
      bearer: [],
    },
  ],
  tags: [
    {
      name: 'CollectionService',
      description: "Makes, lists and removes collections. The tenant is always the credential's.",
    },
    {
      name: 'QueryService',
      description: 'Finds the records nearest to a vector.',
    },
    {
      name: 'RecordService',
      description: 'Writes and reads the records of a collection. A batch is written whole or not at all.',
    },
    {
      name: 'SnapshotService',
      description:
        'Keeps moments of a collection. Reads take the name of a snapshot; so do `BranchCollection` and `CopyCollection`.',
    },
    {
      name: 'SystemService',
      description: 'What a client may want to know about the server before it works with it.',
    },
  ],
  paths: {
    '/v1/collections': {
      post: {
        operationId: 'createCollection',
        tags: ['CollectionService'],
        summary: 'Makes an empty collection.',
        'x-omendb-scope': 'collections.write',
        requestBody: {
          required: true,
          description: 'Asks for a new collection.',
          content: {
            'application/json': {
              schema: {
                $ref: '#/components/schemas/CreateCollectionRequest',
              },
              example: {
                name: 'words',
                dimensions: 4,
                metric: 'cosine',
              },
            },
            'application/x-protobuf': {
              schema: {
                type: 'string',
                format: 'binary',
                description: 'omendb.v1.CreateCollectionRequest',
              },
            },
          },
        },
        responses: {
          '200': {
            description: 'The new collection.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/CreateCollectionResponse',
                },
                example: {
                  collection: {
                    name: 'words',
                    dimensions: 4,
                    metric: 'cosine',
                    createTime: '2026-01-31T12:00:00.000Z',
                  },
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.CreateCollectionResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
      get: {
        operationId: 'listCollections',
        tags: ['CollectionService'],
        summary: "Lists the tenant's collections by name.",
        'x-omendb-scope': 'collections.read',
        parameters: [
          {
            name: 'pageSize',
            in: 'query',
            description: 'Most collections on the page; 100 by default, at most 1000, more is read as 1000.',
            schema: {
              type: 'integer',
              minimum: 0,
              maximum: 4294967295,
            },
            example: 100,
          },
          {
            name: 'pageToken',
            in: 'query',
            description: 'Where to go on: `nextPageToken` of the page before.',
            schema: {
              type: 'string',
            },
          },
        ],
        responses: {
          '200': {
            description: 'A page of collections.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/ListCollectionsResponse',
                },
                example: {
                  collections: [
                    {
                      name: 'words',
                      dimensions: 4,
                      metric: 'cosine',
                      createTime: '2026-01-31T12:00:00.000Z',
                    },
                  ],
                  nextPageToken: '',
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.ListCollectionsResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/collections/{collection}': {
      get: {
        operationId: 'getCollection',
        tags: ['CollectionService'],
        summary: 'Returns one collection.',
        'x-omendb-scope': 'collections.read',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
        ],
        responses: {
          '200': {
            description: 'One collection.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/GetCollectionResponse',
                },
                example: {
                  collection: {
                    name: 'words',
                    dimensions: 4,
                    metric: 'cosine',
                    createTime: '2026-01-31T12:00:00.000Z',
                    recordCount: 341479,
                  },
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.GetCollectionResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
      delete: {
        operationId: 'deleteCollection',
        tags: ['CollectionService'],
        summary: 'Removes a collection and everything in it.',
        'x-omendb-scope': 'collections.delete',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
          {
            name: 'requestId',
            in: 'query',
            description:
              'Makes a repeated request harmless: the answer to a repeated id is the first answer, for 24 hours.',
            schema: {
              type: 'string',
            },
          },
        ],
        responses: {
          '200': {
            description: 'The collection is gone.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/DeleteCollectionResponse',
                },
                example: {},
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.DeleteCollectionResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/collections/{collection}/stats': {
      get: {
        operationId: 'getCollectionStats',
        tags: ['CollectionService'],
        summary: 'Returns how large a collection is and where its data lies.',
        'x-omendb-scope': 'collections.read',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
        ],
        responses: {
          '200': {
            description: 'How large a collection is.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/GetCollectionStatsResponse',
                },
                example: {
                  records: 341479,
                  unindexedRecords: 0,
                  segments: 2,
                  bytes: 180355072,
                  tiers: {
                    hot: 9437184,
                    warm: 62914560,
                    cold: 108003328,
                  },
                  unfoldedBytes: 262144,
                  jobs: [
                    {
                      jobId: 'c5a1f0',
                      kind: 'merge',
                      claimedBy: 'omendb-0',
                      startTime: '2026-01-31T12:00:00.000Z',
                      inputs: 4,
                      inputBytes: 41943040,
                    },
                  ],
                  snapshots: 1,
                  readableFrom: '2026-01-30T12:00:00.000Z',
                  sequenceNumber: 42,
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.GetCollectionStatsResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/collections/{collection}:branch': {
      post: {
        operationId: 'branchCollection',
        tags: ['CollectionService'],
        summary:
          'Makes a collection that begins as another one is or was, in constant time: the two share what neither of them changes.',
        'x-omendb-scope': 'collections.write',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection to begin with.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
        ],
        requestBody: {
          required: true,
          description: 'Asks for a new collection that begins as a branch of another one.',
          content: {
            'application/json': {
              schema: {
                $ref: '#/components/schemas/BranchCollectionRequest',
              },
              example: {
                name: 'words-trial',
                requestId: '7f9c24e8-3b12-4fef-91e0-d4f4a8c1c7e5',
              },
            },
            'application/x-protobuf': {
              schema: {
                type: 'string',
                format: 'binary',
                description: 'omendb.v1.BranchCollectionRequest',
              },
            },
          },
        },
        responses: {
          '200': {
            description: 'The new collection.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/BranchCollectionResponse',
                },
                example: {
                  collection: {
                    name: 'words-trial',
                    dimensions: 4,
                    metric: 'cosine',
                    createTime: '2026-01-31T12:00:00.000Z',
                  },
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.BranchCollectionResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/collections/{collection}:copy': {
      post: {
        operationId: 'copyCollection',
        tags: ['CollectionService'],
        summary:
          'Makes a collection that begins as another one is or was, in constant time, and is rewritten in the background until the two share nothing.',
        'x-omendb-scope': 'collections.write',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection to begin with.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
        ],
        requestBody: {
          required: true,
          description: 'Asks for a new collection that begins as a copy of another one.',
          content: {
            'application/json': {
              schema: {
                $ref: '#/components/schemas/CopyCollectionRequest',
              },
              example: {
                name: 'words-2026-01',
                asOf: '2026-01-31T12:00:00.000Z',
                requestId: '7f9c24e8-3b12-4fef-91e0-d4f4a8c1c7e5',
              },
            },
            'application/x-protobuf': {
              schema: {
                type: 'string',
                format: 'binary',
                description: 'omendb.v1.CopyCollectionRequest',
              },
            },
          },
        },
        responses: {
          '200': {
            description: 'The new collection.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/CopyCollectionResponse',
                },
                example: {
                  collection: {
                    name: 'words-2026-01',
                    dimensions: 4,
                    metric: 'cosine',
                    createTime: '2026-01-31T12:00:00.000Z',
                  },
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.CopyCollectionResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/collections/{collection}/records:query': {
      post: {
        operationId: 'query',
        tags: ['QueryService'],
        summary: 'Returns the records whose vectors are nearest to the one given, best first.',
        'x-omendb-scope': 'records.read',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
        ],
        requestBody: {
          required: true,
          description: 'Asks for the nearest records.',
          content: {
            'application/json': {
              schema: {
                $ref: '#/components/schemas/QueryRequest',
              },
              example: {
                vector: [0.1, 0.2, 0.3, 0.4],
                topK: 10,
                filter: {
                  rank: {
                    $lt: 1000,
                  },
                },
                select: ['rank'],
              },
            },
            'application/x-protobuf': {
              schema: {
                type: 'string',
                format: 'binary',
                description: 'omendb.v1.QueryRequest',
              },
            },
          },
        },
        responses: {
          '200': {
            description: 'The nearest records.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/QueryResponse',
                },
                example: {
                  hits: [
                    {
                      id: 'a',
                      score: 0.83,
                      distance: 0.17,
                      attributes: {
                        rank: 7,
                      },
                    },
                  ],
                  usage: {
                    recordsRead: 2048,
                    recordsWritten: 0,
                    bytesRead: 262144,
                    bytesWritten: 0,
                  },
                  performance: {
                    serverMs: 0.41,
                    queueMs: 0.02,
                    engineMs: 0.33,
                    tier: 'hot',
                    roundTrips: 0,
                    objectStoreGets: 0,
                    bytesRead: 0,
                    candidates: 2048,
                    exact: false,
                    partial: false,
                  },
                  sequenceNumber: 42,
                  sessionToken: '6jm2xqz41.16',
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.QueryResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/collections/{collection}/records:upsert': {
      post: {
        operationId: 'upsertRecords',
        tags: ['RecordService'],
        summary: 'Writes records: new ids are inserted, known ids are replaced.',
        'x-omendb-scope': 'records.write',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
        ],
        requestBody: {
          required: true,
          description: 'Asks to write records. Exactly one of `records` and `block` must be given.',
          content: {
            'application/json': {
              schema: {
                $ref: '#/components/schemas/UpsertRecordsRequest',
              },
              example: {
                records: [
                  {
                    id: 'the',
                    vector: [0.1, 0.2, 0.3, 0.4],
                    attributes: {
                      rank: 1,
                      tags: ['article', 'english'],
                    },
                  },
                ],
                requestId: '7f9c24e8-3b12-4fef-91e0-d4f4a8c1c7e5',
              },
            },
            'application/x-protobuf': {
              schema: {
                type: 'string',
                format: 'binary',
                description: 'omendb.v1.UpsertRecordsRequest',
              },
            },
          },
        },
        responses: {
          '200': {
            description: 'What an upsert did. The write is durable.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/UpsertRecordsResponse',
                },
                example: {
                  inserted: 1,
                  updated: 0,
                  sequenceNumber: 42,
                  sessionToken: '6jm2xqz41.16',
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.UpsertRecordsResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/collections/{collection}/records:patch': {
      post: {
        operationId: 'patchRecords',
        tags: ['RecordService'],
        summary: 'Changes parts of records that exist.',
        'x-omendb-scope': 'records.write',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
        ],
        requestBody: {
          required: true,
          description: 'Asks to change parts of records.',
          content: {
            'application/json': {
              schema: {
                $ref: '#/components/schemas/PatchRecordsRequest',
              },
              example: {
                patches: [
                  {
                    id: 'the',
                    attributes: {
                      rank: 2,
                      tags: null,
                    },
                  },
                ],
                requestId: '7f9c24e8-3b12-4fef-91e0-d4f4a8c1c7e5',
              },
            },
            'application/x-protobuf': {
              schema: {
                type: 'string',
                format: 'binary',
                description: 'omendb.v1.PatchRecordsRequest',
              },
            },
          },
        },
        responses: {
          '200': {
            description: 'What a patch did. The write is durable.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/PatchRecordsResponse',
                },
                example: {
                  patched: 1,
                  missingIds: [],
                  sequenceNumber: 42,
                  sessionToken: '6jm2xqz41.16',
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.PatchRecordsResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/collections/{collection}/records:delete': {
      post: {
        operationId: 'deleteRecords',
        tags: ['RecordService'],
        summary: 'Deletes records by id or by filter.',
        'x-omendb-scope': 'records.write',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
        ],
        requestBody: {
          required: true,
          description: 'Asks to delete records. Exactly one of `ids` and `filter` must be given.',
          content: {
            'application/json': {
              schema: {
                $ref: '#/components/schemas/DeleteRecordsRequest',
              },
              example: {
                filter: {
                  rank: {
                    $gt: 300000,
                  },
                },
                requestId: '7f9c24e8-3b12-4fef-91e0-d4f4a8c1c7e5',
              },
            },
            'application/x-protobuf': {
              schema: {
                type: 'string',
                format: 'binary',
                description: 'omendb.v1.DeleteRecordsRequest',
              },
            },
          },
        },
        responses: {
          '200': {
            description: 'What a delete did. The write is durable.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/DeleteRecordsResponse',
                },
                example: {
                  deleted: 41479,
                  sequenceNumber: 42,
                  sessionToken: '6jm2xqz41.16',
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.DeleteRecordsResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/collections/{collection}/records:batchGet': {
      post: {
        operationId: 'batchGetRecords',
        tags: ['RecordService'],
        summary: 'Returns records by id.',
        'x-omendb-scope': 'records.read',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
        ],
        requestBody: {
          required: true,
          description: 'Asks for records by id.',
          content: {
            'application/json': {
              schema: {
                $ref: '#/components/schemas/BatchGetRecordsRequest',
              },
              example: {
                ids: ['the', 'teh'],
                includeVectors: true,
                consistency: 'strong',
              },
            },
            'application/x-protobuf': {
              schema: {
                type: 'string',
                format: 'binary',
                description: 'omendb.v1.BatchGetRecordsRequest',
              },
            },
          },
        },
        responses: {
          '200': {
            description: 'Records by id.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/BatchGetRecordsResponse',
                },
                example: {
                  records: [
                    {
                      id: 'the',
                      vector: [0.1, 0.2, 0.3, 0.4],
                      attributes: {
                        rank: 1,
                      },
                    },
                  ],
                  missingIds: ['teh'],
                  sequenceNumber: 42,
                  sessionToken: '6jm2xqz41.16',
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.BatchGetRecordsResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/collections/{collection}/records/{id}': {
      get: {
        operationId: 'getRecord',
        tags: ['RecordService'],
        summary: 'Returns one record.',
        'x-omendb-scope': 'records.read',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
          {
            name: 'id',
            in: 'path',
            required: true,
            description: "The record's id.",
            schema: {
              type: 'string',
              minLength: 1,
            },
            example: 'the',
          },
          {
            name: 'select',
            in: 'query',
            description: 'Attributes to return; none named means all.',
            schema: {
              type: 'array',
              items: {
                type: 'string',
                minLength: 1,
              },
              maxItems: 256,
            },
            example: ['rank'],
          },
          {
            name: 'includeVectors',
            in: 'query',
            description: 'Return vectors too.',
            schema: {
              type: 'boolean',
            },
          },
          {
            name: 'consistency',
            in: 'query',
            description: 'How fresh the data must be; session by default.',
            schema: {
              $ref: '#/components/schemas/Consistency',
            },
          },
          {
            name: 'sessionToken',
            in: 'query',
            description:
              '`sessionToken` of the last answer, to a write or a read, that this read must not fall behind; used with session consistency.',
            schema: {
              type: 'string',
            },
          },
          {
            name: 'asOf',
            in: 'query',
            description:
              'Reads the collection as it was at this time. A time to come means the present. At most one of `asOf`, `snapshot` and `asOfSequenceNumber` may be given, and none together with `sessionToken` or a `consistency` other than session.',
            schema: {
              type: 'string',
              format: 'date-time',
            },
            example: '2026-01-31T12:00:00.000Z',
          },
          {
            name: 'snapshot',
            in: 'query',
            description:
              'Reads the collection as this snapshot of it has it. Name of a snapshot of the collection.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
          },
          {
            name: 'asOfSequenceNumber',
            in: 'query',
            description:
              'Reads the collection as it was after the write with this sequence number; 0 means before the first one.',
            schema: {
              $ref: '#/components/schemas/Int64',
              minimum: 0,
            },
          },
        ],
        responses: {
          '200': {
            description: 'One record.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/GetRecordResponse',
                },
                example: {
                  record: {
                    id: 'the',
                    attributes: {
                      rank: 1,
                    },
                  },
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.GetRecordResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/collections/{collection}/records:scan': {
      post: {
        operationId: 'scanRecords',
        tags: ['RecordService'],
        summary:
          'Returns all records, or those that pass a filter, page by page. The order is stable but not specified.',
        'x-omendb-scope': 'records.read',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
        ],
        requestBody: {
          required: true,
          description: 'Asks for a page of records.',
          content: {
            'application/json': {
              schema: {
                $ref: '#/components/schemas/ScanRecordsRequest',
              },
              example: {
                filter: {
                  $id: {
                    $prefix: 'th',
                  },
                },
                pageSize: 2,
              },
            },
            'application/x-protobuf': {
              schema: {
                type: 'string',
                format: 'binary',
                description: 'omendb.v1.ScanRecordsRequest',
              },
            },
          },
        },
        responses: {
          '200': {
            description: 'A page of records.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/ScanRecordsResponse',
                },
                example: {
                  records: [
                    {
                      id: 'than',
                      attributes: {
                        rank: 74,
                      },
                    },
                    {
                      id: 'the',
                      attributes: {
                        rank: 1,
                      },
                    },
                  ],
                  nextPageToken: 'dGhl',
                  sequenceNumber: 42,
                  sessionToken: '6jm2xqz41.16',
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.ScanRecordsResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/collections/{collection}/records:count': {
      post: {
        operationId: 'countRecords',
        tags: ['RecordService'],
        summary: 'Counts all records, or those that pass a filter.',
        'x-omendb-scope': 'records.read',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
        ],
        requestBody: {
          required: true,
          description: 'Asks how many records there are.',
          content: {
            'application/json': {
              schema: {
                $ref: '#/components/schemas/CountRecordsRequest',
              },
              example: {
                filter: {
                  rank: {
                    $lt: 1000,
                  },
                },
                snapshot: 'nightly',
              },
            },
            'application/x-protobuf': {
              schema: {
                type: 'string',
                format: 'binary',
                description: 'omendb.v1.CountRecordsRequest',
              },
            },
          },
        },
        responses: {
          '200': {
            description: 'How many records there are.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/CountRecordsResponse',
                },
                example: {
                  count: 999,
                  sequenceNumber: 42,
                  sessionToken: '6jm2xqz41.16',
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.CountRecordsResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/collections/{collection}/snapshots': {
      post: {
        operationId: 'createSnapshot',
        tags: ['SnapshotService'],
        summary: 'Keeps the present: every write that was acknowledged before the call.',
        'x-omendb-scope': 'collections.write',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
        ],
        requestBody: {
          required: true,
          description: 'Asks to keep the present.',
          content: {
            'application/json': {
              schema: {
                $ref: '#/components/schemas/CreateSnapshotRequest',
              },
              example: {
                name: 'nightly',
              },
            },
            'application/x-protobuf': {
              schema: {
                type: 'string',
                format: 'binary',
                description: 'omendb.v1.CreateSnapshotRequest',
              },
            },
          },
        },
        responses: {
          '200': {
            description: 'The new snapshot.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/CreateSnapshotResponse',
                },
                example: {
                  snapshot: {
                    name: 'nightly',
                    createTime: '2026-01-31T12:00:00.000Z',
                    sequenceNumber: 42,
                  },
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.CreateSnapshotResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
      get: {
        operationId: 'listSnapshots',
        tags: ['SnapshotService'],
        summary: 'Lists the snapshots of a collection, oldest first. There are at most 256.',
        'x-omendb-scope': 'collections.read',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
        ],
        responses: {
          '200': {
            description: 'The snapshots of a collection.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/ListSnapshotsResponse',
                },
                example: {
                  snapshots: [
                    {
                      name: 'nightly',
                      createTime: '2026-01-31T12:00:00.000Z',
                      sequenceNumber: 42,
                    },
                  ],
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.ListSnapshotsResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/collections/{collection}/snapshots/{snapshot}': {
      delete: {
        operationId: 'deleteSnapshot',
        tags: ['SnapshotService'],
        summary:
          'Deletes a snapshot; what only it needed is removed from storage. One that is not there is no error.',
        'x-omendb-scope': 'collections.delete',
        parameters: [
          {
            name: 'collection',
            in: 'path',
            required: true,
            description: 'Name of the collection.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'words',
          },
          {
            name: 'snapshot',
            in: 'path',
            required: true,
            description: 'Name of the snapshot.',
            schema: {
              type: 'string',
              minLength: 1,
              maxLength: 128,
              pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            },
            example: 'nightly',
          },
          {
            name: 'requestId',
            in: 'query',
            description:
              'Makes a repeated request harmless: the answer to a repeated id is the first answer, for 24 hours.',
            schema: {
              type: 'string',
            },
          },
        ],
        responses: {
          '200': {
            description: 'The snapshot is gone.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/DeleteSnapshotResponse',
                },
                example: {},
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.DeleteSnapshotResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/limits': {
      get: {
        operationId: 'getLimits',
        tags: ['SystemService'],
        summary: 'Returns every limit a request can run into.',
        security: [],
        responses: {
          '200': {
            description: 'The limits.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/GetLimitsResponse',
                },
                example: {
                  dimensionsMax: 4096,
                  topKMax: 10000,
                  batchRecordsMax: 10000,
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.GetLimitsResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
    '/v1/info': {
      get: {
        operationId: 'getServerInfo',
        tags: ['SystemService'],
        summary: 'Returns version, uptime and features.',
        security: [],
        responses: {
          '200': {
            description: 'What the server says about itself.',
            content: {
              'application/json': {
                schema: {
                  $ref: '#/components/schemas/GetServerInfoResponse',
                },
                example: {
                  version: '0.1.0',
                  apiVersions: ['v1'],
                  uptimeMs: 86400000,
                  startTime: '2026-01-31T12:00:00.000Z',
                  features: [],
                  dimensionsDefault: 128,
                },
              },
              'application/x-protobuf': {
                schema: {
                  type: 'string',
                  format: 'binary',
                  description: 'omendb.v1.GetServerInfoResponse',
                },
              },
            },
          },
          default: {
            $ref: '#/components/responses/Error',
          },
        },
      },
    },
  },
  components: {
    securitySchemes: {
      bearer: {
        type: 'http',
        scheme: 'bearer',
        description: 'A token that lives at most 24 hours, or an API key.',
      },
    },
    schemas: {
      Attributes: {
        description:
          'The attributes of one record of a block. In JSON it is written as the plain object of its values.',
        type: 'object',
        additionalProperties: {
          $ref: '#/components/schemas/Value',
        },
        maxProperties: 256,
      },
      BatchGetRecordsRequest: {
        type: 'object',
        description: 'Asks for records by id.',
        properties: {
          ids: {
            type: 'array',
            items: {
              type: 'string',
              minLength: 1,
            },
            minItems: 1,
            maxItems: 1000,
            description: 'The ids, at most 1000.',
          },
          select: {
            type: 'array',
            items: {
              type: 'string',
              minLength: 1,
            },
            maxItems: 256,
            description: 'Attributes to return; none named means all.',
          },
          includeVectors: {
            type: 'boolean',
            description: 'Return vectors too.',
          },
          consistency: {
            $ref: '#/components/schemas/Consistency',
            description: 'How fresh the data must be; session by default.',
          },
          sessionToken: {
            type: 'string',
            description:
              '`sessionToken` of the last answer, to a write or a read, that this read must not fall behind; used with session consistency.',
          },
          asOf: {
            type: 'string',
            format: 'date-time',
            description:
              'Reads the collection as it was at this time. A time to come means the present. At most one of `asOf`, `snapshot` and `asOfSequenceNumber` may be given, and none together with `sessionToken` or a `consistency` other than session.',
          },
          snapshot: {
            type: 'string',
            minLength: 1,
            maxLength: 128,
            pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            description:
              'Reads the collection as this snapshot of it has it. Name of a snapshot of the collection.',
          },
          asOfSequenceNumber: {
            $ref: '#/components/schemas/Int64',
            minimum: 0,
            description:
              'Reads the collection as it was after the write with this sequence number; 0 means before the first one.',
          },
        },
        required: ['ids'],
        additionalProperties: false,
      },
      BatchGetRecordsResponse: {
        type: 'object',
        description: 'Records by id.',
        properties: {
          records: {
            type: 'array',
            items: {
              $ref: '#/components/schemas/Record',
            },
            description: 'The records that exist, in the order of the ids asked for.',
          },
          missingIds: {
            type: 'array',
            items: {
              type: 'string',
            },
            description: 'The ids that do not exist.',
          },
          sequenceNumber: {
            $ref: '#/components/schemas/Int64',
            description: "Position in the collection's history of the last write that the answer knows of.",
          },
          sessionToken: {
            type: 'string',
            description: 'Pass it to a later read that must not see less.',
          },
        },
        additionalProperties: false,
      },
      BranchCollectionRequest: {
        type: 'object',
        description: 'Asks for a new collection that begins as a branch of another one.',
        properties: {
          name: {
            type: 'string',
            minLength: 1,
            maxLength: 128,
            pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            description:
              'Name of the new collection: 1 to 128 letters, digits, `.`, `_` or `-`, beginning with a letter or digit.',
          },
          asOf: {
            type: 'string',
            format: 'date-time',
            description:
              'Begins with the collection as it was at this time. A time to come means the present. At most one of `asOf`, `snapshot` and `asOfSequenceNumber` may be given.',
          },
          snapshot: {
            type: 'string',
            minLength: 1,
            maxLength: 128,
            pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            description:
              'Begins with the collection as this snapshot of it has it. Name of a snapshot of the collection.',
          },
          asOfSequenceNumber: {
            $ref: '#/components/schemas/Int64',
            minimum: 0,
            description:
              'Begins with the collection as it was after the write with this sequence number; 0 means before the first one.',
          },
          requestId: {
            type: 'string',
            description:
              'Makes a repeated request harmless: the answer to a repeated id is the first answer, for 24 hours.',
          },
        },
        required: ['name'],
        additionalProperties: false,
      },
      BranchCollectionResponse: {
        type: 'object',
        description: 'The new collection.',
        properties: {
          collection: {
            $ref: '#/components/schemas/Collection',
            description: 'The collection as it was made.',
          },
        },
        additionalProperties: false,
      },
      Collection: {
        type: 'object',
        description: 'A named set of records whose vectors have the same number of dimensions.',
        properties: {
          name: {
            type: 'string',
            description: "The name, unique among the tenant's collections.",
          },
          dimensions: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Elements of every vector.',
          },
          metric: {
            $ref: '#/components/schemas/Metric',
            description: 'How vectors are compared.',
          },
          createTime: {
            type: 'string',
            format: 'date-time',
            description: 'When the collection was made.',
          },
          recordCount: {
            $ref: '#/components/schemas/Int64',
            description: 'Records in the collection, when the answering server knows it without extra work.',
          },
        },
        additionalProperties: false,
      },
      Consistency: {
        type: 'string',
        enum: ['session', 'strong', 'eventual'],
        description:
          'How fresh the data is that a read sees.\n\n- `session`: At least everything that the answer knew of that the session token came from.\n- `strong`: Every write that was acknowledged before the read began.\n- `eventual`: Whatever the answering server has at hand.',
      },
      CopyCollectionRequest: {
        type: 'object',
        description: 'Asks for a new collection that begins as a copy of another one.',
        properties: {
          name: {
            type: 'string',
            minLength: 1,
            maxLength: 128,
            pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            description:
              'Name of the new collection: 1 to 128 letters, digits, `.`, `_` or `-`, beginning with a letter or digit.',
          },
          asOf: {
            type: 'string',
            format: 'date-time',
            description:
              'Begins with the collection as it was at this time. A time to come means the present. At most one of `asOf`, `snapshot` and `asOfSequenceNumber` may be given.',
          },
          snapshot: {
            type: 'string',
            minLength: 1,
            maxLength: 128,
            pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            description:
              'Begins with the collection as this snapshot of it has it. Name of a snapshot of the collection.',
          },
          asOfSequenceNumber: {
            $ref: '#/components/schemas/Int64',
            minimum: 0,
            description:
              'Begins with the collection as it was after the write with this sequence number; 0 means before the first one.',
          },
          requestId: {
            type: 'string',
            description:
              'Makes a repeated request harmless: the answer to a repeated id is the first answer, for 24 hours.',
          },
        },
        required: ['name'],
        additionalProperties: false,
      },
      CopyCollectionResponse: {
        type: 'object',
        description: 'The new collection.',
        properties: {
          collection: {
            $ref: '#/components/schemas/Collection',
            description: 'The collection as it was made.',
          },
        },
        additionalProperties: false,
      },
      CountRecordsRequest: {
        type: 'object',
        description: 'Asks how many records there are.',
        properties: {
          filter: {
            $ref: '#/components/schemas/Filter',
            description: 'Only records that pass; all by default.',
          },
          consistency: {
            $ref: '#/components/schemas/Consistency',
            description: 'How fresh the data must be; session by default.',
          },
          sessionToken: {
            type: 'string',
            description:
              '`sessionToken` of the last answer, to a write or a read, that this read must not fall behind; used with session consistency.',
          },
          asOf: {
            type: 'string',
            format: 'date-time',
            description:
              'Reads the collection as it was at this time. A time to come means the present. At most one of `asOf`, `snapshot` and `asOfSequenceNumber` may be given, and none together with `sessionToken` or a `consistency` other than session.',
          },
          snapshot: {
            type: 'string',
            minLength: 1,
            maxLength: 128,
            pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            description:
              'Reads the collection as this snapshot of it has it. Name of a snapshot of the collection.',
          },
          asOfSequenceNumber: {
            $ref: '#/components/schemas/Int64',
            minimum: 0,
            description:
              'Reads the collection as it was after the write with this sequence number; 0 means before the first one.',
          },
        },
        additionalProperties: false,
      },
      CountRecordsResponse: {
        type: 'object',
        description: 'How many records there are.',
        properties: {
          count: {
            $ref: '#/components/schemas/Int64',
            description: 'The number, exact.',
          },
          sequenceNumber: {
            $ref: '#/components/schemas/Int64',
            description: "Position in the collection's history of the last write that the answer knows of.",
          },
          sessionToken: {
            type: 'string',
            description: 'Pass it to a later read that must not see less.',
          },
        },
        additionalProperties: false,
      },
      CreateCollectionRequest: {
        type: 'object',
        description: 'Asks for a new collection.',
        properties: {
          name: {
            type: 'string',
            minLength: 1,
            maxLength: 128,
            pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            description:
              'The name: 1 to 128 letters, digits, `.`, `_` or `-`, beginning with a letter or digit.',
          },
          dimensions: {
            type: 'integer',
            minimum: 1,
            maximum: 4096,
            description:
              "Elements of every vector, 1 to 4096. The default is the server's `OMENDB_DIMENSION`.",
          },
          metric: {
            $ref: '#/components/schemas/Metric',
            description: 'How vectors are compared; cosine by default.',
          },
          requestId: {
            type: 'string',
            description:
              'Makes a repeated request harmless: the answer to a repeated id is the first answer, for 24 hours.',
          },
        },
        required: ['name'],
        additionalProperties: false,
      },
      CreateCollectionResponse: {
        type: 'object',
        description: 'The new collection.',
        properties: {
          collection: {
            $ref: '#/components/schemas/Collection',
            description: 'The collection as it was made.',
          },
        },
        additionalProperties: false,
      },
      CreateSnapshotRequest: {
        type: 'object',
        description: 'Asks to keep the present.',
        properties: {
          name: {
            type: 'string',
            minLength: 1,
            maxLength: 128,
            pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            description:
              'Name of the snapshot: 1 to 128 letters, digits, `.`, `_` or `-`, beginning with a letter or digit.',
          },
          requestId: {
            type: 'string',
            description:
              'Makes a repeated request harmless: the answer to a repeated id is the first answer, for 24 hours.',
          },
        },
        required: ['name'],
        additionalProperties: false,
      },
      CreateSnapshotResponse: {
        type: 'object',
        description: 'The new snapshot.',
        properties: {
          snapshot: {
            $ref: '#/components/schemas/Snapshot',
            description: 'The snapshot as it was made.',
          },
        },
        additionalProperties: false,
      },
      DeleteCollectionResponse: {
        type: 'object',
        description: 'The collection is gone.',
        properties: {},
        additionalProperties: false,
      },
      DeleteRecordsRequest: {
        type: 'object',
        description: 'Asks to delete records. Exactly one of `ids` and `filter` must be given.',
        properties: {
          ids: {
            type: 'array',
            items: {
              type: 'string',
              minLength: 1,
            },
            maxItems: 10000,
            description: 'The ids, at most 10000. Ids that do not exist are ignored.',
          },
          filter: {
            $ref: '#/components/schemas/Filter',
            description: 'Deletes every record that passes.',
          },
          requestId: {
            type: 'string',
            description:
              'Makes a repeated request harmless: the answer to a repeated id is the first answer, for 24 hours. Clients add one to every write.',
          },
        },
        additionalProperties: false,
      },
      DeleteRecordsResponse: {
        type: 'object',
        description: 'What a delete did. The write is durable.',
        properties: {
          deleted: {
            $ref: '#/components/schemas/Int64',
            description: 'Records that were deleted.',
          },
          sequenceNumber: {
            $ref: '#/components/schemas/Int64',
            description: "Position of the write in the collection's history.",
          },
          sessionToken: {
            type: 'string',
            description: 'Pass it to a read that must see this write.',
          },
        },
        additionalProperties: false,
      },
      DeleteSnapshotResponse: {
        type: 'object',
        description: 'The snapshot is gone.',
        properties: {},
        additionalProperties: false,
      },
      Error: {
        type: 'object',
        required: ['code', 'status', 'message', 'details'],
        properties: {
          code: {
            type: 'integer',
            description: 'The HTTP status.',
          },
          status: {
            type: 'string',
            description: 'Name of the gRPC status.',
          },
          message: {
            type: 'string',
            description: 'What was seen, what is allowed, and where. For people; may change.',
          },
          details: {
            type: 'array',
            items: {
              $ref: '#/components/schemas/ErrorDetail',
            },
          },
        },
      },
      ErrorDetail: {
        description: 'A detail message of `google.rpc`; `@type` says which. There is always an ErrorInfo.',
        type: 'object',
        required: ['@type'],
        properties: {
          '@type': {
            type: 'string',
          },
          reason: {
            $ref: '#/components/schemas/ErrorReason',
          },
          domain: {
            const: 'omendb',
          },
          metadata: {
            type: 'object',
            additionalProperties: {
              type: 'string',
            },
          },
          fieldViolations: {
            type: 'array',
            items: {
              type: 'object',
              properties: {
                field: {
                  type: 'string',
                },
                description: {
                  type: 'string',
                },
              },
            },
          },
          retryDelay: {
            type: 'string',
            description: 'Of RetryInfo: smallest useful wait, such as `1.5s`.',
          },
          requestId: {
            type: 'string',
            description: 'Of RequestInfo: identifies the call in the logs of the server.',
          },
        },
      },
      ErrorReason: {
        type: 'string',
        enum: [
          'INVALID_ARGUMENT',
          'MALFORMED_BODY',
          'UNKNOWN_FIELD',
          'UNKNOWN_OPERATOR',
          'INVALID_FILTER',
          'INVALID_VECTOR',
          'ZERO_VECTOR',
          'DIMENSION_MISMATCH',
          'INVALID_ID',
          'DUPLICATE_ID',
          'INVALID_ATTRIBUTE',
          'INTEGER_PRECISION_LOSS',
          'INVALID_COLLECTION_NAME',
          'INVALID_PAGE_TOKEN',
          'EMPTY_BATCH',
          'BATCH_TOO_LARGE',
          'REQUEST_ID_REUSED',
          'MESSAGE_TOO_LARGE',
          'UNSUPPORTED_MEDIA_TYPE',
          'MISSING_CREDENTIALS',
          'INVALID_TOKEN',
          'TOKEN_EXPIRED',
          'TOKEN_LIFETIME',
          'KEY_REVOKED',
          'SCOPE_MISSING',
          'COLLECTION_NOT_FOUND',
          'RECORD_NOT_FOUND',
          'METHOD_NOT_FOUND',
          'COLLECTION_EXISTS',
          'ETAG_MISMATCH',
          'COLLECTION_BUSY',
          'CONDITION_FAILED',
          'RATE_LIMITED',
          'QUOTA_EXCEEDED',
          'WRITE_BACKPRESSURE',
          'CANCELLED',
          'DEADLINE_EXCEEDED',
          'OVERLOADED',
          'DRAINING',
          'MEMORY_EXHAUSTED',
          'STORAGE_FULL',
          'STORAGE_UNAVAILABLE',
          'DATA_CORRUPTED',
          'INTERNAL',
          'SNAPSHOT_NOT_FOUND',
          'SNAPSHOT_EXISTS',
          'MOMENT_NOT_KEPT',
        ],
        description:
          'Why a request failed. Sent as `google.rpc.ErrorInfo.reason` without the prefix, with domain `omendb`.',
      },
      ErrorResponse: {
        type: 'object',
        required: ['error'],
        properties: {
          error: {
            $ref: '#/components/schemas/Error',
          },
        },
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
                    {
                      field: 'records[3].vector[7]',
                      description: 'must be a finite number, not null',
                    },
                  ],
                },
              ],
            },
          },
        ],
      },
      FieldFilter: {
        description:
          'What one attribute must be: a value, null for absent, or an object of operators that must all hold.',
        oneOf: [
          {
            type: ['string', 'number', 'boolean', 'null'],
          },
          {
            type: 'object',
            minProperties: 1,
            properties: {
              $eq: {
                type: ['string', 'number', 'boolean', 'null'],
              },
              $ne: {
                type: ['string', 'number', 'boolean', 'null'],
              },
              $lt: {
                type: ['string', 'number', 'boolean'],
              },
              $lte: {
                type: ['string', 'number', 'boolean'],
              },
              $gt: {
                type: ['string', 'number', 'boolean'],
              },
              $gte: {
                type: ['string', 'number', 'boolean'],
              },
              $in: {
                type: 'array',
                items: {
                  type: ['string', 'number', 'boolean'],
                },
                maxItems: 10000,
              },
              $nin: {
                type: 'array',
                items: {
                  type: ['string', 'number', 'boolean'],
                },
                maxItems: 10000,
              },
              $containsAny: {
                type: 'array',
                items: {
                  type: ['string', 'number', 'boolean'],
                },
                maxItems: 10000,
              },
              $containsAll: {
                type: 'array',
                items: {
                  type: ['string', 'number', 'boolean'],
                },
                maxItems: 10000,
              },
              $exists: {
                type: 'boolean',
              },
              $prefix: {
                type: 'string',
              },
            },
            additionalProperties: false,
          },
        ],
      },
      Filter: {
        description:
          'A condition on records. At most 16 levels deep and 1024 nodes in all.\n\nIn JSON it is written as an object: `{"year":{"$gte":1999},"tag":{"$in":["a","b"]}}`. Several entries of one object must all hold. Operators: `$eq $ne $gt $gte $lt $lte $in $nin $exists $containsAny $containsAll $prefix`, the combinators `$and $or $not`, and `$id` for the record\'s id. `{"year":1999}` means `$eq`; `{"year":null}` holds when the attribute is absent.\n\nA comparison with an attribute that a record lacks is false. On an array attribute a comparison holds when it holds for any element. int64 and double compare by value; values of different kinds are never equal.',
        type: 'object',
        properties: {
          $and: {
            type: 'array',
            items: {
              $ref: '#/components/schemas/Filter',
            },
          },
          $or: {
            type: 'array',
            items: {
              $ref: '#/components/schemas/Filter',
            },
          },
          $not: {
            $ref: '#/components/schemas/Filter',
          },
        },
        patternProperties: {
          '^\\$id$': {
            oneOf: [
              {
                type: 'string',
              },
              {
                $ref: '#/components/schemas/IdFilter',
              },
            ],
          },
        },
        additionalProperties: {
          $ref: '#/components/schemas/FieldFilter',
        },
      },
      GetCollectionResponse: {
        type: 'object',
        description: 'One collection.',
        properties: {
          collection: {
            $ref: '#/components/schemas/Collection',
            description: 'The collection.',
          },
        },
        additionalProperties: false,
      },
      GetCollectionStatsResponse: {
        type: 'object',
        description: 'How large a collection is.',
        properties: {
          records: {
            $ref: '#/components/schemas/Int64',
            description: 'Records in the collection.',
          },
          unindexedRecords: {
            $ref: '#/components/schemas/Int64',
            description: 'Part of them that is searched without an index, because it is new.',
          },
          segments: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Immutable segments.',
          },
          bytes: {
            $ref: '#/components/schemas/Int64',
            description: 'Bytes in object storage.',
          },
          tiers: {
            $ref: '#/components/schemas/TierBytes',
            description: 'Where the bytes lie.',
          },
          unfoldedBytes: {
            $ref: '#/components/schemas/Int64',
            description: 'Bytes of writes that are in the log only.',
          },
          jobs: {
            type: 'array',
            items: {
              $ref: '#/components/schemas/MaintenanceJob',
            },
            description: 'Flushes and merges under way, on any server.',
          },
          snapshots: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Snapshots of the collection.',
          },
          readableFrom: {
            type: 'string',
            format: 'date-time',
            description: 'Reads of the past reach back to here.',
          },
          sequenceNumber: {
            $ref: '#/components/schemas/Int64',
            description: "Position in the collection's history of the last write.",
          },
        },
        additionalProperties: false,
      },
      GetLimitsResponse: {
        type: 'object',
        description: 'The limits.',
        properties: {
          dimensionsMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Dimensions of a collection.',
          },
          idBytesMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Bytes of a record id in UTF-8.',
          },
          attributeBytesMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Bytes of all attributes of one record.',
          },
          attributesMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Attributes of one record.',
          },
          attributeNameBytesMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: "Bytes of an attribute's name in UTF-8.",
          },
          attributeArrayMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Elements of one array attribute.',
          },
          batchRecordsMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Records in one request.',
          },
          jsonBodyBytesMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Bytes of a JSON body.',
          },
          protobufBodyBytesMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Bytes of a protobuf message, over HTTP and over gRPC.',
          },
          topKMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Hits of one query.',
          },
          filterDepthMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Levels of a filter.',
          },
          filterNodesMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Nodes of a filter.',
          },
          filterValuesMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Values of one list in a filter.',
          },
          pageSizeMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Records on one page, or ids of one batch get.',
          },
          pageSizeDefault: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Records on one page when the request does not say.',
          },
          responseBytesMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Bytes of one answer.',
          },
          collectionNameBytesMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: "Bytes of a collection's name.",
          },
          collectionsPerTenantMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Collections of one tenant.',
          },
          requestIdBytesMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Bytes of a request id.',
          },
          idempotencyWindowMs: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'How long a repeated request id gets its first answer, milliseconds.',
          },
          idempotencyEntriesMax: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Request ids remembered for one collection.',
          },
          unfoldedBytesSoft: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Bytes not yet in a segment above which writes are slowed down.',
          },
          unfoldedBytesHard: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Bytes not yet in a segment above which writes are refused for a while.',
          },
        },
        additionalProperties: false,
      },
      GetRecordResponse: {
        type: 'object',
        description: 'One record.',
        properties: {
          record: {
            $ref: '#/components/schemas/Record',
            description: 'The record.',
          },
        },
        additionalProperties: false,
      },
      GetServerInfoResponse: {
        type: 'object',
        description: 'What the server says about itself.',
        properties: {
          version: {
            type: 'string',
            description: 'Version of the server, such as `0.1.0`.',
          },
          apiVersions: {
            type: 'array',
            items: {
              type: 'string',
            },
            description: 'Versions of the API it speaks, such as `v1`.',
          },
          uptimeMs: {
            $ref: '#/components/schemas/Int64',
            description: 'Milliseconds since it started.',
          },
          startTime: {
            type: 'string',
            format: 'date-time',
            description: 'When it started.',
          },
          features: {
            type: 'array',
            items: {
              type: 'string',
            },
            description: 'Names of optional abilities that are switched on.',
          },
          dimensionsDefault: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Dimensions of a collection made without saying.',
          },
        },
        additionalProperties: false,
      },
      Hit: {
        type: 'object',
        description: 'One record found by a query.',
        properties: {
          id: {
            type: 'string',
            description: "The record's id.",
          },
          score: {
            type: 'number',
            description: 'How near it is: higher is better, whatever the metric.',
          },
          distance: {
            type: 'number',
            description: "Its distance in the metric's own measure: lower is better.",
          },
          attributes: {
            type: 'object',
            additionalProperties: {
              $ref: '#/components/schemas/Value',
            },
            description: 'The attributes asked for.',
          },
          vector: {
            $ref: '#/components/schemas/Vector',
            description: 'The vector, if asked for.',
          },
        },
        additionalProperties: false,
      },
      IdFilter: {
        description: 'What the record id must be.',
        type: 'object',
        minProperties: 1,
        properties: {
          $eq: {
            type: 'string',
          },
          $ne: {
            type: 'string',
          },
          $in: {
            type: 'array',
            items: {
              type: 'string',
            },
            maxItems: 10000,
          },
          $nin: {
            type: 'array',
            items: {
              type: 'string',
            },
            maxItems: 10000,
          },
          $prefix: {
            type: 'string',
          },
        },
        additionalProperties: false,
      },
      Int64: {
        description:
          'A whole number; a decimal string where it is beyond ±2^53 and JSON readers would round it.',
        oneOf: [
          {
            type: 'integer',
          },
          {
            type: 'string',
            pattern: '^-?(0|[1-9][0-9]{0,18})$',
          },
        ],
      },
      ListCollectionsResponse: {
        type: 'object',
        description: 'A page of collections.',
        properties: {
          collections: {
            type: 'array',
            items: {
              $ref: '#/components/schemas/Collection',
            },
            description: 'The collections, by name.',
          },
          nextPageToken: {
            type: 'string',
            description: 'Token of the next page; empty on the last page.',
          },
        },
        additionalProperties: false,
      },
      ListSnapshotsResponse: {
        type: 'object',
        description: 'The snapshots of a collection.',
        properties: {
          snapshots: {
            type: 'array',
            items: {
              $ref: '#/components/schemas/Snapshot',
            },
            description: 'The snapshots, oldest first.',
          },
        },
        additionalProperties: false,
      },
      MaintenanceJob: {
        type: 'object',
        description: 'Work on a collection in the background, by one server.',
        properties: {
          jobId: {
            type: 'string',
            description: 'Identifies the job.',
          },
          kind: {
            $ref: '#/components/schemas/MaintenanceJobKind',
            description: 'What it does.',
          },
          claimedBy: {
            type: 'string',
            description: 'The server that works on it.',
          },
          startTime: {
            type: 'string',
            format: 'date-time',
            description: 'When it began.',
          },
          inputs: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Segments that it replaces.',
          },
          inputBytes: {
            $ref: '#/components/schemas/Int64',
            description: 'Bytes of these segments.',
          },
        },
        additionalProperties: false,
      },
      MaintenanceJobKind: {
        type: 'string',
        enum: ['flush', 'merge'],
        description:
          'What is being done to a collection in the background.\n\n- `flush`: Writes new records into a segment.\n- `merge`: Writes several segments into one, without the records that were deleted.',
      },
      Metric: {
        type: 'string',
        enum: ['cosine', 'l2', 'dot'],
        description:
          'How the distance of two vectors is measured.\n\n- `cosine`: distance = 1 − cosine of the angle, score = cosine.\n- `l2`: distance = squared Euclidean distance, score = −distance.\n- `dot`: score = inner product, distance = −score.',
      },
      PartialReason: {
        type: 'string',
        enum: ['budget', 'rounds', 'deadline'],
        description:
          'Why an answer left something out that was asked for.\n\n- `budget`: The clusters that the recall asks for have more bytes than one query may read: of each segment only the nearest were read.\n- `rounds`: Several rounds of reads found fewer records than asked for: those that may be returned are rare where the search looked, through a filter, because most were deleted, or because `nprobe` is small.\n- `deadline`: The time of the request was nearly over: there are fewer samples than asked for.',
      },
      PatchRecordsRequest: {
        type: 'object',
        description: 'Asks to change parts of records.',
        properties: {
          patches: {
            type: 'array',
            items: {
              $ref: '#/components/schemas/RecordPatch',
            },
            minItems: 1,
            maxItems: 10000,
            description: 'The changes, at most 10000. No id twice.',
          },
          requestId: {
            type: 'string',
            description:
              'Makes a repeated request harmless: the answer to a repeated id is the first answer, for 24 hours. Clients add one to every write.',
          },
        },
        required: ['patches'],
        additionalProperties: false,
      },
      PatchRecordsResponse: {
        type: 'object',
        description: 'What a patch did. The write is durable.',
        properties: {
          patched: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Records that were changed.',
          },
          missingIds: {
            type: 'array',
            items: {
              type: 'string',
            },
            description: 'Ids that do not exist; nothing was made for them.',
          },
          sequenceNumber: {
            $ref: '#/components/schemas/Int64',
            description: "Position of the write in the collection's history.",
          },
          sessionToken: {
            type: 'string',
            description: 'Pass it to a read that must see this write.',
          },
        },
        additionalProperties: false,
      },
      Performance: {
        type: 'object',
        description: 'Where the time of a request went.',
        properties: {
          serverMs: {
            type: 'number',
            description: "From the request's arrival until the answer was ready, milliseconds.",
          },
          queueMs: {
            type: 'number',
            description: 'Part of it spent waiting for a free engine, milliseconds.',
          },
          engineMs: {
            type: 'number',
            description: 'Part of it spent searching, milliseconds.',
          },
          tier: {
            $ref: '#/components/schemas/Tier',
            description: 'The slowest place that data came from.',
          },
          roundTrips: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Dependent waits for object storage, one after the other.',
          },
          objectStoreGets: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Reads of object storage.',
          },
          bytesRead: {
            $ref: '#/components/schemas/Int64',
            description: 'Bytes read from disk and object storage.',
          },
          candidates: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Vectors compared.',
          },
          exact: {
            type: 'boolean',
            description: 'The result is exact, not approximate.',
          },
          partial: {
            type: 'boolean',
            description: 'Some data could not be searched in time: better hits may exist.',
          },
          partialReason: {
            $ref: '#/components/schemas/PartialReason',
            description: 'Why the answer is partial; unspecified when it is not.',
          },
        },
        additionalProperties: false,
      },
      QueryRequest: {
        type: 'object',
        description: 'Asks for the nearest records.',
        properties: {
          vector: {
            $ref: '#/components/schemas/Vector',
            description: 'The vector to be near to.',
          },
          topK: {
            type: 'integer',
            minimum: 1,
            maximum: 10000,
            description: 'Most hits to return, 1 to 10000; 10 by default.',
          },
          filter: {
            $ref: '#/components/schemas/Filter',
            description: 'Only records that pass; all by default.',
          },
          select: {
            type: 'array',
            items: {
              type: 'string',
              minLength: 1,
            },
            maxItems: 256,
            description: 'Attributes to return with each hit; `*` means all, none named means none.',
          },
          includeVectors: {
            type: 'boolean',
            description: 'Return vectors too.',
          },
          params: {
            $ref: '#/components/schemas/SearchParams',
            description: 'How to search.',
          },
          consistency: {
            $ref: '#/components/schemas/Consistency',
            description: 'How fresh the data must be; session by default.',
          },
          sessionToken: {
            type: 'string',
            description:
              '`sessionToken` of the last answer, to a write or a read, that this read must not fall behind; used with session consistency.',
          },
          asOf: {
            type: 'string',
            format: 'date-time',
            description:
              'Searches the collection as it was at this time. A time to come means the present. At most one of `asOf`, `snapshot` and `asOfSequenceNumber` may be given, and none together with `sessionToken` or a `consistency` other than session.',
          },
          snapshot: {
            type: 'string',
            minLength: 1,
            maxLength: 128,
            pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            description:
              'Searches the collection as this snapshot of it has it. Name of a snapshot of the collection.',
          },
          asOfSequenceNumber: {
            $ref: '#/components/schemas/Int64',
            minimum: 0,
            description:
              'Searches the collection as it was after the write with this sequence number; 0 means before the first one.',
          },
        },
        required: ['vector'],
        additionalProperties: false,
      },
      QueryResponse: {
        type: 'object',
        description: 'The nearest records.',
        properties: {
          hits: {
            type: 'array',
            items: {
              $ref: '#/components/schemas/Hit',
            },
            description: 'The hits, best first.',
          },
          usage: {
            $ref: '#/components/schemas/Usage',
            description: 'What the query consumed.',
          },
          performance: {
            $ref: '#/components/schemas/Performance',
            description: 'Where the time went.',
          },
          sequenceNumber: {
            $ref: '#/components/schemas/Int64',
            description: "Position in the collection's history of the last write that the answer knows of.",
          },
          sessionToken: {
            type: 'string',
            description: 'Pass it to a later read that must not see less.',
          },
        },
        additionalProperties: false,
      },
      Record: {
        type: 'object',
        description: 'A record: an id, a vector and attributes.',
        properties: {
          id: {
            type: 'string',
            minLength: 1,
            description: 'Identifies the record in its collection: 1 to 512 bytes of UTF-8.',
          },
          vector: {
            $ref: '#/components/schemas/Vector',
            description: 'The vector. Required in an upsert; in an answer it is present when asked for.',
          },
          attributes: {
            type: 'object',
            additionalProperties: {
              $ref: '#/components/schemas/Value',
            },
            maxProperties: 256,
            description: 'Values by attribute name. A name has 1 to 128 bytes and does not begin with `$`.',
          },
        },
        required: ['id'],
        additionalProperties: false,
      },
      RecordBlock: {
        type: 'object',
        description: 'Many records in columns: the fastest way to load.',
        properties: {
          ids: {
            type: 'array',
            items: {
              type: 'string',
              minLength: 1,
            },
            maxItems: 10000,
            description: 'The ids, one per record.',
          },
          dimensions: {
            type: 'integer',
            minimum: 0,
            maximum: 4096,
            description: 'Dimensions of each vector.',
          },
          vectorsF32: {
            type: 'string',
            contentEncoding: 'base64',
            description:
              'All vectors one after the other: little-endian 32-bit floats, 4 × dimensions × number of ids bytes.',
          },
          attributes: {
            type: 'array',
            items: {
              $ref: '#/components/schemas/Attributes',
            },
            maxItems: 10000,
            description: 'Attributes: none, or one entry per id.',
          },
        },
        additionalProperties: false,
      },
      RecordPatch: {
        type: 'object',
        description: 'A change of one record: what is not named stays as it is.',
        properties: {
          id: {
            type: 'string',
            minLength: 1,
            description: "The record's id.",
          },
          vector: {
            $ref: '#/components/schemas/Vector',
            description: 'The new vector, if it changes.',
          },
          attributes: {
            type: 'object',
            additionalProperties: {
              $ref: '#/components/schemas/Value',
            },
            maxProperties: 256,
            description: 'New values by attribute name; a null value removes the attribute.',
          },
        },
        required: ['id'],
        additionalProperties: false,
      },
      ScanRecordsRequest: {
        type: 'object',
        description: 'Asks for a page of records.',
        properties: {
          filter: {
            $ref: '#/components/schemas/Filter',
            description: 'Only records that pass; all by default.',
          },
          select: {
            type: 'array',
            items: {
              type: 'string',
              minLength: 1,
            },
            maxItems: 256,
            description: 'Attributes to return; none named means all.',
          },
          includeVectors: {
            type: 'boolean',
            description: 'Return vectors too.',
          },
          pageSize: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Most records on the page; 100 by default, at most 1000, more is read as 1000.',
          },
          pageToken: {
            type: 'string',
            description: 'Where to go on: `nextPageToken` of the page before.',
          },
          consistency: {
            $ref: '#/components/schemas/Consistency',
            description: 'How fresh the data must be; session by default.',
          },
          sessionToken: {
            type: 'string',
            description:
              '`sessionToken` of the last answer, to a write or a read, that this read must not fall behind; used with session consistency.',
          },
          asOf: {
            type: 'string',
            format: 'date-time',
            description:
              'Reads the collection as it was at this time. A time to come means the present. At most one of `asOf`, `snapshot` and `asOfSequenceNumber` may be given, and none together with `sessionToken` or a `consistency` other than session.',
          },
          snapshot: {
            type: 'string',
            minLength: 1,
            maxLength: 128,
            pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
            description:
              'Reads the collection as this snapshot of it has it. Name of a snapshot of the collection.',
          },
          asOfSequenceNumber: {
            $ref: '#/components/schemas/Int64',
            minimum: 0,
            description:
              'Reads the collection as it was after the write with this sequence number; 0 means before the first one.',
          },
        },
        additionalProperties: false,
      },
      ScanRecordsResponse: {
        type: 'object',
        description: 'A page of records.',
        properties: {
          records: {
            type: 'array',
            items: {
              $ref: '#/components/schemas/Record',
            },
            description: 'The records. One that exists during the whole scan comes exactly once.',
          },
          nextPageToken: {
            type: 'string',
            description: 'Token of the next page; empty on the last page.',
          },
          sequenceNumber: {
            $ref: '#/components/schemas/Int64',
            description: "Position in the collection's history of the last write that the answer knows of.",
          },
          sessionToken: {
            type: 'string',
            description: 'Pass it to a later read that must not see less.',
          },
        },
        additionalProperties: false,
      },
      SearchParams: {
        type: 'object',
        description: 'How to search. The defaults suit nearly everybody.',
        properties: {
          exact: {
            type: 'boolean',
            description: 'Compare with every vector that passes the filter: slow and exact.',
          },
          recallTarget: {
            type: 'number',
            minimum: 0.5,
            maximum: 1,
            description: 'Share of the true nearest records to aim for, from 0.5 to 1.',
          },
          nprobe: {
            type: 'integer',
            minimum: 1,
            maximum: 65536,
            description:
              'Clusters to search in each segment, 1 to 65536, in place of the number the planner would choose.',
          },
          rerank: {
            type: 'integer',
            minimum: 1,
            maximum: 100000,
            description:
              'Candidates whose exact distance is computed, 1 to 100000, in place of the number the planner would choose.',
          },
        },
        additionalProperties: false,
      },
      Snapshot: {
        type: 'object',
        description:
          "A moment of a collection that stays readable until it is deleted, whatever happens to the collection's records.",
        properties: {
          name: {
            type: 'string',
            description: "The name, unique among the collection's snapshots.",
          },
          createTime: {
            type: 'string',
            format: 'date-time',
            description: 'When it was made.',
          },
          sequenceNumber: {
            $ref: '#/components/schemas/Int64',
            description: "Position in the collection's history of the last write that it holds.",
          },
        },
        additionalProperties: false,
      },
      Tier: {
        type: 'string',
        enum: ['hot', 'warm', 'cold'],
        description:
          'Where the data of an answer came from; the slowest place counts.\n\n- `hot`: Memory.\n- `warm`: Local disk.\n- `cold`: Object storage.',
      },
      TierBytes: {
        type: 'object',
        description: 'Bytes of a collection by tier, as the answering server has them.',
        properties: {
          hot: {
            $ref: '#/components/schemas/Int64',
            description: 'In memory.',
          },
          warm: {
            $ref: '#/components/schemas/Int64',
            description: 'On local disk.',
          },
          cold: {
            $ref: '#/components/schemas/Int64',
            description: 'In object storage only.',
          },
        },
        additionalProperties: false,
      },
      UpsertRecordsRequest: {
        type: 'object',
        description: 'Asks to write records. Exactly one of `records` and `block` must be given.',
        properties: {
          records: {
            type: 'array',
            items: {
              $ref: '#/components/schemas/Record',
            },
            maxItems: 10000,
            description: 'The records, at most 10000, each with a vector. No id twice.',
          },
          block: {
            $ref: '#/components/schemas/RecordBlock',
            description: 'The records in columns.',
          },
          requestId: {
            type: 'string',
            description:
              'Makes a repeated request harmless: the answer to a repeated id is the first answer, for 24 hours. Clients add one to every write.',
          },
        },
        additionalProperties: false,
      },
      UpsertRecordsResponse: {
        type: 'object',
        description: 'What an upsert did. The write is durable.',
        properties: {
          inserted: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Records that were new.',
          },
          updated: {
            type: 'integer',
            minimum: 0,
            maximum: 4294967295,
            description: 'Records that were replaced.',
          },
          sequenceNumber: {
            $ref: '#/components/schemas/Int64',
            description: "Position of the write in the collection's history.",
          },
          sessionToken: {
            type: 'string',
            description: 'Pass it to a read that must see this write.',
          },
        },
        additionalProperties: false,
      },
      Usage: {
        type: 'object',
        description: 'What a request consumed.',
        properties: {
          recordsRead: {
            $ref: '#/components/schemas/Int64',
            description: 'Records whose vector or attributes were looked at.',
          },
          recordsWritten: {
            $ref: '#/components/schemas/Int64',
            description: 'Records written or deleted.',
          },
          bytesRead: {
            $ref: '#/components/schemas/Int64',
            description: 'Bytes of index, vectors and attributes that were looked at.',
          },
          bytesWritten: {
            $ref: '#/components/schemas/Int64',
            description: 'Bytes added to the log.',
          },
        },
        additionalProperties: false,
      },
      Value: {
        description:
          'The value of one attribute: a scalar, or an array whose elements are all of one kind. In JSON it is written plainly: `"text"`, `7`, `1.5`, `true`, `["a","b"]`. A JSON number without a fraction is an int64, any other a double; numbers beyond ±2^53 that have no fraction are refused because JSON readers round them. An empty JSON array is a list of text.',
        oneOf: [
          {
            type: ['string', 'number', 'boolean', 'null'],
          },
          {
            type: 'array',
            items: {
              type: 'string',
            },
            maxItems: 4096,
          },
          {
            type: 'array',
            items: {
              type: 'number',
            },
            minItems: 1,
            maxItems: 4096,
          },
          {
            type: 'array',
            items: {
              type: 'boolean',
            },
            minItems: 1,
            maxItems: 4096,
          },
        ],
      },
      Vector: {
        description:
          "One vector. Its length must be the collection's number of dimensions; every element must be a finite number. In JSON it is written as an array of numbers or as base64 of the bytes of `f32`.",
        oneOf: [
          {
            type: 'array',
            items: {
              type: 'number',
            },
            minItems: 1,
            maxItems: 4096,
          },
          {
            type: 'string',
            contentEncoding: 'base64',
          },
        ],
      },
    },
    responses: {
      Error: {
        description:
          'The request failed; `error.details` has a `google.rpc.ErrorInfo` whose `reason` says why.',
        content: {
          'application/json': {
            schema: {
              $ref: '#/components/schemas/ErrorResponse',
            },
          },
        },
      },
    },
  },
};
