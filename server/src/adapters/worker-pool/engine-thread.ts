/*
 * The main thread's end of one engine thread: starts it, sends messages, settles the promises of its tasks,
 * starts it anew when it dies.
 */
import { Worker } from 'node:worker_threads';
import { OmenError } from '../../core/errors.js';
import type { Arena, Region } from '../../core/memory/arena.js';
import type { Logger } from '../../ports/logger.js';
import type { FromThread, ThreadData, ToThread } from './messages.js';

export interface Pending {
  settle(message: FromThread): void;
  fail(error: OmenError): void;
}

export class EngineThread {
  readonly #pending = new Map<number, Pending>();
  /** What a build on this thread has allocated and not yet handed over. */
  readonly #regions = new Map<number, Region>();
  #worker: Worker;
  #ready: Promise<void>;
  #stopping = false;
  #restarts = 0;

  constructor(
    private readonly name: string,
    private readonly arena: Arena,
    private readonly data: ThreadData,
    private readonly logger: Logger,
    private readonly onIdle: () => void,
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

  run(message: Extract<ToThread, { id: number }>, pending: Pending): void {
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
    const worker = new Worker(new URL('./thread.js', import.meta.url), {
      workerData: this.data,
      name: this.name,
    });
    const ready = new Promise<void>((resolve, reject) => {
      worker.on('message', (message: FromThread) => {
        if (message.kind === 'ready') resolve();
        else this.#receive(message);
      });
      worker.on('error', (error) => {
        reject(error);
        if (worker === this.#worker) this.#died(error);
      });
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
        if (message.kind === 'failed') pending?.fail(new OmenError(message.reason, message.message));
        else pending?.settle(message);
        this.onIdle();
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
    if (this.#stopping) return;
    this.#restarts++;
    this.logger.error('an engine thread died and is started anew', {
      thread: this.name,
      restarts: this.#restarts,
      error: error.stack ?? error.message,
    });
    [this.#worker, this.#ready] = this.#start();
    this.onIdle();
  }

  #abandon(error: OmenError): void {
    for (const pending of this.#pending.values()) pending.fail(error);
    this.#pending.clear();
    for (const region of this.#regions.values()) region.release();
    this.#regions.clear();
  }
}
