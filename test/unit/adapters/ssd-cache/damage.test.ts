// Whatever happens to the files of a cache, it gives the exact bytes of a piece or nothing.
import { copyFile, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { SsdBlockCacheOptions } from '#server/adapters/ssd-cache/cache-options.js';
import type { MissReason } from '#server/ports/block-cache.js';
import { SeededRng } from '../../../support/seeded-rng.js';
import {
  countHits,
  FaultyCacheFiles,
  fill,
  keysUpTo,
  openSsdCache,
  pieceBytes,
  pieceKey,
} from '../../../support/ssd-cache.js';
import { withTemporaryFolder } from '../../../support/temporary-folder.js';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const SLAB_HEADER = 64;
const RECORD_HEADER = 48;

async function slabsIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.slab'));
  return names.sort().map((name) => join(folder, name));
}

async function firstSlab(folder: string): Promise<string> {
  return (await slabsIn(folder))[0] ?? '';
}

async function flip(path: string, at: number, mask = 1): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = (bytes[at] ?? 0) ^ mask;
  await writeFile(path, bytes);
}

/** Writes pieces, closes the cache, lets `harm` do its work, and opens it again. */
async function afterHarm(
  harm: (folder: string) => Promise<void>,
  then: (cache: ReturnType<typeof openSsdCache>) => Promise<void>,
  options: Partial<SsdBlockCacheOptions> = {},
): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    const first = openSsdCache(folder);
    await fill(first, keysUpTo(20));
    await first.close();
    await harm(folder);
    const cache = openSsdCache(folder, options);
    await cache.loaded;
    await then(cache);
    await cache.close();
  });
}

/** Where the record of the n-th key begins when all have 16 KiB. */
function recordAt(n: number): number {
  const size = RECORD_HEADER + pieceKey(0).object.length + 16 * 1024;
  return SLAB_HEADER + n * Math.ceil(size / 16) * 16;
}

describe('A piece on disk', () => {
  const key = pieceKey(5);
  const places: readonly (readonly [what: string, at: number, reason: MissReason])[] = [
    ['the magic of its header', 0, 'damaged'],
    ['the format of its header', 4, 'damaged'],
    ['the epoch of its header', 9, 'damaged'],
    ['the offset of its header', 17, 'damaged'],
    ['the length of its key', 28, 'foreign'],
    ['the hash of its header', 33, 'damaged'],
    ['the checksum of its payload', 40, 'damaged'],
    ['the checksum of its header', 45, 'damaged'],
    ['its key', RECORD_HEADER + 3, 'damaged'],
    ['the first byte of its payload', RECORD_HEADER + key.object.length, 'damaged'],
    ['the last byte of its payload', RECORD_HEADER + key.object.length + key.length - 1, 'damaged'],
  ];
  for (const [what, at, reason] of places) {
    it(`scenario 36: is not given, and the others are, when a bit is flipped in ${what}`, async () => {
      await afterHarm(
        async (folder) => flip(await firstSlab(folder), recordAt(5) + at),
        async (cache) => {
          expect(await cache.get(key)).to.equal(undefined);
          expect(cache.usage.misses[reason], reason).to.equal(1);
          expect(await countHits(cache, keysUpTo(20))).to.equal(19);
          // What was found damaged makes way for the piece as it should be.
          await fill(cache, [key]);
          expect(await countHits(cache, [key])).to.equal(1);
        },
      );
    });
  }

  it('scenario 36: is not given for another key that lies in its place, nor under its own in the wrong place', async () => {
    await afterHarm(
      async (folder) => {
        const path = await firstSlab(folder);
        const bytes = await readFile(path);
        bytes.copy(bytes, recordAt(5), recordAt(7), recordAt(8));
        await writeFile(path, bytes);
      },
      async (cache) => {
        expect(await cache.get(pieceKey(5))).to.equal(undefined);
        expect(cache.usage.misses.foreign).to.equal(1);
        expect(await countHits(cache, keysUpTo(20))).to.equal(19);
      },
    );
  });

  it(`is exact or not given, whichever bytes are changed (seed ${SEED})`, async () => {
    const rng = new SeededRng(SEED);
    for (let round = 0; round < 15; round++) {
      await afterHarm(
        async (folder) => {
          const path = await firstSlab(folder);
          const bytes = await readFile(path);
          // Most of it hits headers, the directory and the ends of records.
          for (let hit = 0; hit < 8; hit++) {
            const near = rng.chance(0.3) ? bytes.length - 500 : recordAt(rng.below(20));
            const at = rng.chance(0.2) ? rng.below(bytes.length) : near + rng.below(120);
            bytes[at] = rng.below(256);
          }
          await writeFile(path, bytes);
        },
        async (cache) => {
          await countHits(cache, keysUpTo(20));
        },
      );
    }
  });

  it('is exact or not given when its file is cut, at any place', async () => {
    for (let cut = 0; cut <= recordAt(20) + 500; cut += 9_973) {
      await afterHarm(
        async (folder) => truncate(await firstSlab(folder), cut),
        async (cache) => {
          expect(await countHits(cache, keysUpTo(20))).to.be.at.most(20);
        },
      );
    }
  });
});

