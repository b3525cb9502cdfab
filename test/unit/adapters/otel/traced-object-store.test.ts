import { expect } from 'chai';
import { TracedObjectStore } from '#server/adapters/otel/traced-object-store.js';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { NO_SPAN, NO_TRACER } from '#server/adapters/memory/no-tracer.js';
import type { ObjectStore } from '#server/ports/object-store.js';
import type { Span, SpanValues, Tracer } from '#server/ports/tracer.js';
import { FailingObjectStore } from '#support/failing-object-store.js';
import { FakeClock } from '#support/fake-clock.js';

const NONCE = 'a'.repeat(32);
const BODY = Uint8Array.of(1, 2, 3);

interface Part {
  readonly name: string;
  readonly values: SpanValues;
}

function recorded(parts: Part[]): Tracer {
  const span: Span = {
    ...NO_SPAN,
    sampled: true,
    child: (name, _startMs, _endMs, values = {}) => {
      parts.push({ name, values });
      return NO_SPAN;
    },
  };
  return { ...NO_TRACER, current: span };
}

async function useAll(store: ObjectStore): Promise<void> {
  await store.putIfAbsent('a/b', BODY, NONCE);
  await store.get('a/b');
  await store.get('a/c');
  await store.compareAndSwap('a/b', BODY, 'other', 'b'.repeat(32));
  await store.list('a/');
  await store.delete('a/b');
}

describe('A traced object store', () => {
  it('adds a part to the request for each call, with its key, outcome and bytes', async () => {
    const parts: Part[] = [];
    const deps = { tracer: recorded(parts), clock: new FakeClock() };
    await useAll(new TracedObjectStore(new MemoryObjectStore(), deps));
    expect(parts.map(({ name, values }) => [name, ...Object.values(values)])).to.deep.equal([
      ['storage.put', 'a/b', 'created', 3],
      ['storage.get', 'a/b', 'found', 3],
      ['storage.get', 'a/c', 'absent', 0],
      ['storage.swap', 'a/b', 'conflict', 3],
      ['storage.list', 'a/', 1],
      ['storage.delete', 'a/b'],
    ]);
  });

  it('names the reason of a call that failed, and passes the failure on', async () => {
    const parts: Part[] = [];
    const failing = new FailingObjectStore(new MemoryObjectStore());
    failing.failAlways('before');
    const store = new TracedObjectStore(failing, { tracer: recorded(parts), clock: new FakeClock() });
    const thrown: unknown = await store.get('a/b').catch((error: unknown) => error);
    expect(thrown).to.include({ reason: 'STORAGE_UNAVAILABLE' });
    expect(parts[0]?.values).to.include({ 'error.type': 'STORAGE_UNAVAILABLE' });
  });

  it('is the store itself for what is not sampled', async () => {
    const store = new TracedObjectStore(new MemoryObjectStore(), {
      tracer: NO_TRACER,
      clock: new FakeClock(),
    });
    await useAll(store);
    expect(await store.list('a/')).to.deep.equal([]);
  });
});
