/* What a bulk load counts. */
import type { Runtime } from '../options.js';
import type { BulkProgress, BulkReport, RecordFailure } from './options.js';

const FAILURES_LISTED_MAX = 10_000;

/** Counters of one load. */
export class Tally {
  /** Records read from the source. */
  read = 0;
  /** Requests that were sent again. */
  retries = 0;
  #written = 0;
  #inserted = 0;
  #updated = 0;
  #batches = 0;
  #bytes = 0;
  #lastSequenceNumber = 0;
  #failedCount = 0;
  readonly #failures: RecordFailure[] = [];
  readonly #runtime: Runtime;
  readonly #startedMs: number;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#startedMs = runtime.now();
  }

  /** A request was acknowledged. */
  acknowledged(request: {
    readonly records: number;
    readonly bytes: number;
    readonly inserted: number;
    readonly updated: number;
    readonly sequenceNumber: number;
  }): void {
    this.#written += request.records;
    this.#inserted += request.inserted;
    this.#updated += request.updated;
    this.#batches += 1;
    this.#bytes += request.bytes;
    this.#lastSequenceNumber = Math.max(this.#lastSequenceNumber, request.sequenceNumber);
  }

  /** A record was refused. */
  refused(failure: RecordFailure): void {
    this.#failedCount += 1;
    if (this.#failures.length < FAILURES_LISTED_MAX) this.#failures.push(failure);
  }

  /** How far the load is. */
  progress(): BulkProgress {
    const elapsedMs = this.#elapsedMs();
    return {
      read: this.read,
      written: this.#written,
      failed: this.#failedCount,
      bytes: this.#bytes,
      recordsPerSecond: elapsedMs > 0 ? (this.#written / elapsedMs) * 1000 : 0,
    };
  }

  /** What the load did. */
  report(resumeFrom: number): BulkReport {
    return {
      read: this.read,
      written: this.#written,
      inserted: this.#inserted,
      updated: this.#updated,
      failed: this.#failures,
      failedCount: this.#failedCount,
      batches: this.#batches,
      bytes: this.#bytes,
      retries: this.retries,
      elapsedMs: this.#elapsedMs(),
      lastSequenceNumber: this.#lastSequenceNumber,
      resumeFrom,
    };
  }

  #elapsedMs(): number {
    return this.#runtime.now() - this.#startedMs;
  }
}
