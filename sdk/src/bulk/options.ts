/* How a bulk load is set up and what it reports. */
import { OmenError } from '../errors.js';
import type { ErrorCode, ErrorReason, OmenErrorDetails } from '../errors.js';
import type { RecordInput } from '../requests.js';

/**
 * Where records come from: an array, a generator, an async generator, or a `Readable` in object mode. Read no
 * faster than written.
 */
export type BulkSource<A> = Iterable<RecordInput<A>> | AsyncIterable<RecordInput<A>>;

/** Settings of a bulk load. */
export interface BulkOptions {
  /** Most bytes of a batch, bounded by the server's limit. Default 8 MiB. */
  readonly batchBytes?: number | undefined;
  /** Most records of a batch, bounded by the server's limit. Default 5 000. */
  readonly batchRecords?: number | undefined;
  /** Most batches in flight, 1–64; fewer while the server asks for it. Default 8. */
  readonly concurrency?: number | undefined;
  /**
   * What happens when the server or the client refuses a record: `throw` (default) ends the load; `collect`
   * goes on and lists the record in the report.
   */
  readonly onError?: 'throw' | 'collect' | undefined;
  /** Told about every refused record, also those beyond the report's list. */
  readonly onFailure?: ((failure: RecordFailure) => void) | undefined;
  /** Told how far the load is, after every batch. */
  readonly onProgress?: ((progress: BulkProgress) => void) | undefined;
  /** Ends the load early: it rejects with `BulkError`, whose report says how far it came. */
  readonly signal?: AbortSignal | undefined;
  /** How long one batch is tried again while the server is away or refuses to take it. Default 120 000. */
  readonly retryForMs?: number | undefined;
  /** How long one attempt to send a batch may take. Default 30 000. */
  readonly attemptTimeoutMs?: number | undefined;
  /**
   * Records at the start of the source to leave out: `resumeFrom` of the report of a load that failed.
   * Default 0.
   */
  readonly resumeFrom?: number | undefined;
  /** Headers for every request of the load. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A record that was refused; nothing of it was written. */
export interface RecordFailure {
  /** Its place in the source, counted from 0. */
  readonly index: number;
  /** Its id, as far as it has one. */
  readonly id: string;
  /** Why, such as `DIMENSION_MISMATCH`. */
  readonly reason: ErrorReason;
  /** The same for people. */
  readonly message: string;
}

/** How far a bulk load is. */
export interface BulkProgress {
  /** Records read from the source, those left out by `resumeFrom` included. */
  readonly read: number;
  /** Records that are durable. */
  readonly written: number;
  /** Records that were refused. */
  readonly failed: number;
  /** Bytes of the requests that were acknowledged. */
  readonly bytes: number;
  /** Records written per second since the load began. */
  readonly recordsPerSecond: number;
}

/** What a bulk load did. */
export interface BulkReport {
  /** Records read from the source, those left out by `resumeFrom` included. */
  readonly read: number;
  /** Records that are durable. */
  readonly written: number;
  /** Part of them that were new. */
  readonly inserted: number;
  /** Part of them that replaced a record. */
  readonly updated: number;
  /** Records that were refused: the first 10 000 of them. */
  readonly failed: readonly RecordFailure[];
  /** How many records were refused. */
  readonly failedCount: number;
  /** Requests that were acknowledged. */
  readonly batches: number;
  /** Bytes of these requests. */
  readonly bytes: number;
  /** Requests that were sent again. */
  readonly retries: number;
  /** Time from start to end. */
  readonly elapsedMs: number;
  /** Position of the last write in the collection's history; 0 when nothing was written. */
  readonly lastSequenceNumber: number;
  /** All records of the source before this one are written or refused: where to go on after a failure. */
  readonly resumeFrom: number;
}

/**
 * A bulk load that ended early. What its report counts as written is durable; going on at `report.resumeFrom`
 * loses nothing.
 */
export class BulkError extends OmenError {
  override readonly name = 'BulkError';

  /** Made by `bulk`. */
  constructor(
    code: ErrorCode,
    reason: ErrorReason,
    message: string,
    /** How far the load came. */
    readonly report: BulkReport,
    details: OmenErrorDetails,
  ) {
    super(code, reason, message, details);
  }
}

/** The settings of a load, all of them decided. */
export interface BulkSettings {
  readonly batchBytes: number;
  readonly batchRecords: number;
  readonly concurrency: number;
  readonly onError: 'throw' | 'collect';
  readonly retryForMs: number;
  readonly attemptTimeoutMs: number;
  readonly resumeFrom: number;
}

/** The settings with their defaults. Throws `RangeError` when one makes no sense. */
export function checkBulkOptions(options: BulkOptions): BulkSettings {
  return {
    batchBytes: within('batchBytes', options.batchBytes ?? 8 * 1024 * 1024, 1, 2 ** 31),
    batchRecords: within('batchRecords', options.batchRecords ?? 5_000, 1, 1_000_000),
    concurrency: within('concurrency', options.concurrency ?? 8, 1, 64),
    onError: options.onError ?? 'throw',
    retryForMs: within('retryForMs', options.retryForMs ?? 120_000, 0, Number.MAX_SAFE_INTEGER),
    attemptTimeoutMs: within('attemptTimeoutMs', options.attemptTimeoutMs ?? 30_000, 1, 2 ** 31 - 1),
    resumeFrom: within('resumeFrom', options.resumeFrom ?? 0, 0, Number.MAX_SAFE_INTEGER),
  };
}

function within(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`${name} is ${value}, must be a whole number from ${min} to ${max}`);
}
