/*
 * A bulk load from its source to its report.
 *
 * Records are read one by one into a batch; a full batch waits for room among the batches in flight and then
 * goes on by itself, so reading is as fast as writing, and memory holds the batches in flight and one more,
 * however long the source is.
 */
import { asOmenError } from '../call/caller.js';
import type { ClientCore } from '../core.js';
import { getCollection } from '../describe.js';
import type { OmenError } from '../errors.js';
import { abortedBy, errorFor } from '../errors.js';
import type { RecordParts } from '../values/record-block.js';
import { Batch, PendingIds } from './batch.js';
import type { BatchShape } from './batch.js';
import { AdaptiveConcurrency } from './concurrency.js';
import { deliver } from './deliver.js';
import type { DeliveryContext } from './deliver.js';
import { BulkError, checkBulkOptions } from './options.js';
import type { BulkOptions, BulkProgress, BulkReport, BulkSettings } from './options.js';
import { closeSource, guarded, nextUnless } from './source.js';
import { Tally } from './tally.js';

/** What a request holds besides its records, at most. */
const REQUEST_OVERHEAD_BYTES = 1024;
/** A batch may stay small, because an id comes again: room for all rows would be wasted on it. */
const ROWS_AT_FIRST_MAX = 256;

/** Records of any attributes. */
type Source = Iterable<RecordParts> | AsyncIterable<RecordParts>;

/** A load in progress: `await` it for its report, or look at `stats` meanwhile. */
export class BulkRun implements PromiseLike<BulkReport> {
  readonly #core: ClientCore;
  readonly #collection: string;
  readonly #options: BulkOptions;
  readonly #settings: BulkSettings;
  readonly #tally: Tally;
  readonly #gate: AdaptiveConcurrency;
  readonly #pendingIds = new PendingIds();
  readonly #stop = new AbortController();
  readonly #context: DeliveryContext;
  /** Batches in the order of the source, from the first that is not settled. */
  readonly #unsettled: Batch[] = [];
  readonly #report: Promise<BulkReport>;
  #batchBytes: number;
  #batchRecords: number;
  /** The batch that is being filled. */
  #open: Batch | undefined;
  #failure: OmenError | undefined;

  /** Made by `Collection.bulk`. */
  constructor(core: ClientCore, collection: string, source: Source, options: BulkOptions) {
    this.#core = core;
    this.#collection = collection;
    this.#options = options;
    this.#settings = checkBulkOptions(options);
    this.#batchBytes = this.#settings.batchBytes;
    this.#batchRecords = this.#settings.batchRecords;
    this.#tally = new Tally(core.runtime);
    this.#gate = new AdaptiveConcurrency(this.#settings.concurrency);
    this.#context = this.#makeContext();
    this.#report = this.#run(source);
  }

  /** How far the load is. */
  get stats(): BulkProgress {
    return this.#tally.progress();
  }

