import { expect } from 'chai';
import { Arena } from '#server/core/memory/arena.js';
import { Memtable, roomOf } from '#server/core/memory/memtable.js';
import { RowMask } from '#server/core/memory/row-mask.js';

const MIB = 1024 * 1024;

describe('Memtable', () => {
  it('gives back what was put, through growth and with any ids', () => {
    const arena = new Arena(16 * MIB);
    const memtable = new Memtable(arena, 1, 3, 'cosine');
    const ids = Array.from(
      { length: 2000 },
      (_, index) => ['ascii', 'ümlaut', '漢字', '🙂'][index % 4] + String(index),
    );
    putAll(memtable, ids, 3);
    for (const [index, id] of ids.entries()) {
      const row = memtable.find(id);
      expect(memtable.idOf(row)).to.equal(id);
      expect([...memtable.vectorOf(row)]).to.deep.equal([index, index + 1, index + 2]);
      expect([...memtable.attributesOf(row)]).to.deep.equal([index & 255]);
    }
  });

  it('shows only the newest row of an id', () => {
    const memtable = new Memtable(new Arena(16 * MIB), 1, 2, 'l2');
    putAll(memtable, ['a', 'b', 'a'], 2);
    expect(memtable.live).to.equal(2);
    expect([...memtable.vectorOf(memtable.find('a'))]).to.deep.equal([2, 3]);
    expect([...memtable.mask]).to.deep.equal([0]);
    expect(memtable.remove('a', 9)).to.equal(true);
    expect(memtable.remove('a', 10)).to.equal(false);
    expect(memtable.find('a')).to.equal(-1);
  });

  it('pads rows with zeros and keeps the factor of the metric beside them', () => {
    const arena = new Arena(16 * MIB);
    const memtable = new Memtable(arena, 1, 3, 'cosine');
    putAll(memtable, ['x', 'y'], 3);
    const part = memtable.part();
    expect([...arena.floats(part.raw, 8)]).to.deep.equal([0, 1, 2, 0, 1, 2, 3, 0]);
    expect(arena.floats(part.factors, 2)[1]).to.be.closeTo(1 / Math.sqrt(14), 1e-6);
  });

  it('remembers deletions after the freeze with their sequence numbers', () => {
    const memtable = new Memtable(new Arena(16 * MIB), 1, 2, 'dot');
    putAll(memtable, ['a', 'b', 'c'], 2);
    memtable.remove('a', 4);
    memtable.freeze();
    memtable.remove('c', 7);
    expect([...memtable.laterDeletes]).to.deep.equal([[2, 7]]);
  });

  it('takes no memory before its first record, and none for deletions', () => {
    const arena = new Arena(16 * MIB);
    const memtable = new Memtable(arena, 1, 768, 'dot');
    memtable.reserve({ rows: 0, idBytes: 0, attributeBytes: 0 });
    expect(memtable.remove('a', 1)).to.equal(false);
    expect(memtable.regions()).to.deep.equal([]);
    expect(arena.used).to.equal(0);
    putAll(memtable, ['a'], 768);
    expect(memtable.attributesOf(memtable.find('a')).length).to.equal(1);
    expect(arena.used).to.be.within(1, 64 * 1024);
  });

  it('returns all its memory', () => {
    const arena = new Arena(16 * MIB);
    const memtable = new Memtable(arena, 1, 2, 'dot');
    putAll(memtable, ['a', 'b', 'a'], 2);
    memtable.release();
    expect(arena.used).to.equal(0);
  });
});

describe('RowMask', () => {
  it('leaves the bitmap of a clone as it was', () => {
    const arena = new Arena(MIB);
    const mask = new RowMask(arena, 100);
    mask.add(3);
    const before = mask.clone();
    mask.add(99);
    mask.reserve(10_000);
    mask.add(9_999);
    expect([...before]).to.deep.equal([3]);
    expect([...mask]).to.deep.equal([3, 99, 9_999]);
    before.release();
    mask.release();
    expect(arena.used).to.equal(0);
  });
});

function putAll(memtable: Memtable, ids: readonly string[], dimensions: number): void {
  const vectors = Float32Array.from(
    { length: ids.length * dimensions },
    (_, at) => Math.floor(at / dimensions) + (at % dimensions),
  );
  const attributes = ids.map((_, index) => Uint8Array.of(index & 255));
  memtable.reserve(roomOf({ ids, attributes }));
  ids.forEach((_, index) => memtable.put({ ids, vectors, attributes }, index, index + 1));
}
