// What is counted about requests to a bucket: as many as the bucket got, whatever went wrong.
import { expect } from 'chai';
import type { S3ObjectStore } from '#server/adapters/s3/s3-object-store.js';
import type { LabelsOf } from '#server/core/metrics/catalog.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeScheduler, settle } from '../../../support/fake-scheduler.js';
import { passingTime } from '../../../support/passing-time.js';
import { RecordedMetrics } from '../../../support/recorded-metrics.js';
import { openS3Store } from '../../../support/s3-store.js';
import type { StubFault, StubRequest } from '../../../support/s3-stub.js';
import { S3Stub } from '../../../support/s3-stub.js';

type Operation = LabelsOf<'omendb_object_store_requests_total'>['operation'];

const NONCE = '0'.repeat(32);
const SMALL = new Uint8Array(1000).fill(7);
const LARGE = new Uint8Array(17 * 1024 * 1024).fill(7);
const AS: Readonly<Record<StubRequest['operation'], Operation>> = {
  ...{ put: 'put', get: 'get', head: 'get', list: 'list', delete: 'delete' },
  ...{ begin: 'multipart', part: 'multipart', complete: 'multipart', abort: 'multipart' },
};
const OUTCOMES = ['error', 'ok', 'retry'] as const;

const CALLS: Readonly<Record<string, (store: S3ObjectStore) => Promise<unknown>>> = {
  'a read': (store) => store.get('k'),
  'a read of a range': (store) => store.get('k', { range: { offset: 10, length: 10 } }),
  'a read of nothing': (store) => store.get('k', { range: { offset: 5000, length: 10 } }),
  'a read of what is not there': (store) => store.get('none'),
  'a large read': (store) => store.get('large', { into: new Uint8Array(LARGE.length) }),
  'a write': (store) => store.putIfAbsent('new', SMALL, NONCE),
  'a write of what is there': (store) => store.putIfAbsent('k', SMALL, '1'.repeat(32)),
  'a large write': (store) => store.putIfAbsent('new', LARGE, NONCE),
  'a swap': (store) => store.compareAndSwap('new', SMALL, null, NONCE),
  'a swap of what is not there': (store) => store.compareAndSwap('none', SMALL, 'etag', NONCE),
  'a listing': (store) => store.list(''),
  'a removal': (store) => store.delete('k'),
};
const FAULTS: readonly StubFault[] = [
  ...(['500', '503', '507', '409', 'drop', 'drop-after', '500-after', '412-after', 'no-upload'] as const),
  ...(['200-error', '200-error-after', '200-empty', 'truncated', 'skewed'] as const),
];

describe('Requests to a bucket', () => {
  let stub: S3Stub;
  let store: S3ObjectStore;
  let metrics: RecordedMetrics;
  let scheduler: FakeScheduler;
  beforeEach(async () => {
    stub = await S3Stub.start();
    const prepared = await openS3Store(stub.endpoint);
    await prepared.putIfAbsent('k', SMALL, NONCE);
    await prepared.putIfAbsent('large', LARGE, NONCE);
    await prepared.close();
    stub.requests.length = 0;
    const clock = new FakeClock(Date.now());
    scheduler = new FakeScheduler(clock);
    metrics = new RecordedMetrics();
    store = await openS3Store(stub.endpoint, {}, { clock, scheduler, metrics });
  });
  afterEach(async () => {
    await store.close();
    await stub.stop();
  });

  const counted = (operation: Operation, outcome: (typeof OUTCOMES)[number]): number =>
    metrics.value('omendb_object_store_requests_total', { operation, outcome }) ?? 0;
  const countedAll = (operation: Operation): number =>
    OUTCOMES.reduce((sum, outcome) => sum + counted(operation, outcome), 0);
  const received = (operation: Operation): number =>
    stub.requests.filter((request) => AS[request.operation] === operation).length;

  function expectTheBill(about: string): void {
    for (const operation of ['delete', 'get', 'list', 'multipart', 'put'] as const) {
      expect(countedAll(operation), `${operation}, ${about}`).to.equal(received(operation));
    }
  }

  for (const [name, call] of Object.entries(CALLS)) {
    it(`are counted as the bucket counts them, for ${name} and every fault`, async () => {
      await passing(call(store));
      expectTheBill('no fault');
      for (const operation of ['delete', 'get', 'list', 'multipart', 'put'] as const) {
        expect(counted(operation, 'error') + counted(operation, 'retry'), operation).to.equal(0);
      }
      for (const fault of FAULTS) {
        for (const times of [1, 2, 100]) {
          stub.fail(fault, undefined, times);
          await passing(call(store)).catch(() => undefined);
          stub.heal();
          expectTheBill(`${fault}, ${times} times`);
        }
      }
    });
  }

  it('that fail are retries until the call ends, and one error when it fails', async () => {
    stub.fail('503', undefined, 2);
    await passing(store.get('k'));
    expect([counted('get', 'retry'), counted('get', 'ok'), counted('get', 'error')]).to.deep.equal([2, 1, 0]);
    stub.fail('503', undefined, 100);
    await passing(store.get('k')).catch(() => undefined);
    expect([counted('get', 'retry'), counted('get', 'ok'), counted('get', 'error')]).to.deep.equal([4, 1, 1]);
  });

  it('that find a precondition not met are good ones', async () => {
    await passing(store.putIfAbsent('k', SMALL, '1'.repeat(32)));
    expect([counted('put', 'ok'), counted('put', 'error'), counted('put', 'retry')]).to.deep.equal([1, 0, 0]);
  });

  it('that are asked a second time because the first is slow count as retries', async () => {
    for (let reads = 0; reads < 64; reads++) await passing(store.get('k'));
    const before = counted('get', 'ok');
    let first = true;
    stub.before = async () => {
      if (!first) return;
      first = false;
      await new Promise(() => undefined);
    };
    await passing(store.get('k'));
    expect([counted('get', 'ok') - before, counted('get', 'retry')]).to.deep.equal([1, 1]);
    expectTheBill('one hedge');
  });

  it('that are given up by ourselves are no errors', async () => {
    stub.before = () => new Promise(() => undefined);
    const abort = new AbortController();
    const read = store.get('k', { signal: abort.signal }).catch(() => undefined);
    await until(() => stub.requests.length === 1);
    abort.abort(new Error('nobody waits any more'));
    await read;
    expect([counted('get', 'ok'), counted('get', 'error'), counted('get', 'retry')]).to.deep.equal([1, 0, 0]);
  });

  it('tell the time of each part of a large object', async () => {
    await passing(store.putIfAbsent('new', LARGE, NONCE));
    expect(
      metrics.observed('omendb_object_store_request_seconds', { operation: 'multipart' }).length,
    ).to.equal(stub.requests.filter(({ operation }) => operation === 'part').length);
  });

  const passing = <T>(call: Promise<T>): Promise<T> => passingTime(call, { stub, scheduler });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settle();
}
