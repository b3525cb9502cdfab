import { expect } from 'chai';
import fc from 'fast-check';
import { UpsertRecordsRequest, Value } from '#sdk/gen/messages.js';
import { attributesFromWire, attributesToWire, valueToWire } from '#sdk/values/attributes.js';
import type { AttributeValue } from '#sdk/values/attributes.js';
import { RecordBlockBuilder } from '#sdk/values/record-block.js';
import type { RecordRange } from '#sdk/values/record-block.js';
import { firstNotFinite, isZero, vectorFromBytes, vectorToBytes } from '#sdk/values/vector.js';

const INT64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const TEXT = fc.string({ unit: 'grapheme', maxLength: 200 });
const FRACTION = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((x) => !Number.isInteger(x));
const SCALAR = fc.oneof(TEXT, fc.boolean(), INT64, fc.maxSafeInteger(), FRACTION);
const LIST = fc.oneof(
  fc.array(TEXT, { maxLength: 5 }),
  fc.array(fc.boolean(), { maxLength: 200 }),
  fc.array(INT64, { maxLength: 30 }),
  fc.array(fc.oneof(fc.maxSafeInteger(), FRACTION), { maxLength: 30 }),
);
const ATTRIBUTES = fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), fc.oneof(SCALAR, LIST), {
  maxKeys: 6,
});
const DIMENSIONS = 3;
const RECORDS = fc.array(
  fc.record({
    id: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
    vector: fc.float32Array({ minLength: DIMENSIONS, maxLength: DIMENSIONS }),
    attributes: fc.option(ATTRIBUTES, { nil: undefined }),
  }),
  { maxLength: 20 },
);

/** What the generated decoder reads from a request, in the form of the records that went in. */
function decoded(bytes: Uint8Array): { collection: string; requestId: string; records: unknown[] } {
  const { collection, requestId, block } = UpsertRecordsRequest.decode(bytes);
  if (block === undefined) throw new Error('no block');
  const floats = vectorFromBytes(block.vectorsF32);
  const records = block.ids.map((id, i) => ({
    id,
    vector: floats.slice(i * block.dimensions, (i + 1) * block.dimensions),
    attributes: block.attributes[i]?.values ?? new Map(),
  }));
  return { collection, requestId, records };
}

const asWire = (record: {
  id: string;
  vector: Float32Array;
  attributes: Record<string, AttributeValue> | undefined;
}) => ({
  id: record.id,
  vector: record.vector,
  attributes: attributesToWire(record.attributes, 'attributes'),
});

describe('A block of records', () => {
  it('is read by the generated decoder as the records that went in', () => {
    fc.assert(
      fc.property(RECORDS, fc.string(), fc.string(), (records, collection, requestId) => {
        const block = new RecordBlockBuilder(DIMENSIONS, 1);
        records.forEach((record) => block.add(record, 'record'));
        const bytes = block.encode(collection, requestId);
        const sent = { collection, requestId, records: records.map((record) => asWire(record as never)) };
        expect(decoded(bytes)).to.deep.equal(sent);
        expect(bytes.byteLength).to.be.at.most(
          block.byteLength + collection.length * 3 + requestId.length * 3,
        );
      }),
    );
  });

  it('gives any of its parts without encoding them again', () => {
    const parts = fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { maxLength: 4 });
    fc.assert(
      fc.property(RECORDS, parts, (records, pairs) => {
        const block = new RecordBlockBuilder(DIMENSIONS);
        records.forEach((record) => block.add(record, 'record'));
        const ranges: RecordRange[] = pairs.map(([a, b]) => ({
          from: Math.min(a, b, records.length),
          to: Math.min(Math.max(a, b), records.length),
        }));
        const wanted = ranges.flatMap(({ from, to }) => records.slice(from, to));
        const seen = decoded(block.encode('c', 'r', ranges)).records;
        expect(seen).to.deep.equal(wanted.map((record) => asWire(record as never)));
      }),
    );
  });

  it('stays as it was when a record is refused or taken out', () => {
    const block = new RecordBlockBuilder(2);
    block.add({ id: 'a', vector: [1, 2], attributes: { x: 1 } }, 'records[0]');
    const before = block.encode('c', 'r');
    const bad: [unknown, string][] = [
      [{ id: '', vector: [1, 2] }, 'INVALID_ID'],
      [{ id: 7, vector: [1, 2] }, 'INVALID_ID'],
      [{ id: 'x'.repeat(513), vector: [1, 2] }, 'INVALID_ID'],
      [{ id: 'é'.repeat(257), vector: [1, 2] }, 'INVALID_ID'],
      [{ id: 'half \ud800', vector: [1, 2] }, 'INVALID_ID'],
      [{ id: 'b', vector: [1, 2, 3] }, 'DIMENSION_MISMATCH'],
      [{ id: 'b', vector: 'text' }, 'INVALID_VECTOR'],
      [{ id: 'b', vector: Buffer.alloc(7) }, 'INVALID_VECTOR'],
      [{ id: 'b', vector: [1, null] }, 'INVALID_VECTOR'],
      [{ id: 'b', vector: ['1', 2] }, 'INVALID_VECTOR'],
      [{ id: 'b', vector: [1, 2], attributes: { y: undefined, x: {} } }, 'INVALID_ATTRIBUTE'],
      [{ id: 'b', vector: [1, 2], attributes: { x: NaN } }, 'INVALID_ATTRIBUTE'],
      [{ id: 'b', vector: [1, 2], attributes: { x: [1, 'a'] } }, 'INVALID_ATTRIBUTE'],
      [{ id: 'b', vector: [1, 2], attributes: { x: 2n ** 63n } }, 'INVALID_ATTRIBUTE'],
      [{ id: 'b', vector: [1, 2], attributes: { x: 'half \ud800' } }, 'INVALID_ATTRIBUTE'],
      [{ id: 'b', vector: [1, 2], attributes: 'text' }, 'INVALID_ATTRIBUTE'],
      [{ id: 'b', vector: [1, 2], attributes: { x: 2 ** 53 } }, 'INTEGER_PRECISION_LOSS'],
      [{ id: 'b', vector: [1, 2], attributes: { x: [0.5, 2n ** 53n + 1n] } }, 'INTEGER_PRECISION_LOSS'],
      [null, 'INVALID_ARGUMENT'],
    ];
    for (const [record, reason] of bad) {
      expect(() => block.add(record as never, 'records[1]'), String(reason))
        .to.throw(/^records\[1\]/)
        .with.property('reason', reason);
    }
    block.add({ id: 'c', vector: [3, 4] }, 'records[1]');
    block.removeLast();
    expect(Buffer.from(block.encode('c', 'r')).equals(before)).to.equal(true);
  });

  it('takes ids up to 512 bytes', () => {
    const block = new RecordBlockBuilder(1);
    for (const id of ['x'.repeat(512), 'é'.repeat(256), '\u{1F600}'.repeat(128)]) {
      block.add({ id, vector: [1] }, 'record');
    }
    expect(block.count).to.equal(3);
  });
});

