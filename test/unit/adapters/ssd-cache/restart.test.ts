// What a cache on disk finds again, after an orderly end or none.
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeCacheFiles } from '#server/adapters/ssd-cache/cache-files.js';
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

const MIB = 1024 * 1024;

describe('A cache on disk that is opened again', () => {
  it('finds what it held, and goes on to take and evict', async () => {
    await withTemporaryFolder(async (folder) => {
      const first = openSsdCache(folder);
      await fill(first, keysUpTo(300));
      const { bytes } = first.usage;
      await first.close();
      const again = openSsdCache(folder);
      const report = await again.loaded;
      expect([report.pieces, report.deleted]).to.deep.equal([300, 0]);
      expect(report.bytes).to.be.at.least(bytes);
      expect(await countHits(again, keysUpTo(300))).to.equal(300);
      await fill(again, keysUpTo(1200));
      expect(await countHits(again, keysUpTo(1200))).to.be.within(250, 500);
      expect(again.usage.bytes).to.be.at.most(8 * MIB);
      await again.close();
    });
  });

  it('finds what it held when its process ended without a word, and lists it at the end of the files', async () => {
    await withTemporaryFolder(async (folder) => {
      const killed = openSsdCache(join(folder, 'killed'));
      await fill(killed, keysUpTo(100));
      // The files as they are at this moment: no directory is written yet.
      await cp(join(folder, 'killed'), join(folder, 'copy'), { recursive: true });
      await killed.close();
      for (const round of ['by walking through', 'by their directory']) {
        const again = openSsdCache(join(folder, 'copy'));
        expect((await again.loaded).pieces, round).to.equal(100);
        expect(await countHits(again, keysUpTo(100))).to.equal(100);
        await again.close();
      }
    });
  });

  it('finds the whole pieces before a torn one, wherever the file ends', async () => {
    await withTemporaryFolder(async (folder) => {
      const killed = openSsdCache(join(folder, 'killed'));
      await fill(killed, keysUpTo(10, 3000));
      await cp(join(folder, 'killed'), join(folder, 'copy'), { recursive: true });
      await killed.close();
      const [name = ''] = await readdir(join(folder, 'copy'));
      const whole = await readFile(join(folder, 'copy', name));
      let most = 0;
      for (let end = whole.length; end >= 0; end -= 331) {
        await rm(join(folder, 'copy'), { recursive: true });
        await nodeCacheFiles.makeFolder(join(folder, 'copy'));
        await writeFile(join(folder, 'copy', name), whole.subarray(0, end));
        const again = openSsdCache(join(folder, 'copy'));
        const { pieces } = await again.loaded;
        expect(pieces).to.equal(Math.max(0, Math.floor((end - 64) / ((whole.length - 64) / 10))));
        expect(await countHits(again, keysUpTo(10, 3000))).to.equal(pieces);
        most = Math.max(most, pieces);
        await again.close();
      }
      expect(most).to.equal(10);
    });
  });

  it('frees the oldest files at once when its capacity was lowered', async () => {
    await withTemporaryFolder(async (folder) => {
      const first = openSsdCache(folder);
      await fill(first, keysUpTo(350));
      await first.close();
      const smaller = openSsdCache(folder, { capacityBytes: 4 * MIB });
      const report = await smaller.loaded;
      expect(report.deleted).to.be.greaterThan(2);
      expect(report.bytes).to.be.within(2 * MIB, 4 * MIB);
      await smaller.settled();
      const newest = keysUpTo(350).slice(-100);
      expect(await countHits(smaller, newest)).to.be.greaterThan(50);
      await smaller.close();
    });
  });

  it('leaves alone what is not its own, and begins empty where its files cannot be read', async () => {
    await withTemporaryFolder(async (folder) => {
      await writeFile(join(folder, 'somebody.txt'), 'else');
      await writeFile(join(folder, '000000000001-0123abcd.slab'), 'not a slab');
      const files = new FaultyCacheFiles();
      const cache = openSsdCache(folder, {}, { files });
      await fill(cache, keysUpTo(20));
      await cache.close();
      files.readFault = 'EIO';
      const again = openSsdCache(folder, {}, { files });
      await again.loaded;
      expect(await countHits(again, keysUpTo(20))).to.equal(0);
      await again.close();
      expect(await readdir(folder)).to.include('somebody.txt');
    });
  });

  it('answers and takes pieces while it still looks what is there', async () => {
    await withTemporaryFolder(async (folder) => {
      const first = openSsdCache(folder);
      await fill(first, keysUpTo(100));
      await first.close();
      const again = openSsdCache(folder);
      expect(await again.get(pieceKey(0))).to.equal(undefined);
      again.put(pieceKey(200), pieceBytes(pieceKey(200)), { admitAtOnce: true });
      await again.settled();
      expect(await countHits(again, [...keysUpTo(100), pieceKey(200)])).to.equal(101);
      await again.close();
    });
  });

  it('scenario 43: writes and deletes nothing more when another process has taken its folder over', async () => {
    await withTemporaryFolder(async (folder) => {
      let taken = false;
      const released: string[] = [];
      const check = (): Promise<void> =>
        taken ? Promise.reject(new Error('taken over')) : Promise.resolve();
      const claim = async () => ({ check, release: async () => void released.push('first') });
      const first = openSsdCache(folder, {}, { claim });
      await fill(first, keysUpTo(100));
      taken = true;
      const second = openSsdCache(folder, {}, { nonce: 'fedcba9876543210' });
      await second.loaded;
      await fill(second, keysUpTo(200).slice(100));
      const before = await readdir(folder);
      await fill(first, keysUpTo(900).slice(500));
      expect(first.usage.declined.closed).to.be.greaterThan(300);
      expect(await readdir(folder)).to.include.members(before);
      expect(await countHits(first, keysUpTo(900))).to.be.at.least(100);
      await fill(second, keysUpTo(600));
      await countHits(second, keysUpTo(900));
      await countHits(first, keysUpTo(900));
      await first.close();
      await second.close();
      expect(released).to.deep.equal(['first']);
      const third = openSsdCache(folder);
      await third.loaded;
      expect(await countHits(third, keysUpTo(900))).to.be.greaterThan(200);
      await third.close();
    });
  });

  it('scenario 43: touches nothing in a folder that another process has, and answers all the same', async () => {
    await withTemporaryFolder(async (folder) => {
      const first = openSsdCache(folder);
      await fill(first, keysUpTo(100));
      const before = await readdir(folder);
      const claim = () => Promise.reject(new Error('in use'));
      const second = openSsdCache(folder, { store: 'store-b' }, { claim });
      await fill(second, keysUpTo(100));
      expect(await countHits(second, keysUpTo(100))).to.equal(0);
      expect(second.usage.declined.closed).to.equal(100);
      await second.close();
      expect(await readdir(folder)).to.deep.equal(before);
      expect(await countHits(first, keysUpTo(100))).to.equal(100);
      await first.close();
    });
  });

  it('can be closed while its folder is still being claimed, and gives it back then', async () => {
    await withTemporaryFolder(async (folder) => {
      let given: () => void = () => undefined;
      const asked = new Promise<void>((resolve) => {
        given = resolve;
      });
      let released = 0;
      const claim = async () => {
        await asked;
        return { check: () => Promise.resolve(), release: async () => void released++ };
      };
      const cache = openSsdCache(folder, {}, { claim });
      expect(await cache.get(pieceKey(0))).to.equal(undefined);
      await cache.close();
      given();
      await cache.loaded;
      expect([released, await readdir(folder)]).to.deep.equal([1, []]);
    });
  });

  it('refuses a capacity that is too small to work with', () => {
    expect(() => openSsdCache('/nowhere', { capacityBytes: 1000 })).to.throw(
      'too small: give at least 4194304',
    );
  });
});
