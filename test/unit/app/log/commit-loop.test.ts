import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { OmenError } from '#server/core/errors.js';
import type { LogPosition } from '#server/core/log/root.js';
import { publishFlush, registerJob, seal } from '#server/core/log/transitions.js';
import type { Call } from '../../../support/failing-object-store.js';
import { FailingObjectStore, FAULTS } from '../../../support/failing-object-store.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeScheduler, settle } from '../../../support/fake-scheduler.js';
import { deletions, LogNode, puts } from '../../../support/log-node.js';

const slotPut = ({ operation, key }: Call): boolean => operation === 'putIfAbsent' && key.includes('/w/');
const rootGet = ({ operation, key }: Call): boolean => operation === 'get' && key.endsWith('/root');

/** Folds the log up to a position, without a segment, and removes the slots as a collector does. */
async function foldAndCollect(node: LogNode, through: LogPosition): Promise<void> {
  const jobId = `job-${through.slot}`;
  await node.roots.commit((root) =>
    registerJob(root, { jobId, kind: 'flush', inputs: [], claimedBy: 'test', claimedAtMs: 0 }),
  );
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
  for (let slot = 1; slot <= through.slot; slot++) await node.store.delete(node.layout.slotKey(slot));
}

async function reasonOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return error instanceof OmenError
      ? `${error.reason} ${error.metadata['outcome'] ?? ''}`.trim()
      : String(error);
  }
}

