// When a search can be given up.
import { expect } from 'chai';
import { NO_METRICS } from '#server/adapters/memory/no-metrics.js';
import { loadKernels } from '#server/adapters/wasm/kernel-binary.js';
import { WorkerPool } from '#server/adapters/worker-pool/worker-pool.js';
import type { SearchTask } from '#server/core/engine/tasks.js';
import { OmenError } from '#server/core/errors.js';
import { Arena } from '#server/core/memory/arena.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { silentLogger } from '../../../support/log-node.js';

const TASK: SearchTask = {
  ...{ query: Float32Array.of(1, 2), topK: 10, exact: false, recallTarget: 0.95 },
  ...{ dimensions: 2, metric: 'l2', parts: [] },
};

describe('A search on an engine thread', () => {
  const { module, variant } = loadKernels();
  let pool: WorkerPool;
  let clock: FakeClock;
  beforeEach(async () => {
    clock = new FakeClock();
    pool = await WorkerPool.start({
      ...{ arena: new Arena(64 * 1024 * 1024), module, kernels: variant, engines: 1, queueMax: 10 },
      ...{ clock, logger: silentLogger, metrics: NO_METRICS },
    });
  });
  afterEach(() => pool.close());

  it('is given up at once while it waits', async () => {
    const abort = new AbortController();
    const working = [pool.search(TASK), pool.search(TASK)];
    let ended = 0;
    for (const search of working) void search.then(() => ended++);
    const waiting = pool.search(TASK, abort.signal).catch((error: OmenError) => [error.reason, ended]);
    abort.abort(new OmenError('CANCELLED', 'the client gave up'));
    expect(await waiting).to.deep.equal(['CANCELLED', 0]);
    await Promise.all(working);
  });

  it('that hangs on every engine for five minutes leaves none alive, and one that ends is life', async () => {
    expect(pool.alive).to.equal(true);
    clock.advance(60 * 60_000);
    expect(pool.alive, 'after an hour of rest').to.equal(true);
    const search = pool.search(TASK);
    clock.advance(4 * 60_000);
    expect(pool.alive).to.equal(true);
    clock.advance(60_000);
    expect(pool.alive).to.equal(false);
    await search;
    expect(pool.alive).to.equal(true);
  });

  it('goes on when an engine has it, so that its caller keeps the memory that is read', async () => {
    const abort = new AbortController();
    const searches = [pool.search(TASK, abort.signal), pool.search(TASK, abort.signal)];
    abort.abort(new OmenError('CANCELLED', 'the client gave up'));
    const outcomes = await Promise.all(searches);
    expect(outcomes.map(({ outcome }) => outcome.rows.length)).to.deep.equal([0, 0]);
  });
});
