// What the engine pool tells about itself, with real threads.
import { expect } from 'chai';
import { loadKernels } from '#server/adapters/wasm/kernel-binary.js';
import { WorkerPool } from '#server/adapters/worker-pool/worker-pool.js';
import type { SearchTask } from '#server/core/engine/tasks.js';
import { OmenError } from '#server/core/errors.js';
import { Arena } from '#server/core/memory/arena.js';
import { SystemClock } from '#server/adapters/system/clock.js';
import { silentLogger } from '../../../support/log-node.js';
import { RecordedMetrics } from '../../../support/recorded-metrics.js';

const MIB = 1024 * 1024;
const TASK: SearchTask = {
  ...{ query: Float32Array.of(1, 2), topK: 10, exact: false, recallTarget: 0.95 },
  ...{ dimensions: 2, metric: 'l2', parts: [] },
};
/** A segment where there is none: the engine finds garbage and says so. */
const BROKEN: SearchTask = {
  ...TASK,
  parts: [{ kind: 'segment', tag: 1, pointer: 65_536, bytes: 64, deleted: 0, deletedRows: 0 }],
};

describe('The metrics of the engine pool', () => {
  const { module, variant } = loadKernels();
  let metrics: RecordedMetrics;
  let pool: WorkerPool;
  beforeEach(async () => {
    metrics = new RecordedMetrics();
    pool = await WorkerPool.start({
      ...{ arena: new Arena(128 * MIB), module, kernels: variant, engines: 2, queueMax: 3 },
      ...{ clock: new SystemClock(), logger: silentLogger, metrics },
    });
  });
  afterEach(() => pool.close());

  async function gauges(): Promise<Record<string, number | undefined>> {
    await metrics.scrape();
    return {
      size: metrics.value('omendb_engine_pool_size', {}),
      available: metrics.value('omendb_engine_pool_available', {}),
      waiting: metrics.value('omendb_engine_pool_queue_depth', {}),
    };
  }
  const waits = (outcome: 'acquired' | 'cancelled' | 'rejected') =>
    metrics.observed('omendb_engine_pool_wait_seconds', { outcome });

  it('tell how many engines there are, are idle, and are waited for', async () => {
    expect(await gauges()).to.deep.equal({ size: 2, available: 2, waiting: 0 });
    const tasks = Array.from({ length: 5 }, () => pool.search(TASK));
    await metrics.scrape();
    expect(await gauges()).to.deep.equal({ size: 2, available: 0, waiting: 3 });
    await Promise.all(tasks);
    expect(await gauges()).to.deep.equal({ size: 2, available: 2, waiting: 0 });
    expect(metrics.value('omendb_engine_memory_size_bytes', {})).to.equal(128 * MIB);
    expect(metrics.value('omendb_engine_memory_used_bytes', {})).to.equal(pool.arena.used);
  });

  it('count every task once, as one that got an engine, was given up, or was refused', async () => {
    const abort = new AbortController();
    const kept = Array.from({ length: 5 }, () => pool.search(TASK));
    // Two are with an engine, two wait at one, one waits here.
    const givenUp = pool.search(TASK, abort.signal).catch((error: unknown) => error);
    const more = pool.search(TASK);
    const refused = await pool.search(TASK).catch((error: OmenError) => error.reason);
    abort.abort(new OmenError('CANCELLED', 'the client gave up'));
    await Promise.all([...kept, more]);
    expect(refused).to.equal('OVERLOADED');
    expect(await givenUp).to.be.instanceOf(OmenError);
    expect(waits('acquired').length).to.equal(6);
    expect(waits('cancelled').length).to.equal(1);
    expect(waits('rejected').length).to.equal(1);
    expect(metrics.value('omendb_engine_pool_exhausted_total', {})).to.equal(6);
    expect(metrics.observed('omendb_engine_task_seconds', { task: 'search' }).length).to.equal(6);
  });

  it('count the wait of a second task of a thread until the first one is done', async () => {
    const { queueMs: first } = await pool.search(TASK);
    const tasks = await Promise.all(Array.from({ length: 4 }, () => pool.search(TASK)));
    expect(first).to.be.lessThan(1);
    const [, , third, fourth] = tasks.map(({ queueMs }) => queueMs);
    expect(third).to.be.greaterThan(0);
    expect(fourth).to.be.greaterThan(0);
  });

  it('count no work for a task that fails, and take its engine for idle again', async () => {
    const error = await pool.search(BROKEN).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(OmenError);
    expect(waits('acquired').length).to.equal(1);
    expect(metrics.observed('omendb_engine_task_seconds', { task: 'search' })).to.deep.equal([]);
    expect((await gauges())['available']).to.equal(2);
  });

  it('count an engine that died, and do not call it available before it is started anew', async () => {
    // A mistake of the server: no message of this kind is ever sent.
    pool.forget(null as unknown as number[]);
    const lost = await Promise.all(
      [pool.search(TASK), pool.search(TASK)].map((task) => task.catch((error: OmenError) => error.reason)),
    );
    expect(lost).to.deep.equal(['INTERNAL', 'INTERNAL']);
    await metrics.scrape();
    expect((await gauges())['available']).to.equal(0);
    await Promise.all([pool.search(TASK), pool.search(TASK)]);
    expect((await gauges())['available']).to.equal(2);
    expect(metrics.value('omendb_engine_restarts_total', { reason: 'crash' })).to.be.within(2, 4);
    expect(metrics.value('omendb_engine_restarts_total', { reason: 'oom' })).to.equal(undefined);
    expect(waits('rejected')).to.deep.equal([]);
  });

  it('count no more than one start a second of engines that cannot be started', async () => {
    const recorded = new RecordedMetrics();
    const broken = WorkerPool.start({
      ...{
        arena: new Arena(64 * 1024 * 1024),
        module: {} as typeof module,
        kernels: 'plain',
        engines: 2,
      },
      ...{ queueMax: 1, clock: new SystemClock(), logger: silentLogger, metrics: recorded },
    });
    expect(await broken.catch((error: Error) => error)).to.be.instanceOf(Error);
    expect(recorded.value('omendb_engine_restarts_total', { reason: 'crash' }) ?? 0).to.be.at.most(5);
  });

  it('call engines available that were idle since the last look, even if all work right now', async () => {
    await Promise.all([pool.search(TASK), pool.search(TASK)]);
    const one = pool.search(TASK);
    await metrics.scrape();
    const other = pool.search(TASK);
    expect((await gauges())['available']).to.equal(1);
    expect((await gauges())['available']).to.equal(0);
    await Promise.all([one, other]);
  });

  it('tell the share of time that each engine worked', async () => {
    await metrics.scrape();
    await Promise.all(Array.from({ length: 5 }, () => pool.search(TASK)));
    await metrics.scrape();
    for (const engine of ['0', '1']) {
      expect(metrics.value('omendb_engine_utilization_ratio', { engine })).to.be.within(0, 1);
    }
  });
});
