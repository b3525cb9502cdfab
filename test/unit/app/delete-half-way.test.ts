import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { Call } from '../../support/failing-object-store.js';
import { FailingObjectStore } from '../../support/failing-object-store.js';
import { reasonOf, SampleCollection } from '../../support/sample-collection.js';
import { contextOf, openTestApp } from '../../support/test-app.js';

const context = contextOf();
const NAME = 'words';
const seals = ({ operation, key }: Call): boolean => operation === 'compareAndSwap' && key.endsWith('/root');

describe('A deletion that fails half-way', () => {
  for (const requestId of ['r', '']) {
    it(`stops other servers' writes when it is repeated ${requestId === '' ? 'without' : 'with'} its id`, async () => {
      const bucket = new MemoryObjectStore();
      const failing = new FailingObjectStore(bucket);
      const one = await openTestApp(failing, { ownsStore: false });
      const other = await openTestApp(bucket, { ownsStore: false, seed: 2 });
      await SampleCollection.create(one, NAME);
      const seen = new SampleCollection(other, NAME);
      await seen.put('a', 1);
      failing.failAlways('before', seals);
      const remove = (): Promise<unknown> =>
        one.handlers.deleteCollection(context, { collection: NAME, requestId });
      expect(await reasonOf(remove())).to.equal('STORAGE_UNAVAILABLE');
      failing.heal();
      const answer = await reasonOf(remove());
      expect(answer).to.equal(requestId === '' ? 'COLLECTION_NOT_FOUND' : 'none');
      expect(await reasonOf(seen.put('b', 2))).to.equal('COLLECTION_NOT_FOUND');
      await Promise.all([one.close(), other.close()]);
    });
  }

  it('lets no server write to the old collection when its name is given to a new one', async () => {
    const bucket = new MemoryObjectStore();
    const failing = new FailingObjectStore(bucket);
    const one = await openTestApp(failing, { ownsStore: false });
    const other = await openTestApp(bucket, { ownsStore: false, seed: 2 });
    const words = await SampleCollection.create(one, NAME);
    const seen = new SampleCollection(other, NAME);
    await seen.put('old', 1);
    failing.failAlways('before', seals);
    const remove = one.handlers.deleteCollection(context, { collection: NAME, requestId: '' });
    expect(await reasonOf(remove)).to.equal('STORAGE_UNAVAILABLE');
    failing.heal();
    await SampleCollection.create(one, NAME);
    await seen.put('new', 2);
    expect(await words.all()).to.equal('new=2');
    await Promise.all([one.close(), other.close()]);
  });

  it('says that it succeeded although the collection was just being opened', async () => {
    const bucket = new MemoryObjectStore();
    const setup = await openTestApp(bucket);
    await SampleCollection.create(setup, NAME);
    await setup.close();
    const store = new FailingObjectStore(bucket);
    const app = await openTestApp(store, { seed: 2 });
    const opening = store.hold(
      'before',
      ({ operation, key }) => operation === 'get' && key.endsWith('/root'),
    );
    const sealed = store.hold('after', seals);
    const read = reasonOf(new SampleCollection(app, NAME).count());
    await opening.reached;
    const removed = reasonOf(app.handlers.deleteCollection(context, { collection: NAME, requestId: '' }));
    await sealed.reached;
    opening.release();
    sealed.release();
    expect(await removed).to.equal('none');
    await read;
    await app.close();
  });
});
