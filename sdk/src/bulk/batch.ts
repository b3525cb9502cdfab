/*
 * Records on their way to the server together.
 *
 * Must hold: no id is twice in a batch, because the server refuses that; and a batch is not sent before every
 * older batch that has one of its ids is settled, so that of two records with one id the later one wins, as
 * in the source.
 */
import { invalidArgument } from '../errors.js';
import { RecordBlockBuilder } from '../values/record-block.js';
import type { RecordParts, RecordRange } from '../values/record-block.js';
import { firstNotFinite, isZero } from '../values/vector.js';

/** What a batch must know of its collection. */
export interface BatchShape {
  readonly dimensions: number;
  /** Vectors without a direction are refused. */
  readonly refuseZero: boolean;
  /** Records that are expected. */
  readonly rows: number;
}

/** Records that are sent in one request, or in parts of them. */
export class Batch {
  /** Batches that must be settled before this one is sent. */
  readonly after = new Set<Batch>();
  /** Resolves when the batch is settled: every record is written or refused, or the load has ended. */
  readonly settled: Promise<void>;
  /** Ends `settled`. */
  settle: () => void = () => undefined;
  /** Every record is written or refused. */
  isDone = false;
  readonly #block: RecordBlockBuilder;
  readonly #refuseZero: boolean;
  readonly #indexes: number[] = [];
  readonly #ids: string[] = [];

  /** `firstIndex` is the place in the source of the first record that may be part of the batch. */
  constructor(
    shape: BatchShape,
    readonly firstIndex: number,
  ) {
    this.#block = new RecordBlockBuilder(shape.dimensions, shape.rows);
    this.#refuseZero = shape.refuseZero;
    this.settled = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  /** Records in the batch. */
  get count(): number {
    return this.#ids.length;
  }

  /** Upper bound of the request's bytes. */
  get byteLength(): number {
    return this.#block.byteLength;
  }

  /** Ids of the records. */
  get ids(): readonly string[] {
    return this.#ids;
  }

  /**
   * Adds a record; throws `InvalidArgumentError`, with the batch as it was, when the server would refuse it.
   */
  add(record: RecordParts, index: number): void {
    this.#block.add(record, 'record');
    try {
      checkVector(record, this.#refuseZero);
    } catch (error) {
      this.#block.removeLast();
      throw error;
    }
    this.#indexes.push(index);
    this.#ids.push(record.id);
  }

  /** The record at a position, for reports. */
  recordAt(position: number): { readonly index: number; readonly id: string } {
    return { index: this.#indexes[position] ?? -1, id: this.#ids[position] ?? '' };
  }

  /** The request for a part of the batch. */
  encode(collection: string, requestId: string, ranges: readonly RecordRange[]): Uint8Array {
    return this.#block.encode(collection, requestId, ranges);
  }
}

/**
 * Which unsettled batch holds an id last. Together with `Batch.after` it keeps writes of one id in their
 * order.
 */
export class PendingIds {
  readonly #batchOf = new Map<string, Batch>();

  /** The newest batch with this id that is not settled. */
  batchOf(id: string): Batch | undefined {
    return this.#batchOf.get(id);
  }

  /** `batch` now has the id. */
  add(id: string, batch: Batch): void {
    this.#batchOf.set(id, batch);
  }

  /** The batch is settled. */
  remove(batch: Batch): void {
    for (const id of batch.ids) if (this.#batchOf.get(id) === batch) this.#batchOf.delete(id);
  }
}

function checkVector(record: RecordParts, refuseZero: boolean): void {
  const bad = firstNotFinite(record.vector);
  if (bad !== -1) throw invalidArgument('INVALID_VECTOR', `record.vector[${bad}]`, 'must be a finite number');
  if (refuseZero && isZero(record.vector)) {
    throw invalidArgument(
      'ZERO_VECTOR',
      'record.vector',
      'has length zero and so no direction, which cosine needs',
    );
  }
}
