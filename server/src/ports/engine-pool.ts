import type { Arena, Region } from '../core/memory/arena.js';
import type { StageOutcome, StageTask } from '../core/engine/stages.js';
import type {
  BuildTask,
  BuiltSegment,
  MatchOutcome,
  MatchTask,
  SearchOutcome,
  SearchTask,
} from '../core/engine/tasks.js';

/**
 * The engines: threads (or, in tests, the calling thread) that scan the arena. The main thread hands over
 * tasks and never computes a distance itself.
 *
 * Contract:
 * - every region that a task names stays allocated until its promise settles: the caller holds the regions,
 *   the pool only reads them;
 * - a promise rejects with `OmenError` `OVERLOADED` when the queue is full, with the signal's reason when it
 *   was aborted before an engine took it up, and with `INTERNAL` when the engine that ran it died; a dead
 *   engine is replaced;
 * - an engine may keep decoded parts of what a tag names, until `forget` names the tag; a tag is never used
 *   for something else.
 */
export interface EnginePool {
  readonly arena: Arena;
  /** Threads that search. */
  readonly engines: number;
  /** Which kernels run. */
  readonly kernels: 'relaxed' | 'plain';
  search(task: SearchTask, signal?: AbortSignal): Promise<Timed<SearchOutcome>>;
  match(task: MatchTask, signal?: AbortSignal): Promise<Timed<MatchOutcome>>;
  /** One stage of a search in segments that are not in memory. */
  stage(task: StageTask, signal?: AbortSignal): Promise<Timed<StageOutcome>>;
  /**
   * Runs beside the searches, at most one build per lane; others wait their turn. The caller owns the region;
   * null: no visible row.
   */
  build(task: BuildTask): Promise<{ readonly segment: BuiltSegment; readonly region: Region } | null>;
  forget(tags: readonly number[]): void;
  /** Tasks that wait for an engine. */
  readonly queued: number;
  close(): Promise<void>;
}

/** An outcome with the time it took, milliseconds. */
export interface Timed<T> {
  readonly outcome: T;
  readonly queueMs: number;
  readonly engineMs: number;
}
