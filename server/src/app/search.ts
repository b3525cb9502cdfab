/*
 * Query: one snapshot, one engine task, then the hits' ids and attributes read from the snapshot.
 */
import { decodeAttributes, decodeSelected } from '../core/record/attribute-codec.js';
import type { RowSource } from '../core/collection/row-source.js';
import type { Snapshot } from '../core/collection/snapshot.js';
import { OmenError } from '../core/errors.js';
import { normaliseFilter } from '../core/filter/normalise.js';
import { LIMITS } from '../core/limits.js';
import type { Attributes } from '../core/record/record.js';
import { distanceOfScore } from '../core/vector/metric.js';
import type { SearchOutcome } from '../core/engine/tasks.js';
import type { Clock } from '../ports/clock.js';
import type { EnginePool } from '../ports/engine-pool.js';
import type { Histogram, Metrics } from '../ports/metrics.js';
import type { Hit, QueryRequest, QueryResponse, RequestContext, Selection } from './api.js';
import { checkVectors } from './collections/check-batch.js';
import type { Collection } from './collections/collection.js';
import { AnswerSize, recordBytes } from './answer-size.js';
import type { RecallSampler } from './recall-sampler.js';
import { RECALL_TARGET_DEFAULT } from './recall-sampler.js';
import type { WantedColumns } from './tiers/paged-segments.js';
import { idText } from './tiers/paged-segments.js';
import { Reading } from './tiers/reading.js';
import type { SnapshotSearch, SnapshotTask } from './tiers/search-snapshot.js';
import { searchSnapshot } from './tiers/search-snapshot.js';

const NO_ATTRIBUTES: Attributes = new Map();

export interface SearchDependencies {
  readonly pool: EnginePool;
  readonly clock: Clock;
  readonly sampler: RecallSampler;
  readonly series: SearchSeries;
}

/** What searches record. */
export interface SearchSeries {
  readonly candidates: Histogram;
  readonly results: Histogram;
}

export function searchSeries(metrics: Metrics): SearchSeries {
  return {
    candidates: metrics.histogram('omendb_search_candidates', {}),
    results: metrics.histogram('omendb_search_results', {}),
  };
}

/** Answers a query from one state of the collection. */
export async function search(
  { pool, clock, sampler, series }: SearchDependencies,
  context: RequestContext,
  collection: Collection,
  request: QueryRequest,
): Promise<QueryResponse> {
  checkQuery(collection, request);
  const view = await collection.view(request, context);
  const snapshot = view.state.snapshot();
  try {
    const { select } = request;
    const reading = new Reading(context.tier, context.signal, select === 'all' || select.length > 0);
    const task = taskOf(collection, request);
    const found = await searchSnapshot({ pool, tiers: collection.tiers }, task, snapshot, reading);
    const { outcome } = found.timed;
    series.candidates.observe(outcome.candidates);
    series.results.observe(outcome.rows.length);
    sampler.offer({ tiers: collection.tiers, task, snapshot }, outcome);
    collection.tiers.used(view.state, snapshot);
    const hits = await readHits({ collection, snapshot, reading }, outcome, request);
    context.tier = reading.tier;
    const performance = performanceOf(found, reading, clock.monotonic() - context.startedMs);
    return { hits, performance, ...collection.receipt(snapshot.sequence) };
  } finally {
    snapshot.release();
    view.release();
  }
}

/** The selected attributes of a row. */
export function selectAttributes(
  source: Pick<RowSource, 'attributesOf'>,
  row: number,
  select: Selection,
): Attributes {
  if (select !== 'all' && select.length === 0) return NO_ATTRIBUTES;
  return decodeSelection(source.attributesOf(row), select);
}

function decodeSelection(bytes: Uint8Array, select: Selection): Attributes {
  if (select !== 'all' && select.length === 0) return NO_ATTRIBUTES;
  if (bytes.length === 0) return NO_ATTRIBUTES;
  return select === 'all' ? decodeAttributes(bytes) : decodeSelected(bytes, select);
}

function taskOf(collection: Collection, request: QueryRequest): SnapshotTask {
  const { dimensions, metric } = collection.info;
  const { vector: query, topK, filter } = request;
  const { exact, recallTarget = RECALL_TARGET_DEFAULT, nprobe, rerank } = request.params;
  return {
    ...{ dimensions, metric, query, topK, exact, recallTarget },
    ...(filter === undefined ? {} : { filter: normaliseFilter(filter) }),
    ...(nprobe === undefined ? {} : { nprobe }),
    ...(rerank === undefined ? {} : { rerank }),
  };
}

function checkQuery(collection: Collection, request: QueryRequest): void {
  const { dimensions, metric, name } = collection.info;
  if (request.vector.length !== dimensions) {
    throw new OmenError(
      'DIMENSION_MISMATCH',
      `vector has ${request.vector.length} numbers, collection "${name}" takes ${dimensions}`,
      { field: 'vector' },
    );
  }
  checkVectors(request.vector, { dimensions, metric }, () => 'vector');
  if (!Number.isInteger(request.topK) || request.topK < 1 || request.topK > LIMITS.topKMax) {
    throw new OmenError('INVALID_ARGUMENT', `topK is ${request.topK}: it must be 1 to ${LIMITS.topKMax}`, {
      field: 'topK',
    });
  }
  const { recallTarget } = request.params;
  if (recallTarget !== undefined && !(recallTarget >= 0.5 && recallTarget <= 1)) {
    throw new OmenError('INVALID_ARGUMENT', `params.recallTarget is ${recallTarget}: it must be 0.5 to 1`, {
      field: 'params.recallTarget',
    });
  }
}

interface HitSource {
  readonly collection: Collection;
  readonly snapshot: Snapshot;
  readonly reading: Reading;
}

async function readHits(
  { collection, snapshot, reading }: HitSource,
  outcome: SearchOutcome,
  request: QueryRequest,
): Promise<Hit[]> {
  const size = new AnswerSize();
  const { metric } = collection.info;
  const outside = await collection.tiers.readOutside(snapshot, outcome, wantedOf(request), reading);
  return Array.from(outcome.rows, (row, index) => {
    const source = snapshot.sources[outcome.parts[index] ?? 0];
    if (source === undefined) throw new Error('an engine named a part that the task did not have');
    const score = outcome.scores[index] ?? 0;
    const distance = distanceOfScore(metric, score);
    const read = outside.get(index);
    if (read !== undefined) {
      size.add(read.attributes.length + read.vector.byteLength);
      const attributes = decodeSelection(read.attributes, request.select);
      const vector = request.includeVectors ? { vector: read.vector } : {};
      return { id: idText(read.id), score, distance, attributes, ...vector };
    }
    size.add(recordBytes(source, row, request));
    return {
      ...{ id: source.idOf(row), score, distance },
      attributes: selectAttributes(source, row, request.select),
      ...(request.includeVectors ? { vector: source.vectorOf(row) } : {}),
    };
  });
}

function wantedOf({ select, includeVectors }: QueryRequest): WantedColumns {
  return { id: true, attributes: select === 'all' || select.length > 0, vector: includeVectors };
}

function performanceOf(
  { timed, partial }: SnapshotSearch,
  { tier, roundTrips, objectStoreGets, bytesRead }: Reading,
  serverMs: number,
): QueryResponse['performance'] {
  const { queueMs, engineMs, outcome } = timed;
  const { candidates, exact } = outcome;
  return {
    ...{ serverMs, queueMs, engineMs, tier, roundTrips, objectStoreGets, bytesRead },
    ...{ candidates, exact, partial: partial !== null, partialReason: partial },
  };
}
