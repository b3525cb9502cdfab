import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { ObservedObjectStore } from '#server/adapters/observed-store/observed-object-store.js';
import type { LabelsOf } from '#server/core/metrics/catalog.js';
import { OmenError } from '#server/core/errors.js';
import type { ObjectStore } from '#server/ports/object-store.js';
import { FakeClock } from '../../support/fake-clock.js';
import { RecordedMetrics } from '../../support/recorded-metrics.js';

const NONCE = '0'.repeat(32);

describe('An observed object store', () => {
  const clock = new FakeClock();
  let metrics: RecordedMetrics;
  beforeEach(() => {
    metrics = new RecordedMetrics();
  });

  const observed = (store: ObjectStore, countsRequests = false): ObservedObjectStore =>
    new ObservedObjectStore(store, { metrics, clock, countsRequests });
  const requests = (): Readonly<Record<string, number>> =>
    metrics.series('omendb_object_store_requests_total');
  const seconds = (operation: LabelsOf<'omendb_object_store_request_seconds'>['operation']) =>
    metrics.observed('omendb_object_store_request_seconds', { operation });

  it('counts every call, and takes absent, existing, changed and unchanged for good answers', async () => {
    const store = observed(new MemoryObjectStore());
    const created = await store.putIfAbsent('a', new Uint8Array(10), NONCE);
    await store.putIfAbsent('a', new Uint8Array(10), '1'.repeat(32));
    await store.compareAndSwap('b', new Uint8Array(5), null, NONCE);
    await store.compareAndSwap('b', new Uint8Array(5), 'other', '2'.repeat(32));
    await store.get('a');
    await store.get('a', { range: { offset: 0, length: 4 } });
    await store.get('none');
    if (created.kind === 'created') await store.get('a', { ifNoneMatch: created.etag });
    await store.list('');
    await store.delete('a');
    expect(requests()).to.deep.equal({
      '{"operation":"put","outcome":"ok"}': 4,
      '{"operation":"get","outcome":"ok"}': 4,
      '{"operation":"list","outcome":"ok"}': 1,
      '{"operation":"delete","outcome":"ok"}': 1,
    });
    expect(metrics.series('omendb_object_store_bytes_total')).to.deep.equal({
      '{"direction":"read"}': 14,
      '{"direction":"written"}': 15,
    });
    expect([seconds('put').length, seconds('get').length]).to.deep.equal([4, 4]);
  });

  it('counts what rejects as an error, with its time', async () => {
    const broken = new MemoryObjectStore();
    broken.get = async () => {
      clock.advance(2500);
      throw new OmenError('STORAGE_UNAVAILABLE', 'no answer');
    };
    const error = await observed(broken)
      .get('a')
      .catch((thrown: OmenError) => thrown.reason);
    expect(error).to.equal('STORAGE_UNAVAILABLE');
    expect(requests()).to.deep.equal({ '{"operation":"get","outcome":"error"}': 1 });
    expect(seconds('get')).to.deep.equal([2.5]);
  });

  it('leaves the count of requests to a store that counts them itself', async () => {
    const store = observed(new MemoryObjectStore(), true);
    await store.get('a');
    expect(requests()).to.deep.equal({});
    expect(seconds('get').length).to.equal(1);
  });
});
