/*
 * A filter on encoded records, where they lie: for memtables, whose rows come and go too fast to be indexed
 * or decoded. Means the same as `compileFilter` and makes no object per record.
 *
 * One walk over the attributes answers every condition that speaks of one of them; then the answers are
 * combined. An operand is kept in the form of the encoded values: text as bytes, numbers as exact keys, lists
 * sorted.
 */
import { AttributeCursor, readDouble, VALUE_KINDS } from '../record/attribute-cursor.js';
import type { NumberKey } from '../record/number-key.js';
import { nearOfInt64, numberKey, restOfInt64 } from '../record/number-key.js';
import type { AttributeScalar } from '../record/record.js';
import { compareBytes, encodeText, equalBytes } from '../record/text.js';
import type { Filter, RangeOperator } from './ast.js';

/**
 * Where a record lies in one memory: its id and its encoded attributes, from first to behind the last byte.
 */
export interface EncodedRecord {
  idFrom: number;
  idTo: number;
  attributesFrom: number;
  attributesTo: number;
}

type AttributeLeaf = Exclude<Filter, { kind: 'and' | 'or' | 'not' | 'ids' | 'idPrefix' }>;
/** Looks at the attribute that the cursor stands on. */
type AttributeTest = (cursor: AttributeCursor) => boolean;
type IdTest = (memory: Uint8Array, from: number, to: number) => boolean;

interface Answer<T> {
  readonly test: T;
  holds: boolean;
}

/** A compiled filter. Not for concurrent use: it keeps the answers of the record that it looks at. */
export class EncodedFilter {
  readonly #cursor = new AttributeCursor();
  readonly #ids: Answer<IdTest>[] = [];
  readonly #fields = new Map<
    string,
    { readonly name: Uint8Array; readonly answers: Answer<AttributeTest>[] }
  >();
  readonly #combined: () => boolean;

  /** @param filter Normalised (`normaliseFilter`). */
  constructor(filter: Filter) {
    this.#combined = this.#compile(filter);
  }

  /**
   * Whether the record matches. The memory may be shared. Throws `DATA_CORRUPTED` when the attributes are
   * damaged.
   */
  matches(memory: Uint8Array, record: EncodedRecord): boolean {
    for (const answer of this.#ids) answer.holds = answer.test(memory, record.idFrom, record.idTo);
    if (this.#fields.size > 0) this.#lookAtAttributes(memory, record);
    return this.#combined();
  }

  #lookAtAttributes(memory: Uint8Array, record: EncodedRecord): void {
    for (const { answers } of this.#fields.values()) for (const answer of answers) answer.holds = false;
    const cursor = this.#cursor.reset(memory, record.attributesFrom, record.attributesTo);
    while (cursor.next()) {
      for (const { name, answers } of this.#fields.values()) {
        if (!equalBytes(memory, cursor.nameFrom, cursor.nameTo, name, 0, name.length)) continue;
        for (const answer of answers) {
          cursor.rewind();
          answer.holds = answer.test(cursor);
        }
      }
    }
  }

  #compile(filter: Filter): () => boolean {
    switch (filter.kind) {
      case 'and': {
        const all = filter.filters.map((inner) => this.#compile(inner));
        return () => all.every((holds) => holds());
      }
      case 'or': {
        const any = filter.filters.map((inner) => this.#compile(inner));
        return () => any.some((holds) => holds());
      }
      case 'not': {
        const inner = this.#compile(filter.filter);
        return () => !inner();
      }
      case 'ids':
        return this.#idAnswer(memberTest(filter.ids));
      case 'idPrefix':
        return this.#idAnswer(prefixTest(filter.prefix));
      default:
        return this.#attributeAnswer(filter.field, attributeTest(filter));
    }
  }

  #idAnswer(test: IdTest): () => boolean {
    const answer = { test, holds: false };
    this.#ids.push(answer);
    return () => answer.holds;
  }

  #attributeAnswer(field: string, test: AttributeTest): () => boolean {
    const known = this.#fields.get(field) ?? { name: encodeText(field), answers: [] };
    this.#fields.set(field, known);
    const answer = { test, holds: false };
    known.answers.push(answer);
    return () => answer.holds;
  }
}

function attributeTest(filter: AttributeLeaf): AttributeTest {
  switch (filter.kind) {
    case 'exists':
      return () => true;
    case 'eq':
      return anyOf([filter.value]);
    case 'in':
      return anyOf(filter.values);
    case 'containsAll':
      return allOf(filter.values);
    case 'prefix': {
      const begins = prefixTest(filter.prefix);
      return anyElement(
        (cursor) =>
          cursor.elementKind === VALUE_KINDS.text &&
          begins(cursor.bytes, cursor.elementFrom, cursor.elementTo),
      );
    }
    case 'range':
      return anyElement(rangeTest(filter.operator, filter.value));
  }
}

function anyElement(test: AttributeTest): AttributeTest {
  return (cursor) => {
    while (cursor.nextElement()) if (test(cursor)) return true;
    return false;
  };
}

function anyOf(values: readonly AttributeScalar[]): AttributeTest {
  const operands = new Operands(values);
  return anyElement((cursor) => operands.indexOf(cursor) >= 0);
}

function allOf(values: readonly AttributeScalar[]): AttributeTest {
  const operands = new Operands(values);
  /** The number of the last record in which each operand was seen. */
  const seen = new Float64Array(operands.size);
  let record = 0;
  return (cursor) => {
    record++;
    let missing = operands.size;
    while (missing > 0 && cursor.nextElement()) {
      const index = operands.indexOf(cursor);
      if (index < 0 || seen[index] === record) continue;
      seen[index] = record;
      missing--;
    }
    return missing === 0;
  };
}

function rangeTest(operator: RangeOperator, operand: AttributeScalar): AttributeTest {
  if (typeof operand === 'boolean' || Number.isNaN(operand)) return () => false;
  const holds = ORDER_TESTS[operator];
  if (typeof operand === 'string') {
    const text = encodeText(operand);
    return ({ bytes, elementKind, elementFrom, elementTo }) =>
      elementKind === VALUE_KINDS.text &&
      holds(compareBytes(bytes, elementFrom, elementTo, text, 0, text.length));
  }
  const key = numberKey(operand);
  return (cursor) => isNumber(cursor.elementKind) && holds(compareNumber(cursor, key));
}

const ORDER_TESTS: Record<RangeOperator, (order: number) => boolean> = {
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
};

function isNumber(kind: number): boolean {
  return kind === VALUE_KINDS.int64 || kind === VALUE_KINDS.double;
}

/** Order of the cursor's element, a number, and an operand. */
function compareNumber(
  { bytes, elementKind, elementFrom, elementTo }: AttributeCursor,
  operand: NumberKey,
): number {
  const whole = elementKind === VALUE_KINDS.int64;
  const near = whole ? nearOfInt64(bytes, elementFrom, elementTo) : readDouble(bytes, elementFrom);
  if (near !== operand.near) return near < operand.near ? -1 : 1;
  return (whole ? restOfInt64(bytes, elementFrom, elementTo, near) : 0) - operand.rest;
}

/** A list of operands in which an encoded element is found by binary search; equal operands count once. */
class Operands {
  readonly #texts: readonly Uint8Array[];
  readonly #numbers: readonly NumberKey[];
  readonly #booleans: readonly boolean[];
  readonly size: number;

