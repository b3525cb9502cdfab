/*
 * The engine pool on worker threads. All threads share the arena, so a task carries addresses and a query,
 * never rows.
 *
 * A thread runs one task at a time and has at most `DEPTH` assigned, so that it finds its next task waiting
 * instead of asking for it; everything beyond waits here in order, where it can still be cancelled.
 */
import type { StageOutcome, StageTask } from '../../core/engine/stages.js';
import type {
  BuildLane,
  BuildTask,
  BuiltSegment,
  MatchOutcome,
  MatchTask,
  SearchOutcome,
  SearchTask,
} from '../../core/engine/tasks.js';
import { BUILD_LANES } from '../../core/engine/tasks.js';
import { OmenError } from '../../core/errors.js';
import type { Arena, Region } from '../../core/memory/arena.js';
import type { Clock } from '../../ports/clock.js';
import type { EnginePool, Timed } from '../../ports/engine-pool.js';
import type { Logger } from '../../ports/logger.js';
import type { Metrics } from '../../ports/metrics.js';
import { EngineThread } from './engine-thread.js';
import type { FromThread, ToThread } from './messages.js';
import type { PoolSeries } from './pool-metrics.js';
import { poolSeries, watchPool } from './pool-metrics.js';

const DEPTH = 2;
/** No search comes near this: an engine that takes longer hangs. */
const HANGS_MS = 5 * 60_000;
/** Query vectors, heaps, candidate lists and filter bitmaps of one engine. */
const SEARCH_SCRATCH_BYTES = 16 * 1024 * 1024;
const BUILD_SCRATCH_BYTES = 4 * 1024 * 1024;

export interface WorkerPoolOptions {
  readonly arena: Arena;
  readonly module: WebAssembly.Module;
  readonly kernels: 'relaxed' | 'plain';
  readonly engines: number;
  /** Waiting tasks beyond which new ones are refused. Looked at anew for each task. */
  readonly queueMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

interface Waiting {
  readonly message: Extract<ToThread, { kind: 'search' | 'match' | 'stage' }>;
  readonly enqueuedMs: number;
  /** Until an engine takes it up, or it is given up. */
  waits: boolean;
  resolve(timed: Timed<AnyOutcome>): void;
  reject(error: unknown): void;
}

type AnyOutcome = SearchOutcome | MatchOutcome | StageOutcome;
type BuildOutcome = { readonly segment: BuiltSegment; readonly region: Region } | null;

export class WorkerPool implements EnginePool {
  readonly arena: Arena;
  readonly engines: number;
  readonly kernels: 'relaxed' | 'plain';
  readonly #threads: EngineThread[];
  readonly #builders: ReadonlyMap<BuildLane, EngineThread>;
  /** Per lane, settles when the last build handed in has ended. */
  readonly #lanes = new Map<BuildLane, Promise<unknown>>();
  readonly #queue: Waiting[] = [];
  readonly #series: PoolSeries;
  readonly #idle: () => void;
  #nextId = 1;
  #closed = false;
  /** When an engine was last seen idle, or did something. */
  #lifeMs: number;

