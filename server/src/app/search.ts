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
import type { Metric } from '../core/vector/metric.js';
import { distanceOfScore } from '../core/vector/metric.js';
import type { SearchOutcome, SearchTask } from '../core/engine/tasks.js';
import type { Clock } from '../ports/clock.js';
import type { EnginePool, Timed } from '../ports/engine-pool.js';
import type { Histogram, Metrics } from '../ports/metrics.js';
import type { Hit, QueryRequest, QueryResponse, RequestContext, Selection } from './api.js';
import { checkVectors } from './collections/check-batch.js';
import type { Collection } from './collections/collection.js';
import { AnswerSize } from './answer-size.js';
import type { RecallSampler } from './recall-sampler.js';
import { RECALL_TARGET_DEFAULT } from './recall-sampler.js';

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
    const task = taskOf(collection, snapshot, request);
    const timed = await pool.search(task, context.signal);
    const { outcome } = timed;
    series.candidates.observe(outcome.candidates);
    series.results.observe(outcome.rows.length);
    sampler.offer(task, snapshot, outcome);
    const hits = readHits(snapshot, outcome, collection.info.metric, request);
    const performance = performanceOf(timed, context.tier, clock.monotonic() - context.startedMs);
    return { hits, performance, ...collection.receipt(snapshot.sequence) };
  } finally {
    snapshot.release();
    view.release();
  }
}

/** The selected attributes of a row. */
export function selectAttributes(source: RowSource, row: number, select: Selection): Attributes {
  if (select !== 'all' && select.length === 0) return NO_ATTRIBUTES;
  const bytes = source.attributesOf(row);
  if (bytes.length === 0) return NO_ATTRIBUTES;
  return select === 'all' ? decodeAttributes(bytes) : decodeSelected(bytes, select);
}

function taskOf(collection: Collection, snapshot: Snapshot, request: QueryRequest): SearchTask {
  const { dimensions, metric } = collection.info;
  const { vector: query, topK, filter } = request;
  const { exact, recallTarget = RECALL_TARGET_DEFAULT, nprobe, rerank } = request.params;
  return {
    ...{ dimensions, metric, parts: snapshot.parts, query, topK, exact, recallTarget },
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

function readHits(snapshot: Snapshot, outcome: SearchOutcome, metric: Metric, request: QueryRequest): Hit[] {
  const size = new AnswerSize();
  return Array.from(outcome.rows, (row, index) => {
    const source = snapshot.sources[outcome.parts[index] ?? 0];
    if (source === undefined) throw new Error('an engine named a part that the task did not have');
    const score = outcome.scores[index] ?? 0;
    const hit: Hit = {
      id: source.idOf(row),
      score,
      distance: distanceOfScore(metric, score),
      attributes: selectAttributes(source, row, request.select),
      ...(request.includeVectors ? { vector: source.vectorOf(row) } : {}),
    };
    size.add(source, row, request);
    return hit;
  });
}

function performanceOf(
  timed: Timed<SearchOutcome>,
  tier: RequestContext['tier'],
  serverMs: number,
): QueryResponse['performance'] {
  return {
    serverMs,
    queueMs: timed.queueMs,
    engineMs: timed.engineMs,
    tier,
    roundTrips: 0,
    objectStoreGets: 0,
    bytesRead: 0,
    candidates: timed.outcome.candidates,
    exact: timed.outcome.exact,
    partial: false,
  };
}
