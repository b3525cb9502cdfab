import { expect } from 'chai';
import fc from 'fast-check';
import { ByteReader } from '#server/core/bytes/byte-reader.js';
import { ByteWriter } from '#server/core/bytes/byte-writer.js';
import { crc32c } from '#server/core/bytes/crc32c.js';
import { hash128, hash64 } from '#server/core/bytes/hash64.js';
import { OmenError } from '#server/core/errors.js';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('crc32c', () => {
  it('gives the check values of RFC 3720', () => {
    expect(crc32c(ascii('123456789'))).to.equal(0xe3069283);
    expect(crc32c(new Uint8Array(32))).to.equal(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).to.equal(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).to.equal(0x46dd794e);
    expect(crc32c(new Uint8Array())).to.equal(0);
  });

  it('gives the same number for any cut, any alignment and shared memory', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.nat(7), (bytes, cut, offset) => {
        const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + offset), offset);
        shared.set(bytes);
        const whole = crc32c(bytes);
        expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).to.equal(whole);
        expect(crc32c(shared)).to.equal(whole);
      }),
    );
  });
});

describe('hash64', () => {
  it('gives the verification value of smhasher', () => {
    const all = new ByteWriter();
    for (let length = 0; length < 256; length++) {
      const key = Uint8Array.from({ length }, (_, i) => i);
      for (const part of hash128(key, 256 - length)) all.u32(part);
    }
    expect(hash128(all.finish(), 0)[0]).to.equal(0xb3ece62a);
  });

  it('is the first half of hash128', () => {
    const [high, low] = hash128(ascii('omen'));
    expect(hash64(ascii('omen'))).to.deep.equal({ high, low });
  });
});

describe('ByteWriter and ByteReader', () => {
  it('read back what was written', () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        fc.uint8Array({ maxLength: 20 }),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.float32Array({ maxLength: 9, noNaN: true }),
        (number, text, bytes, integer, floats) => {
          const writer = new ByteWriter(1);
          writer
            .u8(7)
            .u16(65_535)
            .u32(0xffff_ffff)
            .i32(-5)
            .u64(number)
            .varint(number)
            .i64(integer)
            .f32(0.5)
            .f64(0.1);
          writer.utf8(text).alignTo(8).array(floats).varint(bytes.length).bytes(bytes);
          const reader = new ByteReader(writer.finish(), 'test');
          expect(reader.u8('a')).to.equal(7);
          expect(reader.u16('b')).to.equal(65_535);
          expect(reader.u32('c')).to.equal(0xffff_ffff);
          expect(reader.i32('d')).to.equal(-5);
          expect(reader.u64('e')).to.equal(number);
          expect(reader.varint('f')).to.equal(number);
          expect(reader.i64('g')).to.equal(integer);
          expect(reader.f32('h')).to.equal(0.5);
          expect(reader.f64('i')).to.equal(0.1);
          expect(reader.utf8('j')).to.equal(text);
          reader.alignTo(8, 'k');
          expect(reader.f32Array(floats.length, 'l')).to.deep.equal(floats);
          expect(reader.bytes(reader.varint('m'), 'n')).to.deep.equal(bytes);
          reader.end();
        },
      ),
    );
  });

  it('names the file, the place and the expectation when bytes are missing', () => {
    const reader = new ByteReader(new Uint8Array(3), 'segment s/1');
    reader.u8('kind');
    expect(() => reader.u32('row count'))
      .to.throw(OmenError, 'segment s/1 is damaged: expected 4 more bytes for row count at byte 1 of 3')
      .with.property('reason', 'DATA_CORRUPTED');
  });

  it('refuses numbers past 2^53, bad UTF-8, endless varints and trailing bytes', () => {
    const corrupted = (bytes: number[], read: (reader: ByteReader) => unknown): void => {
      expect(() => read(new ByteReader(Uint8Array.from(bytes), 'x'))).to.throw(OmenError, /^x is damaged/);
    };
    corrupted([0, 0, 0, 0, 0, 0, 0x20, 0], (reader) => reader.u64('n'));
    corrupted([1, 0xff], (reader) => reader.utf8('t'));
    corrupted(Array<number>(20).fill(0xff), (reader) => reader.varint('v'));
    corrupted([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], (reader) => reader.varint('v'));
    corrupted([0xff, 0xff, 0xff, 0xff, 0x0f], (reader) => reader.bytes(reader.varint('n'), 'b'));
    corrupted([1], (reader) => reader.end());
    corrupted([1], (reader) => reader.seek(2, 's'));
  });
});
