import type { RowSource } from '../core/collection/row-source.js';
import { OmenError } from '../core/errors.js';
import { LIMITS } from '../core/limits.js';
import type { Selection } from './api.js';

/** What an answer shows of its records. */
interface Shown {
  readonly select: Selection;
  readonly includeVectors: boolean;
}

/** Bytes that a record takes in an answer: its attributes and its vector, as far as they are shown. */
export function recordBytes(
  source: Pick<RowSource, 'vectorBytes' | 'attributeBytesOf'>,
  row: number,
  { select, includeVectors }: Shown,
): number {
  const attributes = select === 'all' || select.length > 0 ? source.attributeBytesOf(row) : 0;
  return attributes + (includeVectors ? source.vectorBytes : 0);
}

/** Keeps an answer below what clients accept in one message: counts records as they are added. */
export class AnswerSize {
  #bytes = 0;

  /** Throws `MESSAGE_TOO_LARGE` when a record of so many bytes does not fit any more. */
  add(bytes: number): void {
    if (this.fits(bytes)) return;
    throw new OmenError(
      'MESSAGE_TOO_LARGE',
      `the answer has more than ${LIMITS.responseBytesMax} bytes: ask for fewer records, select fewer attributes or leave out vectors`,
      { field: 'select' },
    );
  }

  /** Counts a record of so many bytes; false when the answer is full with it. */
  fits(bytes: number): boolean {
    this.#bytes += bytes;
    return this.#bytes <= LIMITS.responseBytesMax;
  }
}
