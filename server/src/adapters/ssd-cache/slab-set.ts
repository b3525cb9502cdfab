/*
 * The slab files: which there are, the two that are being filled, and how many bytes they take.
 *
 * Invariants: the bytes of all files are at most the capacity, each that is being filled counted as if it
 * were full; one append is under way at a time; a file is closed only when nobody reads it any more, so that
 * its descriptor is never another file's.
 */
import { PLACE_UNIT_BYTES, SLABS_MAX } from '../../core/tiers/piece-index.js';
import type { SlabKind } from '../../core/tiers/slab-policy.js';
import type { CacheFiles, SlabFile } from './cache-files.js';
import { pathIn } from './cache-files.js';
import type { CacheEpoch } from './piece-record.js';
import { HEADER_BYTES, OBJECT_BYTES_MAX, readHeader } from './piece-record.js';
import type { SlabEntry, SlabHeader } from './slab-format.js';
import {
  decodeDirectory,
  decodeTrailer,
  DirectoryBuilder,
  encodeSlabHeader,
  ENTRY_BYTES,
  SLAB_HEADER_BYTES,
  slabFileName,
  TRAILER_BYTES,
} from './slab-format.js';

/** One file. */
export interface Slab extends SlabHeader {
  /** Names it in the index; given anew when the slab is gone. */
  readonly number: number;
  readonly name: string;
  readonly file: SlabFile;
  /** Bytes that are in use: where the next piece goes while it is being filled. */
  bytes: number;
  /** Reads under way. */
  readers: number;
  removed: boolean;
}

/** Pieces to append, one behind the other. */
export interface Appended {
  readonly bytes: Uint8Array;
  /** Offsets are from the start of `bytes`. */
  readonly entries: readonly SlabEntry[];
}

/** Where the first byte went, or why nothing was written: `room` on the disk, or its `error`. */
export type AppendOutcome =
  | { readonly kind: 'written'; readonly slab: number; readonly offset: number }
  | { readonly kind: 'room' }
  | { readonly kind: 'error'; readonly error: unknown };

/** Where, how large, whose. */
export interface SlabSetOptions {
  readonly folder: string;
  readonly slabBytes: number;
  readonly capacityBytes: number;
  readonly epoch: CacheEpoch;
  /** 8 hex digits. */
  readonly nonce: string;
  readonly files: CacheFiles;
  /** Called before a file is created; rejects when the folder is another process's now. */
  readonly check: () => Promise<void>;
}

interface Head {
  readonly slab: Slab;
  readonly directory: DirectoryBuilder;
}

export class SlabSet {
  readonly #slabs = new Map<number, Slab>();
  readonly #heads = new Map<SlabKind, Head>();
  #nextNumber = 0;
  #freeNumbers: number[] = [];
  #sequence = 0;
  #appending: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: SlabSetOptions) {}

