/*
 * Bounds on the number of rows that match a filter, combined from bounds on its parts.
 */

/** At least and at most so many rows match. Equal when the number is known. */
export interface RowBounds {
  readonly atLeast: number;
  readonly atMost: number;
}

/** The number is known. */
export function exactly(rows: number): RowBounds {
  return { atLeast: rows, atMost: rows };
}

/** Rows that match every part, among `rows`. */
export function boundsOfAll(parts: readonly RowBounds[], rows: number): RowBounds {
  let atMost = rows;
  let missing = 0;
  for (const part of parts) {
    atMost = Math.min(atMost, part.atMost);
    missing += rows - part.atLeast;
  }
  // Each part lacks at most so many rows; together they lack at most the sum.
  return { atLeast: Math.max(0, rows - missing), atMost };
}

/** Rows that match some part, among `rows`. */
export function boundsOfAny(parts: readonly RowBounds[], rows: number): RowBounds {
  let atLeast = 0;
  let atMost = 0;
  for (const part of parts) {
    atLeast = Math.max(atLeast, part.atLeast);
    atMost += part.atMost;
  }
  return { atLeast, atMost: Math.min(rows, atMost) };
}

/** Rows, among `rows`, that do not match. */
export function boundsOfNot(part: RowBounds, rows: number): RowBounds {
  return { atLeast: rows - part.atMost, atMost: rows - part.atLeast };
}
