import { expect } from 'chai';
import { MemoryBlockCache } from '#server/adapters/memory/memory-block-cache.js';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { NO_METRICS } from '#server/adapters/memory/no-metrics.js';
import type { Piece } from '#server/app/tiers/piece-cache.js';
import { PieceCache } from '#server/app/tiers/piece-cache.js';
import { Reading } from '#server/app/tiers/reading.js';
import { Arena } from '#server/core/memory/arena.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeScheduler } from '../../../support/fake-scheduler.js';
import { SeededRng } from '../../../support/seeded-rng.js';

const OBJECT = 'n/00/things/s/one-0';
const BYTES = Uint8Array.from({ length: 64 * 1024 }, (_, at) => (at * 7) % 251);
const NONCE = 'f'.repeat(32);

describe('Pieces in memory', () => {
  let store: MemoryObjectStore;
  let disk: MemoryBlockCache;
  let cache: PieceCache;
  let arena: Arena;
  let readings: Reading[];

  beforeEach(async () => {
    const clock = new FakeClock();
    store = new MemoryObjectStore();
    await store.putIfAbsent(OBJECT, BYTES, NONCE);
    // Takes only what it is told to, as a disk does that has not seen a piece before.
    const declineBecause = (_: unknown, { admitAtOnce = false }) =>
      admitAtOnce ? undefined : ('unfamiliar' as const);
    disk = new MemoryBlockCache({ capacityBytes: 2 ** 20, declineBecause });
    arena = new Arena(4 * 2 ** 20);
    readings = [];
    cache = new PieceCache({
      ...{ arena, store, blockCache: disk, metrics: NO_METRICS, rng: new SeededRng(1) },
      ...{ scheduler: new FakeScheduler(clock, { automatic: true }), budget: () => 2 ** 20 },
    });
  });

  function piece(offset: number, length: number): Piece {
    return { name: `1:${offset}`, object: OBJECT, offset, length, verify: () => undefined };
  }

  async function use(...pieces: readonly Piece[]): Promise<Reading> {
    const reading = new Reading();
    const pinned = await cache.pin(pieces, reading);
    pinned.pointers.forEach((pointer, index) => {
      const { offset = 0, length = 0 } = pieces[index] ?? {};
      expect(arena.bytes(pointer, length)).to.deep.equal(BYTES.subarray(offset, offset + length));
    });
    pinned.release();
    readings.push(reading);
    return reading;
  }

  it('are read once, and those near each other together', async () => {
    const first = await use(piece(0, 4096), piece(8192, 4096), piece(49_152, 4096));
    expect(first).to.include({ tier: 'cold', objectStoreGets: 2, bytesRead: 12_288 + 4096 });
    expect(await use(piece(0, 4096), piece(8192, 4096))).to.include({ tier: 'hot', objectStoreGets: 0 });
  });

  it('go to the disk when they leave memory, if they were used again', async () => {
    await use(piece(0, 4096), piece(4096, 4096));
    await use(piece(0, 4096));
    expect(cache.evict(Infinity)).to.equal(8192);
    expect(disk.usage.pieces).to.equal(1);
    expect(await use(piece(0, 4096))).to.include({ tier: 'warm', objectStoreGets: 0 });
    expect(await use(piece(4096, 4096))).to.include({ tier: 'cold', objectStoreGets: 1 });
  });

  it('stay as long as they are in use', async () => {
    const pinned = await cache.pin([piece(0, 4096)], new Reading());
    expect(cache.evict(Infinity)).to.equal(0);
    pinned.release();
    expect(cache.evict(Infinity)).to.equal(4096);
    expect(arena.used).to.equal(0);
  });

  it('give those turns that are used again', async () => {
    await use(piece(0, 4096));
    await use(piece(0, 4096));
    await use(piece(4096, 4096));
    cache.evict(1);
    expect(await use(piece(0, 4096))).to.include({ tier: 'hot' });
    expect(await use(piece(4096, 4096))).to.include({ tier: 'cold' });
  });

  it('are shared by those who want them at the same time', async () => {
    const [one, other] = await Promise.all([use(piece(0, 4096)), use(piece(0, 4096))]);
    expect(one.objectStoreGets + other.objectStoreGets).to.equal(1);
    expect([one.tier, other.tier]).to.deep.equal(['cold', 'cold']);
  });

  it('leave nothing behind when they cannot be read', async () => {
    const missing = { ...piece(0, 4096), name: '1:missing', object: 'n/00/things/s/none' };
    const failed = await use(missing).then(
      () => null,
      (error: unknown) => error,
    );
    expect(String(failed)).to.include('is missing');
    expect(arena.used).to.equal(0);
    expect(cache.bytes).to.equal(0);
  });
});