  /** Resolves with the report; rejects with `BulkError` when the load ended early. */
  then<Result = BulkReport, Failure = never>(
    onFulfilled?: ((report: BulkReport) => Result | PromiseLike<Result>) | null,
    onRejected?: ((error: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    return this.#report.then(onFulfilled, onRejected);
  }

  async #run(source: Source): Promise<BulkReport> {
    const { signal } = this.#options;
    const onAbort = (): void => this.#end(signal === undefined ? undefined : abortedBy(signal));
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#load(source);
    } catch (thrown) {
      this.#end(asOmenError(thrown));
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
    const oldest = this.#unsettled[0] ?? this.#open;
    const report = this.#tally.report(oldest?.firstIndex ?? this.#tally.read);
    if (this.#failure !== undefined) throw bulkError(this.#failure, report);
    return report;
  }

  async #load(source: Source): Promise<void> {
    const shape = await this.#prepare();
    const accept = (record: RecordParts): Promise<void> | undefined => {
      const index = this.#tally.read;
      this.#tally.read += 1;
      if (index < this.#settings.resumeFrom) return undefined;
      const open = (this.#open ??= new Batch(shape, index));
      if (!this.#mustSeal(open, record)) {
        this.#add(open, record, index);
        return undefined;
      }
      const launched = this.#launch(open);
      this.#open = new Batch(shape, index);
      this.#add(this.#open, record, index);
      return launched;
    };
    try {
      await this.#readAll(source, accept);
    } finally {
      // What was read before a source failed is written all the same.
      if (this.#failure === undefined && this.#open !== undefined) {
        const last = this.#launch(this.#open);
        this.#open = undefined;
        await last;
      }
      await Promise.all(this.#unsettled.map((batch) => batch.settled));
    }
  }

  /** What the server says about the collection and its limits. */
  async #prepare(): Promise<BatchShape> {
    const options = { ...this.#context.options, timeoutMs: this.#settings.attemptTimeoutMs };
    const [info, limits] = await Promise.all([
      getCollection(this.#core, this.#collection, options),
      this.#core.limits(options),
    ]);
    this.#batchBytes = Math.min(this.#batchBytes, limits.protobufBodyBytesMax - REQUEST_OVERHEAD_BYTES);
    this.#batchRecords = Math.min(this.#batchRecords, limits.batchRecordsMax);
    const rowsByBytes = Math.max(1, Math.floor(this.#batchBytes / (info.dimensions * 4 + 1)));
    return {
      dimensions: info.dimensions,
      refuseZero: info.metric === 'cosine',
      rows: Math.min(this.#batchRecords, rowsByBytes, ROWS_AT_FIRST_MAX),
    };
  }

  async #readAll(source: Source, accept: (record: RecordParts) => Promise<void> | undefined): Promise<void> {
    if (Symbol.iterator in source) {
      for (const record of guarded(source)) {
        const launched = accept(record);
        if (launched !== undefined) await launched;
        if (this.#failure !== undefined) return;
      }
      return;
    }
    const iterator = source[Symbol.asyncIterator]();
    const next = nextUnless(iterator, this.#stop.signal);
    try {
      for (let result = await next(); result.done !== true; result = await next()) {
        const launched = accept(result.value);
        if (launched !== undefined) await launched;
        if (this.#failure !== undefined) break;
      }
    } finally {
      closeSource(iterator);
    }
  }

  /** The batch is complete without `record`. */
  #mustSeal(batch: Batch, record: RecordParts): boolean {
    if (batch.count === 0) return false;
    if (batch.count >= this.#batchRecords) return true;
    // The last record may have taken the batch above its bytes; the next one would be too much for sure.
    if (batch.byteLength + batch.byteLength / batch.count > this.#batchBytes) return true;
    return this.#pendingIds.batchOf(record?.id) === batch;
  }

  #add(batch: Batch, record: RecordParts, index: number): void {
    try {
      batch.add(record, index);
    } catch (thrown) {
      const id: unknown = (record as { id?: unknown } | null | undefined)?.id;
      this.#refused(index, typeof id === 'string' ? id : '', asOmenError(thrown));
      return;
    }
    const before = this.#pendingIds.batchOf(record.id);
    if (before !== undefined) batch.after.add(before);
    this.#pendingIds.add(record.id, batch);
  }

  /** Resolves when the batch has begun its way; the rest of its way is watched from here. */
  async #launch(batch: Batch): Promise<void> {
    this.#unsettled.push(batch);
    await this.#gate.acquire();
    void this.#deliver(batch);
    // A source that never waits would keep the answers of the batches in flight from being read.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }

  async #deliver(batch: Batch): Promise<void> {
    try {
      for (const older of batch.after) await older.settled;
      batch.after.clear();
      if (this.#failure === undefined) {
        await deliver(batch, this.#context);
        batch.isDone = true;
      }
    } catch (thrown) {
      this.#end(asOmenError(thrown));
    }
    this.#gate.release();
    this.#pendingIds.remove(batch);
    while (this.#unsettled[0]?.isDone === true) this.#unsettled.shift();
    batch.settle();
    if (batch.isDone) this.#tell();
  }

  #tell(): void {
    try {
      this.#options.onProgress?.(this.#tally.progress());
    } catch (thrown) {
      this.#end(callbackFailed('onProgress', thrown));
    }
  }

  #refused(index: number, id: string, error: OmenError): void {
    const failure = { index, id, reason: error.reason, message: error.message };
    this.#tally.refused(failure);
    try {
      this.#options.onFailure?.(failure);
    } catch (thrown) {
      this.#end(callbackFailed('onFailure', thrown));
    }
    if (this.#settings.onError === 'collect') return;
    const text = `record ${index} (id ${JSON.stringify(id)}) was refused: ${error.message}`;
    this.#end(
      errorFor(error.code, error.reason, text, { fieldViolations: error.fieldViolations, cause: error }),
    );
  }

  /** Ends the load; the first reason counts. */
  #end(error: OmenError | undefined): void {
    if (error === undefined || this.#failure !== undefined) return;
    this.#failure = error;
    this.#stop.abort(error);
  }

  #makeContext(): DeliveryContext {
    const { headers } = this.#options;
    return {
      caller: this.#core.caller,
      collection: this.#collection,
      retryForMs: this.#settings.retryForMs,
      attemptTimeoutMs: this.#settings.attemptTimeoutMs,
      options: { signal: this.#stop.signal, headers },
      acknowledged: (answer, records, bytes) => {
        const { inserted, updated, sequenceNumber, sessionToken } = answer;
        this.#core.sessions.saw(this.#collection, sequenceNumber, sessionToken);
        this.#tally.acknowledged({
          records,
          bytes,
          inserted,
          updated,
          sequenceNumber: Number(sequenceNumber),
        });
        this.#gate.succeeded();
      },
      refused: (batch, position, error) => {
        const { index, id } = batch.recordAt(position);
        this.#refused(index, id, error);
      },
      pressed: () => this.#gate.pressed(this.#core.runtime.now()),
      tooLarge: (bytes, records) => {
        this.#batchBytes = Math.max(1, Math.min(this.#batchBytes, Math.floor(bytes / 2)));
        this.#batchRecords = Math.max(1, Math.min(this.#batchRecords, Math.floor(records / 2)));
      },
      retried: () => {
        this.#tally.retries += 1;
      },
    };
  }
}

function callbackFailed(name: string, cause: unknown): OmenError {
  const text = `${name} failed: ${cause instanceof Error ? cause.message : String(cause)}`;
  return errorFor('CANCELLED', 'ABORTED', text, { cause });
}

function bulkError(error: OmenError, report: BulkReport): BulkError {
  return new BulkError(error.code, error.reason, error.message, report, {
    status: error.status,
    retryable: error.retryable,
    requestId: error.requestId,
    fieldViolations: error.fieldViolations,
    metadata: error.metadata,
    attempts: error.attempts,
    cause: error.cause ?? error,
  });
}
