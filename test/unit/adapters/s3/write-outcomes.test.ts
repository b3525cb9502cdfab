// What a write says when the network or the store has a bad moment.
import { expect } from 'chai';
import type { S3ObjectStore } from '#server/adapters/s3/s3-object-store.js';
import type { OmenError } from '#server/core/errors.js';
import { SeededRng } from '../../../support/seeded-rng.js';
import { openS3Store } from '../../../support/s3-store.js';
import { S3Stub } from '../../../support/s3-stub.js';
import type { StubFault, StubRequest } from '../../../support/s3-stub.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const nonce = (n: number): string => n.toString(16).padStart(32, '0');
const puts = ({ operation }: StubRequest): boolean => operation === 'put';
const LARGE = 17 * 1024 * 1024;

describe('S3 writes', () => {
  let stub: S3Stub;
  let store: S3ObjectStore;

  beforeEach(async () => {
    stub = await S3Stub.start();
    store = await openS3Store(stub.endpoint);
  });

  afterEach(async () => {
    await store.close();
    await stub.stop();
  });

  const passing: readonly StubFault[] = [
    'skewed',
    '500',
    '503',
    '409',
    'drop',
    'drop-after',
    '500-after',
    '412-after',
  ];
  for (const fault of passing) {
    it(`scenario 1: creates once and says so when the first try has the fault ${fault}`, async () => {
      stub.fail(fault, puts);
      expect((await store.putIfAbsent('k', text('mine'), nonce(1))).kind).to.equal('created');
      expect((await store.putIfAbsent('k', text('other'), nonce(2))).kind).to.equal('exists');
      expect(stub.bucket.objects.get('k')?.body.toString()).to.equal('mine');
    });

    it(`swaps once and says so when the first try has the fault ${fault}`, async () => {
      const first = await store.compareAndSwap('r', text('1'), null, nonce(1));
      const etag = first.kind === 'swapped' ? first.etag : '';
      stub.fail(fault, puts);
      const second = await store.compareAndSwap('r', text('2'), etag, nonce(2));
      const got = await store.get('r');
      expect(second.kind === 'swapped' && got.kind === 'found' && second.etag === got.etag).to.equal(true);
      expect((await store.compareAndSwap('r', text('3'), etag, nonce(3))).kind).to.equal('conflict');
    });

    it(`says that another object is there when the fault ${fault} meets one`, async () => {
      await store.putIfAbsent('k', text('theirs'), nonce(1));
      const theirs = stub.bucket.objects.get('k');
      stub.fail(
        fault === '412-after' || fault === 'drop-after' || fault === '500-after' ? 'drop' : fault,
        puts,
      );
      expect((await store.putIfAbsent('k', text('mine'), nonce(2))).kind).to.equal('exists');
      expect(stub.bucket.objects.get('k')).to.equal(theirs);
    });
  }

  it('says that the outcome is open when the store keeps failing, and finds out later', async () => {
    stub.fail('drop-after', puts);
    stub.fail('500', ({ operation }) => operation === 'head', 100);
    const error = await failureOf(store.putIfAbsent('k', text('mine'), nonce(1)));
    expect(error.reason).to.equal('STORAGE_UNAVAILABLE');
    stub.heal();
    expect((await store.putIfAbsent('k', text('mine'), nonce(1))).kind).to.equal('created');
  });

  it('does not say that nothing was written because a later try found no room', async () => {
    stub.fail('500', puts);
    stub.fail('507', puts);
    const error = await failureOf(store.putIfAbsent('k', text('mine'), nonce(1)));
    expect(error.reason).to.equal('STORAGE_UNAVAILABLE');
    stub.fail('507', puts);
    expect((await failureOf(store.putIfAbsent('k', text('mine'), nonce(1)))).reason).to.equal('STORAGE_FULL');
  });

  it('says when an object in the way may have come after an own one', async () => {
    await store.putIfAbsent('k', text('theirs'), nonce(1));
    expect(await store.putIfAbsent('k', text('mine'), nonce(2))).to.deep.equal({ kind: 'exists' });
    stub.fail('drop', puts);
    expect(await store.putIfAbsent('k', text('mine'), nonce(2))).to.deep.equal({
      ...{ kind: 'exists', unsure: true },
    });
  });

  it('repeats a write a few times and not for ever', async () => {
    stub.fail('503', puts, 100);
    const error = await failureOf(store.putIfAbsent('k', text('mine'), nonce(1)));
    expect(error.message).to.match(/^cannot write "k" in bucket bucket: the store asks for fewer requests/);
    expect(stub.requests.length).to.equal(3);
  });

  it('takes a swap that somebody else overwrote for a conflict', async () => {
    const first = await store.compareAndSwap('r', text('1'), null, nonce(1));
    const etag = first.kind === 'swapped' ? first.etag : '';
    stub.fail('500-after', puts);
    stub.before = async ({ operation }) => {
      if (operation !== 'head') return;
      stub.before = null;
      const mine = stub.bucket.objects.get('r');
      expect((await store.compareAndSwap('r', text('3'), mine?.etag ?? '', nonce(3))).kind).to.equal(
        'swapped',
      );
    };
    expect((await store.compareAndSwap('r', text('2'), etag, nonce(2))).kind).to.equal('conflict');
  });

  it('asks for the encryption that it is told to', async () => {
    const encryption = { kind: 'aws:kms', keyId: 'alias/k' } as const;
    const encrypting = await openS3Store(stub.endpoint, { encryption });
    await encrypting.putIfAbsent('k', text('v'), nonce(1));
    await encrypting.putIfAbsent('large', new Uint8Array(LARGE), nonce(2));
    for (const { operation, headers } of stub.requests.filter((one) =>
      ['put', 'begin'].includes(one.operation),
    )) {
      expect(headers['x-amz-server-side-encryption'], operation).to.equal('aws:kms');
      expect(headers['x-amz-server-side-encryption-aws-kms-key-id'], operation).to.equal('alias/k');
    }
    await encrypting.close();
  });

  it('sends shared memory', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(1000)).fill(7);
    await store.putIfAbsent('k', shared, nonce(1));
    expect(stub.bucket.objects.get('k')?.body.every((byte) => byte === 7)).to.equal(true);
  });

  describe('of large objects', function () {
    this.timeout(30_000);
    const body = new SeededRng(5).bytes(LARGE);

    it('send parts and make them one object', async () => {
      const put = await store.putIfAbsent('large', body, nonce(1));
      const got = await store.get('large');
      expect(got.kind === 'found' && Buffer.compare(got.body, body)).to.equal(0);
      expect(put.kind === 'created' && got.kind === 'found' && got.etag === put.etag).to.equal(true);
      expect(stub.requests.filter(({ operation }) => operation === 'part').length).to.equal(3);
      expect((await store.putIfAbsent('large', body, nonce(1))).kind).to.equal('created');
      expect((await store.putIfAbsent('large', body, nonce(2))).kind).to.equal('exists');
      expect(stub.bucket.uploads.size).to.equal(0);
    });

    it('send them again when they are not there after the store has said so', async () => {
      stub.before = ({ operation }) => {
        if (operation !== 'head') return;
        stub.before = null;
        stub.bucket.objects.delete('large');
      };
      expect((await store.putIfAbsent('large', body, nonce(1))).kind).to.equal('created');
      expect(stub.bucket.objects.has('large')).to.equal(true);
    });

    it('swap them, too', async () => {
      const first = await store.compareAndSwap('r', body, null, nonce(1));
      const etag = first.kind === 'swapped' ? first.etag : '';
      expect((await store.compareAndSwap('r', body, etag, nonce(2))).kind).to.equal('swapped');
      expect((await store.compareAndSwap('r', body, etag, nonce(3))).kind).to.equal('conflict');
      const got = await store.get('r');
      expect(got.kind === 'found' && got.size === LARGE && Buffer.compare(got.body, body)).to.equal(0);
    });

    for (const fault of [
      'drop-after',
      '500-after',
      '412-after',
      '200-error-after',
      '200-empty',
      '200-error',
      '500',
      '409',
    ] as const) {
      it(`scenario 18: create once and say so when the completion has the fault ${fault}`, async () => {
        stub.fail(fault, ({ operation }) => operation === 'complete');
        expect((await store.putIfAbsent('large', body, nonce(1))).kind).to.equal('created');
        const got = await store.get('large');
        expect(got.kind === 'found' && Buffer.compare(got.body, body)).to.equal(0);
        expect(stub.bucket.uploads.size).to.equal(0);
      });
    }

    it('scenario 18: begin again when the upload is not known any more', async () => {
      stub.fail('no-upload', ({ operation }) => operation === 'complete');
      expect((await store.putIfAbsent('large', body, nonce(1))).kind).to.equal('created');
      expect(stub.requests.filter(({ operation }) => operation === 'begin').length).to.equal(2);
    });

    it('scenario 18: give up without an object when parts cannot be sent', async () => {
      stub.fail('500', ({ operation }) => operation === 'part', 100);
      const error = await failureOf(store.putIfAbsent('large', body, nonce(1)));
      expect(error.reason).to.equal('STORAGE_UNAVAILABLE');
      expect([stub.bucket.objects.size, stub.bucket.uploads.size]).to.deep.equal([0, 0]);
    });

    it('leave somebody else’s object alone', async () => {
      await store.putIfAbsent('large', text('theirs'), nonce(1));
      expect((await store.putIfAbsent('large', body, nonce(2))).kind).to.equal('exists');
      expect(stub.bucket.objects.get('large')?.body.toString()).to.equal('theirs');
      expect(stub.bucket.uploads.size).to.equal(0);
    });
  });
});

async function failureOf(call: Promise<unknown>): Promise<OmenError> {
  try {
    await call;
  } catch (error) {
    return error as OmenError;
  }
  throw new Error('it did not fail');
}
