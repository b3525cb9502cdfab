/*
 * The engine pool without threads: tasks run at once on the calling thread, with the same engine code over
 * the same arena. For simulations and tests, where one seed has to give one history.
 */
import { buildSegment } from '../../core/engine/build.js';
import { Engine } from '../../core/engine/engine.js';
import type { StageOutcome, StageTask } from '../../core/engine/stages.js';
import type {
  BuildTask,
  MatchOutcome,
  MatchTask,
  SearchOutcome,
  SearchTask,
} from '../../core/engine/tasks.js';
import type { Arena, Region } from '../../core/memory/arena.js';
import { instantiateKernels } from '../../core/vector/kernels.js';
import type { EnginePool, Timed } from '../../ports/engine-pool.js';

const SCRATCH_BYTES = 16 * 1024 * 1024;

export class InlineEnginePool implements EnginePool {
  readonly engines = 1;
  readonly queued = 0;
  readonly #engine: Engine;
  readonly #environment: Parameters<typeof buildSegment>[0];
  readonly #regions = new Map<number, Region>();

  constructor(
    readonly arena: Arena,
    module: WebAssembly.Module,
    readonly kernels: 'relaxed' | 'plain',
  ) {
    const kernelFunctions = instantiateKernels(module, arena.memory);
    const scratch = arena.allocate(SCRATCH_BYTES, 'the scratch memory of an engine');
    this.#engine = new Engine(kernelFunctions, scratch);
    const memory = {
      allocate: (bytes: number, purpose: string): Promise<number> => {
        const region = arena.allocate(bytes, purpose);
        this.#regions.set(region.pointer, region);
        return Promise.resolve(region.pointer);
      },
      shrink: (pointer: number, bytes: number): void => this.#regions.get(pointer)?.shrink(bytes),
      free: (pointer: number): void => this.#claim(pointer)?.release(),
    };
    this.#environment = { kernels: kernelFunctions, memory };
  }

  async search(task: SearchTask, signal?: AbortSignal): Promise<Timed<SearchOutcome>> {
    signal?.throwIfAborted();
    return { outcome: this.#engine.search(task), queueMs: 0, engineMs: 0 };
  }

  async match(task: MatchTask, signal?: AbortSignal): Promise<Timed<MatchOutcome>> {
    signal?.throwIfAborted();
    return { outcome: this.#engine.match(task), queueMs: 0, engineMs: 0 };
  }

  async stage(task: StageTask, signal?: AbortSignal): Promise<Timed<StageOutcome>> {
    signal?.throwIfAborted();
    return { outcome: this.#engine.stage(task), queueMs: 0, engineMs: 0 };
  }

  async build(task: BuildTask): ReturnType<EnginePool['build']> {
    const segment = await buildSegment(this.#environment, task);
    if (segment === null) return null;
    const region = this.#claim(segment.pointer);
    if (region === undefined) throw new Error('a build lost its region');
    return { segment, region };
  }

  forget(tags: readonly number[]): void {
    this.#engine.forget(tags);
  }

  async close(): Promise<void> {
    // Nothing runs between calls.
  }

  #claim(pointer: number): Region | undefined {
    const region = this.#regions.get(pointer);
    this.#regions.delete(pointer);
    return region;
  }
}
