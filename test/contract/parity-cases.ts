// Requests, right and wrong, that every way into the server must answer alike. They run in order on a tenant
// of their own.
import * as pb from '#sdk/gen/messages.js';
import type { MethodName, MethodTypes } from '#sdk/gen/methods.js';

/** Whose credential goes with a request. */
export type Bearer = 'owner' | 'reader' | 'limited' | 'rival' | 'nobody' | 'forged';

export interface ParityCase {
  readonly name: string;
  readonly method: MethodName;
  readonly request: unknown;
  readonly bearer: Bearer;
  /** What the answer must be: this reason at these fields, or success. */
  readonly expected: { readonly reason: string; readonly fields: readonly string[] } | 'success';
}

type Partial<N extends MethodName> = Parameters<(typeof REQUESTS)[N]['fromPartial']>[0];

const REQUESTS = {
  createCollection: pb.CreateCollectionRequest,
  getCollection: pb.GetCollectionRequest,
  listCollections: pb.ListCollectionsRequest,
  deleteCollection: pb.DeleteCollectionRequest,
  getCollectionStats: pb.GetCollectionStatsRequest,
  query: pb.QueryRequest,
  upsertRecords: pb.UpsertRecordsRequest,
  patchRecords: pb.PatchRecordsRequest,
  deleteRecords: pb.DeleteRecordsRequest,
  batchGetRecords: pb.BatchGetRecordsRequest,
  getRecord: pb.GetRecordRequest,
  scanRecords: pb.ScanRecordsRequest,
  countRecords: pb.CountRecordsRequest,
  getLimits: pb.GetLimitsRequest,
  getServerInfo: pb.GetServerInfoRequest,
} satisfies { readonly [N in MethodName]: unknown };

const cases: ParityCase[] = [];

class Row<N extends MethodName> {
  constructor(
    private readonly name: string,
    private readonly method: N,
    private readonly request: MethodTypes[N]['request'],
    private readonly bearer: Bearer = 'owner',
  ) {}

  by(bearer: Bearer): Row<N> {
    return new Row(this.name, this.method, this.request, bearer);
  }

  succeeds(): void {
    this.#add('success');
  }

  fails(reason: string, ...fields: readonly string[]): void {
    this.#add({ reason, fields });
  }

  #add(expected: ParityCase['expected']): void {
    const { name, method, request, bearer } = this;
    cases.push({ name, method, request, bearer, expected });
  }
}

function when<N extends MethodName>(name: string, method: N, request: Partial<N>): Row<N> {
  const type = REQUESTS[method] as unknown as { fromPartial(value: Partial<N>): MethodTypes[N]['request'] };
  return new Row(name, method, type.fromPartial(request));
}

const f32 = (...numbers: number[]): pb.Vector => ({
  data: { $case: 'f32', value: new Uint8Array(Float32Array.from(numbers).buffer) },
});
const text = (value: string): pb.Value => ({ kind: { $case: 'stringValue', value } });
const int = (value: bigint): pb.Value => ({ kind: { $case: 'intValue', value } });
const double = (value: number): pb.Value => ({ kind: { $case: 'doubleValue', value } });
const record = (
  id: string,
  vector: pb.Vector | undefined,
  attributes: [string, pb.Value][] = [],
): pb.Record => ({
  ...{ id, vector, attributes: new Map(attributes) },
});
const equal = (field: string, value: string): pb.Filter => ({
  expr: {
    $case: 'compare',
    value: { field, operator: pb.ComparisonOperator.EQ, value: { kind: { $case: 'stringValue', value } } },
  },
});
const atLeast = (field: string, value: bigint): pb.Filter => ({
  expr: {
    $case: 'compare',
    value: { field, operator: pb.ComparisonOperator.GTE, value: { kind: { $case: 'intValue', value } } },
  },
});
const nested = (levels: number): pb.Filter =>
  levels === 1 ? equal('kind', 'a') : { expr: { $case: 'not', value: nested(levels - 1) } };

