import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { collectGarbage } from '#server/app/maintenance/collect-garbage.js';
import { OmenError } from '#server/core/errors.js';
import { publishFlush, registerJob } from '#server/core/log/transitions.js';
import { decodeWalSlot as slotOf, encodeWalSlot } from '#server/core/log/wal-slot.js';
import type { PutOutcome } from '#server/ports/object-store.js';
import type { Call } from '../../support/failing-object-store.js';
import { FailingObjectStore } from '../../support/failing-object-store.js';
import { LogNode, puts } from '../../support/log-node.js';
import { columnsOf, contextOf, openTestApp } from '../../support/test-app.js';

const context = contextOf();
const NAME = 'words';
const slotPut = ({ operation, key }: Call): boolean => operation === 'putIfAbsent' && key.includes('/w/');

/** Folds the whole log without a segment. */
async function fold(node: LogNode, jobId: string): Promise<void> {
  await node.loop.catchUp();
  const through = node.loop.position;
  const job = { jobId, kind: 'flush', inputs: [], claimedBy: 'x', claimedAtMs: 0 } as const;
  await node.roots.commit((root) => registerJob(root, job));
  await node.roots.commit((root) =>
    publishFlush(root, {
      jobId,
      through,
      fromSlot: root.walFloor,
      segment: null,
      deletes: [],
      requestWindows: [],
    }),
  );
}

