// The start-up probe against stores that speak S3 over HTTP: those that keep preconditions are taken, those
// that do not are refused with the operation that gave them away.
import { expect } from 'chai';
import S3rver from 's3rver';
import type { S3ObjectStore } from '#server/adapters/s3/s3-object-store.js';
import { checkObjectStore } from '#server/app/conformance.js';
import { SystemScheduler } from '#server/adapters/system/scheduler.js';
import { SeededRng } from '../support/seeded-rng.js';
import { S3_ENVIRONMENT, openS3Store } from '../support/s3-store.js';
import { S3Stub } from '../support/s3-stub.js';
import type { StubFlaws } from '../support/s3-stub-bucket.js';
import { withTemporaryFolder } from '../support/temporary-folder.js';

async function verdictOn(store: S3ObjectStore): Promise<string> {
  try {
    await checkObjectStore({ store, rng: new SeededRng(1), scheduler: new SystemScheduler() });
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await store.close();
  }
}

describe('Conformance probe on S3', function () {
  this.timeout(30_000);

  async function onStub(flaws: StubFlaws, prepare?: (stub: S3Stub) => void): Promise<[string, S3Stub]> {
    const stub = await S3Stub.start(flaws);
    prepare?.(stub);
    const verdict = await verdictOn(await openS3Store(stub.endpoint));
    await stub.stop();
    return [verdict, stub];
  }

  it('accepts a store that keeps preconditions, and leaves nothing behind', async () => {
    const [verdict, stub] = await onStub({});
    expect(verdict).to.equal('accepted');
    expect(stub.bucket.objects.size).to.equal(0);
  });

  it('accepts one that has bad moments meanwhile', async () => {
    const faults = ['500', 'drop-after', '503', '409', 'drop', '500-after', '412-after'] as const;
    const [verdict] = await onStub({}, (stub) => {
      const rng = new SeededRng(8);
      for (let i = 0; i < 100; i++) {
        const fault = faults[rng.below(faults.length)] ?? '500';
        stub.fail(fault, () => rng.below(20) === 0);
      }
    });
    expect(verdict).to.equal('accepted');
  });

  const flawed: readonly (readonly [string, StubFlaws, RegExp])[] = [
    [
      'ignores If-None-Match',
      { ignoresIfNoneMatch: true },
      /putIfAbsent on a key that exists gave "created"/,
    ],
    ['ignores If-Match', { ignoresIfMatch: true }, /compareAndSwap with an(?: old)? etag.* gave "swapped"/],
    ['looks first and writes later', { racy: true }, /winners of 8 concurrent \w+ .* gave \d instead of 1/],
  ];
  for (const [what, flaws, complaint] of flawed) {
    it(`scenario 8: refuses a store that ${what}, naming the operation`, async () => {
      const [verdict] = await onStub(flaws);
      expect(verdict).to.match(/^the object store cannot be used: /);
      expect(verdict).to.match(complaint);
    });
  }

  it('scenario 8: refuses s3rver, which ignores preconditions, naming the operation', async () => {
    await withTemporaryFolder(async (directory) => {
      const server = new S3rver({
        ...{ port: 0, address: '127.0.0.1', silent: true, directory },
        configureBuckets: [{ name: 'bucket' }],
      });
      const { port } = await server.run();
      try {
        const keys = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' };
        const store = await openS3Store(`http://127.0.0.1:${port}`, {}, {}, { ...S3_ENVIRONMENT, ...keys });
        const verdict = await verdictOn(store);
        expect(verdict).to.match(/^the object store cannot be used: (putIfAbsent|compareAndSwap) .* gave /);
      } finally {
        await server.close();
      }
    });
  });
});
