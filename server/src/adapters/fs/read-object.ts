/*
 * Reads objects out of their files.
 */
import { invariant, OmenError } from '../../core/errors.js';
import type { GetOptions, GetOutcome } from '../../ports/object-store.js';
import type { FileSystem } from './file-system.js';
import { codeOf } from './file-system.js';
import { storageError } from './fs-error.js';
import type { Trailer } from './stored-file.js';
import { decodeTrailer, readFully, readTrailer, TRAILER_BYTES } from './stored-file.js';

/** Files up to this size are read in one call with their trailer. */
const ONE_CALL_BYTES_MAX = 256 * 1024;

type Handle = Awaited<ReturnType<FileSystem['open']>>;

/** The object in a file, or `absent` when there is no such file. */
export async function readObject(files: FileSystem, path: string, options: GetOptions): Promise<GetOutcome> {
  const outcome = await withFile(files, path, (handle, fileSize) => {
    const whole = options.range === undefined && options.into === undefined;
    return whole && fileSize <= ONE_CALL_BYTES_MAX
      ? readWhole(handle, { path, fileSize }, options)
      : readPart(handle, { path, fileSize }, options);
  });
  return outcome ?? { kind: 'absent' };
}

/** Whose object is in a file, or null when there is no such file. */
export function readTrailerOf(files: FileSystem, path: string): Promise<Trailer | null> {
  return withFile(files, path, (handle, fileSize) => readTrailer(handle, fileSize, path));
}

interface OpenFile {
  readonly path: string;
  readonly fileSize: number;
}

async function readWhole(
  handle: Handle,
  { path, fileSize }: OpenFile,
  { ifNoneMatch }: GetOptions,
): Promise<GetOutcome> {
  const bytes = new Uint8Array(fileSize);
  const read = await readFully(handle, bytes, 0);
  const { nonce, size } = decodeTrailer(bytes.subarray(Math.max(0, read - TRAILER_BYTES), read), read, path);
  if (nonce === ifNoneMatch) return { kind: 'unchanged' };
  return { kind: 'found', body: bytes.subarray(0, size), etag: nonce, size };
}

async function readPart(
  handle: Handle,
  { path, fileSize }: OpenFile,
  { range, ifNoneMatch, into }: GetOptions,
): Promise<GetOutcome> {
  const { nonce, size } = await readTrailer(handle, fileSize, path);
  if (nonce === ifNoneMatch) return { kind: 'unchanged' };
  const offset = Math.min(range?.offset ?? 0, size);
  const length = Math.min(range?.length ?? size, size - offset);
  invariant(into === undefined || into.length >= length, `${length} bytes do not fit into ${into?.length}`);
  const body = into?.subarray(0, length) ?? new Uint8Array(length);
  const read = await readFully(handle, body, offset);
  if (read < length) throw new OmenError('DATA_CORRUPTED', `file ${path} ends at byte ${offset + read}`);
  return { kind: 'found', body, etag: nonce, size };
}

/** Null when there is no such file. */
async function withFile<T>(
  files: FileSystem,
  path: string,
  use: (handle: Handle, fileSize: number) => Promise<T>,
): Promise<T | null> {
  try {
    const handle = await files.open(path, 'r');
    try {
      return await use(handle, (await handle.stat()).size);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
    throw storageError(error, { action: 'read an object', path, nothingWritten: false });
  }
}
