/*
 * The wrapping of small JSON objects (roots, catalog entries, request windows): magic, version, length, JSON,
 * checksum.
 *
 * JSON because these objects are few, grow by fields, and must be readable in an emergency; wrapped because a
 * broken byte in JSON can still be JSON. Drawn in docs/formats/root.md.
 */
import { ByteReader } from '../bytes/byte-reader.js';
import { ByteWriter } from '../bytes/byte-writer.js';
import { crc32c } from '../bytes/crc32c.js';
import { invariant, OmenError } from '../errors.js';

export interface EnvelopeKind {
  /** Four ASCII characters. */
  readonly magic: string;
  readonly version: number;
}

export type JsonObject = Readonly<Record<string, unknown>>;

const HEADER_BYTES = 12;

/** `value` as JSON between a header and a checksum. */
export function encodeEnvelope(kind: EnvelopeKind, value: object): Uint8Array {
  invariant(kind.magic.length === 4, 'a magic has four characters');
  const json = new TextEncoder().encode(JSON.stringify(value));
  const writer = new ByteWriter(HEADER_BYTES + json.length + 4);
  writer.rawUtf8(kind.magic);
  writer.u16(kind.version).u16(0).u32(json.length).bytes(json);
  writer.u32(crc32c(writer.written()));
  return writer.finish();
}

/**
 * @param source What the bytes are, for messages.
 */
export function decodeEnvelope(kind: EnvelopeKind, bytes: Uint8Array, source: string): JsonObject {
  const reader = new ByteReader(bytes, source);
  if (reader.rawUtf8(4, 'magic') !== kind.magic) throw reader.corrupted('magic', `"${kind.magic}"`, 0);
  const version = reader.u16('version');
  if (version !== kind.version) {
    const text = `${source} has format version ${version}, this server reads version ${kind.version}`;
    throw new OmenError('DATA_CORRUPTED', text);
  }
  if (reader.u16('reserved bytes') !== 0) throw reader.corrupted('reserved bytes', 'zero', 6);
  const text = reader.rawUtf8(reader.u32('length'), 'JSON');
  const end = reader.position;
  if (reader.u32('checksum') !== crc32c(bytes.subarray(0, end))) {
    throw reader.corrupted('checksum', 'the checksum of the bytes before', end);
  }
  reader.end();
  return parseObject(text, reader);
}

function parseObject(text: string, reader: ByteReader): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw reader.corrupted('content', 'JSON', HEADER_BYTES, error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw reader.corrupted('content', 'a JSON object', HEADER_BYTES);
  }
  return value as JsonObject;
}
