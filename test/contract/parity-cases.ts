// Requests, right and wrong, that every way into the server must answer alike. They run in order on a tenant
// of their own.
import * as pb from '#sdk/gen/messages.js';
import { PAST_CASES } from './parity-past-cases.js';
import type { ParityCase } from './parity-table.js';
import { atLeast, double, equal, f32, int, nested, ParityTable, record, text } from './parity-table.js';

const table = new ParityTable();
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

table
  .when('a collection is made', 'createCollection', {
    name: collection,
    dimensions: 3,
    metric: pb.Metric.L2,
  })
  .succeeds();
table
  .when('a collection is made twice', 'createCollection', { name: collection, dimensions: 4 })
  .fails('COLLECTION_EXISTS', 'name');
table
  .when('a collection has no name', 'createCollection', { dimensions: 4 })
  .fails('INVALID_COLLECTION_NAME', 'name');
table.when('a name climbs', 'createCollection', { name: '../up' }).fails('INVALID_COLLECTION_NAME', 'name');
table
  .when('a collection is too wide', 'createCollection', { name: 'wide', dimensions: 4097 })
  .fails('INVALID_ARGUMENT', 'dimensions');
table.when('a collection is made without dimensions', 'createCollection', { name: 'default' }).succeeds();
table.when('collections are listed', 'listCollections', {}).succeeds();
table.when('a page is listed', 'listCollections', { pageSize: 1 }).succeeds();
table.when('a collection is described', 'getCollection', { collection }).succeeds();
table
  .when('a collection is not there', 'getCollection', { collection: 'absent' })
  .fails('COLLECTION_NOT_FOUND', 'collection');

table
  .when('records are written', 'upsertRecords', {
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
  })
  .succeeds();
table
  .when('records are written in columns', 'upsertRecords', {
    collection,
    block: {
      ...{
        ids: ['c', 'd'],
        dimensions: 3,
        vectorsF32: new Uint8Array(Float32Array.from([1, 1, 0, 1, 1, 1]).buffer),
      },
      attributes: [{ values: new Map([['kind', text('c')]]) }, { values: new Map() }],
    },
  })
  .succeeds();
table
  .when('a write is repeated', 'upsertRecords', {
    collection,
    records: [record('e', f32(2, 2, 2))],
    requestId: 'r1',
  })
  .succeeds();
table
  .when('a write is repeated', 'upsertRecords', {
    collection,
    records: [record('e', f32(2, 2, 2))],
    requestId: 'r1',
  })
  .succeeds();
table.when('nothing is written', 'upsertRecords', { collection }).fails('EMPTY_BATCH', 'records');
table
  .when('both forms are given', 'upsertRecords', {
    ...{
      collection,
      records: [record('a', f32(1, 2, 3))],
      block: { ids: ['b'], dimensions: 1, vectorsF32: new Uint8Array(4) },
    },
  })
  .fails('INVALID_ARGUMENT', 'block');
table
  .when('a vector is too long', 'upsertRecords', { collection, records: [record('a', f32(1, 2, 3, 4))] })
  .fails('DIMENSION_MISMATCH', 'records[0].vector');
table
  .when('a later vector has another length', 'upsertRecords', {
    ...{ collection, records: [record('a', f32(1, 2, 3)), record('b', f32(1, 2))] },
  })
  .fails('DIMENSION_MISMATCH', 'records[1].vector');
table
  .when('a vector has NaN', 'upsertRecords', { collection, records: [record('a', f32(1, NaN, 3))] })
  .fails('INVALID_VECTOR', 'records[0].vector[1]');
table
  .when('a vector has infinity', 'upsertRecords', {
    collection,
    records: [record('a', f32(1, 2, Infinity))],
  })
  .fails('INVALID_VECTOR', 'records[0].vector[2]');
table
  .when('a record has no vector', 'upsertRecords', { collection, records: [record('a', undefined)] })
  .fails('INVALID_VECTOR', 'records[0].vector');
table
  .when('an id is empty', 'upsertRecords', { collection, records: [record('', f32(1, 2, 3))] })
  .fails('INVALID_ID', 'records[0].id');
table
  .when('an id is too long', 'upsertRecords', {
    collection,
    records: [record('x'.repeat(513), f32(1, 2, 3))],
  })
  .fails('INVALID_ID', 'records[0].id');
