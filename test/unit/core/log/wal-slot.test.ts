import { expect } from 'chai';
import fc from 'fast-check';
import { toHex } from '#server/core/bytes/hex.js';
import { OmenError } from '#server/core/errors.js';
import type { CollectionId } from '#server/core/ids.js';
import type { SlotContent } from '#server/core/log/wal-slot.js';
import { decodeWalSlot, encodeWalSlot, NO_SLOT_HASH, OP_DELETE, OP_PUT } from '#server/core/log/wal-slot.js';

const SMALL: SlotContent = {
  collectionId: '0123456789abcdef0123456789abcdef' as CollectionId,
  slot: 7,
  nonce: 'ff'.repeat(16),
  previousHash: NO_SLOT_HASH,
  firstSequence: 41,
  createdMs: 1_700_000_000_000,
  dimensions: 2,
  writes: {
    ops: Uint8Array.of(OP_PUT, OP_DELETE, OP_PUT),
    ids: ['a', 'löschen', '🙂'],
    vectors: Float32Array.of(1, -2, 0.5, 3),
    attributes: [Uint8Array.of(9, 8), new Uint8Array()],
  },
  requests: [{ requestId: 'r-1', answer: Uint8Array.of(1, 2, 3), firstWrite: 1, count: 2, timeMs: 5 }],
};

const slots = fc
  .record({
    dimensions: fc.integer({ min: 1, max: 5 }),
    writes: fc.array(
      fc.record({
        put: fc.boolean(),
        id: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
        attributes: fc.uint8Array({ maxLength: 30 }),
      }),
      { maxLength: 30 },
    ),
    requests: fc.array(fc.record({ requestId: fc.string({ minLength: 1 }), answer: fc.uint8Array() })),
  })
  .map(({ dimensions, writes, requests }): SlotContent => {
    const put = writes.filter((write) => write.put);
    return {
      ...SMALL,
      dimensions,
      writes: {
        ops: Uint8Array.from(writes, (write) => (write.put ? OP_PUT : OP_DELETE)),
        ids: writes.map(({ id }) => id),
        vectors: Float32Array.from({ length: put.length * dimensions }, (_, index) => index / 3),
        attributes: put.map(({ attributes }) => attributes),
      },
      requests: requests.map((request) => ({ ...request, firstWrite: 0, count: writes.length, timeMs: 1 })),
    };
  });

describe('WAL slot', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(slots, (content) => {
        const { body, decoded } = encodeWalSlot(content);
        expect(decodeWalSlot(body, 'w/7')).to.deep.equal(decoded);
        expect(decoded).to.deep.include(content);
      }),
    );
  });

  it('has the bytes of the documented example', () => {
    const { body, decoded } = encodeWalSlot(SMALL);
    expect(toHex(body.subarray(0, 48))).to.equal(
      '4f4d574c' +
        '0100' +
        'a000' +
        '0700000000000000' +
        '2900000000000000' +
        '0068e5cf8b010000' +
        '03000000' +
        '02000000' +
        '02000000' +
        '01000000',
    );
    expect(toHex(body.subarray(192))).to.equal(GOLDEN_BODY);
    expect(decoded.hash).to.equal(GOLDEN_HASH);
  });

  it('is read without a copy of its vectors, also from shared memory', () => {
    const { body } = encodeWalSlot(SMALL);
    expect(decodeWalSlot(body, 'x').writes.vectors.buffer).to.equal(body.buffer);
    const shared = new Uint8Array(new SharedArrayBuffer(body.length));
    shared.set(body);
    expect(decodeWalSlot(shared, 'x').writes.ids).to.deep.equal(SMALL.writes.ids);
    const shifted = new Uint8Array(body.length + 1).subarray(1);
    shifted.set(body);
    expect(decodeWalSlot(shifted, 'x').writes.vectors).to.deep.equal(SMALL.writes.vectors);
  });

  it('shows every truncation', () => {
    const { body } = encodeWalSlot(SMALL);
    for (let length = 0; length < body.length; length++) refuses(body.subarray(0, length));
    refuses(Uint8Array.of(...body, 0));
  });

  it('shows every flipped bit', () => {
    const { body } = encodeWalSlot(SMALL);
    for (let bit = 0; bit < body.length * 8; bit++) {
      const damaged = body.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      refuses(damaged);
    }
  });

  it('has another hash for every change of content', () => {
    const hash = encodeWalSlot(SMALL).decoded.hash;
    expect(encodeWalSlot({ ...SMALL, nonce: '0f'.repeat(16) }).decoded.hash).to.not.equal(hash);
    const writes = { ...SMALL.writes, attributes: [Uint8Array.of(9, 7), new Uint8Array()] };
    expect(encodeWalSlot({ ...SMALL, writes }).decoded.hash).to.not.equal(hash);
  });

  it('refuses writes that do not fit together', () => {
    const broken = { ...SMALL, writes: { ...SMALL.writes, ops: Uint8Array.of(OP_PUT, OP_PUT, OP_PUT) } };
    expect(() => encodeWalSlot(broken)).to.throw('puts and attributes differ in number');
  });
});

function refuses(bytes: Uint8Array): void {
  expect(() => decodeWalSlot(bytes, 'w/7'))
    .to.throw(OmenError)
    .with.property('reason', 'DATA_CORRUPTED');
}

const GOLDEN_BODY =
  '0000803f000000c00000003f0000404000010000000000000100000009000000' +
  '0d000000616cc3b6736368656ef09f9982000000000000000200000002000000' +
  '090800000000000003722d310301020301020500000000000000';
const GOLDEN_HASH = '4b07510442a05e54952d6e8dd9d79fa1';
