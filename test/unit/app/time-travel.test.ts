import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { AsOf } from '#server/app/api.js';
import { ObjectLayout } from '#server/app/log/object-layout.js';
import { collectGarbage } from '#server/app/maintenance/collect-garbage.js';
import { FailingObjectStore } from '../../support/failing-object-store.js';
import { silentLogger } from '../../support/log-node.js';
import { reasonOf, SampleCollection } from '../../support/sample-collection.js';
import { SeededRng } from '../../support/seeded-rng.js';
import type { TestApp } from '../../support/test-app.js';
import { contextOf, openTestApp } from '../../support/test-app.js';

const HOUR = 60 * 60 * 1000;
const at = (ms: number): AsOf => ({ kind: 'time', ms });
const after = (sequence: number): AsOf => ({ kind: 'sequence', sequence });
const inSnapshot = (name: string): AsOf => ({ kind: 'snapshot', name });

describe('Reads of the past', () => {
  let store: MemoryObjectStore;
  let app: TestApp;
  let words: SampleCollection;

  beforeEach(async () => {
    store = new MemoryObjectStore();
    app = await openTestApp(store, { retentionMs: 24 * HOUR });
    words = await SampleCollection.create(app, 'words');
  });

  afterEach(() => app.close());

  const tick = (ms: number): number => {
    app.clock.advance(ms);
    return app.clock.now();
  };
  const collect = async () => {
    const { rootStore, id } = await words.open();
    const deps = { store, clock: app.clock, scheduler: app.scheduler, rng: new SeededRng(3), rootStore };
    const collection = new ObjectLayout().collection(id);
    return collectGarbage({ ...deps, layout: collection, logger: silentLogger }, { windowMs: 24 * HOUR });
  };

  it('see what was there at that moment, in the log, in segments and through merges', async () => {
    const moments: [number, string][] = [];
    for (let round = 0; round < 12; round++) {
      await words.put(`k${round % 5}`, round);
      if (round % 4 === 3) await words.remove(`k${(round + 1) % 5}`);
      moments.push([app.clock.now(), await words.all()]);
      tick(20 * 60 * 1000);
      if (round % 3 === 2) await words.flush();
      if (round % 6 === 5) await words.settle();
      await collect();
    }
    for (const [ms, seen] of moments)
      expect(await words.all(at(ms)), new Date(ms).toISOString()).to.equal(seen);
    await app.close();
    app = await openTestApp(store, { retentionMs: 24 * HOUR, clock: app.clock });
    words = new SampleCollection(app, 'words');
    for (const [ms, seen] of moments) expect(await words.all(at(ms))).to.equal(seen);
  });

  it('scenario 51: equal the model at every sequence number of a random history', async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const rng = new SeededRng(seed);
      const random = await SampleCollection.create(app, `random-${seed}`);
      const model = new Map<string, number>();
      const states = new Map<number, string>();
      for (let step = 0; step < 60; step++) {
        const id = `k${rng.below(8)}`;
        const isPut = rng.chance(0.7);
        const sequence = isPut ? await random.put(id, step) : await random.remove(id);
        if (isPut) model.set(id, step);
        else model.delete(id);
        states.set(
          sequence,
          [...model]
            .map(([key, value]) => `${key}=${value}`)
            .sort()
            .join(' '),
        );
        if (rng.chance(0.15)) await random.flush();
        if (rng.chance(0.05)) await random.settle();
        tick(rng.below(30 * 60 * 1000));
      }
      for (const [sequence, state] of states) {
        expect(await random.all(after(sequence)), `seed ${seed} sequence ${sequence}`).to.equal(state);
      }
    }
  });

  it('search, count and get as well as they scan', async () => {
    tick(1000);
    await words.put('a', 1);
    await words.put('b', 2);
    const before = app.clock.now();
    tick(1000);
    await words.put('c', 1.4);
    await words.remove('a');
    expect(await words.nearest(1.3, at(before))).to.deep.equal(['a', 'b']);
    expect(await words.nearest(1.3)).to.deep.equal(['c', 'b']);
    expect(await words.count({ asOf: at(before) })).to.equal(2);
    expect(await words.count({ asOf: at(before - 1) })).to.equal(0);
    expect(await words.count({ asOf: at(tick(HOUR)) })).to.equal(2);
  });

  it('end with a clear error where the past is not kept any more', async () => {
    await words.put('a', 1);
    const early = app.clock.now();
    for (let round = 0; round < 5; round++) {
      tick(10 * HOUR);
      await words.put('a', round);
      await words.flush();
    }
    await collect();
    expect(await reasonOf(words.all(at(early)))).to.equal('MOMENT_NOT_KEPT');
    const first = await words.all(after(1)).catch((error: unknown) => error);
    expect(first).to.include({ reason: 'MOMENT_NOT_KEPT' });
    expect(first).to.have.nested.property('violations[0].field', 'asOfSequenceNumber');
    expect(await words.all(at(app.clock.now() - 23 * HOUR))).to.equal('a=1');
    // What cannot be read any more is not stored either.
    const slots = (await store.list('n/')).filter(({ key }) => key.includes('/w/'));
    expect(slots.length).to.be.lessThan(5);
  });

  it('begin with the creation of the collection', async () => {
    const before = app.clock.now();
    tick(1000);
    const late = await SampleCollection.create(app, 'late');
    expect(await reasonOf(late.all(at(before)))).to.equal('MOMENT_NOT_KEPT');
    expect(await late.all(at(app.clock.now()))).to.equal('');
  });

  it('scenario 45: do not go back when the clock of the server does', async () => {
    tick(1000);
    await words.put('a', 1);
    const first = app.clock.now();
    app.clock.jump(-HOUR);
    await words.put('a', 2);
    await words.flush();
    app.clock.jump(2 * HOUR);
    await words.put('a', 3);
    expect(await words.all(at(first - 1))).to.equal('');
    expect(await words.all(at(first))).to.equal('a=2');
    expect(await words.all(at(app.clock.now()))).to.equal('a=3');
  });

  it('fit into a small memory, however many moments are read', async () => {
    const small = await openTestApp(new MemoryObjectStore(), {
      retentionMs: HOUR,
      arenaBytes: 24 * 1024 * 1024,
    });
    const tight = await SampleCollection.create(small, 'tight');
    await tight.put('a', 1);
    const moments = [];
    for (let round = 0; round < 40; round++) {
      moments.push(small.clock.now());
      small.clock.advance(1000);
      await tight.put(`k${round}`, round);
    }
    for (const ms of moments) expect(await tight.count({ asOf: at(ms) })).to.be.greaterThan(0);
    expect(await tight.count()).to.equal(41);
    await small.close();
  });

  it('leave no memory behind when their collection is closed meanwhile', async () => {
    await words.put('a', 1);
    await words.flush();
    const moment = app.clock.now();
    tick(HOUR);
    await words.put('a', 2);
    const failing = new FailingObjectStore(store);
    const reader = await openTestApp(failing, { retentionMs: 24 * HOUR, seed: 2, clock: app.clock });
    const empty = reader.arena.used;
    const open = await reader.collections.open(contextOf().tenant, 'words');
    const slot = failing.hold('before', ({ operation, key }) => operation === 'get' && key.includes('/w/'));
    const view = open.view({ consistency: 'session', sessionToken: '', asOf: at(moment) }, contextOf());
    await slot.reached;
    await open.close();
    slot.release();
    (await view).release();
    expect(reader.arena.used).to.equal(empty);
    await reader.close();
  });

  it('do not show a collection that another server deleted, although it has the name', async () => {
    const options = { retentionMs: 24 * HOUR, ownsStore: false, clock: app.clock };
    const one = await openTestApp(store, { ...options, seed: 5 });
    const other = await openTestApp(store, { ...options, seed: 6 });
    const first = await SampleCollection.create(one, 'names');
    await first.put('secret', 1);
    const moment = app.clock.now();
    tick(1000);
    await first.put('secret', 2);
    const seen = new SampleCollection(other, 'names');
    expect(await seen.all(at(moment))).to.equal('secret=1');
    await one.handlers.deleteCollection(contextOf(), { collection: 'names', requestId: '' });
    await SampleCollection.create(one, 'names');
    tick(60_000);
    expect(await reasonOf(seen.all(at(moment)))).to.equal('MOMENT_NOT_KEPT');
    await Promise.all([one.close(), other.close()]);
  });
});

