import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { Attributes } from '#server/core/record/record.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import { FakeClock } from '../support/fake-clock.js';
import { FakeScheduler } from '../support/fake-scheduler.js';
import { SampleCollection } from '../support/sample-collection.js';
import { SeededRng } from '../support/seeded-rng.js';
import type { TestApp } from '../support/test-app.js';
import { columnsOf, contextOf, openTestApp } from '../support/test-app.js';

const context = contextOf();
const NAME = 'words';
const kind = (value: string): Attributes => new Map([['kind', value]]);

describe('Writes that depend on what is there, on two servers of one store', () => {
  const disk = new MemoryObjectStore();
  const rng = new SeededRng(11);
  const clock = new FakeClock();
  let stores: readonly FailingObjectStore[];
  let apps: readonly TestApp[];

  before(async () => {
    const schedulers = [0, 1].map(() => new FakeScheduler(clock, { automatic: true }));
    stores = schedulers.map((scheduler) => new FailingObjectStore(disk, { rng, scheduler, delayMsMax: 20 }));
    apps = await Promise.all(
      stores.map((store, index) =>
        openTestApp(store, { ownsStore: false, clock, seed: index + 1, scheduler: at(schedulers, index) }),
      ),
    );
    await SampleCollection.create(at(apps, 0), NAME);
  });

  after(() => Promise.all(apps.map((app) => app.close())));

  const put = (server: number, id: string, attributes: Attributes) =>
    at(apps, server).handlers.upsertRecords(context, {
      ...{ collection: NAME, records: columnsOf([{ id, vector: [1, 1], attributes }]), requestId: '' },
    });
  const patch = (server: number, id: string, attributes: Attributes) =>
    at(apps, server).handlers.patchRecords(context, {
      ...{ collection: NAME, patches: [{ id, attributes }], requestId: '' },
    });
  const remove = (server: number, ids: readonly string[]) =>
    at(apps, server).handlers.deleteRecords(context, { collection: NAME, ids, requestId: '' });
  const kinds = async (server: number): Promise<Record<string, unknown>> => {
    const { records } = await at(apps, server).handlers.scanRecords(context, {
      ...{ collection: NAME, select: 'all', includeVectors: false, pageSize: 100, pageToken: '' },
      ...{ consistency: 'strong', sessionToken: '' },
    });
    return Object.fromEntries(records.map(({ id, attributes }) => [id, attributes.get('kind')]));
  };

  it('scenario 11: a patch beside a deletion finds the record or misses it, and never brings it back', async () => {
    const seen = new Set<number>();
    for (let round = 0; round < 30; round++) {
      await put(round % 2, 'a', kind('first'));
      const [patched, removed] = await Promise.all([patch(0, 'a', kind('patched')), remove(1, ['a'])]);
      expect(removed.deleted, `round ${round}`).to.equal(1);
      expect(patched.missingIds).to.deep.equal(patched.patched === 1 ? [] : ['a']);
      expect(await kinds(0)).to.deep.equal({});
      seen.add(patched.patched);
    }
    expect([...seen].sort(), 'orders that happened').to.deep.equal([0, 1]);
  });

  it('scenario 11: a patch of an id without a record changes nothing and names it', async () => {
    await put(0, 'here', kind('old'));
    const answer = await at(apps, 1).handlers.patchRecords(context, {
      ...{ collection: NAME, requestId: '' },
      patches: [
        { id: 'nobody', attributes: kind('new') },
        { id: 'here', attributes: kind('new') },
      ],
    });
    expect(answer).to.deep.include({ patched: 1, missingIds: ['nobody'] });
    expect(await kinds(0)).to.deep.equal({ here: 'new' });
    await remove(0, ['here']);
  });

  it('scenario 11: a deletion by filter takes what matched when it was read and matches still', async () => {
    for (const id of ['stays old', 'is changed', 'is deleted']) await put(0, id, kind('old'));
    await put(0, 'never old', kind('new'));
    const slot = at(stores, 0).hold('before', ({ operation }) => operation === 'putIfAbsent');
    const deletion = at(apps, 0).handlers.deleteRecords(context, {
      ...{ collection: NAME, ids: [], filter: { kind: 'eq', field: 'kind', value: 'old' }, requestId: '' },
    });
    await slot.reached;
    await put(1, 'is changed', kind('new'));
    await put(1, 'came later', kind('old'));
    await patch(1, 'never old', kind('old'));
    await remove(1, ['is deleted']);
    slot.release();
    expect((await deletion).deleted).to.equal(1);
    const left = { 'is changed': 'new', 'came later': 'old', 'never old': 'old' };
    expect(await kinds(0)).to.deep.equal(left);
    expect(await kinds(1)).to.deep.equal(left);
  });
});

function at<T>(all: readonly T[], index: number): T {
  const one = all[index];
  if (one === undefined) throw new Error(`there is no number ${index}`);
  return one;
}