describe('Beside another server', () => {
  it('a request that may be written is not called unwritten when its next slot fails', async () => {
    const bucket = new MemoryObjectStore();
    const other = await LogNode.create(bucket, { seed: 2 });
    const store = new FailingObjectStore(bucket);
    const node = await LogNode.open(store, { seed: 3 });
    // The slot is written; before its writer has looked at the root, it is folded.
    const boundary = store.hold(
      'before',
      ({ operation, key }) => operation === 'get' && key.endsWith('/root'),
    );
    const write = node.loop.append(() => ({ writes: puts({ a: 1 }) }), { repeatable: true });
    await boundary.reached;
    await fold(other, 'job');
    store.failAlways('full', slotPut);
    boundary.release();
    const error: unknown = await write.catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(OmenError);
    expect((error as OmenError).metadata).to.deep.equal({ outcome: 'unknown' });
  });

  it('a slot that was folded, removed and written by a sleeper is not taken for never written', async () => {
    const bucket = new MemoryObjectStore();
    const other = await LogNode.create(bucket, { seed: 2 });
    /** Writes without hearing so, and finds the slot of a sleeper when it looks. */
    class Slow extends FailingObjectStore {
      #slept = false;

      override async putIfAbsent(key: string, body: Uint8Array, nonce: string): Promise<PutOutcome> {
        const put = await super.putIfAbsent(key, body, nonce);
        if (this.#slept || !key.includes('/w/')) return put;
        this.#slept = true;
        await fold(other, 'job');
        await bucket.delete(key);
        const { collectionId, slot, previousHash } = slotOf(body, key);
        const writes = {
          dimensions: 2,
          writes: puts({ z: 9 }),
          requests: [],
          firstSequence: 1,
          createdMs: 1,
        };
        const sleeper = { collectionId, slot, previousHash, nonce: 'f'.repeat(32), ...writes };
        await bucket.putIfAbsent(key, encodeWalSlot(sleeper).body, 'f'.repeat(32));
        return { kind: 'exists', unsure: true };
      }
    }
    const node = await LogNode.open(new Slow(bucket), { seed: 3 });
    const error: unknown = await node.loop
      .append(() => ({ writes: puts({ a: 1 }) }))
      .catch((it: unknown) => it);
    expect((error as OmenError).metadata).to.deep.equal({ outcome: 'unknown' });
    expect(node.roots.current?.root.walFloor).to.equal(1);
  });

  it('the log is folded although another one has replaced the segments', async () => {
    const disk = new MemoryObjectStore();
    const options = { ownsStore: false, foldSlots: 1000 };
    const [one, other] = [await openTestApp(disk, options), await openTestApp(disk, { ...options, seed: 2 })];
    await one.handlers.createCollection(context, {
      ...{ name: NAME, dimensions: 2, metric: 'l2', requestId: '' },
    });
    const { upkeep } = await one.collections.open(context.tenant, NAME);
    for (let segment = 0; segment < 3; segment++) {
      const records = columnsOf([{ id: `${segment}`, vector: [segment, 1] }]);
      await one.handlers.upsertRecords(context, { collection: NAME, records, requestId: '' });
      await upkeep.flush();
    }
    const collection = await other.collections.open(context.tenant, NAME);
    await upkeep.settle();
    await other.handlers.deleteRecords(context, { collection: NAME, ids: ['0'], requestId: '' });
    // The first try finds that memory is behind the root and reads it anew.
    await collection.upkeep.flush().catch(() => undefined);
    await collection.upkeep.flush();
    expect(collection.state.memtable.rows + collection.state.frozen.length).to.equal(0);
    expect(collection.state.foldedSlot).to.equal(4);
    await one.close();
    await other.close();
  });

  it('a collector does not call damage what a faster one removed', async () => {
    const bucket = new MemoryObjectStore();
    const fast = await LogNode.create(bucket, { seed: 1 });
    const store = new FailingObjectStore(bucket);
    const slow = await LogNode.open(store, { seed: 2 });
    await fast.put({ a: 1 });
    for (const job of ['one', 'two']) await fold(fast, job);
    const manifest = store.hold('before', ({ operation, key }) => operation === 'get' && key.includes('/m/'));
    const pass = collectGarbage(slow.deps, { keepVersions: 2 });
    await manifest.reached;
    for (const job of ['three', 'four']) await fold(fast, job);
    await collectGarbage(fast.deps);
    manifest.release();
    expect((await pass).objects.job).to.equal(0);
  });

  it('a collection that many requests find deleted is closed once', async () => {
    const disk = new MemoryObjectStore();
    const options = { ownsStore: false };
    const [one, other] = [await openTestApp(disk, options), await openTestApp(disk, { ...options, seed: 2 })];
    const create = { name: NAME, dimensions: 2, metric: 'l2', requestId: '' } as const;
    await one.handlers.createCollection(context, create);
    const records = columnsOf([{ id: 'a', vector: [1, 1] }]);
    const upsert = { collection: NAME, records, requestId: '' };
    await other.handlers.upsertRecords(context, upsert);
    await one.handlers.deleteCollection(context, { collection: NAME, requestId: '' });
    const reasons = await Promise.all(
      [1, 2, 3].map(() =>
        other.handlers.upsertRecords(context, upsert).catch((error: unknown) => (error as OmenError).reason),
      ),
    );
    expect(reasons).to.deep.equal(Array(3).fill('COLLECTION_NOT_FOUND'));
    await one.close();
    await other.close();
  });

  it('a reader of the past shares segments that a merge lets go of meanwhile', async () => {
    const store = new FailingObjectStore(new MemoryObjectStore());
    const app = await openTestApp(store, { ownsStore: false, foldSlots: 1000 });
    await app.handlers.createCollection(context, {
      ...{ name: NAME, dimensions: 2, metric: 'l2', requestId: '' },
    });
    const { upkeep } = await app.collections.open(context.tenant, NAME);
    for (let segment = 0; segment < 3; segment++) {
      const ids = [0, 1, 2, 3].map((row) => `${segment}-${row}`);
      const records = columnsOf(ids.map((id) => ({ id, vector: [segment, 1] })));
      await app.handlers.upsertRecords(context, { collection: NAME, records, requestId: '' });
      await upkeep.flush();
    }
    await app.handlers.deleteRecords(context, { collection: NAME, ids: ['0-0'], requestId: '' });
    await upkeep.flush();
    await app.handlers.createSnapshot(context, { collection: NAME, name: 'kept', requestId: '' });
    const read = store.hold('before', ({ operation, key }) => operation === 'get' && key.includes('/d/'));
    const counted = app.handlers.countRecords(context, {
      ...{ collection: NAME, consistency: 'session', sessionToken: '' },
      asOf: { kind: 'snapshot', name: 'kept' },
    });
    await read.reached;
    await upkeep.settle();
    read.release();
    expect((await counted).count).to.equal(11);
    await app.close();
  });
});
