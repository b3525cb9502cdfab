import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { OmenError } from '#server/core/errors.js';
import { SampleCollection } from '../../support/sample-collection.js';
import { columnsOf, contextOf, openTestApp } from '../../support/test-app.js';

const context = contextOf();

describe('Remembered requests', () => {
  it('are written a few times each over many folds, and known after a restart', async () => {
    const store = new MemoryObjectStore();
    let app = await openTestApp(store);
    let words = await SampleCollection.create(app, 'words');
    const upsert = (index: number) =>
      app.handlers.upsertRecords(context, {
        ...{ collection: 'words', requestId: `r${index}` },
        records: columnsOf([{ id: `k${index}`, vector: [index, 1] }]),
      });
    let written = 0;
    let last = '';
    for (let index = 0; index < 200; index++) {
      await upsert(index);
      await words.flush();
      const newest = (await words.open()).root.requestWindows.at(-1);
      if (newest !== undefined && newest.key !== last) written += newest.requests;
      last = newest?.key ?? '';
    }
    const { requestWindows } = (await words.open()).root;
    expect(requestWindows.reduce((sum, { requests }) => sum + requests, 0)).to.equal(200);
    expect(requestWindows.length).to.be.at.most(8);
    expect(written).to.be.lessThan(200 * 8);
    await app.close();
    app = await openTestApp(store);
    words = new SampleCollection(app, 'words');
    for (const index of [0, 57, 199]) expect(await upsert(index)).to.include({ inserted: 1 });
    expect(await words.count()).to.equal(200);
    await app.close();
  });

  it('that changed nothing are remembered too', async () => {
    const app = await openTestApp(new MemoryObjectStore());
    const words = await SampleCollection.create(app, 'words');
    const remove = () =>
      app.handlers.deleteRecords(context, { collection: 'words', ids: ['a'], requestId: 'once' });
    await words.put('b', 1);
    await words.flush();
    expect((await remove()).deleted).to.equal(0);
    await words.put('a', 1);
    await words.flush();
    expect((await remove()).deleted).to.equal(0);
    expect(await words.count()).to.equal(2);
    await app.close();
  });

  it('refuses an id that a request of another kind on its way has', async () => {
    const app = await openTestApp(new MemoryObjectStore());
    const context = contextOf();
    await app.handlers.createCollection(context, {
      ...{ name: 'words', dimensions: 2, metric: 'l2', requestId: '' },
    });
    const records = columnsOf([{ id: 'a', vector: [1, 1] }]);
    const write = { collection: 'words', requestId: 'once' };
    const [put, removal] = await Promise.allSettled([
      app.handlers.upsertRecords(context, { ...write, records }),
      app.handlers.deleteRecords(context, { ...write, ids: ['a'] }),
    ]);
    expect(put.status).to.equal('fulfilled');
    expect(removal.status === 'rejected' && (removal.reason as OmenError).reason).to.equal(
      'REQUEST_ID_REUSED',
    );
    await app.close();
  });
});
