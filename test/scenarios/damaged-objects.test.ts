import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import { reasonOf, SampleCollection } from '../support/sample-collection.js';
import { SeededRng } from '../support/seeded-rng.js';
import { openTestApp } from '../support/test-app.js';

const EVERYTHING = 'a=9 b=2 c=3 d=4 e=5';
const BITS = 40;

describe('A flipped bit in what a collection consists of', () => {
  for (const [what, part] of [
    ['the root', /\/root$/],
    ['the log', /\/w\//],
    ['a segment', /\/s\//],
    ['deleted rows', /\/d\//],
  ] as const) {
    it(`scenario 28: in ${what} is found out whichever it is, harms no other collection, and nothing is lost`, async () => {
      const disk = new MemoryObjectStore();
      const { id } = await fill(disk);
      for (let seed = 1; seed <= BITS; seed++) {
        const store = new FailingObjectStore(disk, { rng: new SeededRng(seed) });
        const app = await openTestApp(store, { seed, automatic: false });
        store.failAlways(
          'flipped',
          ({ operation, key }) => operation === 'get' && key.includes(id) && part.test(key),
        );
        const damaged = new SampleCollection(app, 'damaged');
        expect(await reasonOf(damaged.all()), `seed ${seed}`).to.equal('DATA_CORRUPTED');
        expect(await reasonOf(damaged.put('a', 1)), `seed ${seed}`).to.equal('DATA_CORRUPTED');
        const other = new SampleCollection(app, 'other');
        await other.put('k', seed);
        expect(await other.all()).to.equal(`k=${seed}`);
        store.heal();
        expect(await damaged.all(), `seed ${seed}`).to.equal(EVERYTHING);
        await app.close();
      }
    });
  }
});

/** A collection with two segments, deleted rows in one of them, and a slot behind them. */
async function fill(disk: MemoryObjectStore): Promise<{ readonly id: string }> {
  const app = await openTestApp(disk, { automatic: false });
  const damaged = await SampleCollection.create(app, 'damaged');
  await SampleCollection.create(app, 'other');
  for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) await damaged.put(id, index + 1);
  await damaged.flush();
  await damaged.put('a', 9);
  await damaged.flush();
  await damaged.put('e', 5);
  const { id } = await damaged.open();
  await app.close();
  return { id };
}
