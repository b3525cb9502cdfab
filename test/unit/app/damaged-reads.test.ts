import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { FailingObjectStore } from '../../support/failing-object-store.js';
import { reasonOf, SampleCollection } from '../../support/sample-collection.js';
import { openTestApp } from '../../support/test-app.js';

describe('A read that is damaged on its way', () => {
  for (const [what, part] of [
    ['the root', '/root'],
    ['a log slot', '/w/'],
    ['a segment', '/s/'],
    ['deleted rows', '/d/'],
  ] as const) {
    it(`is read once more: ${what}`, async () => {
      const disk = new MemoryObjectStore();
      const writer = await openTestApp(disk);
      const words = await SampleCollection.create(writer, 'words');
      for (const id of ['a', 'b', 'c', 'e', 'f']) await words.put(id, 1);
      await words.flush();
      await words.remove('a');
      await words.flush();
      await words.put('d', 1);
      await writer.close();
      for (const [faults, reason] of [
        [50, 'DATA_CORRUPTED'],
        [1, 'none'],
      ] as const) {
        const store = new FailingObjectStore(disk);
        const app = await openTestApp(store);
        for (let n = 0; n < faults; n++) {
          store.failAt(0, 'flipped', ({ operation, key }) => operation === 'get' && key.includes(part));
        }
        expect(await reasonOf(new SampleCollection(app, 'words').all()), `${faults}`).to.equal(reason);
        await app.close();
      }
    });
  }
});
