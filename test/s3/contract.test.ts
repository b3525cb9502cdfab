// The contract of the port on real S3 servers, and what only they can show: signatures, races between two
// clients, uploads of parts.
import { expect } from 'chai';
import { checkObjectStore } from '#server/app/conformance.js';
import { SystemScheduler } from '#server/adapters/system/scheduler.js';
import { describeObjectStore } from '../contract/object-store.js';
import { SeededRng } from '../support/seeded-rng.js';
import { startS3Server, S3_SERVERS } from '../support/s3-server.js';
import type { S3Server } from '../support/s3-server.js';
import { S3_ENVIRONMENT, openS3Store } from '../support/s3-store.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

for (const kind of S3_SERVERS) {
  describe(`S3 server ${kind}`, function () {
    this.timeout(60_000);
    let server: S3Server;
    let prefixes = 0;
    let nonces = 0;
    const nonce = (): string => (++nonces).toString(16).padStart(32, '0');
    const open = () => openS3Store(server.endpoint, { prefix: `t${++prefixes}/` });

    before(async () => {
      server = await startS3Server(kind);
    });
    after(() => server.stop());

    // Both keep a part of a key as a name in a file system.
    describeObjectStore(kind, async () => ({ store: await open(), partBytesMax: 200 }));

    it('is taken by the start-up probe, which leaves nothing behind', async () => {
      const store = await open();
      await checkObjectStore({ store, rng: new SeededRng(1), scheduler: new SystemScheduler() });
      expect(await store.list('')).to.deep.equal([]);
      await store.close();
    });

    it('keeps objects of many parts, of which one writer makes one', async () => {
      const store = await open();
      const bodies = [1, 2, 3].map((seed) => new SeededRng(seed).bytes(17 * 1024 * 1024 + seed));
      const puts = await Promise.all(bodies.map((body) => store.putIfAbsent('large', body, nonce())));
      const winner = puts.findIndex(({ kind: outcome }) => outcome === 'created');
      expect(puts.filter(({ kind: outcome }) => outcome === 'created').length).to.equal(1);
      const got = await store.get('large');
      expect(got.kind === 'found' && Buffer.compare(got.body, bodies[winner] ?? text(''))).to.equal(0);
      const range = { offset: 8 * 1024 * 1024 - 5, length: 10 };
      const part = await store.get('large', { range });
      const wanted = bodies[winner]?.subarray(range.offset, range.offset + range.length) ?? text('');
      expect(part.kind === 'found' && Buffer.compare(part.body, wanted)).to.equal(0);
      await store.close();
    });

    it('swaps objects of many parts only on the current etag', async () => {
      const store = await open();
      const body = new SeededRng(9).bytes(17 * 1024 * 1024);
      const first = await store.compareAndSwap('r', body, null, nonce());
      const etag = first.kind === 'swapped' ? first.etag : '';
      const swaps = await Promise.all([1, 2, 3].map(() => store.compareAndSwap('r', body, etag, nonce())));
      expect(swaps.filter(({ kind: outcome }) => outcome === 'swapped').length).to.equal(1);
      await store.close();
    });

    it('says what to do when key, secret or bucket are wrong', async () => {
      const complaint = async (env: object, bucket = 'bucket'): Promise<string> => {
        const store = await openS3Store(server.endpoint, { bucket }, {}, { ...S3_ENVIRONMENT, ...env });
        const seen = await store.putIfAbsent('k', text('v'), nonce()).catch(String);
        await store.close();
        return String(seen);
      };
      expect(await complaint({ AWS_ACCESS_KEY_ID: 'nobody' })).to.match(/check AWS_ACCESS_KEY_ID/);
      expect(await complaint({ AWS_SECRET_ACCESS_KEY: 'wrong-one' })).to.match(/check AWS_SECRET_ACCESS_KEY/);
      expect(await complaint({}, 'nowhere')).to.match(/there is no such bucket: create it/);
    });
  });
}
