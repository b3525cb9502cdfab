/*
 * Builds binary files: little-endian throughout, in one growing buffer.
 *
 * Invariant: `position` is the number of bytes written, and everything before it is final except where
 * `patchU32` says otherwise. Arrays of numbers are copied as they lie in memory, so the machine must be
 * little-endian, as every platform of Node is.
 */
import { invariant } from '../errors.js';

const encoder = new TextEncoder();

export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #position = 0;

  /** @param capacity Expected size in bytes; exact capacity means one allocation and no copy. */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(Math.max(16, capacity));
    this.#view = new DataView(this.#bytes.buffer);
  }

  get position(): number {
    return this.#position;
  }

  u8(value: number): this {
    const at = this.#claim(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#claim(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    const at = this.#claim(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  i32(value: number): this {
    const at = this.#claim(4);
    this.#view.setInt32(at, value, true);
    return this;
  }

  /** A whole number from 0 to 2^53 - 1 in 8 bytes. */
  u64(value: number): this {
    invariant(Number.isSafeInteger(value) && value >= 0, `u64 takes 0 to 2^53 - 1, not ${value}`);
    const at = this.#claim(8);
    this.#view.setUint32(at, value % 0x1_0000_0000, true);
    this.#view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
    return this;
  }

  /** A signed 64-bit integer. */
  i64(value: bigint): this {
    const at = this.#claim(8);
    this.#view.setBigInt64(at, value, true);
    return this;
  }

  f32(value: number): this {
    const at = this.#claim(4);
    this.#view.setFloat32(at, value, true);
    return this;
  }

  f64(value: number): this {
    const at = this.#claim(8);
    this.#view.setFloat64(at, value, true);
    return this;
  }

  /**
   * Whole numbers from 0 to 2^53 - 1, seven bits a byte, lowest first; the high bit says that more follow.
   */
  varint(value: number): this {
    invariant(Number.isSafeInteger(value) && value >= 0, `varint takes 0 to 2^53 - 1, not ${value}`);
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.u8(rest);
  }

  /** The bytes as they are, without a length. */
  bytes(value: Uint8Array): this {
    const at = this.#claim(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** The numbers as they lie in memory, without a length. */
  array(value: Float32Array | Float64Array | Uint16Array | Uint32Array | Int32Array): this {
    return this.bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }

  /** UTF-8 with its length in bytes as varint before it. */
  utf8(value: string): this {
    const bytes = encoder.encode(value);
    return this.varint(bytes.length).bytes(bytes);
  }

  /** UTF-8 without a length; returns the number of bytes. */
  rawUtf8(value: string): number {
    // A UTF-16 unit takes at most 3 bytes.
    this.#reserve(value.length * 3);
    const ascii = this.#shortAscii(value);
    if (ascii) return value.length;
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(this.#position));
    this.#position += written;
    return written;
  }

  /** `count` zero bytes. */
  zeros(count: number): this {
    const at = this.#claim(count);
    this.#bytes.fill(0, at, at + count);
    return this;
  }

  /** Zero bytes up to the next multiple of `alignment`. */
  alignTo(alignment: number): this {
    return this.zeros((alignment - (this.#position % alignment)) % alignment);
  }

  /** Overwrites four bytes written before, for lengths and checksums known only later. */
  patchU32(at: number, value: number): this {
    invariant(at + 4 <= this.#position, `patch at ${at} lies past the end ${this.#position}`);
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** A view of bytes written before, for a checksum; valid until the next write. */
  written(from = 0, to = this.#position): Uint8Array {
    return this.#bytes.subarray(from, to);
  }

  /** Everything written. The writer must not be used afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#position);
  }

  /**
   * Ids are short and mostly ASCII: a plain loop is several times faster than the encoder, whose call costs
   * more.
   */
  #shortAscii(value: string): boolean {
    if (value.length > 32) return false;
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index);
      if (unit >= 0x80) return false;
      this.#bytes[this.#position + index] = unit;
    }
    this.#position += value.length;
    return true;
  }

  #claim(count: number): number {
    this.#reserve(count);
    const at = this.#position;
    this.#position += count;
    return at;
  }

  #reserve(count: number): void {
    const needed = this.#position + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#position));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
