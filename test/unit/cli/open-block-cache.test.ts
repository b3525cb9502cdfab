import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { SystemClock } from '#server/adapters/system/clock.js';
import { SystemScheduler } from '#server/adapters/system/scheduler.js';
import { NO_BLOCK_CACHE } from '#server/adapters/memory/no-block-cache.js';
import { SsdBlockCache } from '#server/adapters/ssd-cache/ssd-block-cache.js';
import type { BlockCacheSettings } from '#server/cli/open-block-cache.js';
import { openBlockCache } from '#server/cli/open-block-cache.js';
import type { BlockCache } from '#server/ports/block-cache.js';
import { silentLogger } from '../../support/log-node.js';
import { SeededRng } from '../../support/seeded-rng.js';
import { countHits, fill, keysUpTo } from '../../support/ssd-cache.js';
import { withTemporaryFolder } from '../../support/temporary-folder.js';

const MIB = 1024 * 1024;
const BUCKET = { kind: 's3', bucket: 'b', prefix: 'p/' } as const;
let nonces = 0;

function open(dataDir: string, settings: Partial<BlockCacheSettings> = {}): Promise<BlockCache> {
  return openBlockCache(
    {
      dataDir,
      cacheBytes: 64 * MIB,
      heldBytesMax: 64 * MIB,
      objectStore: BUCKET,
      s3Endpoint: null,
      ...settings,
    },
    {
      ...{ clock: new SystemClock(), scheduler: new SystemScheduler(), logger: silentLogger },
      rng: new SeededRng(++nonces),
    },
  );
}

async function openOnDisk(
  dataDir: string,
  settings: Partial<BlockCacheSettings> = {},
): Promise<SsdBlockCache> {
  const cache = await open(dataDir, settings);
  if (!(cache instanceof SsdBlockCache)) throw new Error('no cache on disk');
  await cache.loaded;
  return cache;
}

describe('The cache on disk of a server', () => {
  it('keeps pieces below the data folder from one start to the next', async () => {
    await withTemporaryFolder(async (dataDir) => {
      const first = await openOnDisk(dataDir);
      await fill(first, keysUpTo(50));
      await first.close();
      const again = await openOnDisk(dataDir);
      expect(await countHits(again, keysUpTo(50))).to.equal(50);
      await again.close();
      expect(await readdir(dataDir)).to.deep.equal(['cache']);
    });
  });

  it('scenario 36: is emptied when bucket, prefix or endpoint are others', async () => {
    await withTemporaryFolder(async (dataDir) => {
      for (const settings of [
        {},
        { s3Endpoint: 'http://other' },
        { objectStore: { ...BUCKET, bucket: 'c' } },
        { objectStore: { ...BUCKET, prefix: 'q/' } },
      ]) {
        const cache = await openOnDisk(dataDir, settings);
        expect(await countHits(cache, keysUpTo(20))).to.equal(0);
        await fill(cache, keysUpTo(20));
        await cache.close();
      }
    });
  });

  it('scenario 43: is used by the first of two servers, and the second does without', async () => {
    await withTemporaryFolder(async (dataDir) => {
      const [first, second] = [await openOnDisk(dataDir), await openOnDisk(dataDir)];
      for (const cache of [first, second]) await fill(cache, keysUpTo(20));
      expect(await countHits(first, keysUpTo(20))).to.equal(20);
      expect(await countHits(second, keysUpTo(20))).to.equal(0);
      expect(second.usage.declined.closed).to.equal(20);
      await second.close();
      await first.close();
      const third = await openOnDisk(dataDir);
      expect(await countHits(third, keysUpTo(20))).to.equal(20);
      await third.close();
    });
  });

  it('is left out for a store in a folder, when it is switched off, and when there is too little room', async () => {
    await withTemporaryFolder(async (dataDir) => {
      const without = [
        { objectStore: { kind: 'file', folder: dataDir } },
        { cacheBytes: 0 },
        { cacheBytes: 63 * MIB },
        { cacheBytes: null, dataDir: '/dev/null/there' },
      ] as const;
      for (const settings of without) expect(await open(dataDir, settings)).to.equal(NO_BLOCK_CACHE);
      expect(await readdir(dataDir)).to.deep.equal([]);
    });
  });

  it('takes half of what is free when nobody says how much, what it holds already among it', async () => {
    await withTemporaryFolder(async (dataDir) => {
      const first = await openOnDisk(join(dataDir, 'new'), { cacheBytes: null });
      const { capacityBytes } = first.usage;
      await fill(first, keysUpTo(640));
      await first.close();
      const again = await openOnDisk(join(dataDir, 'new'), { cacheBytes: null });
      // Others write to the same disk meanwhile.
      expect(again.usage.capacityBytes).to.be.within(capacityBytes * 0.9, capacityBytes * 1.1);
      await again.close();
    });
  });
});
