import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { FailingObjectStore } from '../../support/failing-object-store.js';
import type { TestApp } from '../../support/test-app.js';
import { columnsOf, contextOf, openTestApp } from '../../support/test-app.js';

const context = contextOf();
const NAME = 'words';

describe('A merge beside another server', () => {
  it('scenario 19: does not bring back what the other one deleted and folded meanwhile', async () => {
    const disk = new MemoryObjectStore();
    const store = new FailingObjectStore(disk);
    const options = { ownsStore: false, foldSlots: 1000 };
    const [one, other] = [
      await openTestApp(store, options),
      await openTestApp(disk, { ...options, seed: 2 }),
    ];
    await one.handlers.createCollection(context, {
      ...{ name: NAME, dimensions: 2, metric: 'l2', requestId: '' },
    });
    const upkeep = async (app: TestApp) => (await app.collections.open(context.tenant, NAME)).upkeep;
    for (let segment = 0; segment < 2; segment++) {
      const records = columnsOf(
        [0, 1, 2, 3].map((row) => ({ id: `${segment}-${row}`, vector: [segment, row] })),
      );
      await one.handlers.upsertRecords(context, { collection: NAME, records, requestId: '' });
      await (await upkeep(one)).flush();
    }
    // The registration of the job is overtaken: the server has seen a root that its memory is behind.
    const registration = store.hold('before', ({ operation }) => operation === 'compareAndSwap');
    const merged = (await upkeep(one)).settle();
    await registration.reached;
    await other.handlers.deleteRecords(context, { collection: NAME, ids: ['0-0', '1-1'], requestId: '' });
    await (await upkeep(other)).flush();
    registration.release();
    await merged.catch(() => undefined);
    const left = ['0-1', '0-2', '0-3', '1-0', '1-2', '1-3'];
    // A third server knows only what is stored.
    for (const app of [one, other, await openTestApp(disk, { ...options, seed: 3 })]) {
      const { records } = await app.handlers.scanRecords(context, {
        ...{ collection: NAME, consistency: 'strong', sessionToken: '', select: [], includeVectors: false },
        ...{ pageSize: 100, pageToken: '' },
      });
      expect(records.map(({ id }) => id).sort()).to.deep.equal(left);
      await app.close();
    }
  });

  it('scenario 23: does not make a reader of the older root find nothing', async () => {
    const disk = new MemoryObjectStore();
    const store = new FailingObjectStore(disk);
    const options = { ownsStore: false, foldSlots: 1000 };
    const [one, other] = [
      await openTestApp(disk, options),
      await openTestApp(store, { ...options, seed: 2 }),
    ];
    await one.handlers.createCollection(context, {
      ...{ name: NAME, dimensions: 2, metric: 'l2', requestId: '' },
    });
    const { upkeep } = await one.collections.open(context.tenant, NAME);
    for (let segment = 0; segment < 3; segment++) {
      const records = columnsOf([{ id: `${segment}`, vector: [segment, 1] }]);
      await one.handlers.upsertRecords(context, { collection: NAME, records, requestId: '' });
      await upkeep.flush();
    }
    const read = store.hold('before', ({ operation, key }) => operation === 'get' && key.includes('/s/'));
    const counted = other.handlers.countRecords(context, {
      ...{ collection: NAME, consistency: 'strong', sessionToken: '' },
    });
    await read.reached;
    await upkeep.settle();
    read.release();
    expect((await counted).count).to.equal(3);
    await one.close();
    await other.close();
  });
});
