// Requests about the past of a collection: reads of a moment, snapshots, branches and copies. Write 1 puts a
// and b, write 2 deletes a and changes b.
import * as pb from '#sdk/gen/messages.js';
import type { ParityCase } from './parity-table.js';
import { equal, f32, ParityTable, record, text } from './parity-table.js';

const table = new ParityTable();
const collection = 'default-past';
const vector = f32(1, 0);
const ids = ['a', 'b'];
const long = 'x'.repeat(129);
/** The collection was made later than this, and will be read before that. */
const [BEFORE, BEHIND] = [new Date('2001-01-01T00:00:00Z'), new Date('2100-01-01T00:00:00Z')];
const { STRONG, EVENTUAL, SESSION } = pb.Consistency;

table
  .when('a collection with a past is made', 'createCollection', { name: collection, dimensions: 2 })
  .succeeds();
table
  .when('it gets its first records', 'upsertRecords', {
    collection,
    records: [record('a', vector, [['kind', text('old')]]), record('b', f32(0, 1), [['kind', text('old')]])],
  })
  .succeeds();
table.when('it is kept', 'createSnapshot', { collection, name: 'first', requestId: 'keep' }).succeeds();
table
  .when('it is kept once more', 'createSnapshot', { collection, name: 'first', requestId: 'keep' })
  .succeeds();
table
  .when('a name is taken', 'createSnapshot', { collection, name: 'first' })
  .fails('SNAPSHOT_EXISTS', 'name');
table.when('a snapshot has no name', 'createSnapshot', { collection }).fails('INVALID_ARGUMENT', 'name');
for (const name of ['../up', 'a/b', ' ', long]) {
  table
    .when(`a snapshot is named ${name.slice(0, 6)}`, 'createSnapshot', { collection, name })
    .fails('INVALID_ARGUMENT', 'name');
  table
    .when(`a snapshot ${name.slice(0, 6)} is read`, 'countRecords', { collection, snapshot: name })
    .fails('INVALID_ARGUMENT', 'snapshot');
  table
    .when(`a snapshot ${name.slice(0, 6)} is deleted`, 'deleteSnapshot', { collection, snapshot: name })
    .fails('INVALID_ARGUMENT', 'snapshot');
}
table
  .when('nothing is there to be kept', 'createSnapshot', { collection: 'absent', name: 'first' })
  .fails('COLLECTION_NOT_FOUND', 'collection');
table.when('it changes', 'deleteRecords', { collection, ids: ['a'] }).succeeds();
table
  .when('it changes again', 'upsertRecords', {
    ...{ collection, records: [record('b', vector, [['kind', text('new')]])] },
  })
  .succeeds();
table.when('a second moment is kept', 'createSnapshot', { collection, name: '2nd_moment.v-2' }).succeeds();
table.when('snapshots are listed', 'listSnapshots', { collection }).succeeds();
table.when('snapshots are counted', 'getCollectionStats', { collection }).succeeds();

const MOMENTS: [string, Pick<pb.QueryRequest, 'asOf' | 'snapshot' | 'asOfSequenceNumber'>][] = [
  ['in a snapshot', { snapshot: 'first' }],
  ['after the second write', { asOfSequenceNumber: 2n }],
  ['before the first write', { asOfSequenceNumber: 0n }],
  ['after a write that is still to come', { asOfSequenceNumber: 2n ** 63n - 1n }],
  ['at a time that is still to come', { asOf: BEHIND }],
];
for (const [where, moment] of MOMENTS) {
  table.when(`the nearest ${where} are found`, 'query', { collection, vector, ...moment }).succeeds();
  table.when(`records ${where} are read`, 'batchGetRecords', { collection, ids, ...moment }).succeeds();
  table.when(`records ${where} are scanned`, 'scanRecords', { collection, ...moment }).succeeds();
  table
    .when(`records ${where} are counted`, 'countRecords', {
      ...{ collection, filter: equal('kind', 'old'), ...moment },
    })
    .succeeds();
  const one = table.when(`a record ${where} is read`, 'getRecord', { collection, id: 'a', ...moment });
  if (moment.snapshot === undefined && moment.asOfSequenceNumber !== 2n) one.fails('RECORD_NOT_FOUND', 'id');
  else one.succeeds();
}
table
  .when('the past of a session is read', 'countRecords', {
    ...{ collection, snapshot: 'first', consistency: SESSION },
  })
  .succeeds();

