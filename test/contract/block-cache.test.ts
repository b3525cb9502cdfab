import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MemoryBlockCache } from '#server/adapters/memory/memory-block-cache.js';
import { NO_BLOCK_CACHE } from '#server/adapters/memory/no-block-cache.js';
import { openSsdCache, pieceBytes, pieceKey } from '../support/ssd-cache.js';
import { describeBlockCache } from './block-cache.js';

const CAPACITY_BYTES = 8 * 1024 * 1024;

describeBlockCache('memory', async () => ({
  cache: new MemoryBlockCache({ capacityBytes: CAPACITY_BYTES }),
}));

describeBlockCache('disk', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'omendb-cache-'));
  const cache = openSsdCache(folder, { capacityBytes: CAPACITY_BYTES });
  return { cache, settled: () => cache.settled(), dispose: () => rm(folder, { recursive: true }) };
});

describe('No block cache', () => {
  it('misses and declines everything, and counts nothing', async () => {
    NO_BLOCK_CACHE.put(pieceKey(0), pieceBytes(pieceKey(0)), { admitAtOnce: true });
    NO_BLOCK_CACHE.forget([pieceKey(0).object]);
    expect(await NO_BLOCK_CACHE.get(pieceKey(0))).to.equal(undefined);
    expect(NO_BLOCK_CACHE.usage.bytes).to.equal(0);
    await NO_BLOCK_CACHE.close();
  });
});

describe('The block cache in memory', () => {
  it('misses and declines where a test plants it', async () => {
    const cache = new MemoryBlockCache({
      capacityBytes: CAPACITY_BYTES,
      missBecause: ({ offset }) => (offset === 0 ? 'damaged' : undefined),
      declineBecause: (_, { admitAtOnce }) => (admitAtOnce === true ? undefined : 'unfamiliar'),
    });
    for (const key of [pieceKey(0), pieceKey(1)]) cache.put(key, pieceBytes(key), { admitAtOnce: true });
    cache.put(pieceKey(2), pieceBytes(pieceKey(2)));
    expect(await cache.get(pieceKey(0))).to.equal(undefined);
    expect(await cache.get(pieceKey(1))).to.have.lengthOf(pieceKey(1).length);
    const { misses, declined, pieces } = cache.usage;
    expect([misses.damaged, declined.unfamiliar, pieces]).to.deep.equal([1, 1, 1]);
    await cache.close();
  });
});
