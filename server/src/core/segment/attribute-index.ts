/*
 * Answers any filter on the rows of a segment exactly, as a bitmap, from inverted lists that stay where they
 * lie: opening the index reads a few numbers, a condition reads its part of one dictionary and its row lists.
 */
import type { Filter } from '../filter/ast.js';
import {
  addAllRows,
  addRow,
  addRows,
  BitmapStack,
  bitmapWords,
  complement,
  countRows,
  intersect,
  isEmpty,
  subtract,
  unite,
} from '../filter/bitmap.js';
import type { RowBounds } from '../filter/estimate.js';
import { EncodedFilter } from '../filter/match-encoded.js';
import { boundsOfAll, boundsOfAny, boundsOfNot, exactly } from '../filter/estimate.js';
import { OmenError } from '../errors.js';
import { numberKey } from '../record/number-key.js';
import type { AttributeScalar } from '../record/record.js';
import { compareBytes, encodeText } from '../record/text.js';
import type { Run } from './attribute-column.js';
import { AttributeColumn } from './attribute-column.js';
import { ENTRY, ENTRY_WORDS, INDEX_HEADER_BYTES } from './attribute-layout.js';
import type { IdLookup } from './id-index.js';
import type { RowPieces } from './row-heap.js';

type LeafFilter = Exclude<Filter, { kind: 'and' | 'or' | 'not' }>;

const NO_RUN: Run = { from: 0, to: 0 };
/** Shared by all indexes of a thread: evaluation never waits in the middle. */
const scratch = new BitmapStack();

export class AttributeIndexView {
  readonly #directory: Uint32Array;
  readonly #count: number;
  readonly #words: number;
  /** Every attribute of every row is in the directory. */
  readonly #complete: boolean;
  readonly #columns = new Map<string, AttributeColumn>();

