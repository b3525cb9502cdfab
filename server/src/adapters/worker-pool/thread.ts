/*
 * An engine thread: takes tasks, runs them against the arena, sends outcomes. It holds no state that matters;
 * a new one can replace it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { buildSegment } from '../../core/engine/build.js';
import { Engine } from '../../core/engine/engine.js';
import { OmenError } from '../../core/errors.js';
import { instantiateKernels } from '../../core/vector/kernels.js';
import type { FromThread, ThreadData, ToThread } from './messages.js';

const data = workerData as ThreadData;
const kernels = instantiateKernels(data.module, data.memory);
const engine = new Engine(kernels, data.scratch);
const allocations = new Map<number, { resolve(pointer: number): void; reject(error: Error): void }>();
let nextAllocation = 1;

function send(message: FromThread): void {
  parentPort?.postMessage(message);
}

function failed(id: number, error: unknown): void {
  const known = error instanceof OmenError;
  send({
    kind: 'failed',
    id,
    reason: known ? error.reason : 'INTERNAL',
    message: known ? error.message : String(error instanceof Error ? (error.stack ?? error.message) : error),
  });
}

const memory = {
  allocate(bytes: number, purpose: string): Promise<number> {
    const id = nextAllocation++;
    send({ kind: 'allocate', id, bytes, purpose });
    return new Promise((resolve, reject) => allocations.set(id, { resolve, reject }));
  },
  shrink(pointer: number, bytes: number): void {
    send({ kind: 'shrink', pointer, bytes });
  },
  free(pointer: number): void {
    send({ kind: 'free', pointer });
  },
};

function run(message: ToThread): void {
  switch (message.kind) {
    case 'search': {
      const started = performance.now();
      const outcome = engine.search(message.task);
      send({ kind: 'searched', id: message.id, outcome, engineMs: performance.now() - started });
      return;
    }
    case 'match': {
      const started = performance.now();
      const outcome = engine.match(message.task);
      send({ kind: 'matched', id: message.id, outcome, engineMs: performance.now() - started });
      return;
    }
    case 'stage': {
      const started = performance.now();
      const outcome = engine.stage(message.task);
      send({ kind: 'staged', id: message.id, outcome, engineMs: performance.now() - started });
      return;
    }
    case 'build':
      buildSegment({ kernels, memory }, message.task).then(
        (segment) => send({ kind: 'built', id: message.id, segment }),
        (error: unknown) => failed(message.id, error),
      );
      return;
    case 'forget':
      engine.forget(message.tags);
      return;
    case 'allocated': {
      const waiter = allocations.get(message.id);
      allocations.delete(message.id);
      if (message.pointer === 0) waiter?.reject(new OmenError('MEMORY_EXHAUSTED', message.message));
      else waiter?.resolve(message.pointer);
      return;
    }
    case 'stop':
      parentPort?.close();
  }
}

parentPort?.on('message', (message: ToThread) => {
  try {
    run(message);
  } catch (error) {
    if ('id' in message) failed(message.id, error);
    else throw error;
  }
});
send({ kind: 'ready' });
