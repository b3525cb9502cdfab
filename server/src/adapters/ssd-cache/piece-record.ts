/*
 * A piece as it lies in a slab: a header that says whose bytes follow, then the bytes. Byte by byte in
 * docs/formats/ssd-cache.md.
 *
 * Checksums are the CRC-32 of zlib and not the CRC-32C of the files that last: it runs in vector
 * instructions, at three times the speed, on the thread that answers requests.
 */
import { crc32 } from 'node:zlib';
import { hash128, hash64 } from '../../core/bytes/hash64.js';
import type { Hash64 } from '../../core/bytes/hash64.js';
import { PLACE_UNIT_BYTES } from '../../core/tiers/piece-index.js';
import type { MissReason, PieceKey } from '../../ports/block-cache.js';

/** Bytes of a header without the object's key. */
export const HEADER_BYTES = 48;
/** Longest key of an object, in UTF-8: that of the object store. */
export const OBJECT_BYTES_MAX = 512;

/** "OMPC" */
const MAGIC = 0x43504d4f;
const encoder = new TextEncoder();

/** Whose cache it is: pieces of any other are never given. */
export interface CacheEpoch {
  /** Of the store, first half of a hash of its id. */
  readonly high: number;
  readonly low: number;
  /** Of what is in the pieces. */
  readonly format: number;
}

/** A key with what is derived from it. */
export interface PieceName {
  readonly key: PieceKey;
  /** The object's key in UTF-8. */
  readonly object: Uint8Array;
  readonly objectHash: number;
  readonly hash: Hash64;
}

/** The epoch of a store and a format of pieces. */
export function epochOf(store: string, format: number): CacheEpoch {
  return { ...hash64(encoder.encode(store)), format: format >>> 0 };
}

/** Hash of an object's key. */
export function objectHashOf(object: string): number {
  return hash64(encoder.encode(object)).low;
}

/** Hashes of a key. */
export function nameOf(key: PieceKey): PieceName {
  const object = encoder.encode(key.object);
  const objectHash = hash64(object).low;
  const range = new Uint8Array(24);
  const view = new DataView(range.buffer);
  const [a, b] = hash128(object, 1);
  view.setUint32(0, a, true);
  view.setUint32(4, b, true);
  view.setFloat64(8, key.offset, true);
  view.setUint32(16, key.length, true);
  return { key, object, objectHash, hash: hash64(range) };
}

/** Bytes of a piece in a slab, header and padding included. */
export function recordBytesOf({ object, key }: PieceName): number {
  return Math.ceil((HEADER_BYTES + object.length + key.length) / PLACE_UNIT_BYTES) * PLACE_UNIT_BYTES;
}

/** Writes a piece to the beginning of `target`. */
export function writeRecord(
  target: Uint8Array,
  name: PieceName,
  payload: Uint8Array,
  epoch: CacheEpoch,
): void {
  const { key, object, hash } = name;
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, epoch.format, true);
  view.setUint32(8, epoch.high, true);
  view.setUint32(12, epoch.low, true);
  view.setFloat64(16, key.offset, true);
  view.setUint32(24, key.length, true);
  view.setUint32(28, object.length, true);
  view.setUint32(32, hash.high, true);
  view.setUint32(36, hash.low, true);
  view.setUint32(40, crc32(payload), true);
  target.set(object, HEADER_BYTES);
  view.setUint32(44, headerSum(target, object.length), true);
  target.set(payload, HEADER_BYTES + object.length);
  target.fill(0, HEADER_BYTES + object.length + key.length, recordBytesOf(name));
}

/** What a header says. */
export interface RecordHeader {
  readonly objectBytes: number;
  readonly payloadBytes: number;
  readonly hash: Hash64;
  readonly objectHash: number;
  readonly payloadSum: number;
}

/**
 * Reads a header with the object's key; null when it is damaged, torn, or of another epoch.
 *
 * @param bytes From the record's first byte on, at least up to the end of the object's key.
 */
export function readHeader(bytes: Uint8Array, epoch: CacheEpoch): RecordHeader | null {
  if (bytes.length < HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const objectBytes = view.getUint32(28, true);
  if (view.getUint32(0, true) !== MAGIC || objectBytes > OBJECT_BYTES_MAX) return null;
  if (bytes.length < HEADER_BYTES + objectBytes) return null;
  if (view.getUint32(44, true) !== headerSum(bytes, objectBytes) || !isOf(view, epoch)) return null;
  return {
    objectBytes,
    payloadBytes: view.getUint32(24, true),
    hash: { high: view.getUint32(32, true), low: view.getUint32(36, true) },
    objectHash: hash64(bytes.subarray(HEADER_BYTES, HEADER_BYTES + objectBytes)).low,
    payloadSum: view.getUint32(40, true),
  };
}

/** Why what was read is not the piece of that name; undefined when it is, every byte of it. */
export function reasonAgainst(
  name: PieceName,
  epoch: CacheEpoch,
  header: Uint8Array,
  payload: Uint8Array,
): MissReason | undefined {
  const { key, object } = name;
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== MAGIC) return 'damaged';
  const objectBytes = view.getUint32(28, true);
  // The sum of another key's header cannot be told, as its key is longer or shorter: the bytes tell.
  if (objectBytes !== object.length && objectBytes <= OBJECT_BYTES_MAX) return 'foreign';
  if (view.getUint32(44, true) !== headerSum(header, object.length)) return 'damaged';
  if (!isOf(view, epoch)) return 'stale';
  const same =
    view.getFloat64(16, true) === key.offset &&
    view.getUint32(24, true) === key.length &&
    object.every((byte, at) => byte === header[HEADER_BYTES + at]);
  if (!same) return 'foreign';
  return view.getUint32(40, true) === crc32(payload) ? undefined : 'damaged';
}

function isOf(view: DataView, { high, low, format }: CacheEpoch): boolean {
  return (
    view.getUint32(4, true) === format && view.getUint32(8, true) === high && view.getUint32(12, true) === low
  );
}

/** Over the header without the sum itself, and the object's key. */
function headerSum(header: Uint8Array, objectBytes: number): number {
  const fields = crc32(header.subarray(0, HEADER_BYTES - 4));
  return crc32(header.subarray(HEADER_BYTES, HEADER_BYTES + objectBytes), fields);
}