  constructor(values: readonly AttributeScalar[]) {
    const distinct = [...new Set(values)];
    // Operands that no attribute can equal stay in the lists of texts and numbers, where nothing finds them.
    this.#texts = distinct
      .filter((value) => typeof value === 'string')
      .map(encodeText)
      .sort(compareTexts);
    const numbers = distinct
      .filter((value) => typeof value === 'number' || typeof value === 'bigint')
      .map(numberKey);
    this.#numbers = numbers
      .sort(compareKeys)
      .filter((key, index) => index === 0 || compareKeys(key, numbers[index - 1] ?? key) !== 0);
    this.#booleans = distinct.filter((value) => typeof value === 'boolean');
    this.size = this.#texts.length + this.#numbers.length + this.#booleans.length;
  }

  /** A number below `size` for the cursor's element, or -1. */
  indexOf(cursor: AttributeCursor): number {
    const { bytes, elementKind, elementFrom, elementTo } = cursor;
    if (elementKind === VALUE_KINDS.text) {
      const order = (text: Uint8Array): number =>
        compareBytes(bytes, elementFrom, elementTo, text, 0, text.length);
      return search(this.#texts, order);
    }
    const texts = this.#texts.length;
    if (isNumber(elementKind)) {
      const found = search(this.#numbers, (key) => compareNumber(cursor, key));
      return found < 0 ? -1 : texts + found;
    }
    const found = this.#booleans.indexOf(elementKind === VALUE_KINDS.true);
    return found < 0 ? -1 : texts + this.#numbers.length + found;
  }
}

function search<T>(sorted: readonly T[], orderOf: (item: T) => number): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const order = orderOf(sorted[middle] as T);
    if (order === 0) return middle;
    if (order > 0) from = middle + 1;
    else to = middle;
  }
  return -1;
}

function compareTexts(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(a, 0, a.length, b, 0, b.length);
}

function compareKeys(a: NumberKey, b: NumberKey): number {
  if (a.near !== b.near) return a.near < b.near ? -1 : 1;
  return a.rest - b.rest;
}

function memberTest(ids: readonly string[]): IdTest {
  const sorted = ids.map(encodeText).sort(compareTexts);
  return (memory, from, to) => search(sorted, (id) => compareBytes(memory, from, to, id, 0, id.length)) >= 0;
}

function prefixTest(prefix: string): IdTest {
  const bytes = encodeText(prefix);
  return (memory, from, to) =>
    to - from >= bytes.length && equalBytes(memory, from, from + bytes.length, bytes, 0, bytes.length);
}
