import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import { FakeClock } from '../support/fake-clock.js';
import { FakeScheduler } from '../support/fake-scheduler.js';
import { SampleCollection } from '../support/sample-collection.js';
import type { TestApp } from '../support/test-app.js';
import { openTestApp } from '../support/test-app.js';

const COLLECTIONS = 10_000;
const HOUR = 60 * 60 * 1000;
/** Collections are opened and written this many at a time. */
const BATCH = 100;
const nameOf = (index: number): string => `idle-${index}`;

describe('Collections that nobody uses', function () {
  this.timeout(60_000);
  const disk = new MemoryObjectStore();
  const store = new FailingObjectStore(disk);
  const clock = new FakeClock();
  const scheduler = new FakeScheduler(clock);
  let app: TestApp;
  let starts = 0;

  const start = (): Promise<TestApp> =>
    openTestApp(store, {
      ownsStore: false,
      clock,
      scheduler,
      arenaBytes: 1024 * 1024 * 1024,
      seed: ++starts,
    });

  before(async () => {
    app = await start();
    for (let from = 0; from < COLLECTIONS; from += BATCH) {
      await Promise.all(
        Array.from({ length: BATCH }, async (_, index) => {
          const words = await SampleCollection.create(app, nameOf(from + index));
          await words.put('a', index);
        }),
      );
    }
  });

  after(() => app.close());

  it('scenario 55: 10 000 of them make no request in an hour and hold no timer, once they are folded', async () => {
    await scheduler.advance(HOUR);
    expect(scheduler.pending).to.equal(0);
    for (const index of [0, COLLECTIONS - 1]) {
      const { root, state } = await new SampleCollection(app, nameOf(index)).open();
      expect(root.walFloor).to.equal(1);
      expect(state.memtable.regions(), 'memory of an empty memtable').to.deep.equal([]);
    }
    store.calls.length = 0;
    await scheduler.advance(HOUR);
    expect(store.calls).to.deep.equal([]);
  });

  it('scenario 55: opening one of them after a restart takes four small reads and its segment, and no listing', async () => {
    await app.close();
    app = await start();
    store.calls.length = 0;
    const used = app.arena.used;
    expect(await new SampleCollection(app, nameOf(4321)).count()).to.equal(1);
    expect(store.calls.map(({ operation, key }) => `${operation} ${shortened(key)}`)).to.deep.equal([
      'get _catalog',
      'get root',
      'get s',
      'get w',
      'get root',
    ]);
    expect(app.arena.used - used, 'bytes: its segment and nothing else').to.be.within(1, 8 * 1024);
  });
});

/** What kind of object it is: the part of a key that is the same for all collections. */
function shortened(key: string): string {
  const [first = '', , , kind = ''] = key.split('/');
  return first === 'n' ? kind : first;
}
