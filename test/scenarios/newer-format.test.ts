import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { crc32c } from '#server/core/bytes/crc32c.js';
import { ROOT_FORMAT } from '#server/core/log/root.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import { SampleCollection } from '../support/sample-collection.js';
import type { TestApp } from '../support/test-app.js';
import { openTestApp } from '../support/test-app.js';

const REFUSAL = `has format version ${ROOT_FORMAT + 1}, this server reads version ${ROOT_FORMAT}`;
const VERSION_AT = 4;

describe('A root that a newer server has written', () => {
  let disk: MemoryObjectStore;
  let store: FailingObjectStore;
  let app: TestApp;
  let words: SampleCollection;

  beforeEach(async () => {
    disk = new MemoryObjectStore();
    store = new FailingObjectStore(disk);
    app = await openTestApp(store, { ownsStore: false });
    words = await SampleCollection.create(app, 'words');
    await words.put('a', 1);
    await words.flush();
  });

  afterEach(() => app.close());

  /** The same root in the next format. */
  async function upgrade(): Promise<Uint8Array> {
    const key = (await disk.list('n/')).find((object) => object.key.endsWith('/root'))?.key ?? '';
    const got = await disk.get(key);
    if (got.kind !== 'found') throw new Error('there is no root');
    const bytes = got.body.slice();
    const view = new DataView(bytes.buffer);
    view.setUint16(VERSION_AT, ROOT_FORMAT + 1, true);
    view.setUint32(bytes.length - 4, crc32c(bytes.subarray(0, -4)), true);
    await disk.compareAndSwap(key, bytes, got.etag, 'f'.repeat(32));
    return bytes;
  }

  it('scenario 47: is refused by an older one that opens the collection, in words that say why', async () => {
    await upgrade();
    const older = await openTestApp(store, { ownsStore: false, seed: 2 });
    store.calls.length = 0;
    expect(await messageOf(new SampleCollection(older, 'words').all())).to.contain(REFUSAL);
    expect(await messageOf(new SampleCollection(older, 'words').put('b', 2))).to.contain(REFUSAL);
    const writes = store.calls.filter(({ operation }) => operation !== 'get' && operation !== 'list');
    expect(writes).to.deep.equal([]);
    await older.close();
  });

  it('scenario 47: stops an older one that has the collection open: it acknowledges nothing more', async () => {
    const root = await upgrade();
    expect(await messageOf(words.put('b', 2))).to.contain(REFUSAL);
    expect(await messageOf(words.count({ consistency: 'strong' }))).to.contain(REFUSAL);
    await messageOf(words.settle());
    const key = (await disk.list('n/')).find((object) => object.key.endsWith('/root'))?.key ?? '';
    const got = await disk.get(key);
    expect(got.kind === 'found' && got.body, 'the root stays as it is').to.deep.equal(root);
  });
});

/** What the error says that a call ends with; empty when there is none. */
async function messageOf(run: Promise<unknown>): Promise<string> {
  return run.then(
    () => '',
    (error: unknown) => (error as Error).message,
  );
}
