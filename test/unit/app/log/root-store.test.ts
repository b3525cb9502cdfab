import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { ObjectLayout } from '#server/app/log/object-layout.js';
import { RootStore } from '#server/app/log/root-store.js';
import { OmenError } from '#server/core/errors.js';
import { violationsOfRoot, violationsOfStep } from '#server/core/log/invariants.js';
import type { Root } from '#server/core/log/root.js';
import { decodeRoot, MANIFESTS_KEPT } from '#server/core/log/root.js';
import { conflictOf } from '#server/core/log/conflict.js';
import { registerJob, revokeJob } from '#server/core/log/transitions.js';
import type { ObjectStore } from '#server/ports/object-store.js';
import type { Call } from '../../../support/failing-object-store.js';
import { FailingObjectStore } from '../../../support/failing-object-store.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeScheduler, settle } from '../../../support/fake-scheduler.js';
import { COLLECTION, SCHEMA, silentLogger } from '../../../support/log-node.js';
import { SeededRng } from '../../../support/seeded-rng.js';

const swap = ({ operation }: Call): boolean => operation === 'compareAndSwap';

function rootStore(store: ObjectStore, seed = 1): RootStore {
  const scheduler = new FakeScheduler(new FakeClock(), { automatic: true });
  const layout = new ObjectLayout().collection(COLLECTION);
  return new RootStore({ store, rng: new SeededRng(seed), scheduler, logger: silentLogger, layout });
}

async function created(store: ObjectStore, seed = 1): Promise<RootStore> {
  const roots = rootStore(store, seed);
  await roots.create(SCHEMA);
  return roots;
}

const addJob =
  (jobId: string) =>
  (root: Root): Root =>
    registerJob(root, { jobId, kind: 'flush', inputs: [], claimedBy: 'test', claimedAtMs: 0 });

const jobsOf = (roots: RootStore): string[] => roots.current?.root.jobs.map(({ jobId }) => jobId) ?? [];

