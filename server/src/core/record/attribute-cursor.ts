/*
 * Walks the encoded attributes of a record without making objects of them: what decoding, filters on encoded
 * records and the building of indexes have in common. The encoding is drawn in
 * `server/docs/formats/segment.md`, section "Attributes of a record".
 *
 * Invariant: every position handed out lies inside the bytes, whatever they hold; a fault is
 * `DATA_CORRUPTED`.
 */
import { OmenError } from '../errors.js';
import type { AttributeScalar, AttributeValue } from './record.js';
import { decodeText } from './text.js';

/** First byte of an encoded value. */
export const VALUE_KINDS = {
  text: 1,
  int64: 2,
  double: 3,
  false: 4,
  true: 5,
  emptyArray: 16,
  texts: 17,
  int64s: 18,
  doubles: 19,
  booleans: 20,
} as const;

/** Kinds from here on are arrays; a non-empty array's kind is that of its elements plus this. */
const ARRAY_OFFSET = 16;
const BOOLEANS = VALUE_KINDS.booleans;

/** `next` moves from attribute to attribute, `nextElement` through the scalars of the current one. */
export class AttributeCursor {
  bytes: Uint8Array = new Uint8Array();
  /** The current attribute: its name in `bytes[nameFrom, nameTo)` … */
  nameFrom = 0;
  nameTo = 0;
  /** … one of `VALUE_KINDS` … */
  kind = 0;
  /** … and its value without the kind and the length. */
  valueFrom = 0;
  valueTo = 0;
  /** The current element: `text`, `int64`, `double`, `false` or `true`, and its bytes. */
  elementKind = 0;
  elementFrom = 0;
  elementTo = 0;
  #end = 0;
  #elementAt = 0;

  /** Begins before the first attribute of the record encoded in `bytes[from, to)`. */
  reset(bytes: Uint8Array, from = 0, to = bytes.length): this {
    this.bytes = bytes;
    this.valueTo = from;
    this.#end = to;
    return this;
  }

