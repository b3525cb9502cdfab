/*
 * Reads by id and by position: get, batch get, scan, count.
 */
import type { RowSource } from '../core/collection/row-source.js';
import type { CollectionState } from '../core/collection/state.js';
import type { ScanPosition } from '../core/engine/tasks.js';
import { OmenError } from '../core/errors.js';
import { compareUtf8 } from '../core/bytes/compare-utf8.js';
import { hash64 } from '../core/bytes/hash64.js';
import { parseRecordId, quote } from '../core/ids.js';
import { normaliseFilter } from '../core/filter/normalise.js';
import { LIMITS } from '../core/limits.js';
import { decodePageToken, encodePageToken } from '../core/query/page-token.js';
import type { EnginePool } from '../ports/engine-pool.js';
import { AnswerSize, recordBytes } from './answer-size.js';
import type {
  BatchGetRequest,
  BatchGetResponse,
  CountRequest,
  CountResponse,
  FoundRecord,
  GetRecordRequest,
  RequestContext,
  ScanRequest,
  ScanResponse,
} from './api.js';
import type { Collection } from './collections/collection.js';
import { gone } from './collections/collection.js';
import { selectAttributes } from './search.js';
import { Reading } from './tiers/reading.js';
import type { PartGroup } from './tiers/tiers.js';

/** What shows a record needs of where it lies. */
export type ReadSource = Pick<RowSource, 'attributesOf' | 'vectorOf'>;

type Shape = Pick<BatchGetRequest, 'select' | 'includeVectors'>;

/** One record. Throws `RECORD_NOT_FOUND`. */
export async function getRecord(
  collection: Collection,
  request: GetRecordRequest,
  context: RequestContext,
): Promise<FoundRecord> {
  parseRecordId(request.id, 'id');
  const view = await collection.view(request, context);
  const held = view.state.snapshot();
  try {
    const found = await recordsOf({ collection, context, state: view.state }, [request.id], request);
    const [record] = found.records;
    if (record !== undefined) return record;
  } finally {
    held.release();
    view.release();
  }
  throw new OmenError(
    'RECORD_NOT_FOUND',
    `collection "${collection.info.name}" has no record ${quote(request.id)}`,
    { field: 'id' },
  );
}

/** Records by id; an id asked for twice comes once. */
export async function batchGet(
  collection: Collection,
  request: BatchGetRequest,
  context: RequestContext,
): Promise<BatchGetResponse> {
  if (request.ids.length === 0)
    throw new OmenError('EMPTY_BATCH', 'ids is empty: name at least one record', { field: 'ids' });
  if (request.ids.length > LIMITS.pageSizeMax) {
    throw new OmenError(
      'BATCH_TOO_LARGE',
      `ids has ${request.ids.length} entries, at most ${LIMITS.pageSizeMax} are allowed`,
      {
        field: 'ids',
      },
    );
  }
  request.ids.forEach((id, index) => parseRecordId(id, `ids[${index}]`));
  const { state, release } = await collection.view(request, context);
  const held = state.snapshot();
  try {
    const ids = [...new Set(request.ids)];
    const { records, sequence } = await recordsOf({ collection, context, state }, ids, request);
    const known = new Set(records.map(({ id }) => id));
    return { records, missingIds: ids.filter((id) => !known.has(id)), ...collection.receipt(sequence) };
  } finally {
    held.release();
    release();
  }
}

interface AskedState {
  readonly collection: Collection;
  readonly context: RequestContext;
  readonly state: CollectionState;
}

/** The records of those ids that there are, in the order of the ids, and the newest write that they show. */
async function recordsOf(
  { collection, context, state: asked }: AskedState,
  ids: readonly string[],
  shape: Shape,
): Promise<{ readonly records: readonly FoundRecord[]; readonly sequence: number }> {
  const size = new AnswerSize();
  const records: FoundRecord[] = [];
  const reading = new Reading(context.tier, context.signal);
  const { tiers } = collection;
  let state = asked;
  for (;;) {
    // One that was read anew meanwhile is as new at least; the old one finds nothing any more.
    if (state.isReleased) state = collection.state;
    if (state.isReleased) throw gone(collection.info.name);
    const outside = ids.filter((id) => !state.isFresh(id));
    const waiting = tiers.resolve(state, outside, { records: true, reading });
    if (waiting === undefined) break;
    await waiting;
  }
  context.tier = reading.tier;
  // From here on nothing waits: all records are of one moment.
  for (const id of ids) {
    const location = state.locate(id);
    if (location === null) continue;
    size.add(recordBytes(location.source, location.row, shape));
    records.push(found(location.source, location.row, id, shape));
  }
  return { records, sequence: state.sequence };
}

/**
 * One page of all matching records, in the order of the ids' hashes: stable under writes, flushes and merges.
 */
