/*
 * A slab file around its pieces: a header that says whose it is, and, once it is full, a directory at its
 * end, so that a start need not walk through it. Byte by byte in docs/formats/ssd-cache.md.
 */
import { crc32 } from 'node:zlib';
import { PLACE_UNIT_BYTES } from '../../core/tiers/piece-index.js';
import type { Hash64 } from '../../core/bytes/hash64.js';
import type { SlabKind } from '../../core/tiers/slab-policy.js';
import { SLAB_KINDS } from '../../core/tiers/slab-policy.js';
import type { CacheEpoch } from './piece-record.js';

/** Bytes before the first piece. */
export const SLAB_HEADER_BYTES = 64;
/** Bytes behind the directory. */
export const TRAILER_BYTES = 32;
/** Bytes of a piece in the directory. */
export const ENTRY_BYTES = 20;

const MAGIC = Uint8Array.of(0x89, 0x4f, 0x4d, 0x53, 0x4c, 0x42, 0x0d, 0x0a);
/** "OMSD" */
const TRAILER_MAGIC = 0x44534d4f;
/** Of everything around the bytes of a piece. */
const VERSION = 1;
const NAME = /^(\d{12})-[0-9a-f]{8}\.slab$/;

/** What a slab's header says. */
export interface SlabHeader {
  readonly kind: SlabKind;
  readonly sequence: number;
}

/** A piece in a slab. */
export interface SlabEntry {
  readonly hash: Hash64;
  readonly objectHash: number;
  /** From the start of the slab. */
  readonly offset: number;
  readonly recordBytes: number;
}

/** Name of a slab's file. The nonce keeps two processes apart that believe to be the only one. */
export function slabFileName(sequence: number, nonce: string): string {
  return `${String(sequence).padStart(12, '0')}-${nonce}.slab`;
}

/** True for the name of a slab's file. */
export function isSlabFile(name: string): boolean {
  return NAME.test(name);
}

/** The first bytes of a slab. */
export function encodeSlabHeader({ kind, sequence }: SlabHeader, epoch: CacheEpoch): Uint8Array {
  const bytes = new Uint8Array(SLAB_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, SLAB_KINDS.indexOf(kind), true);
  view.setFloat64(16, sequence, true);
  view.setUint32(24, epoch.high, true);
  view.setUint32(28, epoch.low, true);
  view.setUint32(32, epoch.format, true);
  view.setUint32(60, crc32(bytes.subarray(0, 60)), true);
  return bytes;
}

/** Reads the first bytes of a slab; null when they are damaged, or of another version or epoch. */
export function decodeSlabHeader(bytes: Uint8Array, epoch: CacheEpoch): SlabHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = SLAB_KINDS[view.getUint32(12, true)];
  const ours =
    MAGIC.every((byte, at) => bytes[at] === byte) &&
    view.getUint32(60, true) === crc32(bytes.subarray(0, 60)) &&
    view.getUint32(8, true) === VERSION &&
    view.getUint32(24, true) === epoch.high &&
    view.getUint32(28, true) === epoch.low &&
    view.getUint32(32, true) === epoch.format;
  return ours && kind !== undefined ? { kind, sequence: view.getFloat64(16, true) } : null;
}

/** Collects the pieces of a slab that is being filled, for its directory. */
export class DirectoryBuilder {
  #words = new Uint32Array(5 * 64);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Memory that it takes. */
  get bytes(): number {
    return this.#words.byteLength;
  }

  add({ hash, objectHash, offset, recordBytes }: SlabEntry): void {
    if ((this.#count + 1) * 5 > this.#words.length) {
      const larger = new Uint32Array(this.#words.length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words.set(
      [hash.high, hash.low, objectHash, offset / PLACE_UNIT_BYTES, recordBytes],
      this.#count * 5,
    );
    this.#count++;
  }

  /** The end of the slab: directory and trailer. */
  encode(sequence: number, at: number): Uint8Array {
    const directoryBytes = this.#count * ENTRY_BYTES;
    const bytes = new Uint8Array(directoryBytes + TRAILER_BYTES);
    bytes.set(new Uint8Array(this.#words.buffer, 0, directoryBytes));
    const view = new DataView(bytes.buffer, directoryBytes);
    view.setUint32(0, TRAILER_MAGIC, true);
    view.setUint32(4, this.#count, true);
    view.setFloat64(8, sequence, true);
    view.setFloat64(16, at, true);
    view.setUint32(24, crc32(bytes.subarray(0, directoryBytes)), true);
    view.setUint32(28, crc32(bytes.subarray(directoryBytes, directoryBytes + 28)), true);
    return bytes;
  }
}

/** Where the directory of a slab lies. */
export interface DirectoryPlace {
  readonly count: number;
  /** From the start of the file, and the bytes that the sum is of. */
  readonly at: number;
  readonly sum: number;
}

/** Reads the last bytes of a slab's file; null when it has no directory. */
export function decodeTrailer(
  bytes: Uint8Array,
  { sequence, fileBytes }: { readonly sequence: number; readonly fileBytes: number },
): DirectoryPlace | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [count, at] = [view.getUint32(4, true), view.getFloat64(16, true)];
  const sound =
    view.getUint32(28, true) === crc32(bytes.subarray(0, 28)) &&
    view.getUint32(0, true) === TRAILER_MAGIC &&
    view.getFloat64(8, true) === sequence &&
    at + count * ENTRY_BYTES + TRAILER_BYTES === fileBytes;
  return sound ? { count, at, sum: view.getUint32(24, true) } : null;
}

/** The pieces that a directory lists, undefined when it is damaged. */
export function decodeDirectory(
  bytes: Uint8Array<ArrayBuffer>,
  place: DirectoryPlace,
): SlabEntry[] | undefined {
  if (crc32(bytes) !== place.sum) return undefined;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, place.count * 5);
  return Array.from({ length: place.count }, (_, entry) => {
    const word = (field: number): number => words[entry * 5 + field] as number;
    return {
      hash: { high: word(0), low: word(1) },
      objectHash: word(2),
      offset: word(3) * PLACE_UNIT_BYTES,
      recordBytes: word(4),
    };
  });
}