describe('A cache on disk of another kind', () => {
  for (const [what, options] of [
    ['store', { store: 'store-b' }],
    ['format', { format: 2 }],
  ] as const) {
    it(`scenario 36: is deleted, and nothing of it is given, when its ${what} differs`, async () => {
      await afterHarm(
        async () => undefined,
        async (cache) => {
          expect((await cache.loaded).deleted).to.equal(1);
          expect(await countHits(cache, keysUpTo(20))).to.equal(0);
          expect(cache.usage.bytes).to.equal(0);
          await fill(cache, keysUpTo(3));
          expect(await countHits(cache, keysUpTo(3))).to.equal(3);
        },
        options,
      );
    });
  }

  it('scenario 36: gives nothing when its files are put in the place of those in use', async () => {
    await withTemporaryFolder(async (other) => {
      const foreign = openSsdCache(other, { store: 'store-b' });
      await fill(foreign, keysUpTo(20));
      await foreign.close();
      await withTemporaryFolder(async (folder) => {
        const cache = openSsdCache(folder);
        await fill(cache, keysUpTo(20));
        await copyFile(await firstSlab(other), await firstSlab(folder));
        expect(await countHits(cache, keysUpTo(20))).to.equal(0);
        expect(cache.usage.misses.stale).to.equal(20);
        await cache.close();
      });
    });
  });

  it('scenario 36: is deleted when the version of its files is unknown, or its header damaged', async () => {
    for (const at of [0, 8, 12, 20, 24, 32, 60]) {
      await afterHarm(
        async (folder) => flip(await firstSlab(folder), at),
        async (cache) => {
          expect((await cache.loaded).deleted).to.equal(1);
          expect(await countHits(cache, keysUpTo(20))).to.equal(0);
        },
      );
    }
  });
});

describe('A cache on disk whose files go while it runs', () => {
  it('goes on, and takes new pieces, when one file is deleted or all of the folder', async () => {
    for (const all of [false, true]) {
      await withTemporaryFolder(async (folder) => {
        const cache = openSsdCache(folder);
        await fill(cache, keysUpTo(60));
        await rm(all ? folder : await firstSlab(folder), { recursive: true });
        await countHits(cache, keysUpTo(60));
        await fill(cache, keysUpTo(700));
        expect(await countHits(cache, keysUpTo(700))).to.be.greaterThan(250);
        expect(cache.usage.bytes).to.be.at.most(cache.usage.capacityBytes);
        await cache.close();
        expect(await slabsIn(folder)).to.not.deep.equal([]);
      });
    }
  });

  it('gives nothing and takes nothing, without an error, when its files are closed under its feet', async () => {
    await withTemporaryFolder(async (folder) => {
      const files = new FaultyCacheFiles();
      const cache = openSsdCache(folder, {}, { files });
      await fill(cache, keysUpTo(20));
      await files.closeAll();
      expect(await countHits(cache, keysUpTo(20))).to.equal(0);
      expect(cache.usage.misses.failed).to.equal(20);
      await fill(cache, keysUpTo(20));
      expect(cache.usage.declined.failed).to.equal(20);
      await cache.close();
    });
  });

  it('misses when the disk gives errors, and knows again what it holds afterwards', async () => {
    await withTemporaryFolder(async (folder) => {
      const files = new FaultyCacheFiles();
      const cache = openSsdCache(folder, {}, { files });
      await fill(cache, keysUpTo(20));
      files.readFault = 'EIO';
      expect(await cache.get(pieceKey(0))).to.equal(undefined);
      expect(cache.usage.misses.failed).to.equal(1);
      files.readFault = null;
      expect(await countHits(cache, keysUpTo(20))).to.equal(19);
      await cache.close();
      expect(files.openFiles).to.equal(0);
    });
  });

  it('leaves no file open when pieces are read while their slab is evicted', async () => {
    await withTemporaryFolder(async (folder) => {
      const files = new FaultyCacheFiles();
      const cache = openSsdCache(folder, {}, { files });
      for (let n = 0; n < 2000; n++) {
        cache.put(pieceKey(n), pieceBytes(pieceKey(n)), { admitAtOnce: true });
        const reads = [1, 150, 300, 450].map((before) =>
          countHits(cache, [pieceKey(Math.max(0, n - before))]),
        );
        if (n % 40 === 0) await Promise.all(reads);
        if (n % 40 === 20) await cache.settled();
      }
      await cache.settled();
      expect(cache.usage.evicted).to.be.greaterThan(300);
      expect(files.openFiles).to.equal((await slabsIn(folder)).length);
      await cache.close();
      expect(files.openFiles).to.equal(0);
    });
  });
});
