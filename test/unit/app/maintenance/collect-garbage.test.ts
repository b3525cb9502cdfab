import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { Catalog } from '#server/app/log/catalog.js';
import { readManifest } from '#server/app/log/manifest-chain.js';
import { ObjectLayout, RELATIVE } from '#server/app/log/object-layout.js';
import { putPin, removePin } from '#server/app/log/pin.js';
import { collectDeleted } from '#server/app/maintenance/collect-deleted.js';
import type { GarbageReport } from '#server/app/maintenance/collect-garbage.js';
import { collectGarbage } from '#server/app/maintenance/collect-garbage.js';
import { OmenError } from '#server/core/errors.js';
import type { CollectionName, TenantId } from '#server/core/ids.js';
import type { SegmentRef } from '#server/core/log/root.js';
import { checkpointOf } from '#server/core/log/root.js';
import { withCheckpoint } from '#server/core/log/retention.js';
import { publishFlush, publishMerge, registerJob, revokeJob } from '#server/core/log/transitions.js';
import type { ObjectStore } from '#server/ports/object-store.js';
import { FailingObjectStore } from '../../../support/failing-object-store.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeScheduler, settle } from '../../../support/fake-scheduler.js';
import { COLLECTION, LogNode, SCHEMA, silentLogger } from '../../../support/log-node.js';
import { SeededRng } from '../../../support/seeded-rng.js';

let jobs = 0;
const nonce = (): string => (++jobs).toString(16).padStart(32, 'f');

/** Steps of a flush, so that a test can stop between them. */
async function register(node: LogNode, inputs: readonly string[] = []): Promise<string> {
  const jobId = nonce();
  const kind = inputs.length > 0 ? 'merge' : 'flush';
  await node.roots.commit((root) =>
    registerJob(root, { jobId, kind, inputs, claimedBy: 'x', claimedAtMs: 0 }),
  );
  return jobId;
}

async function upload(node: LogNode, jobId: string): Promise<SegmentRef> {
  const key = RELATIVE.segment(jobId, 0);
  await node.store.putIfAbsent(node.layout.absolute(key), new Uint8Array(100), nonce());
  const { sequence } = node.loop.position;
  const rows = { rows: 1, liveRows: 1, minSequence: 1, maxSequence: sequence };
  return { key, jobId, level: 0, bytes: 100, ...rows, summary: {} };
}

async function publish(node: LogNode, jobId: string, segment: SegmentRef): Promise<void> {
  const through = node.loop.position;
  await node.roots.commit((root) =>
    publishFlush(root, { jobId, through, fromSlot: root.walFloor, segment, deletes: [], requestWindows: [] }),
  );
}

async function flush(node: LogNode): Promise<SegmentRef> {
  const jobId = await register(node);
  const segment = await upload(node, jobId);
  await publish(node, jobId, segment);
  return segment;
}

async function merge(node: LogNode, inputs: readonly SegmentRef[]): Promise<SegmentRef> {
  const jobId = await register(
    node,
    inputs.map(({ key }) => key),
  );
  const segment = await upload(node, jobId);
  const taken = inputs.map(({ key }) => ({ key, deletesKey: null }));
  await node.roots.commit((root) => publishMerge(root, { jobId, inputs: taken, segment }));
  return segment;
}

function collect(node: LogNode, options?: Parameters<typeof collectGarbage>[1]): Promise<GarbageReport> {
  return collectGarbage(node.deps, options);
}

async function keysOf(node: LogNode, prefix: string): Promise<string[]> {
  return (await node.store.list(node.layout.absolute(prefix))).map(({ key }) => node.layout.relative(key));
}

/**
 * I5 and I6: everything that the root, the kept versions and the pins refer to is there, and the log has no
 * gap.
 */
async function checkReachable(node: LogNode): Promise<void> {
  const { root } = await node.roots.load();
  const keys = new Set(await keysOf(node, ''));
  for (const { key } of root.segments) expect(keys.has(key), key).to.equal(true);
  for (const manifest of root.manifests) {
    const at = await readManifest(node, manifest);
    if (at === null) continue;
    if (at.version < root.retentionFloor) continue;
    for (const { key } of at.segments)
      expect(keys.has(key), `${key} of version ${at.version}`).to.equal(true);
  }
  await LogNode.open(node.store, { seed: 77 });
}

