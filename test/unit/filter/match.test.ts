import { expect } from 'chai';
import { OmenError } from '#server/core/errors.js';
import type { Filter } from '#server/core/filter/ast.js';
import { compileFilter } from '#server/core/filter/match.js';
import { normaliseFilter } from '#server/core/filter/normalise.js';
import type { AttributeValue } from '#server/core/record/record.js';

const matches = (filter: Filter, entries: Record<string, AttributeValue>, id = 'id'): boolean =>
  compileFilter(filter)(id, new Map(Object.entries(entries)));

const eq = (field: string, value: string | number | bigint | boolean): Filter => ({
  kind: 'eq',
  field,
  value,
});
const range = (operator: 'gt' | 'gte' | 'lt' | 'lte', value: string | number | bigint | boolean): Filter => ({
  kind: 'range',
  field: 'a',
  operator,
  value,
});

describe('Filter on one record', () => {
  it('does not match what a record lacks, and its negation does', () => {
    for (const filter of [
      eq('a', 1),
      range('lt', 5),
      { kind: 'in', field: 'a', values: [1] },
      { kind: 'containsAll', field: 'a', values: [] },
      { kind: 'exists', field: 'a' },
      { kind: 'prefix', field: 'a', prefix: '' },
    ] satisfies Filter[]) {
      expect(matches(filter, { b: 1 })).to.equal(false);
      expect(matches({ kind: 'not', filter }, { b: 1 })).to.equal(true);
    }
  });

  it('compares int64 and double by exact value', () => {
    expect(matches(eq('a', 1n), { a: 1 })).to.equal(true);
    expect(matches(eq('a', 0), { a: -0 })).to.equal(true);
    expect(matches(eq('a', 2 ** 53), { a: 2n ** 53n + 1n })).to.equal(false);
    expect(matches(range('gt', 2 ** 53), { a: 2n ** 53n + 1n })).to.equal(true);
    expect(matches(range('lt', 2n ** 53n + 1n), { a: 2 ** 53 })).to.equal(true);
    expect(matches({ kind: 'in', field: 'a', values: [2 ** 60] }, { a: 2n ** 60n })).to.equal(true);
    expect(matches({ kind: 'in', field: 'a', values: [2 ** 60] }, { a: 2n ** 60n + 1n })).to.equal(false);
    expect(matches({ kind: 'in', field: 'a', values: [NaN] }, { a: 1 })).to.equal(false);
    expect(matches(eq('a', NaN), { a: 1n })).to.equal(false);
  });

  it('never finds values of different kinds equal or ordered', () => {
    expect(matches(eq('a', '1'), { a: 1 })).to.equal(false);
    expect(matches(eq('a', true), { a: 1n })).to.equal(false);
    expect(matches(range('lt', 'z'), { a: 1 })).to.equal(false);
    expect(matches(range('gte', 0), { a: '5' })).to.equal(false);
    expect(matches(range('gte', false), { a: true })).to.equal(false);
    expect(matches({ kind: 'in', field: 'a', values: ['true', 1] }, { a: true })).to.equal(false);
  });

  it('orders text by code points', () => {
    // U+1F600 is a larger code point than U+FFFD, but begins with a smaller UTF-16 unit.
    expect(matches(range('gt', '\uFFFD'), { a: '😀' })).to.equal(true);
    expect(matches(range('lt', '😀'), { a: '\uE000' })).to.equal(true);
    expect(matches(range('gt', 'a'), { a: 'ab' })).to.equal(true);
  });

  it('asks any element of an array', () => {
    const a = ['x', 'yz'];
    expect(matches(eq('a', 'x'), { a })).to.equal(true);
    expect(matches({ kind: 'prefix', field: 'a', prefix: 'y' }, { a })).to.equal(true);
    expect(matches({ kind: 'containsAll', field: 'a', values: ['yz', 'x'] }, { a })).to.equal(true);
    expect(matches({ kind: 'containsAll', field: 'a', values: ['yz', 'q'] }, { a })).to.equal(false);
    expect(matches({ kind: 'containsAll', field: 'a', values: ['x'] }, { a: 'x' })).to.equal(true);
    expect(matches({ kind: 'and', filters: [range('gt', 8), range('lt', 2)] }, { a: [1, 9] })).to.equal(true);
  });

  it('finds nothing in an empty array, which is there all the same', () => {
    expect(matches(eq('a', 'x'), { a: [] })).to.equal(false);
    expect(matches({ kind: 'exists', field: 'a' }, { a: [] })).to.equal(true);
    expect(matches({ kind: 'containsAll', field: 'a', values: [] }, { a: [] })).to.equal(true);
  });

  it('takes an empty conjunction for true and an empty disjunction for false', () => {
    expect(matches({ kind: 'and', filters: [] }, {})).to.equal(true);
    expect(matches({ kind: 'or', filters: [] }, {})).to.equal(false);
    expect(matches({ kind: 'in', field: 'a', values: [] }, { a: 1 })).to.equal(false);
  });

  it('asks for ids', () => {
    expect(matches({ kind: 'ids', ids: ['x', 'id'] }, {})).to.equal(true);
    expect(matches({ kind: 'idPrefix', prefix: 'i' }, {})).to.equal(true);
    expect(matches({ kind: 'idPrefix', prefix: '\uD83D' }, {}, '😀')).to.equal(false);
  });
});

describe('Filter normalisation', () => {
  const refusal = (filter: Filter): string => {
    try {
      normaliseFilter(filter);
    } catch (error) {
      if (error instanceof OmenError && error.reason === 'INVALID_FILTER') return error.message;
      throw error;
    }
    throw new Error('was accepted');
  };
  const nested = (depth: number): Filter =>
    depth === 1 ? eq('a', 1) : { kind: 'and', filters: [nested(depth - 1), eq('b', 1)] };

  it('flattens conjunctions and drops double negations', () => {
    const a = eq('a', 1);
    const b = eq('b', 1);
    expect(
      normaliseFilter({
        kind: 'and',
        filters: [
          { kind: 'not', filter: { kind: 'not', filter: a } },
          { kind: 'and', filters: [b, { kind: 'or', filters: [a] }] },
        ],
      }),
    ).to.deep.equal({ kind: 'and', filters: [a, b, a] });
    expect(normaliseFilter({ kind: 'and', filters: [] })).to.deep.equal({ kind: 'and', filters: [] });
  });

  it('enforces depth, number of conditions and number of values', () => {
    expect(normaliseFilter(nested(16)).kind).to.equal('and');
    expect(refusal(nested(17))).to.include('nested deeper than 16');
    expect(refusal({ kind: 'or', filters: new Array<Filter>(1024).fill(eq('a', 1)) })).to.include(
      '1024 conditions',
    );
    const widest: Filter = { kind: 'or', filters: new Array<Filter>(1023).fill(eq('a', 1)) };
    expect(normaliseFilter(widest)).to.deep.equal(widest);
    const longest: Filter = { kind: 'in', field: 'a', values: new Array<number>(10_000).fill(1) };
    expect(normaliseFilter(longest)).to.equal(longest);
    const values = new Array<number>(10_001).fill(1);
    expect(refusal({ kind: 'in', field: 'a', values })).to.include('10001 values');
    expect(refusal({ kind: 'ids', ids: values.map(String) })).to.include('10001 values');
  });

  it('refuses operands that mean nothing', () => {
    expect(refusal(eq('a', NaN))).to.include('NaN');
    expect(refusal({ kind: 'prefix', field: 'a', prefix: '\uD800' })).to.include('lone surrogate');
    expect(refusal({ kind: 'exists', field: '' })).to.include('""');
  });
});
