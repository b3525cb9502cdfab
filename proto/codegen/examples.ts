/*
 * One example per method, used in the OpenAPI document and the reference. Tests read each one with the real
 * codecs and validators. Path fields are in the path, all others in the body or query.
 */

export interface Example {
  /** Fields of the path, by JSON name. */
  readonly path?: Readonly<Record<string, string>>;
  /** Fields of the body, or of the query string of a method without body. */
  readonly request?: Readonly<Record<string, unknown>>;
  readonly response: Readonly<Record<string, unknown>>;
}

const WORDS = { collection: 'words' };
const COLLECTION = { name: 'words', dimensions: 4, metric: 'cosine', createTime: '2026-01-31T12:00:00.000Z' };
const SNAPSHOT = { name: 'nightly', createTime: '2026-01-31T12:00:00.000Z', sequenceNumber: 42 };
const VECTOR = [0.1, 0.2, 0.3, 0.4];
const STATE = { sequenceNumber: 42, sessionToken: '6jm2xqz41.16' };
const REQUEST_ID = '7f9c24e8-3b12-4fef-91e0-d4f4a8c1c7e5';

/** By method name, as in the protos. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  CreateCollection: {
    request: { name: 'words', dimensions: 4, metric: 'cosine' },
    response: { collection: COLLECTION },
  },
  GetCollection: { path: WORDS, response: { collection: { ...COLLECTION, recordCount: 341479 } } },
  ListCollections: { request: { pageSize: 100 }, response: { collections: [COLLECTION], nextPageToken: '' } },
  DeleteCollection: { path: WORDS, response: {} },
  GetCollectionStats: {
    path: WORDS,
    response: {
      records: 341479,
      unindexedRecords: 0,
      segments: 2,
      bytes: 180355072,
      tiers: { hot: 9437184, warm: 62914560, cold: 108003328 },
      unfoldedBytes: 262144,
      jobs: [
        {
          ...{ jobId: 'c5a1f0', kind: 'merge', claimedBy: 'omendb-0', startTime: '2026-01-31T12:00:00.000Z' },
          ...{ inputs: 4, inputBytes: 41943040 },
        },
      ],
      snapshots: 1,
      readableFrom: '2026-01-30T12:00:00.000Z',
      sequenceNumber: 42,
    },
  },
  BranchCollection: {
    path: WORDS,
    request: { name: 'words-trial', requestId: REQUEST_ID },
    response: { collection: { ...COLLECTION, name: 'words-trial' } },
  },
  CopyCollection: {
    path: WORDS,
    request: { name: 'words-2026-01', asOf: '2026-01-31T12:00:00.000Z', requestId: REQUEST_ID },
    response: { collection: { ...COLLECTION, name: 'words-2026-01' } },
  },
  CreateSnapshot: { path: WORDS, request: { name: 'nightly' }, response: { snapshot: SNAPSHOT } },
  ListSnapshots: { path: WORDS, response: { snapshots: [SNAPSHOT] } },
  DeleteSnapshot: { path: { ...WORDS, snapshot: 'nightly' }, response: {} },
  UpsertRecords: {
    path: WORDS,
    request: {
      records: [{ id: 'the', vector: VECTOR, attributes: { rank: 1, tags: ['article', 'english'] } }],
      requestId: REQUEST_ID,
    },
    response: { inserted: 1, updated: 0, ...STATE },
  },
  PatchRecords: {
    path: WORDS,
    request: { patches: [{ id: 'the', attributes: { rank: 2, tags: null } }], requestId: REQUEST_ID },
    response: { patched: 1, missingIds: [], ...STATE },
  },
  DeleteRecords: {
    path: WORDS,
    request: { filter: { rank: { $gt: 300000 } }, requestId: REQUEST_ID },
    response: { deleted: 41479, ...STATE },
  },
  BatchGetRecords: {
    path: WORDS,
    request: { ids: ['the', 'teh'], includeVectors: true, consistency: 'strong' },
    response: {
      records: [{ id: 'the', vector: VECTOR, attributes: { rank: 1 } }],
      missingIds: ['teh'],
      ...STATE,
    },
  },
  GetRecord: {
    path: { ...WORDS, id: 'the' },
    request: { select: ['rank'], asOf: '2026-01-31T12:00:00.000Z' },
    response: { record: { id: 'the', attributes: { rank: 1 } } },
  },
  ScanRecords: {
    path: WORDS,
    request: { filter: { $id: { $prefix: 'th' } }, pageSize: 2 },
    response: {
      records: [
        { id: 'than', attributes: { rank: 74 } },
        { id: 'the', attributes: { rank: 1 } },
      ],
      nextPageToken: 'dGhl',
      ...STATE,
    },
  },
  CountRecords: {
    path: WORDS,
    request: { filter: { rank: { $lt: 1000 } }, snapshot: 'nightly' },
    response: { count: 999, ...STATE },
  },
  Query: {
    path: WORDS,
    request: { vector: VECTOR, topK: 10, filter: { rank: { $lt: 1000 } }, select: ['rank'] },
    response: {
      hits: [{ id: 'a', score: 0.83, distance: 0.17, attributes: { rank: 7 } }],
      usage: { recordsRead: 2048, recordsWritten: 0, bytesRead: 262144, bytesWritten: 0 },
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
      ...STATE,
    },
  },
  GetLimits: { response: { dimensionsMax: 4096, topKMax: 10000, batchRecordsMax: 10000 } },
  GetServerInfo: {
    response: {
      version: '0.1.0',
      apiVersions: ['v1'],
      uptimeMs: 86400000,
      startTime: '2026-01-31T12:00:00.000Z',
      features: [],
      dimensionsDefault: 128,
    },
  },
};
