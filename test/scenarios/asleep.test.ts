import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { Call } from '../support/failing-object-store.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import { FakeClock } from '../support/fake-clock.js';
import { FakeScheduler, settle } from '../support/fake-scheduler.js';
import { reasonOf, SampleCollection } from '../support/sample-collection.js';
import type { TestApp } from '../support/test-app.js';
import { openTestApp } from '../support/test-app.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NAME = 'words';
const putsSlot = ({ operation, key }: Call): boolean => operation === 'putIfAbsent' && key.includes('/w/');
const swapsRoot = ({ operation, key }: Call): boolean =>
  operation === 'compareAndSwap' && key.endsWith('/root');

describe('A server that was asleep, or died, while others went on', () => {
  let disk: MemoryObjectStore;
  let store: FailingObjectStore;
  let clock: FakeClock;
  let scheduler: FakeScheduler;
  let seeds: number;

  beforeEach(() => {
    disk = new MemoryObjectStore();
    store = new FailingObjectStore(disk);
    clock = new FakeClock();
    scheduler = new FakeScheduler(clock);
    seeds = 0;
  });

  const start = (on: FailingObjectStore | MemoryObjectStore, retentionMs = 0): Promise<TestApp> =>
    openTestApp(on, { ownsStore: false, clock, scheduler, seed: ++seeds, retentionMs });
  const objects = async (folder: string): Promise<number> =>
    (await disk.list('n/')).filter(({ key }) => key.includes(`/${folder}/`)).length;
  /** Everything is folded, merged and collected by this server. */
  const rest = async (words: SampleCollection): Promise<void> => {
    await words.settle();
    await scheduler.advance(5 * MINUTE);
  };

  for (const when of ['before', 'after'] as const) {
    it(`scenario 44: frozen for 10 minutes ${when} its put, acknowledges nothing that was overtaken`, async () => {
      const one = await SampleCollection.create(await start(store), NAME);
      const other = new SampleCollection(await start(disk), NAME);
      await one.put('a', 1);
      const freeze = store.hold(when, putsSlot);
      const written = one.put('a', 2);
      await freeze.reached;
      for (let value = 3; value < 8; value++) await other.put('b', value);
      await rest(other);
      await scheduler.advance(10 * MINUTE);
      expect(await objects('w'), 'slots that were collected').to.equal(0);
      freeze.release();
      expect(await reasonOf(written)).to.equal('STORAGE_UNAVAILABLE');
      const value = when === 'before' ? 'a=1 b=7' : 'a=2 b=7';
      expect(await one.all()).to.equal(value);
      expect(await other.all()).to.equal(value);
      await one.put('a', 9);
      await other.count({ consistency: 'strong' });
      expect(await other.all()).to.equal('a=9 b=7');
    });
  }

  it('scenario 23: a reader with a root of 20 minutes ago reads right although its objects are gone', async () => {
    const one = await SampleCollection.create(await start(disk), NAME);
    for (let round = 0; round < 4; round++) {
      await one.put('a', round);
      await one.put(`k${round}`, round);
      await one.flush();
    }
    const reader = new SampleCollection(await start(store), NAME);
    expect(await reader.count()).to.equal(5);
    await rest(one);
    await one.put('a', 100);
    await one.put('late', 200);
    await rest(one);
    await scheduler.advance(20 * MINUTE);
    expect(await objects('s')).to.equal(1);
    store.calls.length = 0;
    expect(await reader.count()).to.equal(6);
    expect(store.calls.length, 'it has looked').to.be.greaterThan(0);
    expect(await reader.all()).to.equal('a=100 k0=0 k1=1 k2=2 k3=3 late=200');
    expect(await reader.nearest(200)).to.deep.equal(['late', 'a', 'k3']);
  });

  it('scenario 17: a manifest without a root is never read as part of the past', async () => {
    const one = await SampleCollection.create(await start(store, 24 * HOUR), NAME);
    await one.put('a', 1);
    // Dies with the manifest of its fold put, and the root as it was.
    store.failAt(1, 'killed-before', swapsRoot);
    void one.flush().catch(() => undefined);
    await settle();
    const before = await objects('m');
    const { version } = (await new SampleCollection(await start(disk), NAME).open()).root;
    expect(before, 'one manifest more than versions').to.equal(version + 1);

    const other = new SampleCollection(await start(disk, 24 * HOUR), NAME);
    const states: string[] = ['', 'a=1'];
    for (let value = 2; value < 10; value++) {
      await other.put('a', value);
      states.push(`a=${value}`);
      clock.advance(20 * MINUTE);
      if (value % 3 === 0) await other.flush();
    }
    for (const [sequence, state] of states.entries()) {
      if (sequence > 0) expect(await other.all({ kind: 'sequence', sequence })).to.equal(state);
    }
  });
});