function open(store: ObjectStore, seed: number): Promise<LogNode> {
  return LogNode.open(store, { seed });
}

describe('collectGarbage', () => {
  it('removes folded slots, replaced segments and old manifests, and nothing that is needed', async () => {
    const node = await LogNode.create(new MemoryObjectStore());
    const segments: SegmentRef[] = [];
    for (let i = 0; i < 3; i++) {
      await node.put({ [`k${i}`]: i });
      segments.push(await flush(node));
    }
    const merged = await merge(node, segments);
    await node.put({ tail: 1 });
    for (let i = 0; i < 3; i++) await collect(node);
    expect(await keysOf(node, 's/')).to.deep.equal([merged.key]);
    expect(await keysOf(node, 'w/')).to.deep.equal([node.layout.relative(node.layout.slotKey(4))]);
    expect((await keysOf(node, 'm/')).length).to.be.lessThan(5);
    await checkReachable(node);
  });

  it('comes to rest: a pass that finds nothing changes nothing', async () => {
    const store = new FailingObjectStore(new MemoryObjectStore());
    const node = await LogNode.create(store);
    await node.put({ a: 1 });
    await flush(node);
    for (let i = 0; i < 4; i++) await collect(node);
    const version = node.roots.current?.root.version;
    const writes = store.calls.filter(({ operation }) => operation !== 'get' && operation !== 'list').length;
    expect((await collect(node)).keys).to.deep.equal([]);
    expect(node.roots.current?.root.version).to.equal(version);
    expect(
      store.calls.filter(({ operation }) => operation !== 'get' && operation !== 'list').length,
    ).to.equal(writes);
  });

  it('says in a dry run what it would remove, and changes nothing', async () => {
    const node = await LogNode.create(new MemoryObjectStore());
    await node.put({ a: 1 });
    const first = await flush(node);
    await merge(node, [first]);
    await node.roots.commit((root) => revokeJob({ ...root, jobs: [] }, 'none'));
    const before = await keysOf(node, '');
    const dry = await collect(node, { dryRun: true });
    expect(await keysOf(node, '')).to.deep.equal(before);
    expect(dry.objects.slot).to.equal(1);
    expect(dry.keys.length).to.be.greaterThan(0);
  });

  it('reports keys that are none of ours and leaves them alone', async () => {
    const node = await LogNode.create(new MemoryObjectStore());
    await node.store.putIfAbsent(node.layout.absolute('notes.txt'), new Uint8Array(1), nonce());
    expect((await collect(node)).unknown).to.deep.equal(['notes.txt']);
    expect(await keysOf(node, 'notes')).to.deep.equal(['notes.txt']);
  });

  it('scenario 15: keeps the objects of an unpublished job, removes them once it is revoked', async () => {
    const node = await LogNode.create(new MemoryObjectStore());
    await node.put({ a: 1 });
    const jobId = await register(node);
    const segment = await upload(node, jobId);
    await collect(node);
    expect(await keysOf(node, 's/')).to.deep.equal([segment.key]);
    await collect(node, { revoke: [jobId] });
    expect(await keysOf(node, 's/')).to.deep.equal([]);
    const late: unknown = await publish(node, jobId, segment).catch((error: unknown) => error);
    expect(late instanceof OmenError && late.metadata['conflict']).to.equal('job-revoked');
    await checkReachable(node);
  });

  it('scenario 17: removes an orphan manifest only when the root is past its version', async () => {
    const node = await LogNode.create(new MemoryObjectStore());
    const orphan = RELATIVE.manifest(2, nonce());
    await node.store.putIfAbsent(node.layout.absolute(orphan), new Uint8Array(9), nonce());
    await collect(node);
    expect(await keysOf(node, 'm/')).to.include(orphan);
    await node.put({ a: 1 });
    await flush(node);
    await collect(node);
    expect(await keysOf(node, 'm/')).to.not.include(orphan);
  });

  it('scenario 24: whenever a job runs beside the collector, its published segment stays', async () => {
    // Before the collector's call `first` the job makes `burst` of its steps, and one more two calls later.
    for (let first = 0; first < 14; first++) {
      for (let burst = 1; burst <= 4; burst++) {
        const bucket = new MemoryObjectStore();
        const node = await LogNode.create(bucket, { seed: 1 });
        await node.put({ a: 1 });
        await flush(node);
        await node.put({ b: 1 });
        const job = await open(bucket, 2);
        const steps = jobSteps(job);
        const store = new FailingObjectStore(bucket);
        const collector = await open(store, 3);
        const begun = store.calls.length;
        for (const [n, count] of [
          [first, burst],
          [first + 2, 1],
        ] as const) {
          const hold = store.hold('before', () => store.calls.length - begun === n + 1);
          const advance = async (): Promise<void> => {
            for (let i = 0; i < count; i++) await steps.next();
            hold.release();
          };
          void hold.reached.then(advance);
        }
        await collect(collector);
        for await (const _ of steps) await settle();
        await collect(collector);
        await checkReachable(await open(bucket, 4));
      }
    }
  });

  it('scenario 24: a pin put at any moment is either seen or refused', async () => {
    let kept = 0;
    let refused = 0;
    for (const stage of ['put', 'check'] as const) {
      for (let n = 0; n < 14; n++) {
        const bucket = new MemoryObjectStore();
        const node = await LogNode.create(bucket, { seed: 1 });
        await node.put({ a: 1 });
        const segment = await flush(node);
        const checkpoint = checkpointOf((await node.roots.load()).root);
        const pinStore = new FailingObjectStore(bucket);
        const pinner = await open(pinStore, 5);
        await merge(node, [segment]);
        const store = new FailingObjectStore(bucket);
        const collector = await open(store, 3);
        const begun = store.calls.length;
        const moment = store.hold('before', () => store.calls.length - begun === n + 1);
        // Either the whole pinning happens at that moment, or it begins there and its second look comes after
        // the pass.
        const second = pinStore.hold(
          'after',
          ({ operation }) => stage === 'check' && operation === 'putIfAbsent',
        );
        const pass = collect(collector);
        let pinning: Promise<string | null> = Promise.resolve(null);
        void (async () => {
          await moment.reached;
          const request = { holder: 'test', checkpoint, throughSlot: 0, expiresAtMs: 1e15 };
          pinning = putPin(pinner.deps, request).catch((error: unknown) => {
            if (error instanceof OmenError && error.reason === 'MOMENT_NOT_KEPT') return null;
            throw error;
          });
          if (stage === 'check') await second.reached;
          else await pinning;
          moment.release();
        })();
        await pass;
        second.release();
        const pin = await pinning;
        await collect(collector);
        await collect(collector);
        const there = (await keysOf(node, 's/')).includes(segment.key);
        if (pin !== null) expect(there, `${stage} at call ${n}`).to.equal(true);
        if (pin === null) refused++;
        else kept++;
        if (pin !== null) {
          await removePin(pinner.deps, pin);
          await collect(collector);
          expect((await keysOf(node, 's/')).includes(segment.key)).to.equal(false);
        }
      }
    }
    expect([kept > 0, refused > 0], `${kept} kept, ${refused} refused`).to.deep.equal([true, true]);
  });

  it('scenario 24: a pin of a checkpoint that was let go of since is respected by a pass that slept', async () => {
    const bucket = new MemoryObjectStore();
    const node = await LogNode.create(bucket, { seed: 1 });
    await node.put({ a: 1 });
    await flush(node);
    const window = { windowMs: 1e9, slotsMax: 1e9 };
    await node.roots.commit((root) => ({ ...root, checkpoints: withCheckpoint(root, window) }));
    const [checkpoint] = node.roots.current?.root.checkpoints ?? [];
    if (checkpoint === undefined) throw new Error('there is no checkpoint');
    await node.put({ b: 1 });
    await flush(node);
    await collect(node, { windowMs: 1e9 });
    const store = new FailingObjectStore(bucket);
    const sleeper = await open(store, 3);
    const pins = store.hold('after', ({ operation, key }) => operation === 'list' && key.endsWith('/p/'));
    const pass = collect(sleeper, { windowMs: 1e9 });
    await pins.reached;
    const pinned = await open(bucket, 5);
    await putPin(pinned.deps, {
      holder: 'test',
      checkpoint,
      throughSlot: checkpoint.walFloor,
      expiresAtMs: 1e15,
    });
    await node.roots.commit((root) => ({ ...root, checkpoints: [] }));
    await collect(node);
    pins.release();
    await pass;
    expect(await keysOf(node, 'm/')).to.include(checkpoint.manifest);
  });

  it('scenario 25: removes what a revoked job uploads after a pass', async () => {
    const node = await LogNode.create(new MemoryObjectStore());
    await node.put({ a: 1 });
    const jobId = await register(node);
    await collect(node, { revoke: [jobId] });
    await upload(node, jobId);
    expect((await keysOf(node, 's/')).length).to.equal(1);
    await collect(node);
    expect(await keysOf(node, 's/')).to.deep.equal([]);
  });

  it('scenario 25: removes a slot that a sleeping writer put under a collected name', async () => {
    const node = await LogNode.create(new MemoryObjectStore());
    for (let i = 0; i < 3; i++) await node.put({ a: i });
    await flush(node);
    await collect(node);
    await collect(node);
    await node.store.putIfAbsent(node.layout.slotKey(2), new Uint8Array(5), nonce());
    await checkReachable(node);
    await collect(node);
    expect(await keysOf(node, 'w/')).to.deep.equal([]);
  });

  it('leaves the collection whole at whatever call it dies or storage fails', async () => {
    for (const fault of ['killed-before', 'killed-after', 'before', 'after'] as const) {
      for (let n = 0; ; n++) {
        const bucket = new MemoryObjectStore();
        const node = await LogNode.create(bucket, { seed: 1 });
        for (let i = 0; i < 2; i++) {
          await node.put({ [`k${i}`]: i });
          await flush(node);
        }
        await node.put({ tail: 1 });
        const store = new FailingObjectStore(bucket);
        const collector = await open(store, 2);
        store.failAt(n, fault);
        void collect(collector).catch(() => undefined);
        for (let turn = 0; turn < 12; turn++) await settle();
        const reader = await open(bucket, 3);
        await checkReachable(reader);
        expect(reader.values.get('tail')).to.equal(1);
        if (!store.fired) break;
      }
    }
  });
});

