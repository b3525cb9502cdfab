import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { FailingObjectStore } from '../../support/failing-object-store.js';
import { FakeClock } from '../../support/fake-clock.js';
import { settle } from '../../support/fake-scheduler.js';
import { reasonOf, SampleCollection } from '../../support/sample-collection.js';
import type { TestApp } from '../../support/test-app.js';
import { contextOf, openTestApp } from '../../support/test-app.js';

const HOUR = 60 * 60 * 1000;

describe('Branches and copies', () => {
  let store: FailingObjectStore;
  let clock: FakeClock;
  let app: TestApp;
  let words: SampleCollection;

  beforeEach(async () => {
    store = new FailingObjectStore(new MemoryObjectStore());
    clock = new FakeClock();
    app = await openTestApp(store, { clock });
    words = await SampleCollection.create(app, 'words');
  });

  afterEach(() => app.close());

  /** A few records in segments, some of them deleted since, and some in the log. */
  const fill = async (): Promise<void> => {
    for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) await words.put(id, index);
    await words.flush();
    await words.remove('d');
    await words.flush();
    await words.put('a', 10);
    await words.put('e', 4);
    await words.remove('b');
  };
  const FILLED = 'a=10 c=2 e=4';
  const reopen = async (): Promise<void> => {
    await app.close();
    app = await openTestApp(store, { clock });
    words = new SampleCollection(app, 'words');
  };
  const again = (name: string): SampleCollection => new SampleCollection(app, name);
  const keys = async (part: string): Promise<number> =>
    (await store.list('n/')).filter(({ key }) => key.includes(part)).length;
  const sweep = async (): Promise<void> => {
    app.collections.sweep();
    for (let turn = 0; turn < 200; turn++) await settle();
  };

  it('begin with what the source holds, and then go their own ways', async () => {
    await fill();
    const branch = await words.branch('branch');
    expect(await branch.all()).to.equal(FILLED);
    await branch.put('x', 1);
    await branch.remove('a');
    await words.put('y', 2);
    expect(await branch.all()).to.equal('c=2 e=4 x=1');
    expect(await words.all()).to.equal('a=10 c=2 e=4 y=2');
    await branch.settle();
    await words.settle();
    await reopen();
    expect(await again('branch').all()).to.equal('c=2 e=4 x=1');
    expect(await words.all()).to.equal('a=10 c=2 e=4 y=2');
  });

  it('take as many requests for a large collection as for a small one', async () => {
    await fill();
    await words.branch('warm-up');
    const cost = async (name: string): Promise<number> => {
      store.calls.length = 0;
      await words.branch(name);
      return store.calls.length;
    };
    const small = await cost('small');
    for (let round = 0; round < 300; round++) await words.put(`k${round}`, round);
    await words.flush();
    await words.put('tail', 1);
    expect(await cost('large')).to.equal(small);
  });

  it('can begin with a moment of the past and with a snapshot', async () => {
    await fill();
    await words.snapshot('kept');
    const seen = clock.now();
    clock.advance(1000);
    await words.put('z', 1);
    expect(await (await words.branch('one', { kind: 'snapshot', name: 'kept' })).all()).to.equal(FILLED);
    expect(await (await words.branch('two', { kind: 'time', ms: seen })).all()).to.equal(FILLED);
    expect(await reasonOf(words.branch('three', { kind: 'snapshot', name: 'none' }))).to.equal(
      'SNAPSHOT_NOT_FOUND',
    );
    expect(await reasonOf(again('three').all())).to.equal('COLLECTION_NOT_FOUND');
  });

  it('scenario 50: live on when the parent is deleted first, also branches of branches', async () => {
    await fill();
    const child = await words.branch('child');
    await child.put('x', 1);
    const grandchild = await child.branch('grandchild');
    await grandchild.put('y', 2);
    await words.delete();
    await sweep();
    await child.delete();
    await sweep();
    await reopen();
    expect(await again('grandchild').all()).to.equal('a=10 c=2 e=4 x=1 y=2');
    expect(await reasonOf(words.all())).to.equal('COLLECTION_NOT_FOUND');
    await again('grandchild').delete();
    for (let pass = 0; pass < 4; pass++) await sweep();
    expect((await store.list('n/')).map(({ key }) => key)).to.deep.equal([]);
  });

  it('scenario 49: keep what a branch needs of a source that is deleted while it is made', async () => {
    await fill();
    const hold = store.hold('before', ({ key }) => key.includes('/p/'));
    const making = words.branch('late').then(
      () => 'made',
      (error: unknown) => (error as { reason: string }).reason,
    );
    await hold.reached;
    await words.delete();
    hold.release();
    expect(await making).to.be.oneOf(['COLLECTION_NOT_FOUND', 'MOMENT_NOT_KEPT']);
    await sweep();
    expect(await reasonOf(again('late').all())).to.equal('COLLECTION_NOT_FOUND');
  });

  it('scenario 50: leave nothing behind at whatever call the making dies', async function () {
    this.timeout(60_000);
    await fill();
    for (const fault of ['killed-before', 'killed-after'] as const) {
      for (let n = 0; ; n++) {
        const name = `branch-${fault}-${n}`;
        store.failAt(n, fault);
        void words.branch(name).catch(() => undefined);
        for (let turn = 0; turn < 30; turn++) await settle();
        const { fired } = store;
        store.heal();
        const disk = store;
        store = new FailingObjectStore((disk as unknown as { inner: MemoryObjectStore }).inner);
        app = await openTestApp(store, { clock });
        words = new SampleCollection(app, 'words');
        const reason = await reasonOf(again(name).all());
        if (reason === 'none') {
          expect(await again(name).all()).to.equal(FILLED);
          await again(name).delete();
        } else expect(reason).to.equal('COLLECTION_NOT_FOUND');
        clock.advance(2 * HOUR);
        for (let pass = 0; pass < 3; pass++) await sweep();
        await words.put('tick', n);
        await words.settle();
        await words.remove('tick');
        await words.settle();
        // The collection itself, and a sealed root where the making was cut off before there was one.
        expect(await keys('/p/'), `pins after ${name}`).to.equal(0);
        expect(await words.all()).to.equal(FILLED);
        if (!fired) break;
      }
    }
  });

  it('let the source have its objects back when nothing of them is used any more', async () => {
    await fill();
    const copy = await words.copy('copy');
    expect(await copy.all()).to.equal(FILLED);
    expect(await keys('/p/')).to.equal(1);
    await copy.settle();
    expect(await copy.all()).to.equal(FILLED);
    expect(await keys('/p/')).to.equal(0);
    await words.delete();
    await sweep();
    await reopen();
    expect(await again('copy').all()).to.equal(FILLED);
  });

  it('are refused a name that is taken, and made once however often the request comes', async () => {
    await fill();
    await words.branch('taken');
    expect(await reasonOf(words.branch('taken'))).to.equal('COLLECTION_EXISTS');
    const request = { collection: 'words', name: 'once', requestId: 'r1' };
    const first = await app.handlers.branchCollection(contextOf(), request);
    await again('once').put('x', 1);
    expect(await app.handlers.branchCollection(contextOf(), request)).to.deep.equal(first);
    expect(await again('once').count()).to.equal(4);
  });

  it('scenario 54: can be made of an empty collection', async () => {
    const branch = await words.branch('branch');
    expect(await branch.all()).to.equal('');
    await branch.put('x', 1);
    await branch.settle();
    expect(await branch.all()).to.equal('x=1');
    expect(await keys('/p/')).to.equal(0);
    await words.settle();
    expect(await words.all()).to.equal('');
  });

  it('keep one tenant from branching what belongs to another', async () => {
    await fill();
    const other = contextOf('other');
    const request = { collection: 'words', name: 'mine', requestId: '' };
    expect(await reasonOf(app.handlers.branchCollection(other, request))).to.equal('COLLECTION_NOT_FOUND');
  });
});
