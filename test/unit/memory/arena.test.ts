import { expect } from 'chai';
import fc from 'fast-check';
import { OmenError } from '#server/core/errors.js';
import type { Region } from '#server/core/memory/arena.js';
import { Arena } from '#server/core/memory/arena.js';

const MIB = 1024 * 1024;

describe('Arena', () => {
  it('never gives out overlapping or unaligned regions and gets every byte back', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('allocate' as const), bytes: fc.integer({ min: 1, max: 100_000 }) }),
      fc.record({ kind: fc.constant('free' as const), bytes: fc.nat() }),
      fc.record({ kind: fc.constant('shrink' as const), bytes: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const arena = new Arena(4 * MIB);
        const live: Region[] = [];
        for (const { kind, bytes } of steps) {
          const index = live.length === 0 ? -1 : bytes % live.length;
          if (kind === 'allocate') allocate(arena, live, bytes);
          else if (kind === 'free') live.splice(index, index < 0 ? 0 : 1)[0]?.release();
          else live[index]?.shrink(1 + (bytes % (live[index]?.bytes ?? 1)));
          expectApart(live);
          expect(arena.used).to.equal(live.reduce((sum, region) => sum + region.bytes, 0));
        }
        for (const region of live) region.release();
        expect(arena.used).to.equal(0);
        expect(arena.allocate(3 * MIB, 'all of it').bytes).to.equal(3 * MIB);
      }),
    );
  });

  it('says what was asked, what is free and what to change when it is full', () => {
    const arena = new Arena(MIB);
    expect(() => arena.allocate(2 * MIB, 'a test'))
      .to.throw(OmenError, /a test needs 2097152 bytes .* raise OMENDB_MEMORY_BYTES/)
      .with.property('reason', 'MEMORY_EXHAUSTED');
  });

  it('keeps the last of its bytes for urgent needs', () => {
    const arena = new Arena(4 * MIB);
    while (allocate(arena, [], 64 * 1024));
    expect(arena.allocate(1024, 'a bitmap', 'urgent').bytes).to.equal(1024);
  });

  it('frees a region when its last owner lets go', () => {
    const arena = new Arena(MIB);
    const region = arena.allocate(1000, 'a test').retain();
    region.release();
    expect(arena.used).to.equal(1024);
    region.release();
    expect(arena.used).to.equal(0);
    expect(() => region.release()).to.throw('once too often');
  });
});

function allocate(arena: Arena, live: Region[], bytes: number): boolean {
  try {
    live.push(arena.allocate(bytes, 'a test'));
    return true;
  } catch (error) {
    expect(error).to.be.instanceOf(OmenError);
    return false;
  }
}

function expectApart(live: readonly Region[]): void {
  const sorted = [...live].sort((a, b) => a.pointer - b.pointer);
  sorted.forEach((region, index) => {
    expect(region.pointer % 64).to.equal(0);
    expect(region.pointer).to.be.greaterThan(0);
    const next = sorted[index + 1];
    if (next !== undefined) expect(region.pointer + region.bytes).to.be.at.most(next.pointer);
  });
}