  /** Bytes of all files. */
  get bytes(): number {
    let sum = 0;
    for (const { bytes } of this.#slabs.values()) sum += bytes;
    return sum;
  }

  /** Bytes of all files once those that are being filled are full. */
  get reservedBytes(): number {
    let sum = this.bytes;
    for (const { slab } of this.#heads.values()) sum += this.options.slabBytes - slab.bytes;
    return sum;
  }

  /** Memory of the directories of slabs that are being filled. */
  get memoryBytes(): number {
    let sum = 0;
    for (const { directory } of this.#heads.values()) sum += directory.bytes;
    return sum;
  }

  /** Slabs that are not being filled. */
  full(): Slab[] {
    const filling = new Set([...this.#heads.values()].map(({ slab }) => slab));
    return [...this.#slabs.values()].filter((slab) => !filling.has(slab));
  }

  /** Takes a file in that was there before; undefined when there are too many. */
  adopt(
    file: SlabFile,
    found: SlabHeader & { readonly name: string; readonly bytes: number },
  ): Slab | undefined {
    const number = this.#claimNumber();
    if (number === undefined) return undefined;
    this.#sequence = Math.max(this.#sequence, found.sequence);
    const { name, kind, sequence, bytes } = found;
    const slab: Slab = { number, name, kind, sequence, bytes, file, readers: 0, removed: false };
    this.#slabs.set(number, slab);
    return slab;
  }

  /** Reads from a slab; 0 bytes when it is gone. */
  async read(number: number, buffers: readonly Uint8Array[], offset: number): Promise<number> {
    const slab = this.#slabs.get(number);
    if (slab === undefined) return 0;
    slab.readers++;
    try {
      return await slab.file.read(buffers, offset);
    } finally {
      slab.readers--;
      this.#closeWhenUnused(slab);
    }
  }

  /**
   * Writes pieces to the slab of that kind that is being filled, or to a new one. Never rejects.
   *
   * @param spare Bytes of the capacity to leave free.
   */
  append(kind: SlabKind, appended: Appended, spare: number): Promise<AppendOutcome> {
    const outcome = this.#appending.then(() => this.#append(kind, appended, spare));
    this.#appending = outcome;
    return outcome;
  }

  /** The pieces of a slab that is full, from its directory, or from its headers as far as they are whole. */
  async entries(slab: Slab): Promise<readonly SlabEntry[]> {
    return (await this.#readDirectory(slab)) ?? (await this.#walk(slab)).entries;
  }

  /** As `entries`, for a file that was just adopted: one without a directory gets it. */
  async restore(slab: Slab): Promise<readonly SlabEntry[]> {
    const listed = await this.#readDirectory(slab);
    if (listed !== undefined) return listed;
    const { entries, end } = await this.#walk(slab);
    const directory = new DirectoryBuilder();
    for (const entry of entries) directory.add(entry);
    slab.bytes = end;
    try {
      await slab.file.cut(end);
      await this.#seal({ slab, directory });
    } catch {
      // On a disk that cannot be written it is walked through again at the next start.
    }
    return entries;
  }

  /** Deletes a slab's file. Reads that are under way end well. Never rejects. */
  async remove(slab: Slab): Promise<void> {
    if (slab.removed) return;
    slab.removed = true;
    this.#slabs.delete(slab.number);
    this.#freeNumbers.push(slab.number);
    this.#closeWhenUnused(slab);
    // A file that is gone already is as good; one that cannot be deleted is found at the next start.
    await this.options.files.remove(pathIn(this.options.folder, slab.name)).catch(() => undefined);
  }

  /** Ends what is being filled and lets go of all files. */
  async close(): Promise<void> {
    await this.#appending;
    for (const head of this.#heads.values()) await this.#seal(head).catch(() => undefined);
    this.#heads.clear();
    for (const slab of this.#slabs.values()) {
      slab.removed = true;
      this.#closeWhenUnused(slab);
    }
    this.#slabs.clear();
  }

  async #append(kind: SlabKind, appended: Appended, spare: number): Promise<AppendOutcome> {
    let head: Head | undefined;
    try {
      head = await this.#headFor(kind, appended, spare);
      if (head === undefined) return { kind: 'room' };
      const { slab, directory } = head;
      const offset = slab.bytes;
      await slab.file.write(appended.bytes, offset);
      slab.bytes += appended.bytes.length;
      for (const entry of appended.entries) directory.add({ ...entry, offset: offset + entry.offset });
      return { kind: 'written', slab: slab.number, offset };
    } catch (error) {
      // What is in it stays readable; nothing more is written to it.
      if (head !== undefined) {
        this.#heads.delete(kind);
        await head.slab.file.cut(head.slab.bytes).catch(() => undefined);
      }
      return { kind: 'error', error };
    }
  }

  /** A slab with room for the pieces and the directory of all; undefined when the capacity is used up. */
  async #headFor(kind: SlabKind, { bytes, entries }: Appended, spare: number): Promise<Head | undefined> {
    const head = this.#heads.get(kind);
    if (head !== undefined) {
      const directoryBytes = (head.directory.count + entries.length) * ENTRY_BYTES + TRAILER_BYTES;
      if (head.slab.bytes + bytes.length + directoryBytes <= this.options.slabBytes) return head;
      this.#heads.delete(kind);
      await this.#seal(head);
    }
    if (this.reservedBytes + this.options.slabBytes > this.options.capacityBytes - spare) return undefined;
    const opened = await this.#create(kind);
    if (opened === undefined) return undefined;
    const fresh = { slab: opened, directory: new DirectoryBuilder() };
    this.#heads.set(kind, fresh);
    return fresh;
  }

  async #create(kind: SlabKind): Promise<Slab | undefined> {
    const { folder, nonce, files, epoch, check } = this.options;
    await check();
    const sequence = this.#sequence + 1;
    const name = slabFileName(sequence, nonce);
    // Somebody may have deleted the folder: to free the disk is a right use of it.
    await files.makeFolder(folder);
    const file = await files.create(pathIn(folder, name));
    try {
      await file.write(encodeSlabHeader({ kind, sequence }, epoch), 0);
    } catch (error) {
      await file.close();
      await files.remove(pathIn(folder, name)).catch(() => undefined);
      throw error;
    }
    const slab = this.adopt(file, { name, kind, sequence, bytes: SLAB_HEADER_BYTES });
    if (slab === undefined) await file.close();
    return slab;
  }

  /** Writes the directory. Without one, because the disk is full, a slab is only slower to load. */
  async #seal({ slab, directory }: Head): Promise<void> {
    const end = directory.encode(slab.sequence, slab.bytes);
    await slab.file.write(end, slab.bytes);
    slab.bytes += end.length;
  }

  async #readDirectory(slab: Slab): Promise<SlabEntry[] | undefined> {
    const fileBytes = slab.bytes;
    if (fileBytes < SLAB_HEADER_BYTES + TRAILER_BYTES) return undefined;
    const trailer = new Uint8Array(TRAILER_BYTES);
    if ((await this.read(slab.number, [trailer], fileBytes - TRAILER_BYTES)) < TRAILER_BYTES)
      return undefined;
    const place = decodeTrailer(trailer, { sequence: slab.sequence, fileBytes });
    if (place === null) return undefined;
    const directory = new Uint8Array(place.count * ENTRY_BYTES);
    if ((await this.read(slab.number, [directory], place.at)) < directory.length) return undefined;
    return decodeDirectory(directory, place);
  }

  /** From header to header, up to the first that is not whole. */
  async #walk(slab: Slab): Promise<{ readonly entries: SlabEntry[]; readonly end: number }> {
    const entries: SlabEntry[] = [];
    const window = new Uint8Array(HEADER_BYTES + OBJECT_BYTES_MAX);
    let at = SLAB_HEADER_BYTES;
    for (;;) {
      const bytesRead = await this.read(slab.number, [window], at);
      const header = readHeader(window.subarray(0, bytesRead), this.options.epoch);
      if (header === null) break;
      const { hash, objectHash, objectBytes, payloadBytes } = header;
      const units = Math.ceil((HEADER_BYTES + objectBytes + payloadBytes) / PLACE_UNIT_BYTES);
      const recordBytes = units * PLACE_UNIT_BYTES;
      if (at + recordBytes > slab.bytes) break;
      entries.push({ hash, objectHash, offset: at, recordBytes });
      at += recordBytes;
    }
    return { entries, end: at };
  }

  #claimNumber(): number | undefined {
    const reused = this.#freeNumbers.pop();
    if (reused !== undefined) return reused;
    return this.#nextNumber < SLABS_MAX ? this.#nextNumber++ : undefined;
  }

  #closeWhenUnused(slab: Slab): void {
    if (!slab.removed || slab.readers > 0) return;
    void slab.file.close().catch(() => undefined);
  }
}
