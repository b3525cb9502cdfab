import { mkdir, open, readdir, unlink } from 'node:fs/promises';
import { readv } from 'node:fs';
import { join } from 'node:path';

/** The calls on the disk that the cache makes: a test can stand in and let any of them fail or hang. */
export interface CacheFiles {
  /** Creates the folder and those above it, where they are not there. */
  makeFolder(path: string): Promise<void>;
  /** Names in the folder. */
  list(folder: string): Promise<readonly string[]>;
  /** A file that does not exist yet. */
  create(path: string): Promise<SlabFile>;
  /** A file that exists, to read and to write. */
  open(path: string): Promise<SlabFile>;
  remove(path: string): Promise<void>;
}

/** One open file. */
export interface SlabFile {
  size(): Promise<number>;
  /** Fills the buffers one after the other from `position` on; returns the bytes read, fewer at the end. */
  read(buffers: readonly Uint8Array[], position: number): Promise<number>;
  /** Writes all the bytes at `position`. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Cuts what is behind `size`. */
  cut(size: number): Promise<void>;
  close(): Promise<void>;
}

/** The real disk. */
export const nodeCacheFiles: CacheFiles = {
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true });
  },
  list: (folder) => readdir(folder),
  create: (path) => openFile(path, 'wx+'),
  open: (path) => openFile(path, 'r+'),
  remove: (path) => unlink(path),
};

/** Path of a file of the cache. */
export function pathIn(folder: string, name: string): string {
  return join(folder, name);
}

async function openFile(path: string, flags: string): Promise<SlabFile> {
  const handle = await open(path, flags);
  return {
    size: async () => (await handle.stat()).size,
    read: (buffers, position) => readAll(handle.fd, buffers, position),
    write: async (bytes, position) => {
      let done = 0;
      while (done < bytes.length) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
        done += bytesWritten;
      }
    },
    cut: (size) => handle.truncate(size),
    close: () => handle.close(),
  };
}

/**
 * By callback, which costs a third of a promise of `FileHandle`; reads into shared memory too. One call in
 * all but rare cases, and a short read only at the end of the file.
 */
function readAll(fd: number, buffers: readonly Uint8Array[], position: number): Promise<number> {
  const wanted = buffers.reduce((sum, { length }) => sum + length, 0);
  return new Promise((resolve, reject) => {
    const next = (rest: readonly Uint8Array[], done: number): void => {
      readv(fd, rest, position + done, (error, bytesRead) => {
        if (error !== null) reject(error);
        else if (bytesRead === 0 || done + bytesRead === wanted) resolve(done + bytesRead);
        else next(behind(rest, bytesRead), done + bytesRead);
      });
    };
    next(buffers, 0);
  });
}

/** What is left of the buffers behind their first `count` bytes. */
function behind(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  let skip = count;
  return buffers.flatMap((buffer) => {
    const skipped = Math.min(skip, buffer.length);
    skip -= skipped;
    return skipped === buffer.length ? [] : [buffer.subarray(skipped)];
  });
}