describe('CommitLoop', () => {
  it('acknowledges a write with its place in the log, after it is applied', async () => {
    const node = await LogNode.create(new MemoryObjectStore());
    const first = node.put({ a: 1, b: 2 }).then((acknowledged) => {
      expect(node.values.get('b')).to.equal(2);
      return acknowledged;
    });
    expect(await first).to.deep.equal({ slot: 1, firstSequence: 1, count: 2, lastSequence: 2 });
    const second = await node.loop.append(() => ({ writes: deletions(['a']) }));
    expect(second).to.deep.equal({ slot: 2, firstSequence: 3, count: 1, lastSequence: 3 });
    expect([...node.values]).to.deep.equal([['b', 2]]);
  });

  it('puts requests of one turn into one slot, each whole, in order', async () => {
    const node = await LogNode.create(new MemoryObjectStore());
    const acknowledged = await Promise.all([
      node.put({ a: 1 }),
      node.put({ a: 2, b: 1 }),
      node.put({ a: 3 }),
    ]);
    expect(acknowledged.map(({ slot, firstSequence }) => [slot, firstSequence])).to.deep.equal([
      [1, 1],
      [1, 2],
      [1, 4],
    ]);
    expect(node.values.get('a')).to.equal(3);
  });

  it('keeps slots within their bounds, except for a single larger request', async () => {
    const node = await LogNode.create(new MemoryObjectStore(), { bounds: { bytes: 1_000_000, writes: 3 } });
    const sizes = [2, 1, 1, 5, 1];
    const acknowledged = await Promise.all(
      sizes.map((size, index) =>
        node.put(Object.fromEntries(Array.from({ length: size }, (_, i) => [`${index}-${i}`, i]))),
      ),
    );
    expect(acknowledged.map(({ slot }) => slot)).to.deep.equal([1, 1, 2, 3, 4]);
  });

  it('fails only the request whose preparation throws', async () => {
    const node = await LogNode.create(new MemoryObjectStore());
    const bad = node.loop.append(() => {
      throw new OmenError('CONDITION_FAILED', 'no');
    });
    const good = node.put({ a: 1 });
    expect(await reasonOf(bad)).to.equal('CONDITION_FAILED');
    expect((await good).slot).to.equal(1);
  });

  it('rejects writes that do not fit together and goes on', async () => {
    const node = await LogNode.create(new MemoryObjectStore());
    const broken = node.loop.append(() => ({ writes: { ...puts({ a: 1 }), attributes: [] } }));
    expect(await reasonOf(broken)).to.match(/invariant broken/);
    expect((await node.put({ a: 1 })).slot).to.equal(1);
  });

  it('logs nothing for a request without effects, but remembers its answer when asked to', async () => {
    const node = await LogNode.create(new MemoryObjectStore());
    await node.put({ a: 1 });
    const nothing = await node.loop.append(() => ({ writes: deletions([]) }));
    expect(nothing).to.deep.equal({ slot: 1, firstSequence: 2, count: 0, lastSequence: 1 });
    const request = { requestId: 'r', answer: Uint8Array.of(1) };
    const remembered = await node.loop.append(() => ({ writes: deletions([]), request }));
    expect(remembered).to.deep.equal({ slot: 2, firstSequence: 2, count: 0, lastSequence: 1 });
    expect(node.slots[1]?.requests[0]).to.deep.include({ ...request, firstWrite: 0, count: 0 });
    expect((await node.put({ b: 1 })).firstSequence).to.equal(2);
  });

  it('makes no request and holds no timer when nothing is written (I12)', async () => {
    const store = new FailingObjectStore(new MemoryObjectStore());
    const clock = new FakeClock();
    const scheduler = new FakeScheduler(clock);
    const node = await LogNode.create(store, { clock, scheduler });
    await node.put({ a: 1 });
    const calls = store.calls.length;
    await scheduler.advance(3_600_000);
    expect([store.calls.length - calls, scheduler.pending]).to.deep.equal([0, 0]);
  });

  it('drains on close and takes nothing afterwards', async () => {
    const node = await LogNode.create(new MemoryObjectStore());
    const write = node.put({ a: 1 });
    await node.loop.close();
    expect((await write).slot).to.equal(1);
    expect(await reasonOf(node.put({ a: 2 }))).to.equal('DRAINING');
  });

  it('answers with the reason of an aborted signal, and leaves out what was not on its way', async () => {
    const store = new FailingObjectStore(new MemoryObjectStore());
    const node = await LogNode.create(store);
    const hold = store.hold('before', slotPut);
    const first = node.put({ a: 1 });
    await hold.reached;
    const gaveUp = new AbortController();
    const second = node.loop.append(() => ({ writes: puts({ b: 1 }) }), { signal: gaveUp.signal });
    gaveUp.abort(new OmenError('DEADLINE_EXCEEDED', 'late'));
    expect(await reasonOf(second)).to.equal('DEADLINE_EXCEEDED');
    hold.release();
    await first;
    await node.loop.close();
    expect([...node.values.keys()]).to.deep.equal(['a']);
  });

  it('reads the log anew after a slot could not be applied', async () => {
    const node = await LogNode.create(new MemoryObjectStore());
    await node.put({ a: 1 });
    node.applyError = new OmenError('MEMORY_EXHAUSTED', 'no room');
    const error: unknown = await node.put({ b: 2 }).catch((reason: unknown) => reason);
    // Whoever hears that memory is short may make room and write once more.
    expect((error as OmenError).reason).to.equal('STORAGE_UNAVAILABLE');
    expect((error as OmenError).metadata).to.deep.equal({ outcome: 'unknown' });
    await node.put({ c: 3 });
    expect(Object.fromEntries(node.values)).to.deep.equal({ a: 1, b: 2, c: 3 });
    expect(node.resets).to.equal(2);
  });
});