  /**
   * @param bytes The section, at an address that is a multiple of 8.
   * @param attributes The encoded attributes of the same segment, which hold the long texts.
   * @throws OmenError `DATA_CORRUPTED` when it is the index of something else.
   */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly rows: number,
    private readonly attributes: RowPieces,
  ) {
    const head =
      bytes.length >= INDEX_HEADER_BYTES ? new Uint32Array(bytes.buffer, bytes.byteOffset, 4) : undefined;
    const count = head?.[1] ?? 0;
    if (head?.[0] !== rows || INDEX_HEADER_BYTES + count * ENTRY_WORDS * 4 > bytes.length) {
      throw new OmenError(
        'DATA_CORRUPTED',
        `an attribute index of ${bytes.length} bytes, ${head?.[0] ?? 0} rows and ${count} attributes ` +
          `does not belong to a segment of ${rows} rows`,
        { metadata: { section: 'attributeIndex', offset: '0' } },
      );
    }
    this.#count = count;
    this.#complete = head[2] === 0;
    this.#words = bitmapWords(rows);
    this.#directory = new Uint32Array(
      bytes.buffer,
      bytes.byteOffset + INDEX_HEADER_BYTES,
      count * ENTRY_WORDS,
    );
  }

  /**
   * Makes `out` the bitmap of the rows that match; deletions are not considered.
   *
   * @param filter Normalised (`normaliseFilter`).
   * @param out At least `bitmapWords(rows)` words, shared memory or not; need not be cleared.
   * @returns The number of matching rows.
   */
  evaluate(filter: Filter, ids: IdLookup, out: Uint32Array): number {
    out.fill(0, 0, this.#words);
    this.#add(filter, ids, out);
    // The length of a list or of a run of lists is known; counting bits takes longer than setting them.
    if (
      filter.kind === 'eq' ||
      filter.kind === 'range' ||
      filter.kind === 'prefix' ||
      filter.kind === 'exists'
    ) {
      const { atLeast, atMost } = this.estimate(filter, ids);
      if (atLeast === atMost) return atLeast;
    }
    return countRows(out, this.#words);
  }

  /** Bounds on the number of matching rows, from dictionaries alone. */
  estimate(filter: Filter, ids: IdLookup): RowBounds {
    switch (filter.kind) {
      case 'and':
        return boundsOfAll(this.#estimates(filter.filters, ids), this.rows);
      case 'or':
        return boundsOfAny(this.#estimates(filter.filters, ids), this.rows);
      case 'not':
        return boundsOfNot(this.estimate(filter.filter, ids), this.rows);
      case 'ids':
        return { atLeast: 0, atMost: Math.min(filter.ids.length, this.rows) };
      case 'idPrefix':
        return exactly(ids.rowsWithPrefix(filter.prefix).length);
      case 'exists': {
        const column = this.#column(filter.field);
        return column === undefined ? this.#boundsOfUnknown() : exactly(column.presentRows);
      }
      case 'containsAll': {
        const column = this.#column(filter.field);
        if (column === undefined) return this.#boundsOfUnknown();
        if (filter.values.length === 0) return exactly(column.presentRows);
        return boundsOfAll(
          filter.values.map((value) => column.bounds(equalRun(column, value))),
          this.rows,
        );
      }
      default: {
        const column = this.#column(filter.field);
        if (column === undefined) return this.#boundsOfUnknown();
        return boundsOfAny(
          runsOf(column, filter).map((run) => column.bounds(run)),
          this.rows,
        );
      }
    }
  }

  #estimates(filters: readonly Filter[], ids: IdLookup): RowBounds[] {
    return filters.map((filter) => this.estimate(filter, ids));
  }

  /** Adds the rows that match to `out`. */
  #add(filter: Filter, ids: IdLookup, out: Uint32Array): void {
    switch (filter.kind) {
      case 'or':
        for (const each of filter.filters) this.#add(each, ids, out);
        return;
      case 'and':
        this.#addCombined(out, (into) => this.#fillAll(filter.filters, ids, into));
        return;
      case 'not':
        this.#addCombined(out, (into) => {
          this.#add(filter.filter, ids, into);
          complement(into, this.rows);
        });
        return;
      default:
        this.#addLeaf(filter, ids, out);
    }
  }

  /** Lets `fill` work on an empty bitmap, then adds that. */
  #addCombined(out: Uint32Array, fill: (into: Uint32Array) => void): void {
    // Nothing was added yet: the result can be made where it is wanted.
    if (isEmpty(out, this.#words)) return fill(out);
    const part = scratch.take(this.#words);
    try {
      fill(part);
      unite(out, this.#words, part);
    } finally {
      scratch.give();
    }
  }

  /**
   * Fills an empty bitmap with the rows that match every filter: the most selective first, negations last, as
   * subtractions.
   */
  #fillAll(filters: readonly Filter[], ids: IdLookup, into: Uint32Array): void {
    const ordered = filters
      .map((filter) => ({ filter, atMost: this.estimate(filter, ids).atMost }))
      .sort(
        (a, b) => Number(a.filter.kind === 'not') - Number(b.filter.kind === 'not') || a.atMost - b.atMost,
      );
    const first = ordered[0]?.filter;
    if (first === undefined || first.kind === 'not') addAllRows(into, this.rows);
    else this.#add(first, ids, into);
    const part = scratch.take(this.#words);
    try {
      for (const { filter } of first?.kind === 'not' ? ordered : ordered.slice(1)) {
        if (isEmpty(into, this.#words)) return;
        part.fill(0, 0, this.#words);
        this.#add(filter.kind === 'not' ? filter.filter : filter, ids, part);
        if (filter.kind === 'not') subtract(into, this.#words, part);
        else intersect(into, this.#words, part);
      }
    } finally {
      scratch.give();
    }
  }

  #addLeaf(filter: LeafFilter, ids: IdLookup, out: Uint32Array): void {
    if (filter.kind === 'ids') {
      for (const id of filter.ids) {
        const row = ids.lookup(id);
        if (row >= 0) addRow(out, row);
      }
      return;
    }
    if (filter.kind === 'idPrefix') return addRows(out, ids.rowsWithPrefix(filter.prefix));
    const column = this.#column(filter.field);
    if (column === undefined) {
      if (!this.#complete) this.#addByReading(filter, out);
      return;
    }
    if (filter.kind === 'exists') return column.addPresent(out);
    if (filter.kind === 'containsAll') {
      if (filter.values.length === 0) return column.addPresent(out);
      const { field } = filter;
      const each = filter.values.map((value): Filter => ({ kind: 'eq', field, value }));
      return this.#add({ kind: 'and', filters: each }, ids, out);
    }
    for (const run of runsOf(column, filter)) column.addRun(run, out);
  }

  /** Adds the rows that match a condition on an attribute that has no column: every record is looked at. */
  #addByReading(filter: LeafFilter, out: Uint32Array): void {
    const encoded = new EncodedFilter(filter);
    const record = { idFrom: 0, idTo: 0, attributesFrom: 0, attributesTo: 0 };
    for (let row = 0; row < this.rows; row++) {
      record.attributesFrom = this.attributes.from(row);
      record.attributesTo = this.attributes.from(row + 1);
      if (encoded.matches(this.attributes.bytes, record)) addRow(out, row);
    }
  }

  #boundsOfUnknown(): RowBounds {
    return this.#complete ? exactly(0) : { atLeast: 0, atMost: this.rows };
  }

  /** The attribute of this name, undefined when it has no column. */
  #column(name: string): AttributeColumn | undefined {
    const known = this.#columns.get(name);
    if (known !== undefined) return known;
    const wanted = encodeText(name);
    let from = 0;
    let to = this.#count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#compareName(middle, wanted) < 0) from = middle + 1;
      else to = middle;
    }
    if (from === this.#count || this.#compareName(from, wanted) !== 0) return undefined;
    const entry = this.#directory.subarray(from * ENTRY_WORDS, (from + 1) * ENTRY_WORDS);
    const bodyAt = entry[ENTRY.bodyOffset] as number;
    const body = this.bytes.subarray(bodyAt, bodyAt + (entry[ENTRY.bodyLength] as number));
    const column = new AttributeColumn(entry, body, this.rows, this.attributes);
    this.#columns.set(name, column);
    return column;
  }

  #compareName(index: number, wanted: Uint8Array): number {
    const from = this.#directory[index * ENTRY_WORDS + ENTRY.nameOffset] as number;
    const to = from + (this.#directory[index * ENTRY_WORDS + ENTRY.nameLength] as number);
    return compareBytes(this.bytes, from, to, wanted, 0, wanted.length);
  }
}

/** The ordinals that satisfy a condition; runs do not overlap unless a list names a value twice. */
function runsOf(
  column: AttributeColumn,
  filter: Extract<LeafFilter, { kind: 'eq' | 'range' | 'in' | 'prefix' }>,
): Run[] {
  switch (filter.kind) {
    case 'eq':
      return [equalRun(column, filter.value)];
    case 'in':
      return filter.values.map((value) => equalRun(column, value));
    case 'prefix':
      return [filter.prefix.isWellFormed() ? column.textsWithPrefix(encodeText(filter.prefix)) : NO_RUN];
    case 'range':
      return [rangeRun(column, filter)];
  }
}

function equalRun(column: AttributeColumn, value: AttributeScalar): Run {
  if (typeof value === 'boolean') return column.equalBoolean(value);
  if (typeof value === 'string') return value.isWellFormed() ? column.equalText(encodeText(value)) : NO_RUN;
  return Number.isNaN(value) ? NO_RUN : column.equalNumber(numberKey(value));
}

function rangeRun(column: AttributeColumn, { operator, value }: Extract<LeafFilter, { kind: 'range' }>): Run {
  if (typeof value === 'boolean' || Number.isNaN(value)) return NO_RUN;
  const inclusive = operator === 'gte' || operator === 'lte';
  const below = operator === 'lt' || operator === 'lte';
  if (typeof value === 'string') {
    const text = encodeText(value);
    return below ? column.textsBelow(text, inclusive) : column.textsAbove(text, inclusive);
  }
  const number = numberKey(value);
  return below ? column.numbersBelow(number, inclusive) : column.numbersAbove(number, inclusive);
}
