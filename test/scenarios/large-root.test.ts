import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { Root } from '#server/core/log/root.js';
import { decodeRoot, encodeRoot } from '#server/core/log/root.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import { reasonOf, SampleCollection } from '../support/sample-collection.js';
import { openTestApp } from '../support/test-app.js';

const SNAPSHOTS = 256;
const KIB = 1024;

describe('The root of a collection', function () {
  this.timeout(30_000);

  it('scenario 27: is one object, read once, with everything in it at its bound', async () => {
    const disk = new MemoryObjectStore();
    const store = new FailingObjectStore(disk);
    const options = { retentionMs: 7 * 24 * 3_600_000, ownsStore: false, automatic: false } as const;
    const app = await openTestApp(store, options);
    const words = await SampleCollection.create(app, 'words');
    for (let round = 0; round < SNAPSHOTS; round++) {
      await words.put(`k${round}`, round);
      await words.snapshot(`snapshot-${round}`);
      app.clock.advance(3_600_000);
      if (round % 2 === 1) await words.flush();
    }
    expect(await reasonOf(words.snapshot('one-too-many'))).to.equal('CONDITION_FAILED');
    const { root } = await words.open();
    expect(root.checkpoints.length).to.be.at.least(96);
    expect(encodeRoot(root).length).to.be.within(64 * KIB, 200 * KIB);
    await app.close();

    const again = await openTestApp(store, { ...options, seed: 2, clock: app.clock });
    store.calls.length = 0;
    expect(await new SampleCollection(again, 'words').count()).to.equal(SNAPSHOTS);
    // The second time it is unchanged, and nothing is read.
    expect(store.calls.filter(({ key }) => key.endsWith('/root')).length).to.equal(2);
    await again.close();
  });

  it('scenario 27: takes 10 000 segments', async () => {
    const app = await openTestApp(new MemoryObjectStore());
    const words = await SampleCollection.create(app, 'words');
    await words.put('a', 1);
    await words.flush();
    const { root } = await words.open();
    const [segment] = root.segments;
    if (segment === undefined) throw new Error('nothing was folded');
    const many: Root = {
      ...root,
      segments: Array.from({ length: 10_000 }, (_, index) => ({ ...segment, key: `${segment.key}${index}` })),
    };
    const bytes = encodeRoot(many);
    expect(decodeRoot(bytes, 'a root')).to.deep.equal(many);
    expect(bytes.length / many.segments.length).to.be.at.most(KIB);
    await app.close();
  });
});
