import { expect } from 'chai';
import type { BlockCache, PieceKey } from '#server/ports/block-cache.js';
import { SeededRng } from '../support/seeded-rng.js';
import { pieceBytes, pieceKey } from '../support/ssd-cache.js';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/** A fresh cache of some MiB, how to wait until it has done its work, and how to get rid of it. */
export interface CacheUnderTest {
  readonly cache: BlockCache;
  /** Resolves when what was put can be found, or was declined. */
  readonly settled?: () => Promise<void>;
  readonly dispose?: () => Promise<void>;
}

function expectOwn(key: PieceKey, got: Uint8Array): void {
  expect(Buffer.compare(got, pieceBytes(key)), JSON.stringify(key)).to.equal(0);
}

/** What every implementation of the port must do that keeps anything at all. */
export function describeBlockCache(name: string, open: () => Promise<CacheUnderTest>): void {
  describe(`BlockCache contract: ${name}`, () => {
    let tested: CacheUnderTest;
    let cache: BlockCache;

    beforeEach(async () => {
      tested = await open();
      cache = tested.cache;
    });
    afterEach(async () => {
      await cache.close();
      await tested.dispose?.();
    });

    const settled = async (): Promise<void> => tested.settled?.();
    const keep = async (...keys: readonly PieceKey[]): Promise<void> => {
      for (const key of keys) cache.put(key, pieceBytes(key), { admitAtOnce: true });
      await settled();
    };
    const expectExact = async (key: PieceKey): Promise<void> => {
      const got = await cache.get(key);
      expect(got, 'a miss').to.not.equal(undefined);
      if (got !== undefined) expectOwn(key, got);
    };

    it('gives exactly the bytes that were put under a key, of any length', async () => {
      const keys = [1, 2, 15, 16, 17, 4096, 5000, 65_536, 100_001].map((length, n) =>
        pieceKey(n * 16, length),
      );
      await keep(...keys);
      for (const key of keys) await expectExact(key);
      expect(cache.usage.hits).to.equal(keys.length);
      expect(cache.usage.hitBytes).to.equal(keys.reduce((sum, { length }) => sum + length, 0));
    });

    it('misses what was not put', async () => {
      expect(await cache.get(pieceKey(1))).to.equal(undefined);
      expect(cache.usage.misses.absent).to.equal(1);
    });

    it('takes ranges that overlap, and the same range of another object, for other pieces', async () => {
      const [a, b] = [pieceKey(0, 4096), pieceKey(16, 4096)];
      const shorter = { ...a, length: 4095 };
      const later = { ...a, offset: 1 };
      await keep(a);
      for (const other of [b, shorter, later]) expect(await cache.get(other)).to.equal(undefined);
      await keep(b, shorter, later);
      for (const key of [a, b, shorter, later]) await expectExact(key);
    });

    it('reads into memory that it is given, shared or not, and leaves the rest of it as it was', async () => {
      const key = pieceKey(3, 5000);
      await keep(key);
      for (const buffer of [new ArrayBuffer(6000), new SharedArrayBuffer(6000)]) {
        const into = new Uint8Array(buffer, 8, 5500).fill(7);
        const got = await cache.get(key, into);
        expect(got?.buffer).to.equal(buffer);
        expect([got?.byteOffset, got?.length]).to.deep.equal([8, 5000]);
        expect(Buffer.compare(Uint8Array.from(into.subarray(0, 5000)), pieceBytes(key))).to.equal(0);
        expect(into.subarray(5000).every((byte) => byte === 7)).to.equal(true);
      }
    });

    it('copies what it is given, from shared memory too', async () => {
      const key = pieceKey(4, 3000);
      const shared = new Uint8Array(new SharedArrayBuffer(3000));
      shared.set(pieceBytes(key));
      cache.put(key, shared, { admitAtOnce: true });
      shared.fill(0);
      await settled();
      await expectExact(key);
    });

    it('declines a piece that is there, and one that is not as long as its key says', async () => {
      const key = pieceKey(5);
      await keep(key, key);
      cache.put(pieceKey(6), new Uint8Array(10), { admitAtOnce: true });
      cache.put(pieceKey(7, 10), new Uint8Array(11), { admitAtOnce: true });
      await settled();
      expect([cache.usage.declined.present, cache.usage.declined.size]).to.deep.equal([1, 2]);
      expect(await cache.get(pieceKey(6))).to.equal(undefined);
      await expectExact(key);
    });

    it('declines what is larger than itself', async () => {
      const key = pieceKey(0, cache.usage.capacityBytes + 1);
      cache.put(key, new Uint8Array(key.length), { admitAtOnce: true });
      await settled();
      expect([cache.usage.declined.size, await cache.get(key)]).to.deep.equal([1, undefined]);
    });

    it('keeps keys apart that differ in anything, in any script', async () => {
      const objects = ['a', 'a/b', 'a/b ', 'ä/ö', '目录/文件', 'k'.repeat(512), 'k'.repeat(511) + 'l'];
      const keys = objects.map((object) => ({ object, offset: 2 ** 40, length: 100 }));
      await keep(...keys);
      for (const key of keys) await expectExact(key);
    });

    it('answers many calls at once', async () => {
      const keys = Array.from({ length: 64 }, (_, n) => pieceKey(n));
      await keep(...keys);
      await Promise.all([...keys, ...keys].map(expectExact));
    });

    it('need not keep the pieces of objects that are forgotten, and keeps the others', async () => {
      const [gone, stays] = [pieceKey(0), pieceKey(16)];
      await keep(gone, stays);
      cache.forget([gone.object, 'never/seen']);
      await settled();
      expect(await cache.get(gone)).to.equal(undefined);
      await expectExact(stays);
    });

    it('misses and declines once it is closed', async () => {
      await keep(pieceKey(0));
      await cache.close();
      expect(await cache.get(pieceKey(0))).to.equal(undefined);
      cache.put(pieceKey(1), pieceBytes(pieceKey(1)), { admitAtOnce: true });
      expect([cache.usage.misses.closed, cache.usage.declined.closed]).to.deep.equal([1, 1]);
      await cache.close();
    });

    it(`stays within its capacity and memory, and gives exact bytes, whatever happens (seed ${SEED})`, async () => {
      const rng = new SeededRng(SEED);
      for (let step = 0; step < 1500; step++) {
        const key = pieceKey(rng.below(800), 1 + rng.below(3) * 20_000);
        const choice = rng.unit();
        if (choice < 0.01) cache.forget([key.object]);
        else if (choice < 0.5) cache.put(key, pieceBytes(key), { admitAtOnce: rng.chance(0.8) });
        else expectOwn(key, (await cache.get(key)) ?? pieceBytes(key));
        if (step % 50 === 0) await settled();
        const { bytes, capacityBytes, memoryBytes, memoryBytesMax } = cache.usage;
        expect(bytes).to.be.at.most(capacityBytes);
        expect(memoryBytes).to.be.at.most(memoryBytesMax);
      }
      await settled();
      const { stored, evicted, hits, declined } = cache.usage;
      expect(stored, 'stored').to.be.greaterThan(300);
      expect(evicted, 'evicted').to.be.greaterThan(20);
      expect(hits, 'hits').to.be.greaterThan(20);
      expect(declined.failed).to.equal(0);
    });
  });
}