table
  .when('an id comes twice', 'upsertRecords', {
    collection,
    records: [record('z', f32(1, 2, 3)), record('z', f32(1, 2, 3))],
  })
  .fails('DUPLICATE_ID', 'records[1].id');
table
  .when('an id in a block is empty', 'upsertRecords', {
    ...{ collection, block: { ids: ['a', ''], dimensions: 1, vectorsF32: new Uint8Array(8) } },
  })
  .fails('INVALID_ID', 'block.ids[1]');
table
  .when('a block is too short', 'upsertRecords', {
    ...{ collection, block: { ids: ['a', 'b'], dimensions: 3, vectorsF32: new Uint8Array(20) } },
  })
  .fails('INVALID_VECTOR', 'block.vectorsF32');
table
  .when('an attribute name begins with $', 'upsertRecords', {
    ...{ collection, records: [record('a', f32(1, 2, 3), [['$x', text('y')]])] },
  })
  .fails('INVALID_ATTRIBUTE', 'records[0].attributes.$x');
table
  .when('a batch is too large', 'upsertRecords', {
    ...{
      collection,
      block: {
        ids: Array.from({ length: 10_001 }, (_, i) => `${i}`),
        dimensions: 1,
        vectorsF32: new Uint8Array(40_004),
      },
    },
  })
  .fails('BATCH_TOO_LARGE', 'block.ids');
table
  .when('a request id is too long', 'upsertRecords', {
    ...{ collection, records: [record('a', f32(1, 2, 3))], requestId: 'x'.repeat(129) },
  })
  .fails('INVALID_ARGUMENT', 'requestId');
table
  .when('a collection to write to is not there', 'upsertRecords', {
    collection: 'absent',
    records: [record('a', f32(1))],
  })
  .fails('COLLECTION_NOT_FOUND', 'collection');

table
  .when('records are changed', 'patchRecords', {
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
  })
  .succeeds();
table.when('nothing is changed', 'patchRecords', { collection }).fails('EMPTY_BATCH', 'patches');

for (const id of ['a', 'c', ...HOSTILE_IDS]) {
  table
    .when(`record ${JSON.stringify(id).slice(0, 12)} is read`, 'getRecord', {
      collection,
      id,
      includeVectors: true,
    })
    .succeeds();
}
table.when('a record is read in part', 'getRecord', { collection, id: 'b', select: ['x'] }).succeeds();
table
  .when('a record is not there', 'getRecord', { collection, id: 'absent' })
  .fails('RECORD_NOT_FOUND', 'id');
table
  .when('records are read', 'batchGetRecords', {
    collection,
    ids: ['b', 'absent', ...HOSTILE_IDS],
    includeVectors: true,
  })
  .succeeds();
table.when('no records are read', 'batchGetRecords', { collection }).fails('EMPTY_BATCH', 'ids');
table.when('all records are scanned', 'scanRecords', { collection }).succeeds();
table
  .when('some records are scanned', 'scanRecords', {
    collection,
    filter: equal('kind', 'b'),
    includeVectors: true,
  })
  .succeeds();
table
  .when('a scan goes on from nowhere', 'scanRecords', { collection, pageToken: 'x' })
  .fails('INVALID_PAGE_TOKEN', 'pageToken');
table.when('records are counted', 'countRecords', { collection }).succeeds();
table
  .when('some records are counted', 'countRecords', {
    collection,
    filter: { expr: { $case: 'not', value: equal('kind', 'b') } },
  })
  .succeeds();
table.when('the size is asked for', 'getCollectionStats', { collection }).succeeds();

table
  .when('the nearest are found', 'query', {
    collection,
    vector: f32(1, 0.1, 0),
    topK: 3,
    select: ['*'],
    includeVectors: true,
  })
  .succeeds();
table
  .when('the nearest are found by numbers', 'query', {
    ...{ collection, vector: { data: { $case: 'values', value: { values: [1, 0, 0] } } } },
  })
  .succeeds();
table
  .when('the nearest of some are found', 'query', {
    collection,
    vector: f32(1, 0, 0),
    filter: equal('kind', 'c'),
  })
  .succeeds();
