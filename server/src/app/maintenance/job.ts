/*
 * What flush and merge have in common: the right to publish, the object, the clean-up after a failure.
 */
import type { BuildTask, BuiltSegment } from '../../core/engine/tasks.js';
import type { DeletesRef, JobKind, Root, SegmentRef } from '../../core/log/root.js';
import { hasReason } from '../../core/errors.js';
import { conflictOf, refused } from '../../core/log/conflict.js';
import type { Setsum } from '../../core/log/setsum.js';
import { registerJob, revokeJob } from '../../core/log/transitions.js';
import type { JsonObject } from '../../core/log/envelope.js';
import type { Region } from '../../core/memory/arena.js';
import { encodeDeletionVector } from '../../core/segment/deletion-vector.js';
import { countFailure } from '../background-failures.js';
import { newNonce, RELATIVE } from '../log/object-layout.js';
import { STORAGE_RETRY, withRetry } from '../log/storage-retry.js';
import type { UpkeepDependencies } from './dependencies.js';

/** From this many rows on a segment is clustered; below, reading all rows is as fast. */
const CLUSTER_FROM_ROWS = 4096;

/**
 * A job of another server that is this old is taken to be dead: its right is revoked, so it cannot publish.
 * So is one that was claimed this far in the future: by a clock that was wrong, or it would never grow old.
 */
const JOB_MS_MAX = 15 * 60 * 1000;

/** Registers a job, runs it, and takes its right away when it fails, so that its objects are garbage. */
export async function withJob<T>(
  { rootStore, rng, clock, logger, metrics, layout, owner, runningJobs }: UpkeepDependencies,
  kind: JobKind,
  inputs: readonly string[],
  run: (jobId: string) => Promise<T>,
): Promise<T> {
  const jobId = newNonce(rng);
  const job = { jobId, kind, inputs, claimedBy: owner, claimedAtMs: Math.floor(clock.now()) };
  runningJobs.add(jobId);
  const startedMs = clock.monotonic();
  try {
    const living = { owner, running: runningJobs, nowMs: job.claimedAtMs };
    await rootStore.commit((root) => {
      const free = withoutEnded(root, living);
      // Two servers that fold the same log would only undo each other's work.
      if (kind === 'flush' && free.jobs.some((other) => other.kind === 'flush')) {
        throw refused('job-exists', 'another server is folding the log');
      }
      return registerJob(free, job);
    });
    const result = await run(jobId);
    const ms = clock.monotonic() - startedMs;
    logger.debug(`${kind} published`, { collection: layout.id, job: jobId, ms });
    metrics.counter('omendb_compactions_total', { task: kind, outcome: 'ok' }).inc();
    metrics.histogram('omendb_compaction_duration_seconds', { task: kind }).observe(ms / 1000);
    return result;
  } catch (error) {
    metrics.counter('omendb_compactions_total', { task: kind, outcome: outcomeOf(error) }).inc();
    await rootStore
      .commit((root) => revokeJob(root, jobId))
      .catch((cause: unknown) => {
        countFailure(metrics, kind, cause);
        logger.warn('a failed job could not be revoked yet', {
          collection: layout.id,
          job: jobId,
          error: String(cause),
        });
      });
    throw error;
  } finally {
    runningJobs.delete(jobId);
  }
}

/** Another server was faster, or deleted the collection: nothing is wrong. */
function outcomeOf(error: unknown): 'conflict' | 'error' {
  return conflictOf(error) !== null || hasReason(error, 'COLLECTION_NOT_FOUND') ? 'conflict' : 'error';
}

interface Living {
  readonly owner: string;
  /** Jobs of the owner that are under way. */
  readonly running: ReadonlySet<string>;
  readonly nowMs: number;
}

/** Takes the right from jobs that ended, or whose server did, without being able to give it back. */
export function withoutEnded(root: Root, { owner, running, nowMs }: Living): Root {
  const ended = root.jobs.filter(({ jobId, claimedBy, claimedAtMs }) =>
    claimedBy === owner ? !running.has(jobId) : Math.abs(nowMs - claimedAtMs) > JOB_MS_MAX,
  );
  return ended.reduce((next, job) => revokeJob(next, job.jobId), root);
}

export interface Built {
  readonly segment: BuiltSegment;
  readonly region: Region;
  readonly key: string;
}

/** Builds a segment and puts its object. Null when no row was visible. The region is the caller's. */
export async function buildAndPut(
  deps: UpkeepDependencies,
  task: Omit<BuildTask, 'collectionId' | 'seed' | 'dimensions' | 'metric' | 'clusterFrom'>,
): Promise<Built | null> {
  const { pool, state, layout, rng } = deps;
  const { dimensions, metric } = state;
  const built = await pool.build({
    ...task,
    collectionId: layout.id,
    seed: rng.uint32(),
    dimensions,
    metric,
    clusterFrom: deps.clusterFromRows ?? CLUSTER_FROM_ROWS,
  });
  if (built === null) return null;
  const key = RELATIVE.segment(task.jobId, 0);
  try {
    await put(deps, key, pool.arena.bytes(built.segment.pointer, built.segment.bytes));
  } catch (error) {
    built.region.release();
    throw error;
  }
  return { ...built, key };
}

/** Writes an object of a job; `key` is relative to the collection. */
export async function put(deps: UpkeepDependencies, key: string, body: Uint8Array): Promise<void> {
  const nonce = newNonce(deps.rng);
  const outcome = await withRetry({ ...deps, policy: STORAGE_RETRY }, () =>
    deps.store.putIfAbsent(deps.layout.absolute(key), body, nonce),
  );
  if (outcome.kind === 'exists') throw new Error(`object ${key} of a new job exists already`);
}

/** Writes the deleted rows of a segment and says where they are. */
export async function putDeletes(
  deps: UpkeepDependencies,
  jobId: string,
  index: number,
  segment: {
    readonly key: string;
    readonly rows: number;
    readonly setsumOf: (rows: Iterable<number>) => Setsum;
  },
  deleted: readonly number[],
): Promise<DeletesRef> {
  const key = RELATIVE.deletes(jobId, index);
  const rows = Uint32Array.from(deleted).sort();
  await put(deps, key, encodeDeletionVector({ segmentKey: segment.key, segmentRows: segment.rows, rows }));
  return { key, rows: rows.length, setsum: segment.setsumOf(rows).toString() };
}

/** The entry of a new segment in the root. */
export function segmentRef(
  built: Built,
  jobId: string,
  level: number,
  deletes?: SegmentRef['deletes'],
): SegmentRef {
  const { rows, bytes, minSequence, maxSequence, setsum, summary } = built.segment;
  return {
    key: built.key,
    jobId,
    level,
    rows,
    liveRows: rows - (deletes?.rows ?? 0),
    bytes,
    minSequence,
    maxSequence,
    setsum,
    summary: summary as JsonObject,
    ...(deletes === undefined ? {} : { deletes }),
  };
}
