import type { StageOutcome, StageTask } from '../../core/engine/stages.js';
import type { MatchOutcome, MatchTask, SearchOutcome, SearchTask } from '../../core/engine/tasks.js';
import { OmenError } from '../../core/errors.js';
import type { Arena } from '../../core/memory/arena.js';
import type { Clock } from '../../ports/clock.js';
import type { EnginePool, Timed } from '../../ports/engine-pool.js';
import type { Span, SpanValues } from '../../ports/tracer.js';

/**
 * The engines for one request that is traced: its tasks are parts of its span. No context crosses to their
 * threads: the parts are made here, from the times that come with an outcome.
 */
export class TracedPool implements EnginePool {
  readonly arena: Arena;
  readonly engines: number;
  readonly kernels: EnginePool['kernels'];

  constructor(
    private readonly pool: EnginePool,
    private readonly span: Span,
    private readonly clock: Clock,
  ) {
    this.arena = pool.arena;
    this.engines = pool.engines;
    this.kernels = pool.kernels;
  }

  get queued(): number {
    return this.pool.queued;
  }

  search(task: SearchTask, signal?: AbortSignal): Promise<Timed<SearchOutcome>> {
    this.span.set('omendb.k', task.topK);
    return this.#record({
      name: 'engine.search',
      call: () => this.pool.search(task, signal),
      valuesOf: ({ candidates, exact, rows }) => ({
        'omendb.parts': task.parts.length,
        'omendb.candidates': candidates,
        'omendb.results': rows.length,
        'omendb.exact': exact,
      }),
    });
  }

  match(task: MatchTask, signal?: AbortSignal): Promise<Timed<MatchOutcome>> {
    return this.#record({
      name: 'engine.match',
      call: () => this.pool.match(task, signal),
      valuesOf: () => ({ 'omendb.parts': task.parts.length }),
    });
  }

  stage(task: StageTask, signal?: AbortSignal): Promise<Timed<StageOutcome>> {
    return this.#record({
      name: `engine.${task.stage}`,
      call: () => this.pool.stage(task, signal),
      valuesOf: () => ({ 'omendb.parts': task.stage === 'compare' ? task.lists.length : task.parts.length }),
    });
  }

  build(task: Parameters<EnginePool['build']>[0]): ReturnType<EnginePool['build']> {
    return this.pool.build(task);
  }

  forget(tags: readonly number[]): void {
    this.pool.forget(tags);
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  async #record<T>({ name, call, valuesOf }: TracedTask<T>): Promise<Timed<T>> {
    const { clock, span } = this;
    const startMs = clock.monotonic();
    try {
      const timed = await call();
      const takenMs = Math.min(startMs + timed.queueMs, clock.monotonic());
      span.child('pool.acquire', startMs, takenMs);
      const endMs = Math.min(takenMs + timed.engineMs, clock.monotonic());
      span.child(name, takenMs, endMs, valuesOf(timed.outcome));
      return timed;
    } catch (error) {
      const reason = error instanceof OmenError ? error.reason : 'INTERNAL';
      // Where it failed is not told: as a rule it found no engine in time.
      span.child('pool.acquire', startMs, clock.monotonic(), { 'error.type': reason });
      throw error;
    }
  }
}

interface TracedTask<T> {
  readonly name: string;
  readonly call: () => Promise<Timed<T>>;
  readonly valuesOf: (outcome: T) => SpanValues;
}
