/*
 * Reads by id and by position: get, batch get, scan, count.
 */
import type { Snapshot } from '../core/collection/snapshot.js';
import type { ScanPosition } from '../core/engine/tasks.js';
import { OmenError } from '../core/errors.js';
import { hash64 } from '../core/bytes/hash64.js';
import { parseRecordId, quote } from '../core/ids.js';
import { normaliseFilter } from '../core/filter/normalise.js';
import { LIMITS } from '../core/limits.js';
import { decodePageToken, encodePageToken } from '../core/query/page-token.js';
import type { EnginePool } from '../ports/engine-pool.js';
import { AnswerSize } from './answer-size.js';
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
import { selectAttributes } from './search.js';

type Shape = Pick<BatchGetRequest, 'select' | 'includeVectors'>;

/** One record. Throws `RECORD_NOT_FOUND`. */
export async function getRecord(
  collection: Collection,
  request: GetRecordRequest,
  context: RequestContext,
): Promise<FoundRecord> {
  parseRecordId(request.id, 'id');
  const view = await collection.view(request, context);
  try {
    const location = view.state.locate(request.id);
    if (location !== null) return found(location.source, location.row, request.id, request);
  } finally {
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
  try {
    const records: FoundRecord[] = [];
    const missingIds: string[] = [];
    const size = new AnswerSize();
    for (const id of new Set(request.ids)) {
      const location = state.locate(id);
      if (location === null) {
        missingIds.push(id);
        continue;
      }
      size.add(location.source, location.row, request);
      records.push(found(location.source, location.row, id, request));
    }
    return { records, missingIds, ...collection.receipt(state.sequence) };
  } finally {
    release();
  }
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
    const { outcome } = await pool.match(
      {
        ...taskOf(collection, snapshot, request.filter),
        want: 'page',
        limit: limit + 1,
        ...(after === null ? {} : { after }),
      },
      context.signal,
    );
    const records: FoundRecord[] = [];
    const size = new AnswerSize();
    let more = outcome.rows.length > limit;
    for (let index = 0; index < Math.min(limit, outcome.rows.length); index++) {
      const source = snapshot.sources[outcome.parts[index] ?? 0];
      const row = outcome.rows[index] ?? 0;
      if (source === undefined) throw new Error('an engine named a part that the task did not have');
      if (!size.fits(source, row, request) && records.length > 0) {
        more = true;
        break;
      }
      records.push(found(source, row, source.idOf(row), request));
    }
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
    const task = { ...taskOf(collection, snapshot, request.filter), want: 'count' } as const;
    return { count: (await pool.match(task, context.signal)).outcome.count, ...receipt };
  } finally {
    snapshot.release();
    view.release();
  }
}

/** What every match task of a collection has in common. */
export function taskOf(
  collection: Collection,
  snapshot: Snapshot,
  filter: ScanRequest['filter'],
): {
  dimensions: number;
  metric: Collection['info']['metric'];
  parts: Snapshot['parts'];
  filter?: NonNullable<ScanRequest['filter']>;
} {
  const { dimensions, metric } = collection.info;
  return {
    dimensions,
    metric,
    parts: snapshot.parts,
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

function found(source: Snapshot['sources'][number], row: number, id: string, shape: Shape): FoundRecord {
  return {
    id,
    attributes: selectAttributes(source, row, shape.select),
    ...(shape.includeVectors ? { vector: source.vectorOf(row) } : {}),
  };
}
