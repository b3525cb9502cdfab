/*
 * Makes room in the background: frees whole slabs from the high watermark down to the low one, after writing
 * again what is in use. Nobody waits for it; while it is behind, new pieces are declined.
 */
import { crc32 } from 'node:zlib';
import type { PieceIndex } from '../../core/tiers/piece-index.js';
import { INDEX_SHARDS } from '../../core/tiers/piece-index.js';
import { nextSlab, survivors } from '../../core/tiers/slab-policy.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type { Counts } from './counts.js';
import type { CacheEpoch } from './piece-record.js';
import { HEADER_BYTES, readHeader } from './piece-record.js';
import type { SlabEntry } from './slab-format.js';
import type { Slab, SlabSet } from './slab-set.js';

/** What it works on, and when. */
export interface EvictorOptions {
  readonly slabs: SlabSet;
  readonly index: PieceIndex;
  readonly counts: Counts;
  readonly epoch: CacheEpoch;
  readonly scheduler: Scheduler;
  /** Bytes of survivors that are written in one go. */
  readonly batchBytes: number;
  /** Bytes that pieces at their first stay may take. */
  readonly newBytesMax: number;
  readonly onFailure: (error: unknown) => void;
}

/** From where on, and down to where, in bytes. */
export interface Watermarks {
  readonly high: number;
  readonly low: number;
}

interface Survivor extends SlabEntry {
  readonly bytes: number;
  readonly uses: number;
}

/** One round at a time. */
export class Evictor {
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(private readonly options: EvictorOptions) {}

  /** Begins a round when there is more than the high watermark, and none is under way. */
  kick(marks: Watermarks): void {
    if (this.#stopped || this.#running !== null || this.options.slabs.reservedBytes <= marks.high) return;
    this.#running = this.#run(marks)
      .catch(this.options.onFailure)
      .finally(() => {
        this.#running = null;
      });
  }

  /** Resolves when no round is under way. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** No further slab is freed. */
  stop(): void {
    this.#stopped = true;
  }

  async #run({ low }: Watermarks): Promise<void> {
    const { slabs, index, newBytesMax } = this.options;
    while (!this.#stopped && slabs.reservedBytes > low) {
      const facts = slabs.full().map((slab) => ({
        slab,
        kind: slab.kind,
        sequence: slab.sequence,
        bytes: slab.bytes,
        live: index.live(slab.number),
      }));
      const next = nextSlab(facts, newBytesMax);
      if (next === undefined) return;
      await this.#free(next.slab);
      await this.options.scheduler.yield();
    }
  }

  async #free(slab: Slab): Promise<void> {
    const { slabs, index } = this.options;
    const entries = await slabs.entries(slab).catch(() => []);
    const pieces = entries.map((entry) => ({
      ...entry,
      bytes: entry.recordBytes,
      uses: index.usesAt(entry.hash, { slab: slab.number, offset: entry.offset }),
    }));
    const staying = survivors(pieces, slab).sort((a, b) => a.offset - b.offset);
    for (const batch of batches(staying, this.options.batchBytes)) {
      if (this.#stopped || !(await this.#move(slab, batch))) break;
    }
    for (const { hash, offset } of entries) {
      if (index.remove(hash, { slab: slab.number, offset })) this.options.counts.evicted++;
    }
    // Pieces that its directory does not tell, because it is damaged.
    for (let shard = 0; index.live(slab.number) > 0 && shard < INDEX_SHARDS; shard++) {
      index.removeSlab(slab.number, shard);
      await this.options.scheduler.yield();
    }
    await slabs.remove(slab);
  }

  /** Writes pieces again; false when there is no more room. */
  async #move(slab: Slab, batch: readonly Survivor[]): Promise<boolean> {
    const { slabs, index, counts } = this.options;
    const memory = new Uint8Array(batch.reduce((sum, { recordBytes }) => sum + recordBytes, 0));
    const entries: (Survivor & { readonly from: number })[] = [];
    let used = 0;
    let payloadBytes = 0;
    for (const piece of batch) {
      const record = memory.subarray(used, used + piece.recordBytes);
      const payload = await this.#readSound(slab, piece, record);
      if (payload === 0) continue;
      entries.push({ ...piece, from: piece.offset, offset: used });
      used += piece.recordBytes;
      payloadBytes += payload;
    }
    if (entries.length === 0) return true;
    const outcome = await slabs.append('main', { bytes: memory.subarray(0, used), entries }, 0);
    if (outcome.kind === 'error') this.options.onFailure(outcome.error);
    if (outcome.kind !== 'written') return false;
    counts.movedBytes += payloadBytes;
    for (const { hash, objectHash, from, offset, uses } of entries) {
      // It may have been forgotten, or found damaged, meanwhile.
      if (index.usesAt(hash, { slab: slab.number, offset: from }) < 0) continue;
      const place = { slab: outcome.slab, offset: outcome.offset + offset };
      index.set(hash, objectHash, place, slab.kind === 'main' ? uses - 1 : 0);
    }
    return true;
  }

  /** Bytes of the payload; 0 when the piece is not whole: damage is not carried on. */
  async #readSound(slab: Slab, piece: Survivor, record: Uint8Array): Promise<number> {
    const bytesRead = await this.options.slabs.read(slab.number, [record], piece.offset).catch(() => 0);
    const header = readHeader(record.subarray(0, bytesRead), this.options.epoch);
    if (header === null) return 0;
    const begin = HEADER_BYTES + header.objectBytes;
    const payload = record.subarray(begin, begin + header.payloadBytes);
    const same = header.hash.high === piece.hash.high && header.hash.low === piece.hash.low;
    return same && crc32(payload) === header.payloadSum ? payload.length : 0;
  }
}

function batches<T extends { readonly recordBytes: number }>(pieces: readonly T[], bytesMax: number): T[][] {
  const result: T[][] = [];
  let room = 0;
  for (const piece of pieces) {
    if (result.length === 0 || piece.recordBytes > room) {
      result.push([]);
      room = bytesMax;
    }
    result.at(-1)?.push(piece);
    room -= piece.recordBytes;
  }
  return result;
}