describe('CommitLoop under faults', () => {
  it('scenario 1: a put that was applied and whose answer was lost is acknowledged once', async () => {
    const store = new FailingObjectStore(new MemoryObjectStore());
    const node = await LogNode.create(store);
    store.failAt(0, 'after', slotPut);
    expect((await node.put({ a: 1 })).slot).to.equal(1);
    expect((await node.put({ a: 2 })).slot).to.equal(2);
    expect(node.slots.map(({ slot }) => slot)).to.deep.equal([1, 2]);
    expect((await LogNode.open(store)).values.get('a')).to.equal(2);
  });

  it('scenario 2: a writer that slept over fold and collection of its slot is not acknowledged', async () => {
    const bucket = new MemoryObjectStore();
    const other = await LogNode.create(bucket, { seed: 2 });
    const store = new FailingObjectStore(bucket);
    const node = await LogNode.open(store, { seed: 3 });
    const hold = store.hold('before', slotPut);
    const write = node.put({ zombie: 1 });
    await hold.reached;
    for (let i = 0; i < 50; i++) await other.put({ a: i });
    await foldAndCollect(other, other.loop.position);
    hold.release();
    expect(await reasonOf(write)).to.equal('STORAGE_UNAVAILABLE unknown');
    expect((await LogNode.open(bucket)).values.has('zombie')).to.equal(false);
    // It has found its way back.
    expect((await node.put({ b: 1 })).slot).to.equal(51);
    await other.loop.catchUp();
    expect(other.values.get('b')).to.equal(1);
  });

  it('scenario 3: a writer that slept between put and boundary check is not acknowledged', async () => {
    const bucket = new MemoryObjectStore();
    const other = await LogNode.create(bucket, { seed: 2 });
    const store = new FailingObjectStore(bucket);
    const node = await LogNode.open(store, { seed: 3 });
    const hold = store.hold('before', rootGet);
    const write = node.put({ slow: 1 });
    await hold.reached;
    for (let i = 0; i < 5; i++) await other.put({ a: i });
    await foldAndCollect(other, other.loop.position);
    hold.release();
    expect(await reasonOf(write)).to.equal('STORAGE_UNAVAILABLE unknown');
    // It was the first of its name, so others have applied it: "unknown" was the only honest answer.
    expect(other.values.get('slow')).to.equal(1);
  });

  it('scenario 4: the floor may move once the boundary was checked, the write is in the fold', async () => {
    const bucket = new MemoryObjectStore();
    const other = await LogNode.create(bucket, { seed: 2 });
    const store = new FailingObjectStore(bucket);
    const node = await LogNode.open(store, { seed: 3 });
    const hold = store.hold('after', rootGet);
    const write = node.put({ slow: 1 });
    await hold.reached;
    await other.put({ a: 1 });
    await foldAndCollect(other, other.loop.position);
    hold.release();
    expect((await write).slot).to.equal(1);
    expect(other.values.get('slow')).to.equal(1);
  });

  it('scenario 6: a slot that is contested again and again loses nothing', async () => {
    const bucket = new MemoryObjectStore();
    const nodes = [await LogNode.create(bucket, { seed: 1 })];
    for (let seed = 2; seed <= 5; seed++) nodes.push(await LogNode.open(bucket, { seed }));
    await Promise.all(nodes.flatMap((node) => Array.from({ length: 20 }, () => node.increment('n'))));
    const reader = await LogNode.open(bucket);
    expect(reader.values.get('n')).to.equal(reader.loop.position.slot);
    for (const node of nodes) await node.loop.catchUp();
    expect(nodes.map((node) => node.values.get('n'))).to.deep.equal(Array(5).fill(reader.values.get('n')));
  });

  it('scenario 7: dies at any call: no acknowledged write is lost, no batch is torn', async () => {
    for (const fault of FAULTS.filter((f) => f.startsWith('killed'))) {
      for (let n = 0; ; n++) {
        const bucket = new MemoryObjectStore();
        await LogNode.create(bucket, { seed: 9 });
        const store = new FailingObjectStore(bucket);
        store.failAt(n, fault);
        const acknowledged: number[] = [];
        void (async () => {
          const node = await LogNode.open(store);
          for (let i = 1; i <= 4; i++) {
            await node.put({ [`x${i}`]: i, [`y${i}`]: i });
            acknowledged.push(i);
          }
        })();
        for (let turn = 0; turn < 40; turn++) await settle();
        const { values } = await LogNode.open(bucket);
        for (const i of acknowledged) expect(values.get(`y${i}`), `${fault} at call ${n}`).to.equal(i);
        for (let i = 1; i <= 4; i++) expect(values.has(`x${i}`)).to.equal(values.has(`y${i}`));
        if (!store.fired) break;
      }
    }
  });

  it('scenario 9: a request id is in the log with its answer, so a repetition can be told', async () => {
    const store = new FailingObjectStore(new MemoryObjectStore());
    const node = await LogNode.create(store);
    store.failAlways('after', slotPut);
    const request = { requestId: 'once', answer: Uint8Array.of(7) };
    const write = node.loop.append(() => ({ writes: puts({ a: 1 }), request }));
    expect(await reasonOf(write)).to.equal('STORAGE_UNAVAILABLE unknown');
    const reader = await LogNode.open(store);
    expect(reader.slots.flatMap(({ requests }) => requests.map(({ requestId }) => requestId))).to.deep.equal([
      'once',
    ]);
  });

  it('scenario 14: storage that does not answer gets few calls, the outcome is unknown', async () => {
    const store = new FailingObjectStore(new MemoryObjectStore());
    const node = await LogNode.create(store);
    store.failAlways('before', slotPut);
    const calls = store.calls.length;
    const [first, queued] = [node.put({ a: 1 }), settle().then(() => node.put({ b: 1 }))];
    expect(await reasonOf(first)).to.equal('STORAGE_UNAVAILABLE unknown');
    expect(await reasonOf(queued)).to.equal('STORAGE_UNAVAILABLE none');
    expect(store.calls.length - calls).to.be.lessThan(10);
    store.heal();
    // The slot keeps its number and nonce until its outcome is known, then the log goes on.
    expect((await node.put({ c: 1 })).slot).to.equal(2);
    expect([...node.values.keys()]).to.deep.equal(['a', 'c']);
  });

  it('refuses a batch cleanly when storage is full, and works again when it is not', async () => {
    const store = new FailingObjectStore(new MemoryObjectStore());
    const node = await LogNode.create(store);
    store.failAt(0, 'full', slotPut);
    expect(await reasonOf(node.put({ a: 1 }))).to.equal('STORAGE_FULL');
    expect((await node.put({ b: 1 })).slot).to.equal(1);
    expect([...(await LogNode.open(store)).values.keys()]).to.deep.equal(['b']);
  });

  it('does not take "full" for an outcome when an earlier try may have been written', async () => {
    const store = new FailingObjectStore(new MemoryObjectStore());
    const node = await LogNode.create(store);
    store.failAt(0, 'after', slotPut);
    store.failAt(0, 'full', slotPut);
    expect((await node.put({ a: 1 })).slot).to.equal(1);
  });

  it('acknowledges nothing once the collection is sealed', async () => {
    const bucket = new MemoryObjectStore();
    const node = await LogNode.create(bucket, { seed: 2 });
    const other = await LogNode.open(bucket, { seed: 3 });
    await other.roots.commit(seal);
    expect(await reasonOf(node.put({ a: 1 }))).to.equal('COLLECTION_NOT_FOUND');
    expect(await reasonOf(node.put({ a: 1 }))).to.equal('COLLECTION_NOT_FOUND');
  });

  it('raises an alarm when a slot in the middle of the log is broken or gone', async () => {
    for (const damage of ['flip', 'remove'] as const) {
      const bucket = new MemoryObjectStore();
      const node = await LogNode.create(bucket);
      for (let i = 0; i < 9; i++) await node.put({ a: i });
      const key = node.layout.slotKey(6);
      const got = await bucket.get(key);
      await bucket.delete(key);
      if (damage === 'flip' && got.kind === 'found') {
        got.body[200] = (got.body[200] ?? 0) ^ 1;
        await bucket.putIfAbsent(key, got.body, '0'.repeat(32));
      }
      expect(await reasonOf(LogNode.open(bucket)), damage).to.equal('DATA_CORRUPTED');
    }
  });

  it('does not apply a slot that was put back under a collected name', async () => {
    const bucket = new MemoryObjectStore();
    const node = await LogNode.create(bucket);
    await node.put({ a: 1 });
    const stale = await bucket.get(node.layout.slotKey(1));
    await node.put({ a: 2 });
    if (stale.kind === 'found') {
      const key = node.layout.slotKey(3);
      await bucket.putIfAbsent(key, stale.body, '1'.repeat(32));
    }
    expect(await reasonOf(LogNode.open(bucket))).to.equal('DATA_CORRUPTED');
  });
});
