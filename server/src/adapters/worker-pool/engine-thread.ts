/*
 * The main thread's end of one engine thread: starts it, sends messages, settles the promises of its tasks,
 * starts it anew when it dies.
 */
import type { EventLoopUtilization } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { OmenError } from '../../core/errors.js';
import type { Arena, Region } from '../../core/memory/arena.js';
import type { Logger } from '../../ports/logger.js';
import type { FromThread, ThreadData, ToThread } from './messages.js';

/** Between two starts of a thread that dies before it takes tasks. */
const RESTART_PAUSE_MS = 1000;

/** A task on a thread. */
export interface Pending {
  /** The thread takes it up now. */
  begin(): void;
  settle(message: FromThread): void;
  fail(error: OmenError): void;
}

/** What a thread tells its pool. */
export interface ThreadEvents {
  /** It may take a further task. */
  onIdle(): void;
  /** It died and is started anew. */
  onRestart(reason: 'crash' | 'oom'): void;
}

export class EngineThread {
  readonly #pending = new Map<number, Pending>();
  /** What a build on this thread has allocated and not yet handed over. */
  readonly #regions = new Map<number, Region>();
  #worker: Worker;
  #ready: Promise<void>;
  #isReady = false;
  #stopping = false;
  #restarts = 0;
  /** How busy the thread has been, at the last look. */
  #loop: EventLoopUtilization | undefined;

  constructor(
    private readonly name: string,
    private readonly arena: Arena,
    private readonly data: ThreadData,
    private readonly logger: Logger,
    private readonly events: ThreadEvents,
  ) {
    [this.#worker, this.#ready] = this.#start();
  }

  /** Resolves when the thread takes tasks; rejects when it could not start. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  /** Started, and without a task: not one that died and is being started anew. */
  get isIdle(): boolean {
    return this.#isReady && this.#pending.size === 0;
  }

  /** Share of the time since the last call that the thread worked. */
  utilization(): number {
    const now = this.#worker.performance.eventLoopUtilization();
    const since = this.#loop ?? { active: 0, idle: 0 };
    const active = now.active - since.active;
    const idle = now.idle - since.idle;
    this.#loop = now;
    return active + idle > 0 ? active / (active + idle) : 0;
  }

  run(message: Extract<ToThread, { id: number }>, pending: Pending): void {
    if (this.#pending.size === 0) pending.begin();
    this.#pending.set(message.id, pending);
    this.#worker.postMessage(message);
  }

  forget(tags: readonly number[]): void {
    this.#worker.postMessage({ kind: 'forget', tags } satisfies ToThread);
  }

  /** Takes over a region that a build on this thread allocated. */
  claim(pointer: number): Region | undefined {
    const region = this.#regions.get(pointer);
    this.#regions.delete(pointer);
    return region;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#worker.terminate();
    this.#abandon(new OmenError('DRAINING', 'the server is stopping'));
  }

  #start(): [Worker, Promise<void>] {
    this.#isReady = false;
    this.#loop = undefined;
    const worker = new Worker(new URL('./thread.js', import.meta.url), {
      workerData: this.data,
      name: this.name,
    });
    const ready = new Promise<void>((resolve, reject) => {
      worker.on('message', (message: FromThread) => {
        if (worker !== this.#worker) return;
        if (message.kind === 'ready') {
          this.#isReady = true;
          resolve();
          this.events.onIdle();
        } else this.#receive(message);
      });
      let over = false;
      const died = (error: Error): void => {
        reject(error);
        if (!over && !this.#stopping) this.#died(error);
        over = true;
      };
      worker.on('error', died);
      // Follows an error, and comes alone when something ended the thread.
      worker.on('exit', (code) => died(new Error(`the thread ended with code ${code}`)));
    });
    ready.catch(() => undefined);
    return [worker, ready];
  }

  #receive(message: FromThread): void {
    switch (message.kind) {
      case 'allocate':
        this.#allocate(message.id, message.bytes, message.purpose);
        return;
      case 'shrink':
        this.#regions.get(message.pointer)?.shrink(message.bytes);
        return;
      case 'free':
        this.claim(message.pointer)?.release();
        return;
      case 'ready':
        return;
      default: {
        const pending = this.#pending.get(message.id);
        this.#pending.delete(message.id);
        // A thread takes its tasks in order.
        const [next] = this.#pending.values();
        next?.begin();
        if (message.kind === 'failed') pending?.fail(new OmenError(message.reason, message.message));
        else pending?.settle(message);
        this.events.onIdle();
      }
    }
  }

  #allocate(id: number, bytes: number, purpose: string): void {
    let answer: ToThread;
    try {
      const region = this.arena.allocate(bytes, purpose);
      this.#regions.set(region.pointer, region);
      answer = { kind: 'allocated', id, pointer: region.pointer, message: '' };
    } catch (error) {
      answer = {
        kind: 'allocated',
        id,
        pointer: 0,
        message: error instanceof Error ? error.message : String(error),
      };
    }
    this.#worker.postMessage(answer);
  }

  #died(error: Error): void {
    this.#abandon(new OmenError('INTERNAL', `the engine that ran this request stopped: ${error.message}`));
    this.#restarts++;
    this.events.onRestart('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'oom' : 'crash');
    this.logger.error('an engine thread died and is started anew', {
      thread: this.name,
      restarts: this.#restarts,
      error: error.stack ?? error.message,
    });
    const started = this.#isReady;
    this.#isReady = false;
    if (started) this.#startAgain();
    else setTimeout(() => this.#startAgain(), RESTART_PAUSE_MS).unref();
  }

  #startAgain(): void {
    if (this.#stopping) return;
    // What came during a pause has gone to a thread that is no more.
    this.#abandon(new OmenError('INTERNAL', 'the engine of this request could not be started'));
    [this.#worker, this.#ready] = this.#start();
    this.events.onIdle();
  }

  #abandon(error: OmenError): void {
    for (const pending of this.#pending.values()) pending.fail(error);
    this.#pending.clear();
    for (const region of this.#regions.values()) region.release();
    this.#regions.clear();
  }
}
