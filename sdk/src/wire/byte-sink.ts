/*
 * A growing buffer of protobuf fields, for the two columns of a bulk write whose size is not known before
 * they are written. Lengths are written after the fact: one byte is left free and the content moves up in the
 * rare case that it needs more.
 */
const INITIAL_BYTES = 4096;
const ASCII_LOOP_MAX = 40;

/** Protobuf fields, appended. */
export class ByteSink {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Forgets everything from `length` on. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** A view of what was written in [from, to); valid until the next write. */
  view(from: number, to: number): Buffer {
    return this.#buffer.subarray(from, to);
  }

  /** One byte, such as a tag of a field below 16. */
  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length] = value;
    this.#length += 1;
  }

  /** A whole number from 0 to 2^32 - 1. */
  varint32(value: number): void {
    this.#reserve(5);
    this.#length = writeVarint32(this.#buffer, this.#length, value);
  }

  /** An int64; negative numbers take ten bytes, as protobuf wants it. */
  varint64(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value < 0x8000_0000) {
      this.varint32(value);
      return;
    }
    this.#reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.#buffer[this.#length] = Number(rest & 0x7fn) | 0x80;
      this.#length += 1;
      rest >>= 7n;
    }
    this.#buffer[this.#length] = Number(rest);
    this.#length += 1;
  }

  /** A double, little-endian. */
  double(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  /** Raw bytes. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.byteLength;
  }

  /**
   * Text in UTF-8 after its length. `false`, with nothing written, when the text has half a surrogate pair.
   */
  text(text: string): boolean {
    if (text.length <= ASCII_LOOP_MAX && this.#shortAscii(text)) return true;
    if (!text.isWellFormed()) return false;
    const byteLength = Buffer.byteLength(text);
    this.varint32(byteLength);
    this.#reserve(byteLength);
    this.#length += this.#buffer.write(text, this.#length, byteLength, 'utf8');
    return true;
  }

  /** Begins content that is preceded by its length; pass the result to `end`. */
  begin(): number {
    this.#reserve(1);
    this.#length += 1;
    return this.#length;
  }

  /** Ends the content that began at `start` and writes its length before it. */
  end(start: number): void {
    const contentLength = this.#length - start;
    if (contentLength < 0x80) {
      this.#buffer[start - 1] = contentLength;
      return;
    }
    const extra = varint32Length(contentLength) - 1;
    this.#reserve(extra);
    this.#buffer.copyWithin(start + extra, start, this.#length);
    writeVarint32(this.#buffer, start - 1, contentLength);
    this.#length += extra;
  }

  /** A native call costs more than this loop for the short names and ids that most texts are. */
  #shortAscii(text: string): boolean {
    this.#reserve(text.length + 1);
    const buffer = this.#buffer;
    const start = this.#length + 1;
    for (let i = 0; i < text.length; i += 1) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return false;
      buffer[start + i] = unit;
    }
    buffer[start - 1] = text.length;
    this.#length = start + text.length;
    return true;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.byteLength) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.byteLength * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

/** Bytes that a varint of `value` takes. */
export function varint32Length(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Writes a varint and returns the position after it. */
export function writeVarint32(buffer: Uint8Array, position: number, value: number): number {
  let rest = value;
  let at = position;
  while (rest > 0x7f) {
    buffer[at] = (rest & 0x7f) | 0x80;
    at += 1;
    rest >>>= 7;
  }
  buffer[at] = rest;
  return at + 1;
}