const collection = 'words';
const HOSTILE_IDS = [
  'a/b',
  '..',
  '.',
  '%2F',
  'ü'.repeat(256),
  '日本',
  'a b?c#d',
  '__proto__',
  "'; --",
  'x'.repeat(512),
];

when('a collection is made', 'createCollection', {
  name: collection,
  dimensions: 3,
  metric: pb.Metric.L2,
}).succeeds();
when('a collection is made twice', 'createCollection', { name: collection, dimensions: 4 }).fails(
  'COLLECTION_EXISTS',
  'name',
);
when('a collection has no name', 'createCollection', { dimensions: 4 }).fails(
  'INVALID_COLLECTION_NAME',
  'name',
);
when('a name climbs', 'createCollection', { name: '../up' }).fails('INVALID_COLLECTION_NAME', 'name');
when('a collection is too wide', 'createCollection', { name: 'wide', dimensions: 4097 }).fails(
  'INVALID_ARGUMENT',
  'dimensions',
);
when('a collection is made without dimensions', 'createCollection', { name: 'default' }).succeeds();
when('collections are listed', 'listCollections', {}).succeeds();
when('a page is listed', 'listCollections', { pageSize: 1 }).succeeds();
when('a collection is described', 'getCollection', { collection }).succeeds();
when('a collection is not there', 'getCollection', { collection: 'absent' }).fails(
  'COLLECTION_NOT_FOUND',
  'collection',
);

when('records are written', 'upsertRecords', {
  collection,
  records: [
    record('a', f32(1, 0, 0), [
      ['kind', text('a')],
      ['n', int(9007199254740993n)],
    ]),
    record('b', f32(0, 1, 0), [
      ['kind', text('b')],
      ['x', double(1.5)],
    ]),
    ...HOSTILE_IDS.map((id, i) => record(id, f32(0, 0, i))),
  ],
}).succeeds();
when('records are written in columns', 'upsertRecords', {
  collection,
  block: {
    ...{
      ids: ['c', 'd'],
      dimensions: 3,
      vectorsF32: new Uint8Array(Float32Array.from([1, 1, 0, 1, 1, 1]).buffer),
    },
    attributes: [{ values: new Map([['kind', text('c')]]) }, { values: new Map() }],
  },
}).succeeds();
when('a write is repeated', 'upsertRecords', {
  collection,
  records: [record('e', f32(2, 2, 2))],
  requestId: 'r1',
}).succeeds();
when('a write is repeated', 'upsertRecords', {
  collection,
  records: [record('e', f32(2, 2, 2))],
  requestId: 'r1',
}).succeeds();
when('nothing is written', 'upsertRecords', { collection }).fails('EMPTY_BATCH', 'records');
when('both forms are given', 'upsertRecords', {
  ...{
    collection,
    records: [record('a', f32(1, 2, 3))],
    block: { ids: ['b'], dimensions: 1, vectorsF32: new Uint8Array(4) },
  },
}).fails('INVALID_ARGUMENT', 'block');
when('a vector is too long', 'upsertRecords', { collection, records: [record('a', f32(1, 2, 3, 4))] }).fails(
  'DIMENSION_MISMATCH',
  'records[0].vector',
);
when('a later vector has another length', 'upsertRecords', {
  ...{ collection, records: [record('a', f32(1, 2, 3)), record('b', f32(1, 2))] },
}).fails('DIMENSION_MISMATCH', 'records[1].vector');
when('a vector has NaN', 'upsertRecords', { collection, records: [record('a', f32(1, NaN, 3))] }).fails(
  'INVALID_VECTOR',
  'records[0].vector[1]',
);
when('a vector has infinity', 'upsertRecords', {
  collection,
  records: [record('a', f32(1, 2, Infinity))],
}).fails('INVALID_VECTOR', 'records[0].vector[2]');
when('a record has no vector', 'upsertRecords', { collection, records: [record('a', undefined)] }).fails(
  'INVALID_VECTOR',
  'records[0].vector',
);
when('an id is empty', 'upsertRecords', { collection, records: [record('', f32(1, 2, 3))] }).fails(
  'INVALID_ID',
  'records[0].id',
);
when('an id is too long', 'upsertRecords', {
  collection,
  records: [record('x'.repeat(513), f32(1, 2, 3))],
}).fails('INVALID_ID', 'records[0].id');
when('an id comes twice', 'upsertRecords', {
  collection,
  records: [record('z', f32(1, 2, 3)), record('z', f32(1, 2, 3))],
}).fails('DUPLICATE_ID', 'records[1].id');
when('an id in a block is empty', 'upsertRecords', {
  ...{ collection, block: { ids: ['a', ''], dimensions: 1, vectorsF32: new Uint8Array(8) } },
}).fails('INVALID_ID', 'block.ids[1]');
when('a block is too short', 'upsertRecords', {
  ...{ collection, block: { ids: ['a', 'b'], dimensions: 3, vectorsF32: new Uint8Array(20) } },
}).fails('INVALID_VECTOR', 'block.vectorsF32');
when('an attribute name begins with $', 'upsertRecords', {
  ...{ collection, records: [record('a', f32(1, 2, 3), [['$x', text('y')]])] },
}).fails('INVALID_ATTRIBUTE', 'records[0].attributes.$x');
when('a batch is too large', 'upsertRecords', {
  ...{
    collection,
    block: {
      ids: Array.from({ length: 10_001 }, (_, i) => `${i}`),
      dimensions: 1,
      vectorsF32: new Uint8Array(40_004),
    },
  },
}).fails('BATCH_TOO_LARGE', 'block.ids');
when('a request id is too long', 'upsertRecords', {
  ...{ collection, records: [record('a', f32(1, 2, 3))], requestId: 'x'.repeat(129) },
}).fails('INVALID_ARGUMENT', 'requestId');
when('a collection to write to is not there', 'upsertRecords', {
  collection: 'absent',
  records: [record('a', f32(1))],
}).fails('COLLECTION_NOT_FOUND', 'collection');

