/*
 * The first 256 bytes of a segment: what it is and to whom it belongs, so that a stray object can be told
 * from the right one.
 */
import { ByteReader } from '../bytes/byte-reader.js';
import { ByteWriter } from '../bytes/byte-writer.js';
import { crc32c } from '../bytes/crc32c.js';
import { invariant } from '../errors.js';
import type { Metric } from '../vector/metric.js';
import { METRIC_NUMBERS, metricOfNumber } from '../vector/metric.js';
import { HEADER_BYTES, SEGMENT_VERSION } from './layout.js';

/** `\x89` is no UTF-8, and a transfer that treats the object as text breaks the line end. */
const MAGIC = Uint8Array.of(0x89, 0x4f, 0x4d, 0x53, 0x45, 0x47, 0x0d, 0x0a);
/** Bytes of the collection's and the job's id, one of them for the length. */
const NAME_BYTES = 64;
const NAMES_AT = 48;
const CRC_AT = HEADER_BYTES - 4;

/** What a segment says of itself. */
export interface SegmentHeader {
  /** Id of the collection, 1 to 63 bytes of UTF-8. */
  readonly collectionId: string;
  /** Id of the flush or merge that made the segment, 1 to 63 bytes of UTF-8. */
  readonly jobId: string;
  readonly rows: number;
  readonly dimensions: number;
  readonly metric: Metric;
  /** Clusters that the rows are grouped in, 0 when the segment is flat. */
  readonly clusters: number;
  /** Smallest and greatest sequence number of a row; both 0 when there is none. */
  readonly minSequence: number;
  readonly maxSequence: number;
}

/** The header's 256 bytes, its checksum included. */
export function encodeHeader(header: SegmentHeader): Uint8Array {
  const writer = new ByteWriter(HEADER_BYTES);
  writer.bytes(MAGIC).u32(SEGMENT_VERSION).u32(HEADER_BYTES);
  writer
    .u32(header.rows)
    .u32(header.dimensions)
    .u8(METRIC_NUMBERS[header.metric])
    .zeros(3)
    .u32(header.clusters);
  writer.u64(header.minSequence).u64(header.maxSequence);
  writeName(writer, header.collectionId, NAMES_AT);
  writeName(writer, header.jobId, NAMES_AT + NAME_BYTES);
  writer.zeros(CRC_AT - writer.position);
  return writer.u32(crc32c(writer.written())).finish();
}

/** Throws `DATA_CORRUPTED`. `source` names the segment in the error. */
export function decodeHeader(bytes: Uint8Array, source: string): SegmentHeader {
  const reader = new ByteReader(bytes.subarray(0, HEADER_BYTES), `header of ${source}`);
  const magic = reader.bytes(MAGIC.length, 'the magic number');
  if (MAGIC.some((byte, index) => magic[index] !== byte)) {
    throw reader.corrupted('the magic number', 'that of a segment', 0);
  }
  const version = reader.u32('the version');
  reader.seek(CRC_AT, 'the checksum');
  if (reader.u32('the checksum') !== crc32c(bytes.subarray(0, CRC_AT))) {
    throw reader.corrupted('the checksum', 'that of the header', CRC_AT);
  }
  if (version !== SEGMENT_VERSION) {
    throw reader.corrupted(
      'the version',
      `${SEGMENT_VERSION}, the only one this server reads, and not ${version}`,
      8,
    );
  }
  reader.seek(12, 'the length');
  if (reader.u32('the length') !== HEADER_BYTES)
    throw reader.corrupted('the length', String(HEADER_BYTES), 12);
  const rows = reader.u32('the rows');
  const dimensions = reader.u32('the dimensions');
  const metric = metricOfNumber(reader.u8('the metric'));
  if (metric === undefined) throw reader.corrupted('the metric', 'a known number', 24);
  reader.skip(3, 'reserved bytes');
  const clusters = reader.u32('the clusters');
  const minSequence = reader.u64('the smallest sequence number');
  const maxSequence = reader.u64('the greatest sequence number');
  const collectionId = readName(reader, NAMES_AT, 'the collection');
  const jobId = readName(reader, NAMES_AT + NAME_BYTES, 'the job');
  return { collectionId, jobId, rows, dimensions, metric, clusters, minSequence, maxSequence };
}

function writeName(writer: ByteWriter, name: string, at: number): void {
  writer.u8(0);
  const length = writer.rawUtf8(name);
  invariant(
    length > 0 && length < NAME_BYTES,
    `an id of ${length} bytes does not fit into a segment's header`,
  );
  writer.written()[at] = length;
  writer.zeros(at + NAME_BYTES - writer.position);
}

function readName(reader: ByteReader, at: number, what: string): string {
  reader.seek(at, what);
  const length = reader.u8(what);
  if (length === 0 || length >= NAME_BYTES)
    throw reader.corrupted(what, `an id of 1 to ${NAME_BYTES - 1} bytes`, at);
  return reader.rawUtf8(length, what);
}
