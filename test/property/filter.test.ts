import { expect } from 'chai';
import fc from 'fast-check';
import type { Filter } from '#server/core/filter/ast.js';
import { EncodedFilter } from '#server/core/filter/match-encoded.js';
import { compileFilter } from '#server/core/filter/match.js';
import { normaliseFilter } from '#server/core/filter/normalise.js';
import { encodeAttributes } from '#server/core/record/attribute-codec.js';
import type { Attributes, AttributeScalar } from '#server/core/record/record.js';
import { encodeText } from '#server/core/record/text.js';
import { anyAttributes, anyFilter, anyId } from '../support/attributes.js';
import type { TestRecord } from '../support/segments.js';
import { TestIndex } from '../support/segments.js';

const anyRecords: fc.Arbitrary<TestRecord[]> = fc.uniqueArray(
  fc.record({ id: anyId, attributes: anyAttributes }),
  { selector: (record) => record.id, maxLength: 70, size: 'max' },
);

// The oracle is written from the sentences in ast.ts and shares no code with the server: numbers are compared
// as fractions of bigints, text as arrays of code points.
function oracle(filter: Filter, id: string, attributes: Attributes): boolean {
  switch (filter.kind) {
    case 'and':
      return !filter.filters.some((inner) => !oracle(inner, id, attributes));
    case 'or':
      return filter.filters.some((inner) => oracle(inner, id, attributes));
    case 'not':
      return !oracle(filter.filter, id, attributes);
    case 'ids':
      return filter.ids.includes(id);
    case 'idPrefix':
      return begins(id, filter.prefix);
    default:
      break;
  }
  const value = attributes.get(filter.field);
  if (value === undefined) return false;
  const elements = (Array.isArray(value) ? value : [value]) as readonly AttributeScalar[];
  switch (filter.kind) {
    case 'exists':
      return true;
    case 'eq':
      return elements.some((element) => compare(element, filter.value) === 0);
    case 'in':
      return elements.some((element) => filter.values.some((wanted) => compare(element, wanted) === 0));
    case 'containsAll':
      return filter.values.every((wanted) => elements.some((element) => compare(element, wanted) === 0));
    case 'prefix':
      return elements.some((element) => typeof element === 'string' && begins(element, filter.prefix));
    case 'range':
      return elements.some((element) => {
        const order = typeof element === 'boolean' ? null : compare(element, filter.value);
        if (order === null) return false;
        return { gt: order > 0, gte: order >= 0, lt: order < 0, lte: order <= 0 }[filter.operator];
      });
  }
}

/** Null for values of different kinds. */
function compare(a: AttributeScalar, b: AttributeScalar): number | null {
  if (typeof a === 'string' && typeof b === 'string') return compareLists(codePoints(a), codePoints(b));
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (typeof a === 'string' || typeof a === 'boolean' || typeof b === 'string' || typeof b === 'boolean')
    return null;
  if (a === Infinity || b === -Infinity) return 1;
  if (b === Infinity || a === -Infinity) return -1;
  const [x, y] = [scaled(a), scaled(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The number times 2^1100, which is whole for every double. */
function scaled(value: number | bigint): bigint {
  if (typeof value === 'bigint') return value << 1100n;
  let factor = 0n;
  let whole = value;
  while (!Number.isInteger(whole)) {
    whole *= 2;
    factor++;
  }
  return BigInt(whole) << (1100n - factor);
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  if (at < 0) return a.length - b.length;
  return at >= b.length ? 1 : (a[at] ?? 0) - (b[at] ?? 0);
}

function begins(text: string, prefix: string): boolean {
  const wanted = codePoints(prefix);
  return compareLists(codePoints(text).slice(0, wanted.length), wanted) === 0;
}

/** Rows that match where they lie: all ids, then all attributes in one shared memory, as in a memtable. */
function matchingEncoded(records: readonly TestRecord[], filter: Filter): number[] {
  const ids = records.map(({ id }) => encodeText(id));
  const attributes = records.map((record) => encodeAttributes(record.attributes));
  const pieces = [...ids, ...attributes];
  const memory = new Uint8Array(new SharedArrayBuffer(pieces.reduce((sum, piece) => sum + piece.length, 0)));
  let end = 0;
  const spans = pieces.map((piece) => {
    memory.set(piece, end);
    end += piece.length;
    return { from: end - piece.length, to: end };
  });
  const encoded = new EncodedFilter(filter);
  return records.flatMap((_, row) => {
    const id = spans[row] ?? { from: 0, to: 0 };
    const { from, to } = spans[records.length + row] ?? { from: 0, to: 0 };
    const record = { idFrom: id.from, idTo: id.to, attributesFrom: from, attributesTo: to };
    return encoded.matches(memory, record) ? [row] : [];
  });
}

describe('Filters on any records', () => {
  it('mean the same to the index of a segment, to the predicates on one record, and to the oracle', () => {
    fc.assert(
      fc.property(anyRecords, fc.array(anyFilter, { minLength: 1, maxLength: 12 }), (records, filters) => {
        const index = new TestIndex(records);
        for (const filter of filters) {
          const expected = records.flatMap(({ id, attributes }, row) =>
            oracle(filter, id, attributes) ? [row] : [],
          );
          const matches = compileFilter(filter);
          const matched = records.flatMap(({ id, attributes }, row) =>
            matches(id, attributes) ? [row] : [],
          );
          expect(matched, 'predicate').to.deep.equal(expected);
          expect(matchingEncoded(records, filter), 'encoded').to.deep.equal(expected);
          expect(index.rows(filter), 'index').to.deep.equal(expected);
          expect(index.rows(normaliseFilter(filter)), 'index, normalised').to.deep.equal(expected);
          const bounds = index.index.estimate(filter, index.ids);
          expect(expected.length, 'estimate').to.be.within(bounds.atLeast, bounds.atMost);
        }
      }),
      { numRuns: 500 },
    );
  });
});