  /** Moves to the next attribute; false behind the last. */
  next(): boolean {
    const begin = this.valueTo;
    if (begin >= this.#end) return false;
    const bytes = this.bytes;
    this.nameFrom = begin + 1;
    this.nameTo = begin + 1 + (bytes[begin] as number);
    if (this.nameTo >= this.#end) throw this.#damaged(begin);
    this.kind = bytes[this.nameTo] as number;
    this.valueFrom = this.nameTo + 1;
    const size = this.#valueSize();
    this.valueTo = this.valueFrom + size;
    this.#elementAt = this.valueFrom;
    if (this.valueTo > this.#end) throw this.#damaged(begin);
    return true;
  }

  /**
   * Moves to the next scalar of the current attribute: one for a scalar attribute, any number for an array.
   */
  nextElement(): boolean {
    const at = this.#elementAt;
    if (this.kind < ARRAY_OFFSET) {
      if (at > this.valueTo) return false;
      this.elementKind = this.kind;
      this.elementFrom = this.valueFrom;
      this.elementTo = this.valueTo;
      // Past the value and not at its end, since a value may have no bytes.
      this.#elementAt = this.valueTo + 1;
      return true;
    }
    if (at >= this.valueTo) return false;
    this.#arrayElement(at);
    if (this.elementTo > this.valueTo) throw this.#damaged(at);
    this.#elementAt = this.elementTo;
    return true;
  }

  /** Goes back before the first element of the current attribute. */
  rewind(): void {
    this.#elementAt = this.valueFrom;
  }

  /** The current element as JavaScript knows it. */
  element(): AttributeScalar {
    switch (this.elementKind) {
      case VALUE_KINDS.text:
        return decodeText(this.bytes, this.elementFrom, this.elementTo);
      case VALUE_KINDS.int64:
        return readInt64(this.bytes, this.elementFrom, this.elementTo);
      case VALUE_KINDS.double:
        return readDouble(this.bytes, this.elementFrom);
      case VALUE_KINDS.false:
        return false;
      case VALUE_KINDS.true:
        return true;
      default:
        throw this.#damaged(this.elementFrom);
    }
  }

  /** The current attribute's value as JavaScript knows it. */
  value(): AttributeValue {
    if (this.kind < ARRAY_OFFSET) {
      this.nextElement();
      return this.element();
    }
    const elements: AttributeScalar[] = [];
    while (this.nextElement()) elements.push(this.element());
    // The encoding of an array holds one kind of scalar only.
    return elements as readonly string[];
  }

  #arrayElement(at: number): void {
    this.elementKind = this.kind - ARRAY_OFFSET;
    switch (this.kind) {
      case VALUE_KINDS.texts: {
        const length = this.#varint(at);
        this.elementFrom = this.#varintEnd;
        this.elementTo = this.elementFrom + length;
        break;
      }
      case VALUE_KINDS.int64s:
        this.elementFrom = at + 1;
        this.elementTo = at + 1 + Math.min(8, this.bytes[at] as number);
        break;
      case VALUE_KINDS.doubles:
        this.elementFrom = at;
        this.elementTo = at + 8;
        break;
      case BOOLEANS:
        this.elementKind = this.bytes[at] === 0 ? VALUE_KINDS.false : VALUE_KINDS.true;
        this.elementFrom = at;
        this.elementTo = at + 1;
        break;
      default:
        throw this.#damaged(at);
    }
  }

  /** Moves `valueFrom` behind a length and returns the bytes that the value takes from there. */
  #valueSize(): number {
    switch (this.kind) {
      case VALUE_KINDS.false:
      case VALUE_KINDS.true:
      case VALUE_KINDS.emptyArray:
        return 0;
      case VALUE_KINDS.double:
        return 8;
      case VALUE_KINDS.int64: {
        const size = this.bytes[this.valueFrom] ?? 9;
        if (size > 8) throw this.#damaged(this.valueFrom);
        this.valueFrom++;
        return size;
      }
      case VALUE_KINDS.text:
      case VALUE_KINDS.texts:
      case VALUE_KINDS.int64s:
      case VALUE_KINDS.doubles:
      case BOOLEANS: {
        const size = this.#varint(this.valueFrom);
        this.valueFrom = this.#varintEnd;
        return size;
      }
      default:
        throw this.#damaged(this.nameTo);
    }
  }

  #varintEnd = 0;

  /** At most four bytes: no value is longer than 2^28. */
  #varint(from: number): number {
    let value = 0;
    for (let at = from, shift = 0; at < this.#end && shift < 28; at++, shift += 7) {
      const byte = this.bytes[at] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#varintEnd = at + 1;
        return value;
      }
    }
    throw this.#damaged(from);
  }

  #damaged(at: number): OmenError {
    return new OmenError('DATA_CORRUPTED', `encoded attributes are damaged at byte ${at} of ${this.#end}`);
  }
}

const doubleBytes = new Uint8Array(8);
const doubleView = new Float64Array(doubleBytes.buffer);

/** The eight bytes at `from` as a double. */
export function readDouble(bytes: Uint8Array, from: number): number {
  for (let index = 0; index < 8; index++) doubleBytes[index] = bytes[from + index] as number;
  return doubleView[0] as number;
}

/**
 * A whole number in `bytes[from, to)`: two's complement, lowest byte first, at most 8 bytes, none for zero.
 */
export function readInt64(bytes: Uint8Array, from: number, to: number): bigint {
  const high = int64High(bytes, from, to);
  const low = int64Low(bytes, from, to);
  const value = high * 0x1_0000_0000 + low;
  return Number.isSafeInteger(value) ? BigInt(value) : (BigInt(high) << 32n) | BigInt(low);
}

/** Bits 0 to 31, unsigned. */
export function int64Low(bytes: Uint8Array, from: number, to: number): number {
  let low = 0;
  const end = Math.min(to, from + 4);
  for (let at = from, shift = 0; at < end; at++, shift += 8) low |= (bytes[at] as number) << shift;
  const unused = 32 - 8 * (end - from);
  return unused > 0 && unused < 32 ? ((low << unused) >> unused) >>> 0 : low >>> 0;
}

/** Bits 32 to 63, signed. */
export function int64High(bytes: Uint8Array, from: number, to: number): number {
  if (to - from <= 4) return to > from && (bytes[to - 1] as number) >= 0x80 ? -1 : 0;
  let high = 0;
  for (let at = from + 4, shift = 0; at < to; at++, shift += 8) high |= (bytes[at] as number) << shift;
  const unused = 32 - 8 * (to - from - 4);
  return (high << unused) >> unused;
}