  /** Resolves when every thread takes tasks; rejects, with none left, when one cannot be started. */
  static async start(options: WorkerPoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    try {
      await Promise.all([...pool.#threads, ...pool.#builders.values()].map((thread) => thread.ready));
      return pool;
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  private constructor(private readonly options: WorkerPoolOptions) {
    this.arena = options.arena;
    this.engines = options.engines;
    this.kernels = options.kernels;
    this.#series = poolSeries(options.metrics);
    this.#lifeMs = options.clock.monotonic();
    this.#threads = Array.from({ length: options.engines }, (_, index) =>
      this.#thread(`engine-${index}`, SEARCH_SCRATCH_BYTES),
    );
    this.#builders = new Map(
      BUILD_LANES.map((lane) => [lane, this.#thread(`build-${lane}`, BUILD_SCRATCH_BYTES)]),
    );
    this.#idle = watchPool(options.metrics, {
      arena: this.arena,
      threads: this.#threads,
      waiting: () => this.queued,
    });
  }

  /**
   * False when for five minutes no engine was idle or did anything: all hang, or none can be started anew. To
   * be asked more often than that.
   */
  get alive(): boolean {
    if (this.#threads.some((thread) => thread.isIdle)) this.#lives();
    return this.options.clock.monotonic() - this.#lifeMs < HANGS_MS;
  }

  get queued(): number {
    let queued = this.#queue.length;
    for (const { inFlight } of this.#threads) queued += Math.max(0, inFlight - 1);
    return queued;
  }

  async search(task: SearchTask, signal?: AbortSignal): Promise<Timed<SearchOutcome>> {
    return (await this.#enqueue(
      { kind: 'search', id: this.#nextId++, task },
      signal,
    )) as Timed<SearchOutcome>;
  }

  async match(task: MatchTask, signal?: AbortSignal): Promise<Timed<MatchOutcome>> {
    return (await this.#enqueue({ kind: 'match', id: this.#nextId++, task }, signal)) as Timed<MatchOutcome>;
  }

  async stage(task: StageTask, signal?: AbortSignal): Promise<Timed<StageOutcome>> {
    return (await this.#enqueue({ kind: 'stage', id: this.#nextId++, task }, signal)) as Timed<StageOutcome>;
  }

  build(task: BuildTask): Promise<BuildOutcome> {
    const before = this.#lanes.get(task.lane) ?? Promise.resolve();
    const run = before.then(() => this.#build(task));
    this.#lanes.set(
      task.lane,
      run.catch(() => undefined),
    );
    return run;
  }

  forget(tags: readonly number[]): void {
    for (const thread of [...this.#threads, ...this.#builders.values()]) thread.forget(tags);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#queue.splice(0)) {
      this.#endWait(waiting, 'rejected');
      waiting.reject(new OmenError('DRAINING', 'the server is stopping'));
    }
    await Promise.all([...this.#threads, ...this.#builders.values()].map((thread) => thread.stop()));
  }

  #thread(name: string, scratchBytes: number): EngineThread {
    const { arena, module, logger } = this.options;
    const { pointer, bytes } = arena.allocate(scratchBytes, 'the scratch memory of an engine');
    return new EngineThread(
      name,
      arena,
      { memory: arena.memory, module, scratch: { pointer, bytes } },
      logger,
      { onIdle: () => this.#next(), onRestart: (reason) => this.#series.restarts[reason].inc() },
    );
  }

  #enqueue(message: Waiting['message'], signal?: AbortSignal): Promise<Timed<AnyOutcome>> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (this.#closed) return Promise.reject(new OmenError('DRAINING', 'the server is stopping'));
    if (!this.#threads.some((thread) => thread.isIdle)) this.#series.exhausted.inc();
    if (this.#queue.length >= this.options.queueMax) {
      this.#series.wait.rejected.observe(0);
      return Promise.reject(
        new OmenError(
          'OVERLOADED',
          `${this.#queue.length} requests wait for ${this.engines} engines already`,
          {
            retryAfterMs: 100,
          },
        ),
      );
    }
    return new Promise((resolve, reject) => {
      const enqueuedMs = this.options.clock.monotonic();
      const waiting: Waiting = { message, enqueuedMs, waits: true, resolve, reject };
      if (signal !== undefined) this.#cancelWith(waiting, signal);
      this.#queue.push(waiting);
      this.#dispatch();
    });
  }

  #cancelWith(waiting: Waiting, signal: AbortSignal): void {
    const cancel = (): void => {
      const index = this.#queue.indexOf(waiting);
      // An engine has it, and reads what its caller holds until it is done.
      if (index < 0) return;
      this.#queue.splice(index, 1);
      this.#endWait(waiting, 'cancelled');
      waiting.reject(signal.reason);
    };
    signal.addEventListener('abort', cancel, { once: true });
    const { resolve, reject } = waiting;
    waiting.resolve = (timed) => {
      signal.removeEventListener('abort', cancel);
      resolve(timed);
    };
    waiting.reject = (error) => {
      signal.removeEventListener('abort', cancel);
      reject(error);
    };
  }

  #next(): void {
    this.#dispatch();
    this.#idle();
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      let best = this.#threads[0];
      for (const thread of this.#threads)
        if (best === undefined || thread.inFlight < best.inFlight) best = thread;
      if (best === undefined || best.inFlight >= DEPTH) return;
      const waiting = this.#queue.shift();
      if (waiting !== undefined) this.#hand(waiting, best);
    }
  }

  #hand(waiting: Waiting, thread: EngineThread): void {
    const { kind } = waiting.message;
    const task = this.#series.task[kind === 'stage' ? 'search' : kind];
    let queueMs = 0;
    if (thread.isIdle) this.#lives();
    thread.run(waiting.message, {
      begin: () => {
        queueMs = this.#endWait(waiting, 'acquired');
      },
      settle: (message) => {
        this.#lives();
        if (message.kind !== 'searched' && message.kind !== 'matched' && message.kind !== 'staged') return;
        task.observe(message.engineMs / 1000);
        waiting.resolve({ outcome: message.outcome, queueMs, engineMs: message.engineMs });
      },
      fail: (error) => {
        this.#endWait(waiting, 'rejected');
        waiting.reject(error);
      },
    });
  }

  #lives(): void {
    this.#lifeMs = this.options.clock.monotonic();
  }

  /** Counts a wait, once; a task that was begun or given up waits no more. Returns how long it has lasted. */
  #endWait(waiting: Waiting, outcome: keyof PoolSeries['wait']): number {
    const waitedMs = this.options.clock.monotonic() - waiting.enqueuedMs;
    if (waiting.waits) this.#series.wait[outcome].observe(waitedMs / 1000);
    waiting.waits = false;
    return waitedMs;
  }

  #build(task: BuildTask): Promise<BuildOutcome> {
    const thread = this.#builders.get(task.lane);
    if (thread === undefined || this.#closed)
      return Promise.reject(new OmenError('DRAINING', 'the server is stopping'));
    const { clock } = this.options;
    let begunMs = 0;
    return new Promise((resolve, reject) => {
      thread.run(
        { kind: 'build', id: this.#nextId++, task },
        {
          begin: () => {
            begunMs = clock.monotonic();
          },
          settle: (message: FromThread) => {
            this.#series.task.build.observe((clock.monotonic() - begunMs) / 1000);
            if (message.kind !== 'built' || message.segment === null) return resolve(null);
            const region = thread.claim(message.segment.pointer);
            if (region === undefined) reject(new OmenError('INTERNAL', 'a build lost its region'));
            else resolve({ segment: message.segment, region });
          },
          fail: reject,
        },
      );
    });
  }
}