table
  .when('the nearest are found exactly', 'query', {
    collection,
    vector: f32(1, 0, 0),
    params: { exact: true },
  })
  .succeeds();
table
  .when('a query reads its writes', 'query', {
    ...{ collection, vector: f32(1, 0, 0), consistency: pb.Consistency.STRONG },
  })
  .succeeds();
table.when('a query has no vector', 'query', { collection }).fails('INVALID_VECTOR', 'vector');
table
  .when('a query vector is short', 'query', { collection, vector: f32(1, 2) })
  .fails('DIMENSION_MISMATCH', 'vector');
table
  .when('a query vector has NaN', 'query', { collection, vector: f32(NaN, 0, 0) })
  .fails('INVALID_VECTOR', 'vector[0]');
table
  .when('a query wants nothing', 'query', { collection, vector: f32(1, 0, 0), topK: 0 })
  .fails('INVALID_ARGUMENT', 'topK');
table
  .when('a query wants too much', 'query', { collection, vector: f32(1, 0, 0), topK: 10_001 })
  .fails('INVALID_ARGUMENT', 'topK');
table
  .when('recall is impossible', 'query', {
    collection,
    vector: f32(1, 0, 0),
    params: { recallTarget: 1.5 },
  })
  .fails('INVALID_ARGUMENT', 'params.recallTarget');
table
  .when('a filter is too deep', 'query', { collection, vector: f32(1, 0, 0), filter: nested(17) })
  .fails('INVALID_FILTER', 'filter');
table
  .when('a filter names no attribute', 'countRecords', { collection, filter: equal('', 'a') })
  .fails('INVALID_FILTER', 'filter');
table
  .when('a session token is made up', 'query', {
    collection,
    vector: f32(1, 0, 0),
    sessionToken: 'nonsense',
  })
  .fails('INVALID_ARGUMENT', 'sessionToken');

table.when('records are deleted', 'deleteRecords', { collection, ids: ['b', 'absent'] }).succeeds();
table
  .when('records are deleted by filter', 'deleteRecords', { collection, filter: atLeast('n', 5n) })
  .succeeds();
table.when('nothing is deleted', 'deleteRecords', { collection }).fails('EMPTY_BATCH', 'ids');
table
  .when('records are deleted in both ways', 'deleteRecords', {
    collection,
    ids: ['a'],
    filter: equal('kind', 'a'),
  })
  .fails('INVALID_ARGUMENT', 'ids');

table.when('nobody asks', 'countRecords', { collection }).by('nobody').fails('MISSING_CREDENTIALS');
table.when('the token is forged', 'countRecords', { collection }).by('forged').fails('INVALID_TOKEN');
table.when('a reader reads', 'countRecords', { collection }).by('reader').succeeds();
table
  .when('a reader writes', 'upsertRecords', { collection, records: [record('a', f32(1, 2, 3))] })
  .by('reader')
  .fails('SCOPE_MISSING');
table.when('a reader removes', 'deleteCollection', { collection }).by('reader').fails('SCOPE_MISSING');
table
  .when('another tenant reads', 'countRecords', { collection })
  .by('rival')
  .fails('COLLECTION_NOT_FOUND', 'collection');
table
  .when('another tenant removes', 'deleteCollection', { collection })
  .by('rival')
  .fails('COLLECTION_NOT_FOUND', 'collection');
table.when('another tenant lists', 'listCollections', {}).by('rival').succeeds();
table
  .when('a limited credential reads what it covers', 'getCollection', { collection: 'default' })
  .by('limited')
  .succeeds();
table
  .when('a limited credential reads something else', 'countRecords', { collection })
  .by('limited')
  .fails('SCOPE_MISSING');
table.when('a limited credential lists', 'listCollections', {}).by('limited').succeeds();
table.when('the limits are asked for', 'getLimits', {}).by('nobody').succeeds();
table.when('the server is asked about', 'getServerInfo', {}).by('nobody').succeeds();
table.when('a collection is removed', 'deleteCollection', { collection }).succeeds();
table
  .when('a collection is removed twice', 'deleteCollection', { collection })
  .fails('COLLECTION_NOT_FOUND', 'collection');

export const PARITY_CASES: readonly ParityCase[] = [...table.cases, ...PAST_CASES];
