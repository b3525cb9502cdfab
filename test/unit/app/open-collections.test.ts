import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { SampleCollection } from '../../support/sample-collection.js';
import type { TestApp } from '../../support/test-app.js';
import { columnsOf, contextOf, openTestApp } from '../../support/test-app.js';

const MIB = 1024 * 1024;

describe('Collections in memory', () => {
  let app: TestApp;

  afterEach(() => app.close());

  const fill = async (count: number, rows: number): Promise<SampleCollection[]> => {
    const made: SampleCollection[] = [];
    for (let index = 0; index < count; index++) {
      const words = await SampleCollection.create(app, `c${index}`);
      const records = Array.from({ length: rows }, (_, row) => ({ id: `k${row}`, vector: [index, 1] }));
      const write = { collection: words.name, records: columnsOf(records), requestId: '' };
      await app.handlers.upsertRecords(contextOf(), write);
      await words.settle();
      made.push(words);
    }
    return made;
  };

  it('are closed when there are many, those first that were not used for long', async () => {
    app = await openTestApp(new MemoryObjectStore(), { openCollections: 5 });
    const made = await fill(12, 1);
    expect(await made[0]?.count()).to.equal(1);
    expect(app.collections.openCount).to.equal(5);
    for (const [index, words] of made.entries()) expect(await words.all()).to.equal(`k0=${index}`);
    expect(app.collections.openCount).to.equal(5);
  });

  it('stay while they hold what is only in the log', async () => {
    app = await openTestApp(new MemoryObjectStore(), { openCollections: 2, automatic: false });
    const made: SampleCollection[] = [];
    for (let index = 0; index < 6; index++) {
      made.push(await SampleCollection.create(app, `c${index}`));
      await made[index]?.put('a', index);
    }
    expect(app.collections.openCount).to.equal(6);
    for (const [index, words] of made.entries()) expect(await words.all()).to.equal(`a=${index}`);
  });

  it('make room for another one when memory is short, however many there are', async () => {
    app = await openTestApp(new MemoryObjectStore(), { arenaBytes: 18 * MIB });
    const made = await fill(60, 1000);
    expect(app.collections.openCount).to.be.lessThan(60);
    for (const words of made) expect(await words.count()).to.equal(1000);
  });
});