when('records are changed', 'patchRecords', {
  collection,
  patches: [
    {
      id: 'a',
      attributes: new Map([
        ['kind', text('z')],
        ['n', { kind: { $case: 'nullValue', value: {} } }],
      ]),
    },
    { id: 'absent', vector: f32(1, 2, 3) },
  ],
}).succeeds();
when('nothing is changed', 'patchRecords', { collection }).fails('EMPTY_BATCH', 'patches');

for (const id of ['a', 'c', ...HOSTILE_IDS]) {
  when(`record ${JSON.stringify(id).slice(0, 12)} is read`, 'getRecord', {
    collection,
    id,
    includeVectors: true,
  }).succeeds();
}
when('a record is read in part', 'getRecord', { collection, id: 'b', select: ['x'] }).succeeds();
when('a record is not there', 'getRecord', { collection, id: 'absent' }).fails('RECORD_NOT_FOUND', 'id');
when('records are read', 'batchGetRecords', {
  collection,
  ids: ['b', 'absent', ...HOSTILE_IDS],
  includeVectors: true,
}).succeeds();
when('no records are read', 'batchGetRecords', { collection }).fails('EMPTY_BATCH', 'ids');
when('all records are scanned', 'scanRecords', { collection }).succeeds();
when('some records are scanned', 'scanRecords', {
  collection,
  filter: equal('kind', 'b'),
  includeVectors: true,
}).succeeds();
when('a scan goes on from nowhere', 'scanRecords', { collection, pageToken: 'x' }).fails(
  'INVALID_PAGE_TOKEN',
  'pageToken',
);
when('records are counted', 'countRecords', { collection }).succeeds();
when('some records are counted', 'countRecords', {
  collection,
  filter: { expr: { $case: 'not', value: equal('kind', 'b') } },
}).succeeds();
when('the size is asked for', 'getCollectionStats', { collection }).succeeds();

