import type { RowSource } from '../core/collection/row-source.js';
import { OmenError } from '../core/errors.js';
import { LIMITS } from '../core/limits.js';
import type { Selection } from './api.js';

/**
 * Keeps an answer below what clients accept in one message: counts attributes and vectors as records are
 * added.
 */
export class AnswerSize {
  #bytes = 0;

  /** Throws `MESSAGE_TOO_LARGE` when the record does not fit any more. */
  add(
    source: RowSource,
    row: number,
    want: { readonly select: Selection; readonly includeVectors: boolean },
  ): void {
    if (this.fits(source, row, want)) return;
    throw new OmenError(
      'MESSAGE_TOO_LARGE',
      `the answer has more than ${LIMITS.responseBytesMax} bytes: ask for fewer records, select fewer attributes or leave out vectors`,
      { field: 'select' },
    );
  }

  /** Counts the record; false when the answer is full with it. */
  fits(
    source: RowSource,
    row: number,
    want: { readonly select: Selection; readonly includeVectors: boolean },
  ): boolean {
    if (want.includeVectors) this.#bytes += source.vectorBytes;
    if (want.select === 'all' || want.select.length > 0) this.#bytes += source.attributeBytesOf(row);
    return this.#bytes <= LIMITS.responseBytesMax;
  }
}
