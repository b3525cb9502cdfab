import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { TracedStore } from '#server/app/trace/traced-store.js';
import { FailingObjectStore } from '#support/failing-object-store.js';
import { FakeClock } from '#support/fake-clock.js';
import { RecordedSpan } from '#support/recorded-span.js';

const NONCE = 'a'.repeat(32);
const BODY = Uint8Array.of(1, 2, 3);

describe('A traced store', () => {
  it('adds a part to the request for each call, with its key, outcome and bytes', async () => {
    const span = new RecordedSpan();
    const store = new TracedStore({ store: new MemoryObjectStore(), clock: new FakeClock() }, span);
    await store.putIfAbsent('a/b', BODY, NONCE);
    await store.get('a/b');
    await store.get('a/c');
    await store.compareAndSwap('a/b', BODY, 'other', 'b'.repeat(32));
    await store.list('a/');
    await store.delete('a/b');
    expect(span.parts.map(({ name, values }) => [name, ...Object.values(values)])).to.deep.equal([
      ['storage.put', 'a/b', 'created', 3],
      ['storage.get', 'a/b', 'found', 3],
      ['storage.get', 'a/c', 'absent', 0],
      ['storage.swap', 'a/b', 'conflict', 3],
      ['storage.list', 'a/', 1],
      ['storage.delete', 'a/b'],
    ]);
  });

  it('names the reason of a call that failed, and passes the failure on', async () => {
    const span = new RecordedSpan();
    const failing = new FailingObjectStore(new MemoryObjectStore());
    failing.failAlways('before');
    const store = new TracedStore({ store: failing, clock: new FakeClock() }, span);
    const thrown: unknown = await store.get('a/b').catch((error: unknown) => error);
    expect(thrown).to.include({ reason: 'STORAGE_UNAVAILABLE' });
    expect(span.parts[0]?.values).to.include({ 'error.type': 'STORAGE_UNAVAILABLE' });
  });

  it('is the store itself when it has no span any more', async () => {
    const span = new RecordedSpan();
    const store = new TracedStore({ store: new MemoryObjectStore(), clock: new FakeClock() }, span);
    await store.list('');
    store.span = undefined;
    await store.putIfAbsent('a/b', BODY, NONCE);
    expect(await store.get('a/b')).to.include({ kind: 'found' });
    expect(span.tree()).to.deep.equal(['storage.list']);
  });
});