describe('Attributes', () => {
  const returned = (value: AttributeValue): unknown =>
    attributesFromWire(new Map([['x', Value.decode(Value.encode(valueToWire(value, 'x')).finish())]]))['x'];

  it('come back as they went in', () => {
    for (const value of [
      'text',
      '',
      true,
      false,
      0,
      7,
      -7,
      1.5,
      2 ** 53 - 1,
      1e300,
      ['a', ''],
      [1, 2],
      [1, 2.5],
      [true, false],
      [],
    ]) {
      expect(returned(value as AttributeValue)).to.deep.equal(value);
    }
  });

  it('are whole numbers when given as bigint, and a bigint again only when a number would lose digits', () => {
    expect(returned(7n)).to.equal(7);
    expect(returned(2n ** 53n)).to.equal(2n ** 53n);
    expect(returned(-(2n ** 63n))).to.equal(-(2n ** 63n));
    expect(returned([1n, 2n ** 60n])).to.deep.equal([1n, 2n ** 60n]);
    expect(returned([1n, 2n])).to.deep.equal([1, 2]);
  });

  it('may have a name that means something to JavaScript', () => {
    const wire = attributesToWire(
      JSON.parse('{"__proto__":1,"constructor":"x"}') as Record<string, AttributeValue>,
      'a',
    );
    const back = attributesFromWire(wire);
    expect(Object.keys(back)).to.deep.equal(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(back)).to.equal(Object.prototype);
  });
});

describe('Vectors', () => {
  it('go out without being copied when they are 32-bit floats or bytes', () => {
    const floats = Float32Array.of(1, 2, 3);
    const bytes = Buffer.from(floats.buffer);
    expect(vectorToBytes(floats, 'v').buffer).to.equal(floats.buffer);
    expect(vectorToBytes(bytes, 'v')).to.equal(bytes);
    expect(Buffer.from(vectorToBytes([1, 2, 3], 'v')).equals(bytes)).to.equal(true);
  });

  it('come back in memory of their own wherever they lay in the message', () => {
    const message = Buffer.concat([Buffer.of(9), Buffer.from(Float32Array.of(0.5, -2).buffer)]);
    const vector = vectorFromBytes(message.subarray(1));
    expect(vector).to.deep.equal(Float32Array.of(0.5, -2));
    message.fill(0);
    expect(vector).to.deep.equal(Float32Array.of(0.5, -2));
  });

  it('are searched for numbers that 32 bits cannot hold', () => {
    expect(firstNotFinite([1, 2])).to.equal(-1);
    expect(firstNotFinite([1, NaN])).to.equal(1);
    expect(firstNotFinite([1e39, 0])).to.equal(0);
    expect(firstNotFinite(Float32Array.of(0, -Infinity))).to.equal(1);
    expect(isZero([0, -0])).to.equal(true);
    expect(isZero(Buffer.from(Float32Array.of(0, 1).buffer))).to.equal(false);
  });
});
