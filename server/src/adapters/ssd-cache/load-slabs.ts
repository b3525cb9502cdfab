/*
 * What a start finds in the folder. Files of another store, format or version are deleted, and so are the
 * oldest ones beyond the capacity; the rest is listed again, the newest first, while the cache answers
 * already.
 */
import type { PieceIndex } from '../../core/tiers/piece-index.js';
import type { Clock } from '../../ports/clock.js';
import type { CacheFiles, SlabFile } from './cache-files.js';
import { pathIn } from './cache-files.js';
import type { CacheEpoch } from './piece-record.js';
import type { SlabHeader } from './slab-format.js';
import { decodeSlabHeader, isSlabFile, SLAB_HEADER_BYTES } from './slab-format.js';
import type { Slab, SlabSet } from './slab-set.js';

/** Where to look, and what to keep. */
export interface FindOptions {
  readonly folder: string;
  readonly files: CacheFiles;
  readonly epoch: CacheEpoch;
  readonly capacityBytes: number;
}

/** What a start found. */
export interface LoadReport {
  readonly slabs: number;
  readonly bytes: number;
  /** Pieces that can be found again. */
  readonly pieces: number;
  /** Files that were deleted. */
  readonly deleted: number;
  readonly seconds: number;
}

interface Found extends SlabHeader {
  readonly name: string;
  readonly bytes: number;
  readonly file: SlabFile;
}

/** Files that were there before. */
export interface FoundSlabs {
  /** The newest first. */
  readonly kept: readonly Slab[];
  /** Number of files that were deleted. */
  readonly deleted: number;
}

/**
 * Opens the slabs of the folder. Nothing may be written to the folder meanwhile: what is found is taken to be
 * of an earlier run.
 */
export async function findSlabs(options: FindOptions, slabs: SlabSet): Promise<FoundSlabs> {
  const { folder, files, capacityBytes } = options;
  const found: Found[] = [];
  let deleted = 0;
  for (const name of (await files.list(folder)).filter(isSlabFile)) {
    const slab = await openSlab(name, options);
    if (slab !== null) found.push(slab);
    else if (await deleteFile(name, options)) deleted++;
  }
  found.sort((a, b) => b.sequence - a.sequence);
  const kept: Slab[] = [];
  let bytes = 0;
  for (const { file, ...slab } of found) {
    const adopted = bytes + slab.bytes <= capacityBytes ? slabs.adopt(file, slab) : undefined;
    if (adopted !== undefined) {
      bytes += slab.bytes;
      kept.push(adopted);
      continue;
    }
    await file.close();
    if (await deleteFile(slab.name, options)) deleted++;
  }
  return { kept, deleted };
}

/** Lists the pieces of slabs in the index. A piece that is known already lies in a younger slab. */
export async function loadIndex(
  kept: readonly Slab[],
  { slabs, index, clock }: { readonly slabs: SlabSet; readonly index: PieceIndex; readonly clock: Clock },
): Promise<Omit<LoadReport, 'deleted'>> {
  const begunMs = clock.monotonic();
  let bytes = 0;
  let pieces = 0;
  for (const slab of kept) {
    const entries = await slabs.restore(slab).catch(() => []);
    for (const { hash, objectHash, offset } of entries) {
      if (slab.removed || index.find(hash) !== undefined) continue;
      if (index.set(hash, objectHash, { slab: slab.number, offset })) pieces++;
    }
    bytes += slab.bytes;
  }
  return { slabs: kept.length, bytes, pieces, seconds: (clock.monotonic() - begunMs) / 1000 };
}

/** Null when it is not ours, or cannot be read. */
async function openSlab(name: string, { folder, files, epoch }: FindOptions): Promise<Found | null> {
  let file: SlabFile;
  try {
    file = await files.open(pathIn(folder, name));
  } catch {
    return null;
  }
  try {
    const head = new Uint8Array(SLAB_HEADER_BYTES);
    const header = (await file.read([head], 0)) < head.length ? null : decodeSlabHeader(head, epoch);
    if (header !== null) return { ...header, name, file, bytes: await file.size() };
  } catch {
    // As one of another format: it goes.
  }
  await file.close().catch(() => undefined);
  return null;
}

async function deleteFile(name: string, { folder, files }: FindOptions): Promise<boolean> {
  try {
    await files.remove(pathIn(folder, name));
    return true;
  } catch {
    return false;
  }
}
