/*
 * The rows of one segment that are deleted, as an object of its own: segments never change, so what happens
 * to them later stands beside them. Drawn in `server/docs/formats/deletion-vector.md`.
 *
 * The object names the segment it speaks of and its number of rows, so that it can never be applied to
 * another one.
 */
import { ByteReader } from '../bytes/byte-reader.js';
import { ByteWriter } from '../bytes/byte-writer.js';
import { crc32c } from '../bytes/crc32c.js';
import { invariant } from '../errors.js';
import { addRows, bitmapWords, countRows, forEachRow } from '../filter/bitmap.js';

/** `\x89OMDEL\r\n` */
const MAGIC = Uint8Array.of(0x89, 0x4f, 0x4d, 0x44, 0x45, 0x4c, 0x0d, 0x0a);
const VERSION = 1;
const FIXED_BYTES = 32;
const LIST = 0;
const BITMAP = 1;

/** The segment that a deletion vector speaks of. */
export interface SegmentIdentity {
  /** Key of the segment's object. */
  readonly segmentKey: string;
  readonly segmentRows: number;
}

export interface DeletionVector extends SegmentIdentity {
  /** Deleted rows, strictly ascending. */
  readonly rows: Uint32Array;
}

/** Stores rows as a list or as a bitmap, whichever is shorter. */
export function encodeDeletionVector({ segmentKey, segmentRows, rows }: DeletionVector): Uint8Array {
  rows.forEach((row, index) => {
    const before = index === 0 ? -1 : (rows[index - 1] as number);
    invariant(
      row > before && row < segmentRows,
      `row ${row} after ${before} of a segment of ${segmentRows} rows`,
    );
  });
  const asBitmap = bitmapWords(segmentRows) < rows.length;
  const payload = asBitmap ? new Uint32Array(bitmapWords(segmentRows)) : rows;
  if (asBitmap) addRows(payload, rows);
  const writer = new ByteWriter(FIXED_BYTES + segmentKey.length * 3 + payload.byteLength + 8);
  writer.bytes(MAGIC).u32(VERSION).u32(segmentRows).u32(rows.length);
  writer
    .u8(asBitmap ? BITMAP : LIST)
    .zeros(3)
    .u32(0)
    .u32(payload.byteLength);
  writer.patchU32(24, writer.rawUtf8(segmentKey));
  writer.alignTo(4).array(payload);
  return writer.u32(crc32c(writer.written())).finish();
}

/**
 * The deleted rows, ascending.
 *
 * @param expected The segment they are wanted for.
 * @param source What to call the object in errors: its key.
 * @throws OmenError `DATA_CORRUPTED` for damage, and for a vector of another segment.
 */
export function decodeDeletionVector(
  bytes: Uint8Array,
  expected: SegmentIdentity,
  source: string,
): Uint32Array {
  const reader = new ByteReader(bytes, source);
  const magic = reader.bytes(MAGIC.length, 'the magic number');
  if (MAGIC.some((byte, index) => magic[index] !== byte)) {
    throw reader.corrupted('the magic number', 'that of a deletion vector', 0);
  }
  const version = reader.u32('the version');
  const end = bytes.length - 4;
  reader.seek(Math.max(FIXED_BYTES, end), 'the checksum');
  if (reader.u32('the checksum') !== crc32c(bytes.subarray(0, end))) {
    throw reader.corrupted('the checksum', 'that of the bytes before', end);
  }
  if (version !== VERSION) throw reader.corrupted('the version', `${VERSION} and not ${version}`, 8);
  reader.seek(12, 'the rows');
  const segmentRows = reader.u32('the rows');
  const count = reader.u32('the number of deleted rows');
  const encoding = reader.u8('the encoding');
  reader.skip(3, 'reserved bytes');
  const keyBytes = reader.u32('the length of the key');
  const payloadBytes = reader.u32('the length of the rows');
  const segmentKey = reader.rawUtf8(keyBytes, "the segment's key");
  if (segmentKey !== expected.segmentKey || segmentRows !== expected.segmentRows) {
    const wanted = `${expected.segmentKey} with ${expected.segmentRows} rows`;
    throw reader.corrupted('the segment', `${wanted} and not ${segmentKey} with ${segmentRows}`, 12);
  }
  reader.alignTo(4, 'padding');
  const payload = reader.u32Array(payloadBytes / 4, 'the rows');
  reader.skip(4, 'the checksum');
  reader.end();
  const rows = encoding === BITMAP ? rowsOfBitmap(payload) : payload.slice();
  const sorted = rows.every(
    (row, index) => row < segmentRows && (index === 0 || row > (rows[index - 1] as number)),
  );
  if (encoding > BITMAP || rows.length !== count || !sorted) {
    throw reader.corrupted('the rows', `${count} ascending numbers below ${segmentRows}`, FIXED_BYTES);
  }
  return rows;
}

function rowsOfBitmap(bitmap: Uint32Array): Uint32Array {
  const rows = new Uint32Array(countRows(bitmap, bitmap.length));
  let count = 0;
  forEachRow(bitmap, bitmap.length, (row) => (rows[count++] = row));
  return rows;
}
