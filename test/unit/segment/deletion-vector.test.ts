import { expect } from 'chai';
import fc from 'fast-check';
import { OmenError } from '#server/core/errors.js';
import { decodeDeletionVector, encodeDeletionVector } from '#server/core/segment/deletion-vector.js';

const SEGMENT = { segmentKey: 's/job-1-0', segmentRows: 1000 };
const encode = (rows: Iterable<number>): Uint8Array =>
  encodeDeletionVector({ ...SEGMENT, rows: Uint32Array.from(rows) });
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('Deletion vector', () => {
  it('gives back any set of rows', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(999), { maxLength: 1000, size: 'max' }), (rows) => {
        const sorted = Uint32Array.from(rows).sort();
        expect(decodeDeletionVector(encode(sorted), SEGMENT, 'd')).to.deep.equal(sorted);
      }),
    );
  });

  it('reads from any address and from shared memory', () => {
    const encoded = encode([1, 5, 999]);
    const shared = new Uint8Array(new SharedArrayBuffer(encoded.length + 1), 1);
    shared.set(encoded);
    expect(decodeDeletionVector(shared, SEGMENT, 'd')).to.deep.equal(Uint32Array.of(1, 5, 999));
  });

  it('takes the shorter of list and bitmap', () => {
    expect(encode(range(32)).length - encode([]).length).to.equal(32 * 4);
    expect(encode(range(33))).to.have.lengthOf(encode(range(32)).length);
    expect(encode(range(1000))).to.have.lengthOf(encode(range(32)).length);
  });

  it('refuses rows that are not ascending or not of the segment', () => {
    expect(() => encode([2, 1])).to.throw('row 1 after 2');
    expect(() => encode([1, 1])).to.throw('row 1 after 1');
    expect(() => encode([1000])).to.throw('row 1000');
  });

  it('is refused for another segment', () => {
    const encoded = encode([1]);
    for (const other of [{ segmentKey: 's/job-2-0' }, { segmentRows: 1001 }]) {
      expect(() => decodeDeletionVector(encoded, { ...SEGMENT, ...other }, 'd/x')).to.throw(
        OmenError,
        'd/x is damaged',
      );
    }
  });

  it('notices a flipped bit in any byte and a cut at any length', () => {
    for (const encoded of [encode([1, 5]), encode(range(500))]) {
      for (let at = 0; at < encoded.length; at++) {
        const damaged = encoded.slice();
        damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
        for (const bytes of [damaged, encoded.slice(0, at)]) {
          expect(() => decodeDeletionVector(bytes, SEGMENT, 'd'), `byte ${at}`).to.throw(
            OmenError,
            'd is damaged',
          );
        }
      }
    }
  });
});
