/*
 * Reads binary files that may be damaged: little-endian, every read checked against the end.
 *
 * Invariant: no input, however broken, makes it read outside its bytes, loop without bound or allocate more
 * than its bytes could hold; a fault is an `OmenError` `DATA_CORRUPTED` that names the file, the place and
 * what was expected there.
 */
import { OmenError } from '../errors.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  /** @param source What the bytes are, for error messages: an object's key and section. */
  constructor(
    bytes: Uint8Array,
    readonly source: string,
  ) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get position(): number {
    return this.#position;
  }

  get length(): number {
    return this.#bytes.length;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  u8(what: string): number {
    return this.#view.getUint8(this.#claim(1, what));
  }

  u16(what: string): number {
    return this.#view.getUint16(this.#claim(2, what), true);
  }

  u32(what: string): number {
    return this.#view.getUint32(this.#claim(4, what), true);
  }

  i32(what: string): number {
    return this.#view.getInt32(this.#claim(4, what), true);
  }

  /** 8 bytes that must hold a whole number below 2^53. */
  u64(what: string): number {
    const at = this.#claim(8, what);
    const high = this.#view.getUint32(at + 4, true);
    if (high >= 0x20_0000) throw this.corrupted(what, 'a number below 2^53', at);
    return high * 0x1_0000_0000 + this.#view.getUint32(at, true);
  }

  i64(what: string): bigint {
    return this.#view.getBigInt64(this.#claim(8, what), true);
  }

  f32(what: string): number {
    return this.#view.getFloat32(this.#claim(4, what), true);
  }

  f64(what: string): number {
    return this.#view.getFloat64(this.#claim(8, what), true);
  }

  varint(what: string): number {
    const begin = this.#position;
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.u8(what);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw this.corrupted(what, 'a number below 2^53', begin);
  }

  /** A view of the next `count` bytes, not a copy. */
  bytes(count: number, what: string): Uint8Array {
    const at = this.#claim(count, what);
    return this.#bytes.subarray(at, at + count);
  }

  /** Text with its length as varint before it. */
  utf8(what: string): string {
    return this.rawUtf8(this.varint(what), what);
  }

  /** Text of `count` bytes. */
  rawUtf8(count: number, what: string): string {
    const at = this.#claim(count, what);
    const bytes = this.#bytes.subarray(at, at + count);
    try {
      // TextDecoder refuses shared memory.
      return decoder.decode(bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice());
    } catch (error) {
      throw this.corrupted(what, 'UTF-8 text', at, error);
    }
  }

  /** Float numbers: a view when the address is aligned, else a copy. */
  f32Array(count: number, what: string): Float32Array {
    const bytes = this.bytes(count * 4, what);
    if (bytes.byteOffset % 4 === 0) return new Float32Array(bytes.buffer, bytes.byteOffset, count);
    return new Float32Array(bytes.slice().buffer);
  }

  /** Whole numbers: a view when the address is aligned, else a copy. */
  u32Array(count: number, what: string): Uint32Array {
    const bytes = this.bytes(count * 4, what);
    if (bytes.byteOffset % 4 === 0) return new Uint32Array(bytes.buffer, bytes.byteOffset, count);
    return new Uint32Array(bytes.slice().buffer);
  }

  skip(count: number, what: string): void {
    this.#claim(count, what);
  }

  /** Moves to an offset from the begin of the bytes. */
  seek(position: number, what: string): void {
    if (!Number.isSafeInteger(position) || position < 0 || position > this.#bytes.length) {
      throw this.corrupted(what, `an offset from 0 to ${this.#bytes.length} and not ${position}`);
    }
    this.#position = position;
  }

  /** Skips to the next multiple of `alignment`. */
  alignTo(alignment: number, what: string): void {
    this.skip((alignment - (this.#position % alignment)) % alignment, what);
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.remaining > 0) throw this.corrupted('the end', `no more than ${this.#position} bytes`);
  }

  /** The error to throw when `what`, read at `at`, is not what it must be. */
  corrupted(what: string, expected: string, at = this.#position, cause?: unknown): OmenError {
    return new OmenError(
      'DATA_CORRUPTED',
      `${this.source} is damaged: expected ${expected} for ${what} at byte ${at} of ${this.#bytes.length}`,
      cause === undefined ? {} : { cause },
    );
  }

  #claim(count: number, what: string): number {
    const at = this.#position;
    // Written so that NaN and numbers past 2^53 fail too.
    if (!(count >= 0 && count <= this.#bytes.length - at)) {
      throw this.corrupted(what, `${count} more bytes`, at);
    }
    this.#position = at + count;
    return at;
  }
}
