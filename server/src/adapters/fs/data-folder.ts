/*
 * A data folder: marker file `omendb.json`, `lock/`, `tmp/`, `objects/`.
 */
import { mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { OmenError } from '../../core/errors.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { Scheduler } from '../../ports/scheduler.js';
import { codeOf } from './file-system.js';
import { FolderLock } from './folder-lock.js';
import { storageError } from './fs-error.js';
import { FsObjectStore } from './fs-object-store.js';
import { LockedObjectStore } from './locked-object-store.js';

export interface DataFolderDeps {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** 32 hex digits that nobody else uses. */
  readonly nonce: string;
}

/** Version of everything in the folder that is not an object. */
export const FOLDER_FORMAT = 1;

const MARKER = 'omendb.json';
/**
 * What an empty folder may hold: a file system's own, what an interrupted first start of ours leaves, and the
 * cache of a server whose store is a bucket.
 */
const HARMLESS = new Set(['lost+found', '.DS_Store', 'lock', 'cache', `${MARKER}.tmp`]);

/**
 * Opens the data folder, creating it if it does not exist, and takes its lock. The store gives it back on
 * `close`.
 *
 * Throws `STORAGE_UNAVAILABLE`, saying why and what to do, when the folder is in use, read-only, of a newer
 * format, or holds something that is not ours.
 */
export async function openDataFolder(path: string, deps: DataFolderDeps): Promise<ObjectStore> {
  const folder = resolve(path);
  try {
    await createFolder(folder);
    await checkContent(folder);
    const lock = await FolderLock.acquire(folder, deps);
    try {
      // Again, because two first starts may have seen an empty folder.
      if (!(await checkContent(folder))) await writeMarker(folder);
      return new LockedObjectStore(await FsObjectStore.open(folder), lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    const failed = storageError(error, {
      action: 'open the data folder',
      path: folder,
      nothingWritten: true,
    });
    throw await withOwner(failed, folder);
  }
}

async function createFolder(folder: string): Promise<void> {
  const first = await makeFolders(folder);
  if (first === undefined) {
    if (!(await stat(folder)).isDirectory()) {
      throw new OmenError('STORAGE_UNAVAILABLE', `data folder ${folder} is not a folder: give another path`);
    }
    return;
  }
  // From the folder above the first one created down to the one above the last, so that none of the names is
  // lost.
  const last = dirname(folder);
  for (let at = last; at.length >= dirname(first).length; at = dirname(at)) {
    await syncFolder(at);
    if (at === dirname(at)) break;
  }
}

/** The first folder that was made, undefined when all are there. */
async function makeFolders(folder: string): Promise<string | undefined> {
  try {
    return await mkdir(folder, { recursive: true });
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    // Node says so of a read-only file system too; alone the first that is missing gets the true answer.
    let missing = folder;
    while ((await stat(dirname(missing)).catch(() => null)) === null) missing = dirname(missing);
    await mkdir(missing);
    throw error;
  }
}

/** Adds to a refusal whose folder it is: in a pod that is what has to be known. */
async function withOwner(error: unknown, folder: string): Promise<unknown> {
  if (!(error instanceof OmenError) || !/^E(ACCES|PERM)$/.test(error.metadata['code'] ?? '')) return error;
  const owner = await stat(folder).catch(() => null);
  if (owner === null) return error;
  const of = `it belongs to user ${owner.uid} and group ${owner.gid}`;
  const us = `this process is user ${process.getuid?.()} and group ${process.getgid?.()}`;
  const message = `${error.message}: ${of}, ${us}; in a pod, set fsGroup of its securityContext`;
  return new OmenError(error.reason, message, { metadata: error.metadata, cause: error.cause });
}

/** True when the folder is ours, false when it is empty. Throws when it is neither. */
async function checkContent(folder: string): Promise<boolean> {
  const text = await markerText(folder);
  if (text === null) {
    const names = (await readdir(folder)).filter((name) => !HARMLESS.has(name));
    if (names.length === 0) return false;
    throw new OmenError(
      'STORAGE_UNAVAILABLE',
      `data folder ${folder} is not empty and has no ${MARKER} (it holds ${names.slice(0, 3).join(', ')}): ` +
        'give an empty folder, or one that this server made',
    );
  }
  const format = formatOf(text);
  if (format === FOLDER_FORMAT) return true;
  const seen = format === null ? `a damaged ${MARKER}` : `format ${format}`;
  throw new OmenError(
    'STORAGE_UNAVAILABLE',
    `data folder ${folder} has ${seen}, this server knows format ${FOLDER_FORMAT}: ` +
      'run the version of the server that made it',
  );
}

async function markerText(folder: string): Promise<string | null> {
  try {
    return await readFile(join(folder, MARKER), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function formatOf(text: string): number | null {
  try {
    const value = JSON.parse(text) as { readonly format?: unknown } | null;
    return typeof value?.format === 'number' ? value.format : null;
  } catch {
    return null;
  }
}

async function writeMarker(folder: string): Promise<void> {
  const temporary = join(folder, `${MARKER}.tmp`);
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(`${JSON.stringify({ format: FOLDER_FORMAT, about: 'OmenDB data folder' })}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(folder, MARKER));
  await syncFolder(folder);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // A folder above ours may be on a file system that does not do this.
    if (codeOf(error) !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}