const WRONG: [string, Partial<pb.CountRecordsRequest>, string, ...string[]][] = [
  ['a time before the collection', { asOf: BEFORE }, 'MOMENT_NOT_KEPT', 'asOf'],
  ['a time before 1970', { asOf: new Date(-1) }, 'MOMENT_NOT_KEPT', 'asOf'],
  ['a snapshot that is not there', { snapshot: 'absent' }, 'SNAPSHOT_NOT_FOUND', 'snapshot'],
  ['a negative sequence number', { asOfSequenceNumber: -1n }, 'INVALID_ARGUMENT', 'asOfSequenceNumber'],
  ['two moments', { asOf: BEHIND, snapshot: 'first' }, 'INVALID_ARGUMENT', 'asOf', 'snapshot'],
  [
    ...([
      'three moments',
      { asOf: BEHIND, snapshot: 'first', asOfSequenceNumber: 0n },
      'INVALID_ARGUMENT',
    ] as const),
    ...['asOf', 'snapshot', 'asOfSequenceNumber'],
  ],
  ['the past of a token', { asOf: BEHIND, sessionToken: 'x' }, 'INVALID_ARGUMENT', 'asOf', 'sessionToken'],
  [
    'a strong past',
    { snapshot: 'first', consistency: STRONG },
    'INVALID_ARGUMENT',
    'snapshot',
    'consistency',
  ],
  [
    ...(['an eventual past', { asOfSequenceNumber: 1n, consistency: EVENTUAL }, 'INVALID_ARGUMENT'] as const),
    ...['asOfSequenceNumber', 'consistency'],
  ],
];
for (const [what, moment, reason, ...fields] of WRONG) {
  table.when(`a query asks for ${what}`, 'query', { collection, vector, ...moment }).fails(reason, ...fields);
  table
    .when(`a batch asks for ${what}`, 'batchGetRecords', { collection, ids, ...moment })
    .fails(reason, ...fields);
  table.when(`a scan asks for ${what}`, 'scanRecords', { collection, ...moment }).fails(reason, ...fields);
  table.when(`a count asks for ${what}`, 'countRecords', { collection, ...moment }).fails(reason, ...fields);
  table
    .when(`a read asks for ${what}`, 'getRecord', { collection, id: 'a', ...moment })
    .fails(reason, ...fields);
  if (fields.includes('sessionToken') || fields.includes('consistency')) continue;
  const { asOf, snapshot, asOfSequenceNumber } = moment;
  for (const method of ['branchCollection', 'copyCollection'] as const) {
    table
      .when(`${method} asks for ${what}`, method, {
        ...{ collection, name: 'wrong', asOf, snapshot, asOfSequenceNumber },
      })
      .fails(reason, ...fields);
  }
}

for (const [method, name] of [
  ['branchCollection', 'branch'],
  ['copyCollection', 'copy'],
] as const) {
  const made = { collection, name: `default-${name}` };
  table.when(`a ${name} is made`, method, { ...made, requestId: name }).succeeds();
  table.when(`a ${name} is made by the same request`, method, { ...made, requestId: name }).succeeds();
  table.when(`a ${name} is made again`, method, made).fails('COLLECTION_EXISTS', 'name');
  table.when(`the records of a ${name} are scanned`, 'scanRecords', { collection: made.name }).succeeds();
  const old = { collection, name: `default-${name}-old` };
  table.when(`an old ${name} is made`, method, { ...old, snapshot: 'first' }).succeeds();
  table.when(`the records of an old ${name} are scanned`, 'scanRecords', { collection: old.name }).succeeds();
  table.when(`a ${name} has no name`, method, { collection }).fails('INVALID_COLLECTION_NAME', 'name');
  table
    .when(`a ${name} is named badly`, method, { collection, name: 'a/b' })
    .fails('INVALID_COLLECTION_NAME', 'name');
  table
    .when(`a ${name} is named like its source`, method, { collection, name: collection })
    .fails('COLLECTION_EXISTS', 'name');
  table
    .when(`a ${name} of nothing is made`, method, { collection: 'absent', name: 'new' })
    .fails('COLLECTION_NOT_FOUND', 'collection');
  const limited = table.when(`a limited credential makes a ${name} within its bounds`, method, {
    ...{ collection, name: `default-${name}-limited` },
  });
  limited.by('limited').succeeds();
  table
    .when(`a limited credential makes a ${name} out of its bounds`, method, { collection, name: 'out' })
    .by('limited')
    .fails('SCOPE_MISSING');
  table
    .when(`a limited credential makes a ${name} of what it may not read`, method, {
      ...{ collection: 'other', name: `default-${name}-other` },
    })
    .by('limited')
    .fails('SCOPE_MISSING');
  table
    .when(`a reader makes a ${name}`, method, { ...made, name: 'new' })
    .by('reader')
    .fails('SCOPE_MISSING');
  table
    .when(`another tenant makes a ${name}`, method, { ...made, name: 'new' })
    .by('rival')
    .fails('COLLECTION_NOT_FOUND', 'collection');
}

table
  .when('a limited credential lists snapshots of something else', 'listSnapshots', { collection: 'other' })
  .by('limited')
  .fails('SCOPE_MISSING');
table.when('a reader lists snapshots', 'listSnapshots', { collection }).by('reader').fails('SCOPE_MISSING');
table
  .when('a reader deletes a snapshot', 'deleteSnapshot', { collection, snapshot: 'first' })
  .by('reader')
  .fails('SCOPE_MISSING');
table
  .when('another tenant deletes a snapshot', 'deleteSnapshot', { collection, snapshot: 'first' })
  .by('rival')
  .fails('COLLECTION_NOT_FOUND', 'collection');
table.when('a snapshot is deleted', 'deleteSnapshot', { collection, snapshot: 'first' }).succeeds();
table.when('a snapshot is deleted twice', 'deleteSnapshot', { collection, snapshot: 'first' }).succeeds();
table
  .when('a deleted snapshot is read', 'countRecords', { collection, snapshot: 'first' })
  .fails('SNAPSHOT_NOT_FOUND', 'snapshot');
table.when('the rest of the snapshots are listed', 'listSnapshots', { collection }).succeeds();

export const PAST_CASES: readonly ParityCase[] = table.cases;
