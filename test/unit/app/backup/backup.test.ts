import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { removeAll } from '#server/app/maintenance/list-objects.js';
import { BackupWorld } from '../../../support/backup-world.js';
import { FailingObjectStore } from '../../../support/failing-object-store.js';
import { reasonOf, SampleCollection } from '../../../support/sample-collection.js';
import { SeededRng } from '../../../support/seeded-rng.js';
import { columnsOf, contextOf } from '../../../support/test-app.js';

const HOUR = 60 * 60 * 1000;

describe('A backup', () => {
  let world: BackupWorld;
  let words: SampleCollection;

  beforeEach(async () => {
    world = await BackupWorld.open({ retentionMs: 24 * HOUR, foldSlots: 8 });
    words = await world.create('words');
  });

  afterEach(() => world.app.close());

  /** Writes, deletions, flushes and merges. */
  async function live(rounds: number, seed = 1): Promise<[number, string][]> {
    const rng = new SeededRng(seed);
    const moments: [number, string][] = [];
    for (let round = 0; round < rounds; round++) {
      await words.put(`k${rng.below(20)}`, round);
      if (rng.chance(0.2)) await words.remove(`k${rng.below(20)}`);
      moments.push([world.app.clock.now(), await words.all()]);
      if (rng.chance(0.2)) await words.flush();
      if (rng.chance(0.1)) await words.settle();
      world.app.clock.advance(1000 + rng.below(20 * 60 * 1000));
    }
    return moments;
  }

  it('brings back what was there after everything was deleted', async () => {
    await live(40);
    const [all, count, nearest] = [await words.all(), await words.count(), await words.nearest(17)];
    await world.backUp();
    expect((await world.verify()).faults).to.deep.equal([]);
    await world.app.close();
    await removeAll(
      world.store,
      (await world.keys()).map((key) => ({ key })),
    );
    expect((await world.restore()).kind).to.equal('restored');
    const app = await world.openOn(world.store);
    const restored = new SampleCollection(app, 'words');
    expect(await restored.all()).to.equal(all);
    expect(await restored.count()).to.equal(count);
    expect(await restored.nearest(17)).to.deep.equal(nearest);
    await restored.put('new', 1);
    await restored.flush();
    await restored.settle();
    expect(await restored.count()).to.equal(count + 1);
    await app.close();
  });

  it('scenario 51: restored to any second of the kept past is what was there then', async () => {
    const moments = await live(60, 7);
    await world.backUp();
    for (const [ms, seen] of moments) {
      if (world.app.clock.now() - ms > 23 * HOUR) continue;
      const app = await world.elsewhere({ asOfMs: ms });
      expect(await new SampleCollection(app, 'words').all(), new Date(ms).toISOString()).to.equal(seen);
      await app.close();
    }
    expect(await reasonOf(world.restore({ asOfMs: 1, name: 'x' as never }))).to.equal('MOMENT_NOT_KEPT');
    const later = world.app.clock.now() + 1;
    expect(await reasonOf(world.restore({ asOfMs: later, name: 'x' as never }))).to.equal('MOMENT_NOT_KEPT');
  });

  it('scenario 51: restored with its past, answers at every sequence number as the model does', async () => {
    const { handlers } = world.app;
    const rng = new SeededRng(21);
    const model = new Map<string, number>();
    const states = new Map<number, string>();
    let sequence = 0;
    for (let round = 0; round < 25; round++) {
      // Several writes share a slot: moments in the middle of one count too.
      const ids = [...new Set(Array.from({ length: 1 + rng.below(4) }, () => `k${rng.below(12)}`))];
      const records = columnsOf(ids.map((id) => ({ id, vector: [round, 1] })));
      await handlers.upsertRecords(contextOf(), { collection: 'words', records, requestId: '' });
      for (const id of ids) {
        model.set(id, round);
        states.set(++sequence, textOf(model));
      }
      const victim = `k${rng.below(12)}`;
      if (model.delete(victim)) {
        await words.remove(victim);
        states.set(++sequence, textOf(model));
      }
      world.app.clock.advance(10 * 60 * 1000);
      if (rng.chance(0.3)) await words.flush();
      if (rng.chance(0.2)) await words.settle();
    }
    await world.backUp();
    const app = await world.elsewhere();
    for (const collection of [words, new SampleCollection(app, 'words')]) {
      for (const [at, state] of states) {
        expect(await collection.all({ kind: 'sequence', sequence: at }), `at ${at}`).to.equal(state);
      }
    }
    await app.close();
  });

  it('brings back the past and snapshots with the present', async () => {
    const old = await live(10, 3);
    await words.snapshot('old');
    const inOld = old.at(-1)?.[1] ?? '';
    const atOld = await words.all();
    expect([inOld === atOld, atOld !== '']).to.deep.equal([true, true]);
    world.app.clock.advance(48 * HOUR);
    const moments = await live(40, 4);
    await words.snapshot('new');
    const atNew = await words.all();
    await live(5, 5);
    await world.backUp();
    expect((await world.verify()).faults).to.deep.equal([]);
    const app = await world.elsewhere();
    const restored = new SampleCollection(app, 'words');
    for (let pass = 0; pass < 2; pass++) {
      expect(await restored.all({ kind: 'snapshot', name: 'old' })).to.equal(atOld);
      expect(await restored.all({ kind: 'snapshot', name: 'new' })).to.equal(atNew);
      const present = await restored.all();
      for (const [ms, seen] of moments) {
        if (world.app.clock.now() - ms > 23 * HOUR) continue;
        expect(await restored.all({ kind: 'time', ms }), new Date(ms).toISOString()).to.equal(seen);
      }
      await restored.put('later', pass);
      await restored.settle();
      expect(without('later', await restored.all())).to.equal(without('later', present));
    }
    await app.close();
    const [ms = 0, seen] = moments[20] ?? [];
    const then = await world.elsewhere({ asOfMs: ms });
    const past = new SampleCollection(then, 'words');
    expect(await past.all()).to.equal(seen);
    expect(await past.all({ kind: 'snapshot', name: 'old' })).to.equal(atOld);
    expect(await reasonOf(past.all({ kind: 'snapshot', name: 'new' }))).to.equal('SNAPSHOT_NOT_FOUND');
    await then.close();
  });

  it('copies only what is new when it is made again', async () => {
    await live(20);
    const first = await world.backUp();
    expect(first.copiedObjects).to.equal(first.objects);
    const again = await world.backUp();
    expect([again.copiedObjects, again.objects]).to.deep.equal([0, first.objects]);
    await words.put('one more', 1);
    const third = await world.backUp();
    expect(third.copiedObjects).to.equal(1);
    for (const { backupId } of [first, again, third]) {
      expect((await world.verify(backupId)).faults).to.deep.equal([]);
    }
    const old = new SampleCollection(await world.elsewhere({ backupId: first.backupId }), 'words');
    expect(await old.all()).to.not.contain('one more');
    await old.app.close();
  });

  it('goes on where one that failed has ended, and leaves no pin', async () => {
    await live(20);
    const whole = (await world.backUp({ target: new MemoryObjectStore() })).objects;
    const target = new FailingObjectStore(world.target);
    let copied = 0;
    for (let n = 3; ; n += 5) {
      target.failAlways('full', ({ operation }) => operation === 'putIfAbsent' && copied >= n);
      const seen = await world.backUp({ target, onProgress: () => copied++ }).catch(() => null);
      target.heal();
      expect(await world.pins()).to.deep.equal([]);
      copied = 0;
      if (seen === null) continue;
      expect(seen.objects).to.equal(whole);
      expect(seen.copiedObjects).to.be.lessThan(whole);
      break;
    }
    expect((await world.verify()).faults).to.deep.equal([]);
  });

  it('scenario 54: of an empty collection brings an empty one back', async () => {
    await world.backUp();
    const app = await world.elsewhere();
    const restored = new SampleCollection(app, 'words');
    expect(await restored.count()).to.equal(0);
    await restored.put('a', 1);
    await restored.flush();
    expect(await restored.all()).to.equal('a=1');
    await app.close();
  });

  it('of a branch holds what the branch uses of its parent, also when that is deleted', async () => {
    await live(20);
    const branch = await words.branch('branch');
    await branch.put('of the branch', 5);
    const all = await branch.all();
    await words.delete();
    await world.backUp();
    expect((await world.verify()).faults).to.deep.equal([]);
    const app = await world.elsewhere();
    expect(await new SampleCollection(app, 'branch').all()).to.equal(all);
    expect(await reasonOf(new SampleCollection(app, 'words').all())).to.equal('COLLECTION_NOT_FOUND');
    await app.close();
  });

  it('of a branch and its parent copies what they share once', async () => {
    await live(20);
    const alone = (await world.backUp({ target: new MemoryObjectStore() })).objects;
    const branch = await words.branch('branch');
    const report = await world.backUp();
    expect(report.collections.length).to.equal(2);
    // The branch's own manifest.
    expect(report.objects).to.equal(alone + 1);
    expect((await world.verify()).faults).to.deep.equal([]);
    const app = await world.elsewhere({ collections: ['acme/branch'] });
    expect(await new SampleCollection(app, 'branch').all()).to.equal(await branch.all());
    await app.close();
  });

  it('scenario 49: holds a collection that is deleted while it is copied', async () => {
    await live(30);
    const all = await words.all();
    const source = new FailingObjectStore(world.store);
    const hold = source.hold('before', ({ operation, key }) => operation === 'get' && key.includes('/s/'));
    const running = world.backUp({ source });
    await hold.reached;
    await words.delete();
    world.app.collections.sweep();
    await world.app.scheduler.sleep(HOUR);
    hold.release();
    const report = await running;
    expect(report.collections.length).to.equal(1);
    expect(await world.pins()).to.deep.equal([]);
    const app = await world.elsewhere();
    expect(await new SampleCollection(app, 'words').all()).to.equal(all);
    await app.close();
  });

  it('scenario 52: that lacks objects is refused with their names, before anything is written', async () => {
    await live(30);
    await world.backUp();
    const keys = await world.keys(world.target, 'n/');
    const rng = new SeededRng(5);
    for (let round = 0; round < 10; round++) {
      const lost = keys.filter(() => rng.chance(0.2));
      const kept = new Map<string, Uint8Array>();
      for (const key of lost) {
        const got = await world.target.get(key);
        if (got.kind === 'found') kept.set(key, got.body);
        await world.target.delete(key);
      }
      const destination = new MemoryObjectStore();
      const outcome = await world.restore({ destination });
      const named = outcome.kind === 'refused' ? outcome.faults.map(({ key }) => key) : [];
      expect(
        named.every((key) => lost.includes(key)),
        `round ${round}`,
      ).to.equal(true);
      const quick = (await world.verify(undefined, true)).faults.map(({ key }) => key);
      expect([...quick].sort()).to.deep.equal([...lost].sort());
      if (outcome.kind === 'refused') expect(await world.keys(destination)).to.deep.equal([]);
      for (const [key, body] of kept) await world.target.putIfAbsent(key, body, 'ab'.repeat(16));
    }
    expect((await world.verify()).faults).to.deep.equal([]);
  });

  it('with a flipped bit in any of its objects is found out by name', async () => {
    await live(12);
    await world.backUp();
    for (const key of await world.keys(world.target, 'n/')) {
      const got = await world.target.get(key);
      if (got.kind !== 'found') throw new Error(`${key} is gone`);
      const damaged = got.body.slice();
      damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] ?? 0) ^ 16;
      await world.target.compareAndSwap(key, damaged, got.etag, 'cd'.repeat(16));
      const { faults } = await world.verify();
      expect(
        faults.map((fault) => fault.key),
        key,
      ).to.include(key);
      const now = await world.target.get(key);
      if (now.kind === 'found') await world.target.compareAndSwap(key, got.body, now.etag, 'ef'.repeat(16));
    }
  });

  it('is not restored over a collection that exists', async () => {
    await live(5);
    await world.backUp();
    const before = await world.keys();
    expect(await reasonOf(world.restore())).to.equal('COLLECTION_EXISTS');
    const skipping = await world.restore({ skipExisting: true });
    expect(skipping).to.deep.include({ kind: 'restored', skipped: ['acme/words'], objects: 0 });
    expect(await world.keys()).to.deep.equal(before);
    const outcome = await world.restore({ name: 'second' as never });
    expect(outcome.kind).to.equal('restored');
    expect(await new SampleCollection(world.app, 'second').all()).to.equal(await words.all());
  });

  it('can hold the present alone', async () => {
    await live(40);
    const withPast = await world.backUp({ target: new MemoryObjectStore() });
    const present = await world.backUp({ history: 'none' });
    expect(present.objects).to.be.lessThan(withPast.objects);
    const app = await world.elsewhere();
    expect(await new SampleCollection(app, 'words').all()).to.equal(await words.all());
    await app.close();
  });
});

/** As `SampleCollection.all` gives it. */
function textOf(model: ReadonlyMap<string, number>): string {
  return [...model]
    .map(([id, value]) => `${id}=${value}`)
    .sort()
    .join(' ');
}

/** All records but one, of what `SampleCollection.all` gives. */
function without(id: string, all: string): string {
  return all
    .split(' ')
    .filter((record) => !record.startsWith(`${id}=`))
    .join(' ');
}