describe('RootStore', () => {
  it('keeps every version as a manifest with the same bytes', async () => {
    const store = new MemoryObjectStore();
    const roots = await created(store);
    await roots.commit(addJob('a'));
    const { root } = await roots.load();
    expect([root.version, root.manifests.length]).to.deep.equal([2, 2]);
    const layout = new ObjectLayout().collection(COLLECTION);
    for (const [index, manifest] of root.manifests.entries()) {
      const got = await store.get(layout.absolute(manifest));
      const old = got.kind === 'found' ? decodeRoot(got.body, manifest) : null;
      expect(old?.version).to.equal(index + 1);
      expect(old?.manifests.at(-1)).to.equal(manifest);
    }
  });

  it('writes nothing when a transition changes nothing, and nothing when it throws', async () => {
    const store = new FailingObjectStore(new MemoryObjectStore());
    const roots = await created(store);
    const calls = store.calls.length;
    await roots.commit((root) => revokeJob(root, 'none') && root);
    const thrown = roots.commit(() => {
      throw new OmenError('COLLECTION_BUSY', 'no');
    });
    await thrown.catch(() => undefined);
    expect(store.calls.length).to.equal(calls);
  });

  it('applies a transition again when another writer was first, so both changes stand', async () => {
    const bucket = new MemoryObjectStore();
    const first = await created(bucket, 1);
    const second = rootStore(bucket, 2);
    await second.load();
    await Promise.all(
      ['a', 'b', 'c'].flatMap((id) => [first.commit(addJob(`1${id}`)), second.commit(addJob(`2${id}`))]),
    );
    await first.refresh();
    expect(jobsOf(first).sort()).to.deep.equal(['1a', '1b', '1c', '2a', '2b', '2c']);
    expect(first.current?.root.version).to.equal(7);
  });

  it('knows its own success although the answer was lost and others committed on top', async () => {
    for (const others of [0, 1, MANIFESTS_KEPT + 3]) {
      const bucket = new MemoryObjectStore();
      const other = await created(bucket, 2);
      const store = new FailingObjectStore(bucket);
      const roots = rootStore(store, 3);
      await roots.load();
      store.failAt(0, 'after', swap);
      const hold = store.hold(
        'before',
        (call) => swap(call) && store.fired && store.calls.filter(swap).length === 2,
      );
      const commit = roots.commit(addJob('mine'));
      await hold.reached;
      for (let i = 0; i < others; i++) await other.commit(addJob(`other-${i}`));
      hold.release();
      await commit;
      // Applied once: a second time would have been refused with "job exists".
      expect(jobsOf(roots).filter((id) => id === 'mine').length).to.equal(1);
    }
  });

  it('scenario 17: a manifest whose swap never happened is no part of the history', async () => {
    const bucket = new MemoryObjectStore();
    const roots = await created(bucket, 1);
    const store = new FailingObjectStore(bucket);
    const dying = rootStore(store, 2);
    await dying.load();
    store.failAt(0, 'killed-before', swap);
    void dying.commit(addJob('lost'));
    await settle();
    await roots.commit(addJob('kept'));
    const { root } = await roots.load();
    const layout = new ObjectLayout().collection(COLLECTION);
    const written = (await bucket.list(layout.absolute('m/'))).map(({ key }) => layout.relative(key));
    expect(written.length).to.equal(3);
    expect(written.filter((manifest) => !root.manifests.includes(manifest)).length).to.equal(1);
    expect(jobsOf(roots)).to.deep.equal(['kept']);
  });

  it('gives an honest answer at whatever call storage fails: done, or not done, or unknown', async () => {
    for (const fault of ['before', 'after', 'full', 'killed-before', 'killed-after'] as const) {
      for (let n = 0; ; n++) {
        const bucket = new MemoryObjectStore();
        await created(bucket, 9);
        const store = new FailingObjectStore(bucket);
        store.failAt(n, fault);
        const outcomes = new Map<string, string>();
        void (async () => {
          const roots = rootStore(store, 3);
          for (const id of ['a', 'b', 'c']) {
            await roots.commit(addJob(id)).then(
              () => outcomes.set(id, 'done'),
              (error: unknown) => outcomes.set(id, error instanceof OmenError ? error.reason : 'bug'),
            );
          }
        })();
        for (let turn = 0; turn < 20; turn++) await settle();
        const { root } = await rootStore(bucket).load();
        expect(violationsOfRoot(root)).to.deep.equal([]);
        const jobs = root.jobs.map(({ jobId }) => jobId);
        for (const [id, outcome] of outcomes) {
          if (outcome === 'done') expect(jobs, `${fault} at ${n}`).to.include(id);
          else expect(outcome, `${fault} at ${n}`).to.equal('STORAGE_FULL');
          if (outcome === 'STORAGE_FULL') expect(jobs).to.not.include(id);
        }
        if (!store.fired) break;
      }
    }
  });

  it('gives up after a few tries when storage does not answer', async () => {
    const store = new FailingObjectStore(new MemoryObjectStore());
    const roots = await created(store);
    store.failAlways('before');
    const error: unknown = await roots.commit(addJob('a')).catch((thrown: unknown) => thrown);
    expect(error instanceof OmenError && error.reason).to.equal('STORAGE_UNAVAILABLE');
    expect(store.calls.length).to.be.lessThan(12);
  });

  it('never lets a late read bring an older root back', async () => {
    const bucket = new MemoryObjectStore();
    const store = new FailingObjectStore(bucket);
    const roots = await created(store);
    const hold = store.hold('after', ({ operation }) => operation === 'get');
    const late = roots.load();
    await hold.reached;
    await roots.commit(addJob('a'));
    hold.release();
    await late;
    expect(roots.current?.root.version).to.equal(2);
  });

  it('tells listeners every newer root once', async () => {
    const roots = await created(new MemoryObjectStore());
    const seen: string[] = [];
    const end = roots.onChange((after, before) =>
      seen.push(`${before?.root.version} to ${after.root.version}`),
    );
    await roots.commit(addJob('a'));
    await roots.refresh();
    await roots.commit(addJob('b'));
    end();
    await roots.commit(addJob('c'));
    expect(seen).to.deep.equal(['1 to 2', '2 to 3']);
  });

  it('keeps every step within the rules of a root', async () => {
    const roots = await created(new MemoryObjectStore());
    let before = roots.current?.root;
    roots.onChange(({ root }) => {
      if (before !== undefined) expect(violationsOfStep(before, root)).to.deep.equal([]);
      before = root;
    });
    for (let i = 0; i < MANIFESTS_KEPT + 5; i++) await roots.commit(addJob(`j${i}`));
    expect(roots.current?.root.manifests.length).to.equal(MANIFESTS_KEPT);
    const twice: unknown = await roots.commit(addJob('j0')).catch((error: unknown) => error);
    expect(conflictOf(twice)).to.equal('job-exists');
  });
});