when('the nearest are found', 'query', {
  collection,
  vector: f32(1, 0.1, 0),
  topK: 3,
  select: ['*'],
  includeVectors: true,
}).succeeds();
when('the nearest are found by numbers', 'query', {
  ...{ collection, vector: { data: { $case: 'values', value: { values: [1, 0, 0] } } } },
}).succeeds();
when('the nearest of some are found', 'query', {
  collection,
  vector: f32(1, 0, 0),
  filter: equal('kind', 'c'),
}).succeeds();
when('the nearest are found exactly', 'query', {
  collection,
  vector: f32(1, 0, 0),
  params: { exact: true },
}).succeeds();
when('a query reads its writes', 'query', {
  ...{ collection, vector: f32(1, 0, 0), consistency: pb.Consistency.STRONG },
}).succeeds();
when('a query has no vector', 'query', { collection }).fails('INVALID_VECTOR', 'vector');
when('a query vector is short', 'query', { collection, vector: f32(1, 2) }).fails(
  'DIMENSION_MISMATCH',
  'vector',
);
when('a query vector has NaN', 'query', { collection, vector: f32(NaN, 0, 0) }).fails(
  'INVALID_VECTOR',
  'vector[0]',
);
when('a query wants nothing', 'query', { collection, vector: f32(1, 0, 0), topK: 0 }).fails(
  'INVALID_ARGUMENT',
  'topK',
);
when('a query wants too much', 'query', { collection, vector: f32(1, 0, 0), topK: 10_001 }).fails(
  'INVALID_ARGUMENT',
  'topK',
);
when('recall is impossible', 'query', {
  collection,
  vector: f32(1, 0, 0),
  params: { recallTarget: 1.5 },
}).fails('INVALID_ARGUMENT', 'params.recallTarget');
when('a filter is too deep', 'query', { collection, vector: f32(1, 0, 0), filter: nested(17) }).fails(
  'INVALID_FILTER',
  'filter',
);
when('a filter names no attribute', 'countRecords', { collection, filter: equal('', 'a') }).fails(
  'INVALID_FILTER',
  'filter',
);
when('a session token is made up', 'query', {
  collection,
  vector: f32(1, 0, 0),
  sessionToken: 'nonsense',
}).fails('INVALID_ARGUMENT', 'sessionToken');

when('records are deleted', 'deleteRecords', { collection, ids: ['b', 'absent'] }).succeeds();
when('records are deleted by filter', 'deleteRecords', { collection, filter: atLeast('n', 5n) }).succeeds();
when('nothing is deleted', 'deleteRecords', { collection }).fails('EMPTY_BATCH', 'ids');
when('records are deleted in both ways', 'deleteRecords', {
  collection,
  ids: ['a'],
  filter: equal('kind', 'a'),
}).fails('INVALID_ARGUMENT', 'ids');

when('nobody asks', 'countRecords', { collection }).by('nobody').fails('MISSING_CREDENTIALS');
when('the token is forged', 'countRecords', { collection }).by('forged').fails('INVALID_TOKEN');
when('a reader reads', 'countRecords', { collection }).by('reader').succeeds();
when('a reader writes', 'upsertRecords', { collection, records: [record('a', f32(1, 2, 3))] })
  .by('reader')
  .fails('SCOPE_MISSING');
when('a reader removes', 'deleteCollection', { collection }).by('reader').fails('SCOPE_MISSING');
when('another tenant reads', 'countRecords', { collection })
  .by('rival')
  .fails('COLLECTION_NOT_FOUND', 'collection');
when('another tenant removes', 'deleteCollection', { collection })
  .by('rival')
  .fails('COLLECTION_NOT_FOUND', 'collection');
when('another tenant lists', 'listCollections', {}).by('rival').succeeds();
when('a limited credential reads what it covers', 'getCollection', { collection: 'default' })
  .by('limited')
  .succeeds();
when('a limited credential reads something else', 'countRecords', { collection })
  .by('limited')
  .fails('SCOPE_MISSING');
when('a limited credential lists', 'listCollections', {}).by('limited').succeeds();
when('the limits are asked for', 'getLimits', {}).by('nobody').succeeds();
when('the server is asked about', 'getServerInfo', {}).by('nobody').succeeds();
when('a collection is removed', 'deleteCollection', { collection }).succeeds();
when('a collection is removed twice', 'deleteCollection', { collection }).fails(
  'COLLECTION_NOT_FOUND',
  'collection',
);

export const PARITY_CASES: readonly ParityCase[] = cases;
