/*
 * An object as a file: the body from byte 0 on, then 32 bytes that say whose it is.
 *
 *     0  nonce         16 bytes
 *    16  body length   u64
 *    24  magic         "OMFO"
 *    28  CRC-32C of the 28 bytes before
 *
 * At the end and not in front, so that ranges of the body need no offset and the body begins on a page.
 */
import type { FileHandle } from 'node:fs/promises';
import { ByteReader } from '../../core/bytes/byte-reader.js';
import { ByteWriter } from '../../core/bytes/byte-writer.js';
import { crc32c } from '../../core/bytes/crc32c.js';
import { fromHex, toHex } from '../../core/bytes/hex.js';

export const TRAILER_BYTES = 32;
const MAGIC = 'OMFO';

export interface Trailer {
  readonly nonce: string;
  /** Size of the body. */
  readonly size: number;
}

export function encodeTrailer({ nonce, size }: Trailer): Uint8Array {
  const writer = new ByteWriter(TRAILER_BYTES);
  writer.bytes(fromHex(nonce)).u64(size).rawUtf8(MAGIC);
  return writer.u32(crc32c(writer.written())).finish();
}

/** Reads the trailer of a file of `fileSize` bytes. Throws `DATA_CORRUPTED`. */
export async function readTrailer(handle: FileHandle, fileSize: number, path: string): Promise<Trailer> {
  const bytes = new Uint8Array(TRAILER_BYTES);
  if (fileSize >= TRAILER_BYTES) await readFully(handle, bytes, fileSize - TRAILER_BYTES);
  return decodeTrailer(bytes, fileSize, path);
}

export function decodeTrailer(bytes: Uint8Array, fileSize: number, path: string): Trailer {
  const reader = new ByteReader(bytes, `end of file ${path}`);
  if (bytes.length < TRAILER_BYTES) throw reader.corrupted('end', `${TRAILER_BYTES} bytes`);
  const nonce = toHex(reader.bytes(16, 'nonce'));
  reader.seek(24, 'magic');
  const magic = reader.bytes(4, 'magic');
  if (magic.some((byte, index) => byte !== MAGIC.charCodeAt(index)))
    throw reader.corrupted('magic', MAGIC, 24);
  if (reader.u32('checksum') !== crc32c(bytes.subarray(0, 28))) {
    throw reader.corrupted('checksum', 'the checksum of the bytes before', 28);
  }
  reader.seek(16, 'body length');
  const size = reader.u64('body length');
  if (size !== fileSize - TRAILER_BYTES) {
    throw reader.corrupted('body length', `${fileSize - TRAILER_BYTES} bytes`, 16);
  }
  return { nonce, size };
}

/** Fills `target` from `offset` on, as far as the file goes; returns the bytes read. */
export async function readFully(handle: FileHandle, target: Uint8Array, offset: number): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const { bytesRead } = await handle.read(target, done, target.length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}
