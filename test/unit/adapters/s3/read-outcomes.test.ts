// What a read returns when the network or the store has a bad moment: the right bytes, or an error.
import { expect } from 'chai';
import type { S3ObjectStore } from '#server/adapters/s3/s3-object-store.js';
import type { OmenError } from '#server/core/errors.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeScheduler } from '../../../support/fake-scheduler.js';
import { passingTime } from '../../../support/passing-time.js';
import { SeededRng } from '../../../support/seeded-rng.js';
import { openS3Store } from '../../../support/s3-store.js';
import { S3Stub } from '../../../support/s3-stub.js';
import type { StubFault } from '../../../support/s3-stub.js';

const NONCE = '0'.repeat(32);
const BODY = new SeededRng(3).bytes(200_000);

describe('S3 reads', () => {
  let stub: S3Stub;
  let store: S3ObjectStore;
  let scheduler: FakeScheduler;

  beforeEach(async () => {
    stub = await S3Stub.start();
    const clock = new FakeClock(Date.now());
    scheduler = new FakeScheduler(clock);
    store = await openS3Store(stub.endpoint, {}, { clock, scheduler });
    await store.putIfAbsent('k', BODY, NONCE);
    stub.requests.length = 0;
  });

  afterEach(async () => {
    await store.close();
    await stub.stop();
  });

  const faults: readonly StubFault[] = [
    '500',
    '503',
    'drop',
    'truncated',
    'wrong-range',
    'short',
    'hang',
    'stalled',
    'whole',
  ];
  for (const fault of faults) {
    it(`scenario 35: gives the right bytes of a range when the first answer has the fault ${fault}`, async () => {
      stub.fail(fault);
      const into = new Uint8Array(new SharedArrayBuffer(60_000));
      const got = await passing(store.get('k', { range: { offset: 70_000, length: 60_000 }, into }));
      expect(got.kind === 'found' && [got.size, got.body.length]).to.deep.equal([BODY.length, 60_000]);
      expect(Buffer.compare(into, BODY.subarray(70_000, 130_000))).to.equal(0);
      expect(stub.requests.length).to.equal(fault === 'whole' ? 1 : 2);
    });

    if (fault === 'whole' || fault === 'wrong-range' || fault === 'short') continue;
    it(`gives a whole object when the first answer has the fault ${fault}`, async () => {
      stub.fail(fault);
      const got = await passing(store.get('k'));
      expect(got.kind === 'found' && Buffer.compare(got.body, BODY)).to.equal(0);
    });
  }

  it('scenario 35: fails, and returns no bytes, when every answer is cut', async () => {
    stub.fail('truncated', undefined, 100);
    const error = await failureOf(passing(store.get('k', { range: { offset: 0, length: 1000 } })));
    expect(error.reason).to.equal('STORAGE_UNAVAILABLE');
    expect(stub.requests.length).to.equal(3);
  });

  it('scenario 35: reports the etag that the answer had, so that another object is seen', async () => {
    stub.fail('wrong-etag');
    const got = await store.get('k', { range: { offset: 0, length: 10 } });
    expect(got.kind === 'found' && got.etag).to.equal('f'.repeat(32));
  });

  it('reads large objects in parts, and as one object when it is replaced meanwhile', async () => {
    const [old, young] = [1, 2].map((seed) => new SeededRng(seed).bytes(20 * 1024 * 1024 + 3));
    const swap = async (
      body: Uint8Array | undefined,
      etag: string | null,
      nonce: string,
    ): Promise<string> => {
      const swapped = await store.compareAndSwap('large', body ?? BODY, etag, nonce);
      return swapped.kind === 'swapped' ? swapped.etag : '';
    };
    const etag = await swap(old, null, '1'.repeat(32));
    const into = new Uint8Array(new SharedArrayBuffer(21 * 1024 * 1024));
    stub.requests.length = 0;
    const first = await store.get('large', { into });
    expect(first.kind === 'found' && Buffer.compare(first.body, old ?? BODY)).to.equal(0);
    expect(stub.requests.length).to.equal(3);
    expect((await store.get('large', { into, ifNoneMatch: etag })).kind).to.equal('unchanged');
    expect((await store.get('none', { into })).kind).to.equal('absent');
    stub.before = async ({ operation, headers }) => {
      if (operation !== 'get' || !(headers['range'] ?? '').startsWith('bytes=16')) return;
      stub.before = null;
      await swap(young, etag, '2'.repeat(32));
    };
    const second = await store.get('large', { into });
    expect(second.kind === 'found' && Buffer.compare(second.body, young ?? BODY)).to.equal(0);
  });

  it('writes nothing into the memory of a large read that has failed', async () => {
    const body = new SeededRng(1).bytes(40 * 1024 * 1024);
    await store.putIfAbsent('large', body, '1'.repeat(32));
    let late = true;
    stub.before = ({ headers }) => {
      const [, offset = '0'] = /^bytes=(\d+)/.exec(headers['range'] ?? '') ?? [];
      // One part fails at once, the others come later.
      if (Number(offset) > 0 && Number(offset) !== 16 * 1024 * 1024) return until(() => !late);
      return undefined;
    };
    stub.fail('500', ({ headers }) => (headers['range'] ?? '').startsWith('bytes=16777216-'), 100);
    const into = new Uint8Array(body.length);
    let ended = false;
    const reading = store.get('large', { into }).finally(() => (ended = true));
    void reading.catch(() => undefined);
    await until(
      () => stub.requests.filter(({ headers }) => headers['range']?.includes('=16777216-')).length > 0,
    );
    for (let i = 0; i < 5; i++) await scheduler.advance(1000);
    expect(ended).to.equal(false);
    late = false;
    expect((await failureOf(passing(reading))).reason).to.equal('STORAGE_UNAVAILABLE');
    expect(store.active).to.equal(0);
  });

  it('cuts the tail of a swapped object off every range', async () => {
    await store.compareAndSwap('r', BODY.subarray(0, 100), null, NONCE);
    expect(stub.bucket.objects.get('r')?.body.length).to.equal(116);
    const range = async (offset: number, length: number): Promise<number[]> => {
      const got = await store.get('r', { range: { offset, length } });
      return got.kind === 'found' ? [got.body.length, got.size] : [];
    };
    expect(await range(90, 10)).to.deep.equal([10, 100]);
    expect(await range(90, 20)).to.deep.equal([10, 100]);
    expect(await range(105, 20)).to.deep.equal([0, 100]);
    expect(await range(500, 20)).to.deep.equal([0, 100]);
    expect(await range(5, 0)).to.deep.equal([0, 100]);
    stub.fail('whole');
    expect(await range(90, 20)).to.deep.equal([10, 100]);
  });

  it('sets its clock by the store when the two differ too much', async () => {
    stub.fail('skewed');
    expect((await store.get('k')).kind).to.equal('found');
    const [before, after] = stub.requests.map(({ headers }) => headers['x-amz-date'] ?? '');
    expect(before?.slice(0, 11)).to.not.equal(after?.slice(0, 11));
  });

  it('asks again on a connection of its own when an answer is late, and takes the first that comes', async () => {
    for (let i = 0; i < 64; i++) await store.get('k', { range: { offset: i, length: 10 } });
    stub.requests.length = 0;
    stub.fail('hang');
    const into = new Uint8Array(1000);
    const reading = store.get('k', { range: { offset: 5, length: 1000 }, into });
    await until(() => stub.requests.length === 1);
    await scheduler.advance(10);
    const got = await reading;
    expect(got.kind === 'found' && got.body.buffer).to.equal(into.buffer);
    expect(Buffer.compare(into, BODY.subarray(5, 1005))).to.equal(0);
    expect(stub.requests.length).to.equal(2);
    expect(stub.requests[0]?.connection).to.not.equal(stub.requests[1]?.connection);
    expect(store.active).to.equal(0);
  });

  it('asks twice for a twentieth of all reads at most', async () => {
    for (let i = 0; i < 100; i++) await store.get('k', { range: { offset: i, length: 10 } });
    stub.requests.length = 0;
    let late = true;
    stub.before = () => (late ? until(() => !late) : undefined);
    const readings = Array.from({ length: 100 }, (_, at) =>
      store.get('k', { range: { offset: at, length: 10 } }),
    );
    await until(() => stub.requests.length === 100);
    await scheduler.advance(10);
    await until(() => stub.requests.length > 100);
    late = false;
    await Promise.all(readings);
    expect(stub.requests.length).to.be.within(101, 108);
  });

  const passing = <T>(call: Promise<T>): Promise<T> => passingTime(call, { stub, scheduler });
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('what was waited for did not happen');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function failureOf(call: Promise<unknown>): Promise<OmenError> {
  try {
    await call;
  } catch (error) {
    return error as OmenError;
  }
  throw new Error('it did not fail');
}
