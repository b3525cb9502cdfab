import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import { FakeClock } from '../support/fake-clock.js';
import { FakeScheduler } from '../support/fake-scheduler.js';
import { reasonOf, SampleCollection } from '../support/sample-collection.js';
import { SeededRng } from '../support/seeded-rng.js';
import type { TestApp } from '../support/test-app.js';
import { columnsOf, contextOf, openTestApp } from '../support/test-app.js';

const context = contextOf();
const NAME = 'words';

describe('A collection that is deleted on one server', () => {
  let disk: MemoryObjectStore;
  let clock: FakeClock;
  let seeds: number;

  beforeEach(() => {
    disk = new MemoryObjectStore();
    clock = new FakeClock();
    seeds = 0;
  });

  /** A server whose calls take their time when there is a seed for it. */
  const start = async (
    delaySeed = 0,
  ): Promise<{ readonly app: TestApp; readonly store: FailingObjectStore }> => {
    const scheduler = new FakeScheduler(clock, { automatic: true });
    const slow = { rng: new SeededRng(delaySeed), scheduler, delayMsMax: 20 };
    const store = new FailingObjectStore(disk, delaySeed > 0 ? slow : {});
    const app = await openTestApp(store, { ownsStore: false, clock, scheduler, seed: ++seeds });
    return { app, store };
  };

  it('scenario 48: and made anew takes over the writes of another; none is acknowledged and lost', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const [one, other] = [await start(seed), await start(seed + 100)];
      const words = await SampleCollection.create(one.app, `${NAME}-${seed}`);
      const oldId = (await words.open()).id;
      await words.put('first', 1);
      const acknowledged: string[] = [];
      let recreated = false;
      const writer = async (): Promise<void> => {
        for (let write = 0; !recreated || acknowledged.length === 0 || write % 5 > 0; write++) {
          const records = columnsOf([{ id: `w${write}`, vector: [write, 1] }]);
          const request = { collection: words.name, records, requestId: '' };
          const token = await other.app.handlers.upsertRecords(context, request).then(
            ({ sessionToken }) => sessionToken,
            (error: unknown) => String((error as { reason?: string }).reason),
          );
          expect(token, `seed ${seed}`).to.match(/^COLLECTION_NOT_FOUND$|^[0-9a-f]{32}\./);
          if (token.includes('.') && !token.startsWith(oldId)) acknowledged.push(`w${write}=${write}`);
        }
      };
      const writing = writer();
      await words.delete();
      await SampleCollection.create(one.app, words.name);
      recreated = true;
      await writing;
      for (const { app } of [one, other, await start()]) {
        const fresh = new SampleCollection(app, words.name);
        expect(await fresh.count({ consistency: 'strong' })).to.equal(acknowledged.length);
        expect(await fresh.all(), `seed ${seed}`).to.equal(acknowledged.sort().join(' '));
      }
      await one.app.close();
      await other.app.close();
    }
  });

  it('scenario 49: while another server merges it, leaves nothing behind', async () => {
    const [one, other] = [await start(), await start()];
    const words = await SampleCollection.create(one.app, NAME);
    for (let segment = 0; segment < 3; segment++) {
      await words.put(`k${segment}`, segment);
      await words.flush();
    }
    const elsewhere = new SampleCollection(other.app, NAME);
    expect(await elsewhere.count({ consistency: 'strong' })).to.equal(3);
    const upload = other.store.hold(
      'before',
      ({ operation, key }) => operation === 'putIfAbsent' && key.includes('/s/'),
    );
    const merge = elsewhere.settle();
    await upload.reached;
    await words.delete();
    upload.release();
    await merge.catch(() => undefined);
    expect(await reasonOf(elsewhere.count({ consistency: 'strong' }))).to.equal('COLLECTION_NOT_FOUND');
    await one.app.close();
    await other.app.close();
    const next = await start();
    next.app.collections.sweep();
    await next.app.close();
    expect((await disk.list('n/')).map(({ key }) => key)).to.deep.equal([]);
  });
});
