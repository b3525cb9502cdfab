// What a cache on disk takes, what it lets go, and what it does when there is no room.
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { FakeClock } from '../../../support/fake-clock.js';
import {
  countHits,
  FaultyCacheFiles,
  fill,
  keysUpTo,
  openSsdCache,
  pieceBytes,
  pieceKey,
} from '../../../support/ssd-cache.js';
import { FakeScheduler } from '../../../support/fake-scheduler.js';
import { SeededRng } from '../../../support/seeded-rng.js';
import { withTemporaryFolder } from '../../../support/temporary-folder.js';

const MIB = 1024 * 1024;

async function bytesIn(folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => stat(join(folder, name))));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}

function timed(): { readonly clock: FakeClock; readonly scheduler: FakeScheduler } {
  const clock = new FakeClock();
  return { clock, scheduler: new FakeScheduler(clock, { automatic: true }) };
}

describe('A cache on disk', () => {
  it('takes a piece at its second touch within a day, or at once when it is told to', async () => {
    await withTemporaryFolder(async (folder) => {
      const { clock, scheduler } = timed();
      const cache = openSsdCache(folder, {}, { clock, scheduler });
      const put = (n: number): void => cache.put(pieceKey(n), pieceBytes(pieceKey(n)));
      put(0);
      put(1);
      await cache.settled();
      expect(await countHits(cache, keysUpTo(2))).to.equal(0);
      expect(cache.usage.declined.unfamiliar).to.equal(2);
      clock.advance(11 * 3_600_000);
      put(0);
      clock.advance(20 * 3_600_000);
      put(1);
      await fill(cache, [pieceKey(2)]);
      expect(await countHits(cache, keysUpTo(3))).to.equal(2);
      await cache.close();
    });
  });

  it('keeps what is in use while others pass through, and its files within its capacity', async () => {
    await withTemporaryFolder(async (folder) => {
      const cache = openSsdCache(folder);
      const used = keysUpTo(100);
      await fill(cache, used);
      for (let n = 1000; n < 4000; n++) {
        await fill(cache, [pieceKey(n)]);
        if (n % 50 !== 0) continue;
        await countHits(cache, used);
        expect(await bytesIn(folder)).to.be.at.most(8 * MIB);
      }
      expect(await countHits(cache, used)).to.be.at.least(95);
      const { movedBytes, storedBytes, evicted } = cache.usage;
      expect(evicted).to.be.greaterThan(2000);
      expect(movedBytes).to.be.at.most(storedBytes);
      await cache.close();
    });
  });

  it('declines what is too much at once, and knows how much memory it takes', async () => {
    await withTemporaryFolder(async (folder) => {
      const cache = openSsdCache(folder, { capacityBytes: 64 * MIB, queueBytesMax: 2 * MIB });
      for (const key of keysUpTo(400)) cache.put(key, pieceBytes(key), { admitAtOnce: true });
      const { memoryBytes, memoryBytesMax } = cache.usage;
      expect(memoryBytes).to.be.within(1.5 * MIB, memoryBytesMax);
      await cache.settled();
      expect(cache.usage.declined.queue).to.be.within(200, 350);
      expect(await countHits(cache, keysUpTo(400))).to.equal(400 - cache.usage.declined.queue);
      await cache.close();
    });
  });

  it('declines pieces beyond the memory of its index', async () => {
    await withTemporaryFolder(async (folder) => {
      const cache = openSsdCache(folder, { capacityBytes: 64 * MIB, indexBytesMax: 310_000 });
      await fill(cache, keysUpTo(6000, 100));
      const { declined, stored, memoryBytes, memoryBytesMax } = cache.usage;
      expect(declined.memory).to.be.greaterThan(1000);
      expect(await countHits(cache, keysUpTo(6000, 100)))
        .to.equal(stored)
        .and.equal(6000 - declined.memory);
      expect(memoryBytes).to.be.at.most(memoryBytesMax);
      await cache.close();
    });
  });
});