/** A flush, then a merge of what it made, one call of storage after the other. */
async function* jobSteps(job: LogNode): AsyncGenerator<void> {
  const jobId = await register(job);
  yield;
  const segment = await upload(job, jobId);
  yield;
  await publish(job, jobId, segment);
  yield;
  await merge(job, [segment]);
}

describe('collectDeleted', () => {
  const tenant = 'ada' as TenantId;
  const name = 'words' as CollectionName;

  async function doomed(): Promise<{ node: LogNode; pass: () => ReturnType<typeof collectDeleted> }> {
    const store = new MemoryObjectStore();
    const node = await LogNode.create(store);
    const clock = new FakeClock();
    const scheduler = new FakeScheduler(clock, { automatic: true });
    const shared = {
      ...{ store, clock },
      rng: new SeededRng(4),
      scheduler,
      layout: new ObjectLayout(),
      logger: silentLogger,
    };
    const catalog = new Catalog(shared);
    await catalog.create(tenant, name, { id: COLLECTION, schema: SCHEMA });
    for (let i = 0; i < 3; i++) await node.put({ a: i });
    await flush(node);
    await catalog.remove(tenant, name);
    return { node, pass: () => collectDeleted({ ...shared, catalog }) };
  }

  it('removes every object of a deleted collection, and looks once more before it forgets it', async () => {
    const { node, pass } = await doomed();
    expect(await pass()).to.deep.include({ removed: 1, forgotten: 0 });
    expect(await keysOf(node, '')).to.deep.equal([]);
    // A writer that slept through it.
    await node.store.putIfAbsent(node.layout.slotKey(4), new Uint8Array(1), nonce());
    expect(await pass()).to.deep.include({ removed: 1, forgotten: 0 });
    expect(await pass()).to.deep.include({ removed: 0, forgotten: 1 });
    expect(await pass()).to.deep.include({ removed: 0, forgotten: 0 });
    expect(await keysOf(node, '')).to.deep.equal([]);
  });

  it('scenario 48: acknowledges nothing to a writer that still has the collection open', async () => {
    const { node, pass } = await doomed();
    await pass();
    const late: unknown = await node.put({ late: 1 }).catch((error: unknown) => error);
    expect(late instanceof OmenError && late.reason).to.equal('COLLECTION_NOT_FOUND');
  });
});
