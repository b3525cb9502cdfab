/*
 * Makes the attribute index of a segment from its encoded attributes: one pass over the records that gathers,
 * per attribute, which row has which value, then one dictionary and one set of row lists per attribute.
 *
 * Values are never made into JavaScript strings: a text is a place in the heap of attributes. Deterministic:
 * the same rows give the same bytes.
 */
import { AttributeCursor } from '../record/attribute-cursor.js';
import { ENTRY, ENTRY_WORDS, INDEX_HEADER_BYTES } from './attribute-layout.js';
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
  const columns = gather(attributes);
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
  words.set([attributes.rows, built.length]);
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

/** One pass over all records; the columns come in the order of their names. */
function gather(attributes: RowHeapView): ColumnBuilder[] {
  const bytes = attributes.bytes;
  const byName = new Map<number, ColumnBuilder[]>();
  const columns: ColumnBuilder[] = [];
  const cursor = new AttributeCursor();
  /** The columns of the record before: records mostly have the same names in the same order. */
  const expected: ColumnBuilder[] = [];
  for (let row = 0; row < attributes.rows; row++) {
    cursor.reset(bytes, attributes.from(row), attributes.from(row + 1));
    for (let index = 0; cursor.next(); index++) {
      let column = expected[index];
      if (column === undefined || !column.isNamed(cursor)) {
        column = columnOf(cursor, byName, columns);
        expected[index] = column;
      }
      column.add(row, cursor);
    }
  }
  const starts = Uint32Array.from(columns, (column) => column.nameFrom);
  const ends = Uint32Array.from(columns, (column) => column.nameTo);
  return Array.from(orderOfTexts(bytes, starts, ends), (index) => columns[index] as ColumnBuilder);
}

function columnOf(
  cursor: AttributeCursor,
  byName: Map<number, ColumnBuilder[]>,
  columns: ColumnBuilder[],
): ColumnBuilder {
  const key = hashKey(cursor.bytes, cursor.nameFrom, cursor.nameTo);
  const sameHash = byName.get(key) ?? [];
  const known = sameHash.find((column) => column.isNamed(cursor));
  if (known !== undefined) return known;
  const column = new ColumnBuilder(cursor.nameFrom, cursor.nameTo);
  columns.push(column);
  byName.set(key, [...sameHash, column]);
  return column;
}