export async function scan(
  pool: EnginePool,
  context: RequestContext,
  collection: Collection,
  request: ScanRequest,
): Promise<ScanResponse> {
  const limit = pageSize(request.pageSize);
  const after = decodePageToken(request.pageToken, collection.id);
  const view = await collection.view(request, context);
  const snapshot = view.state.snapshot();
  try {
    const page = (group: PartGroup): Promise<readonly PlacedRecord[]> =>
      pageOf(pool, { collection, context, request, limit, after }, group);
    const pages = await collection.tiers.eachGroup(snapshot, page, context.signal);
    const placed = pages.length === 1 ? (pages[0] ?? []) : pages.flat().sort(byPosition);
    const { records, more } = cutPage(placed, limit);
    const last = records.at(-1);
    return {
      records,
      nextPageToken: more && last !== undefined ? encodePageToken(positionOf(last.id), collection.id) : '',
      ...collection.receipt(snapshot.sequence),
    };
  } finally {
    snapshot.release();
    view.release();
  }
}

/** A record of a page, with its place in the order of a scan. */
interface PlacedRecord {
  readonly record: FoundRecord;
  readonly position: ScanPosition;
  readonly bytes: number;
}

interface PageRequest {
  readonly collection: Collection;
  readonly context: RequestContext;
  readonly request: ScanRequest;
  readonly limit: number;
  readonly after: ScanPosition | null;
}

/** The first records of some parts, one more than the page has, as far as an answer holds them. */
async function pageOf(
  pool: EnginePool,
  { collection, context, request, limit, after }: PageRequest,
  { parts, sources }: PartGroup,
): Promise<readonly PlacedRecord[]> {
  const { outcome } = await pool.match(
    {
      ...{ ...taskOf(collection, request.filter), parts, want: 'page', limit: limit + 1 },
      ...(after === null ? {} : { after }),
    },
    context.signal,
  );
  const size = new AnswerSize();
  const placed: PlacedRecord[] = [];
  for (const [index, row] of outcome.rows.entries()) {
    const source = sources[outcome.parts[index] ?? 0];
    if (source === undefined) throw new Error('an engine named a part that the task did not have');
    const bytes = recordBytes(source, row, request);
    const record = found(source, row, source.idOf(row), request);
    placed.push({ record, position: positionOf(record.id), bytes });
    // The one behind what an answer holds says that there are more.
    if (!size.fits(bytes)) break;
  }
  return placed;
}

/** As many records as a page has and an answer holds, at least one. */
function cutPage(
  placed: readonly PlacedRecord[],
  limit: number,
): { readonly records: FoundRecord[]; readonly more: boolean } {
  const size = new AnswerSize();
  const records: FoundRecord[] = [];
  for (const { record, bytes } of placed.slice(0, limit)) {
    if (!size.fits(bytes) && records.length > 0) return { records, more: true };
    records.push(record);
  }
  return { records, more: placed.length > limit };
}

function byPosition({ position: a }: PlacedRecord, { position: b }: PlacedRecord): number {
  return a.hashHigh - b.hashHigh || a.hashLow - b.hashLow || compareUtf8(a.id, b.id);
}

/** The number of matching records. */
export async function count(
  pool: EnginePool,
  context: RequestContext,
  collection: Collection,
  request: CountRequest,
): Promise<CountResponse> {
  const view = await collection.view(request, context);
  const snapshot = view.state.snapshot();
  const receipt = collection.receipt(snapshot.sequence);
  try {
    if (request.filter === undefined) return { count: view.state.records, ...receipt };
    const countIn = async ({ parts }: PartGroup): Promise<number> => {
      const task = { ...taskOf(collection, request.filter), parts, want: 'count' } as const;
      return (await pool.match(task, context.signal)).outcome.count;
    };
    const counts = await collection.tiers.eachGroup(snapshot, countIn, context.signal);
    return { count: counts.reduce((sum, each) => sum + each, 0), ...receipt };
  } finally {
    snapshot.release();
    view.release();
  }
}

/** What every match task of a collection has in common. */
export function taskOf(
  collection: Collection,
  filter: ScanRequest['filter'],
): {
  dimensions: number;
  metric: Collection['info']['metric'];
  filter?: NonNullable<ScanRequest['filter']>;
} {
  const { dimensions, metric } = collection.info;
  return {
    dimensions,
    metric,
    ...(filter === undefined ? {} : { filter: normaliseFilter(filter) }),
  };
}

/** The page size to use; 0 means the default. */
export function pageSize(asked: number): number {
  if (asked < 0 || asked > LIMITS.pageSizeMax) {
    throw new OmenError(
      'INVALID_ARGUMENT',
      `pageSize is ${asked}: it must be 1 to ${LIMITS.pageSizeMax}, or 0 for the default`,
      {
        field: 'pageSize',
      },
    );
  }
  return asked === 0 ? LIMITS.pageSizeDefault : asked;
}

const encoder = new TextEncoder();

function positionOf(id: string): ScanPosition {
  const { high, low } = hash64(encoder.encode(id));
  return { hashHigh: high, hashLow: low, id };
}

function found(source: ReadSource, row: number, id: string, shape: Shape): FoundRecord {
  return {
    id,
    attributes: selectAttributes(source, row, shape.select),
    ...(shape.includeVectors ? { vector: source.vectorOf(row) } : {}),
  };
}