describe('Snapshots', () => {
  let store: FailingObjectStore;
  let app: TestApp;
  let words: SampleCollection;

  beforeEach(async () => {
    store = new FailingObjectStore(new MemoryObjectStore());
    app = await openTestApp(store);
    words = await SampleCollection.create(app, 'words');
  });

  afterEach(() => app.close());

  it('stay readable through everything that happens later, without a window', async () => {
    await words.put('a', 1);
    await words.flush();
    await words.put('b', 2);
    await words.snapshot('before');
    await words.remove('a');
    for (let round = 0; round < 8; round++) {
      await words.put('b', 10 + round);
      await words.settle();
    }
    expect(await words.all(inSnapshot('before'))).to.equal('a=1 b=2');
    await app.close();
    app = await openTestApp(store);
    words = new SampleCollection(app, 'words');
    expect(await words.all(inSnapshot('before'))).to.equal('a=1 b=2');
    expect(await words.all()).to.equal('b=17');
  });

  it('keep only the log up to their moment', async () => {
    await words.snapshot('empty');
    for (let round = 0; round < 6; round++) await words.put('a', round);
    await words.settle();
    const slots = (await store.list('n/')).filter(({ key }) => key.includes('/w/'));
    expect(slots).to.deep.equal([]);
    expect(await words.all(inSnapshot('empty'))).to.equal('');
  });

  it('let go of what only they needed when they are deleted', async () => {
    await words.put('a', 1);
    await words.flush();
    await words.snapshot('before');
    await words.put('a', 2);
    await words.settle();
    const segments = async () => (await store.list('n/')).filter(({ key }) => key.includes('/s/')).length;
    expect(await segments()).to.equal(2);
    await words.deleteSnapshot('before');
    await words.put('b', 1);
    await words.settle();
    expect(await segments()).to.equal(1);
    expect(await reasonOf(words.all(inSnapshot('before')))).to.equal('SNAPSHOT_NOT_FOUND');
  });

  it('are another moment when their name is given again', async () => {
    await words.put('a', 1);
    await words.snapshot('s');
    expect(await words.all(inSnapshot('s'))).to.equal('a=1');
    await words.put('a', 2);
    await words.deleteSnapshot('s');
    expect(await reasonOf(words.all(inSnapshot('s')))).to.equal('SNAPSHOT_NOT_FOUND');
    await words.snapshot('s');
    expect(await words.all(inSnapshot('s'))).to.equal('a=2');
  });

  it('are made and deleted once, however often the request comes', async () => {
    await words.put('a', 1);
    const context = contextOf();
    const request = { collection: 'words', name: 'once', requestId: 'r1' };
    const first = await app.handlers.createSnapshot(context, request);
    await words.put('a', 2);
    expect(await app.handlers.createSnapshot(context, request)).to.deep.equal(first);
    expect(await reasonOf(words.snapshot('once'))).to.equal('SNAPSHOT_EXISTS');
    await words.deleteSnapshot('once');
    await words.deleteSnapshot('once');
    const { snapshots } = await app.handlers.listSnapshots(context, { collection: 'words' });
    expect(snapshots).to.deep.equal([]);
  });
});