describe('A cache on disk that makes no room', () => {
  it('scenario 37: answers what it holds and declines the rest while every write hangs', async () => {
    await withTemporaryFolder(async (folder) => {
      const files = new FaultyCacheFiles();
      const cache = openSsdCache(folder, { queueBytesMax: MIB }, { files });
      await fill(cache, keysUpTo(380));
      let release: () => void = () => undefined;
      files.held = new Promise((resolve) => {
        release = resolve;
      });
      for (const key of keysUpTo(1000)) cache.put(key, pieceBytes(key), { admitAtOnce: true });
      const held = await countHits(cache, keysUpTo(380));
      expect(held).to.be.greaterThan(250);
      expect(cache.usage.declined.queue).to.be.greaterThan(500);
      files.held = null;
      release();
      await cache.settled();
      await fill(cache, [pieceKey(5000)]);
      expect(await countHits(cache, [pieceKey(5000)])).to.equal(1);
      await cache.close();
    });
  });

  it('scenario 37: answers what it holds when files can neither be created nor deleted', async () => {
    await withTemporaryFolder(async (folder) => {
      for (const code of ['EROFS', 'EACCES', 'EMFILE']) {
        const { clock, scheduler } = timed();
        const files = new FaultyCacheFiles();
        const cache = openSsdCache(join(folder, code), {}, { files, clock, scheduler });
        await fill(cache, keysUpTo(200));
        files.folderFault = code;
        files.writeFault = code;
        for (let n = 200; n < 600; n += 40) {
          clock.advance(20_000);
          await fill(cache, keysUpTo(n + 40).slice(n));
        }
        expect(await countHits(cache, keysUpTo(200))).to.equal(200);
        expect(cache.usage.declined.failed).to.be.greaterThan(300);
        files.folderFault = null;
        files.writeFault = null;
        clock.advance(20_000);
        await fill(cache, [pieceKey(5000)]);
        expect(await countHits(cache, [pieceKey(5000)])).to.equal(1);
        await cache.close();
      }
    });
  });

  it('scenario 37: shrinks to what the disk holds when it is full, and grows again later', async () => {
    await withTemporaryFolder(async (folder) => {
      const { clock, scheduler } = timed();
      const files = new FaultyCacheFiles();
      const cache = openSsdCache(folder, {}, { files, clock, scheduler });
      await fill(cache, keysUpTo(300));
      const before = cache.usage.bytes;
      files.writeFault = 'ENOSPC';
      await fill(cache, keysUpTo(400).slice(300));
      expect(cache.usage.declined.room).to.equal(100);
      files.writeFault = null;
      clock.advance(20_000);
      await fill(cache, keysUpTo(600).slice(400));
      expect(cache.usage.bytes).to.be.at.most(before);
      expect(await countHits(cache, keysUpTo(600).slice(500))).to.be.greaterThan(50);
      clock.advance(3_600_000);
      await fill(cache, keysUpTo(1200).slice(600));
      expect(cache.usage.bytes).to.be.greaterThan(before);
      await cache.close();
    });
  });

  it('scenario 37: answers and goes on when the disk is really full', async function () {
    await withTemporaryFolder(async (folder) => {
      const disk = join(folder, 'disk');
      await mkdir(disk);
      if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]).status !== 0) this.skip();
      try {
        const { clock, scheduler } = timed();
        const cache = openSsdCache(join(disk, 'cache'), { capacityBytes: 64 * MIB }, { clock, scheduler });
        const rng = new SeededRng(37);
        for (let n = 0; n < 3000; n++) {
          await fill(cache, [pieceKey(n)]);
          await countHits(cache, [pieceKey(rng.below(n + 1))]);
          if (n % 100 === 0) clock.advance(11_000);
        }
        const { declined, evicted, pieces, bytes } = cache.usage;
        expect(declined.room).to.be.greaterThan(100);
        expect(evicted).to.be.greaterThan(100);
        expect(bytes).to.be.at.most(8 * MIB);
        expect(await countHits(cache, keysUpTo(3000)))
          .to.equal(pieces)
          .and.be.greaterThan(50);
        await cache.close();
        const again = openSsdCache(join(disk, 'cache'), { capacityBytes: 64 * MIB });
        expect((await again.loaded).pieces).to.be.greaterThan(50);
        await countHits(again, keysUpTo(3000));
        await again.close();
        // The same, and nothing can be written at all.
        expect(spawnSync('mount', ['-o', 'remount,ro', disk]).status).to.equal(0);
        const readOnly = openSsdCache(join(disk, 'cache'), { capacityBytes: 64 * MIB });
        await readOnly.loaded;
        await countHits(readOnly, keysUpTo(3000));
        await fill(readOnly, keysUpTo(10));
        await readOnly.close();
      } finally {
        spawnSync('umount', ['--lazy', disk]);
      }
    });
  }).timeout(60_000);
});
