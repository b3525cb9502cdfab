/*
 * Makes the attribute index of a segment from its encoded attributes: one pass over the records that gathers,
 * per attribute, which row has which value, then one dictionary and one set of row lists per attribute.
 *
 * Values are never made into JavaScript strings: a text is a place in the heap of attributes. Deterministic:
 * the same rows give the same bytes.
 */
import { AttributeCursor } from '../record/attribute-cursor.js';
import { COLUMNS_MAX, ENTRY, ENTRY_WORDS, INDEX_HEADER_BYTES } from './attribute-layout.js';
import { ColumnBuilder, hashKey } from './column-builder.js';
import { orderOfTexts } from './radix-order.js';
import type { RowHeapView } from './row-heap.js';

/**
 * The index of all attributes of a segment.
 *
 * @param attributes The heap of encoded attributes in the segment's row order; long texts of the index point
 * into it.
 */
export function buildAttributeIndex(attributes: RowHeapView): Uint8Array {
  const { columns, complete } = gather(attributes);
  const built = columns.map((column) => column.build(attributes));
  const names = built.reduce((sum, column) => sum + column.name.length, 0);
  const namesAt = INDEX_HEADER_BYTES + built.length * ENTRY_WORDS * 4;
  let size = alignTo8(namesAt + names);
  const bodies = built.map((column) => {
    const offset = size;
    size = alignTo8(size + column.length);
    return offset;
  });
  const bytes = new Uint8Array(size);
  const words = new Uint32Array(bytes.buffer, 0, Math.floor(namesAt / 4));
  words.set([attributes.rows, built.length, complete ? 0 : 1]);
  let nameAt = namesAt;
  for (const [index, column] of built.entries()) {
    const entry = words.subarray(INDEX_HEADER_BYTES / 4 + index * ENTRY_WORDS);
    entry[ENTRY.nameOffset] = nameAt;
    entry[ENTRY.nameLength] = column.name.length;
    entry[ENTRY.bodyOffset] = bodies[index] as number;
    entry[ENTRY.bodyLength] = column.length;
    column.write(entry, bytes, bodies[index] as number);
    bytes.set(column.name, nameAt);
    nameAt += column.name.length;
  }
  return bytes;
}

function alignTo8(value: number): number {
  return Math.ceil(value / 8) * 8;
}

interface Gathered {
  /** In the order of their names. */
  readonly columns: readonly ColumnBuilder[];
  /** Every attribute has a column. */
  readonly complete: boolean;
}

/** One pass over all records. */
function gather(attributes: RowHeapView): Gathered {
  const bytes = attributes.bytes;
  const byName = new Map<number, ColumnBuilder[]>();
  const columns: ColumnBuilder[] = [];
  const cursor = new AttributeCursor();
  /** The columns of the record before: records mostly have the same names in the same order. */
  const expected: (ColumnBuilder | null)[] = [];
  let complete = true;
  for (let row = 0; row < attributes.rows; row++) {
    cursor.reset(bytes, attributes.from(row), attributes.from(row + 1));
    for (let index = 0; cursor.next(); index++) {
      let column = expected[index];
      if (column === undefined || column === null || !column.isNamed(cursor)) {
        column = columnOf(cursor, byName, columns);
        expected[index] = column;
      }
      if (column === null) complete = false;
      else column.add(row, cursor);
    }
  }
  const starts = Uint32Array.from(columns, (column) => column.nameFrom);
  const ends = Uint32Array.from(columns, (column) => column.nameTo);
  const order = orderOfTexts(bytes, starts, ends);
  return { columns: Array.from(order, (index) => columns[index] as ColumnBuilder), complete };
}

/** The column of the cursor's attribute, made if need be; null when there are too many. */
function columnOf(
  cursor: AttributeCursor,
  byName: Map<number, ColumnBuilder[]>,
  columns: ColumnBuilder[],
): ColumnBuilder | null {
  const key = hashKey(cursor.bytes, cursor.nameFrom, cursor.nameTo);
  const sameHash = byName.get(key) ?? [];
  const known = sameHash.find((column) => column.isNamed(cursor));
  if (known !== undefined) return known;
  if (columns.length === COLUMNS_MAX) return null;
  const column = new ColumnBuilder(cursor.nameFrom, cursor.nameTo);
  columns.push(column);
  byName.set(key, [...sameHash, column]);
  return column;
}
