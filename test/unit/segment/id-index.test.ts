import { expect } from 'chai';
import { OmenError } from '#server/core/errors.js';
import { hash64 } from '#server/core/bytes/hash64.js';
import { encodeText } from '#server/core/record/text.js';
import { buildIdIndex, IdIndexView } from '#server/core/segment/id-index.js';
import type { IdHash } from '#server/core/segment/id-index.js';
import { idHeap, idIndex } from '../../support/segments.js';

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `id-${index * 7919}`);

describe('Id index', () => {
  for (const count of [0, 1, 2, 8, 9, 257, 5000]) {
    it(`finds each of ${count} ids and no other`, () => {
      const ids = numbered(count);
      const index = idIndex(ids);
      for (const [row, id] of ids.entries()) {
        expect(index.lookup(id)).to.equal(row);
        expect(index.lookup(encodeText(id))).to.equal(row);
      }
      for (let absent = 0; absent < 2000; absent++) expect(index.lookup(`absent-${absent}`)).to.equal(-1);
    });
  }

  it('finds ids of every length and script', () => {
    const ids = ['a', 'é', '😀', '../..', 'x/y', ' ', 'a'.repeat(512), '😀'.repeat(128), 'A', 'aa'];
    const index = idIndex(ids);
    for (const [row, id] of ids.entries()) expect(index.lookup(id)).to.equal(row);
    for (const absent of ['', 'a'.repeat(511), '😀'.repeat(127), '\uD83D', 'b'.repeat(100_000)]) {
      expect(index.lookup(absent)).to.equal(-1);
    }
  });

  it('turns away about 255 of 256 absent ids without looking at a hash', () => {
    const index = idIndex(numbered(20_000));
    let passed = 0;
    for (let absent = 0; absent < 20_000; absent++) {
      const { high, low } = hash64(encodeText(`absent-${absent}`));
      if (index.mayHave(high, low)) passed++;
    }
    expect(passed).to.be.within(30, 140);
  });

  it('tells ids with one hash apart', () => {
    const collisions: Record<string, IdHash> = {
      'all equal': () => ({ high: 7, low: 9 }),
      'equal upper halves': (id) => ({ high: 0xffffffff, low: hash64(id).low }),
      'few lower halves': (id) => ({ high: 5, low: hash64(id).low % 3 }),
    };
    for (const [name, hash] of Object.entries(collisions)) {
      const ids = numbered(3000);
      const index = idIndex(ids, hash);
      for (const [row, id] of ids.entries()) expect(index.lookup(id), name).to.equal(row);
      for (let absent = 0; absent < 100; absent++)
        expect(index.lookup(`absent-${absent}`), name).to.equal(-1);
    }
  });

  it('lists rows by hash, then by id, and goes on after any position', () => {
    for (const hash of [hash64, (id: Uint8Array) => ({ high: (id.at(-1) ?? 0) % 3, low: 1 })]) {
      const ids = numbered(300);
      const index = idIndex(ids, hash);
      const expected = ids
        .map((id, row) => ({ id, row, ...hash(encodeText(id)) }))
        .sort((a, b) => a.high - b.high || a.low - b.low || (a.id < b.id ? -1 : 1));
      const scanned = expected.map((_, rank) => index.rowAt(rank));
      expect(scanned).to.deep.equal(expected.map((entry) => entry.row));
      for (const [rank, { id, high, low }] of expected.entries()) {
        expect(index.rankAfter({ hashHigh: high, hashLow: low, id })).to.equal(rank + 1);
        expect([index.hashHighAt(rank), index.hashLowAt(rank)]).to.deep.equal([high, low]);
      }
      expect(index.rankAfter({ hashHigh: 0, hashLow: 0, id: '' })).to.equal(0);
      expect(index.rankAfter({ hashHigh: 0xffffffff, hashLow: 0xffffffff, id: 'z' })).to.equal(300);
    }
  });

  it('goes on after an id that is no longer there', () => {
    const ids = numbered(100);
    const index = idIndex(ids);
    for (let absent = 0; absent < 100; absent++) {
      const { high, low } = hash64(encodeText(`absent-${absent}`));
      const rank = index.rankAfter({ hashHigh: high, hashLow: low, id: `absent-${absent}` });
      if (rank > 0) expect(index.hashHighAt(rank - 1)).to.be.at.most(high);
      if (rank < 100) expect(index.hashHighAt(rank)).to.be.at.least(high);
    }
  });

  it('lists rows whose ids begin with a prefix', () => {
    const ids = ['b', 'ab', 'a', 'abc', 'é', 'ac', '', 'a\u0001', '😀a', '😀'].map((id) => `${id}!`);
    const index = idIndex(ids);
    const found = (prefix: string): string[] =>
      Array.from(index.rowsWithPrefix(prefix), (row) => ids[row] ?? '');
    expect(found('a')).to.deep.equal(['a\u0001!', 'a!', 'ab!', 'abc!', 'ac!']);
    expect(found('ab')).to.deep.equal(['ab!', 'abc!']);
    expect(found('😀')).to.deep.equal(['😀!', '😀a!']);
    expect(found('\uD83D')).to.deep.equal([]);
    expect(found('zz')).to.deep.equal([]);
    expect(found('')).to.have.lengthOf(10);
  });

  it('gives the same bytes for the same ids', () => {
    expect(buildIdIndex(idHeap(numbered(1000)))).to.deep.equal(buildIdIndex(idHeap(numbered(1000))));
  });

  it('refuses an index of other rows', () => {
    const index = buildIdIndex(idHeap(numbered(10)));
    for (const bytes of [index, index.slice(0, 40), index.slice(0, 200), new Uint8Array()]) {
      expect(() => new IdIndexView(bytes, idHeap(numbered(11)))).to.throw(OmenError, 'does not belong');
    }
  });
});
