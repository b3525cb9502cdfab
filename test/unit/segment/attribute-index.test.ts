import { expect } from 'chai';
import { OmenError } from '#server/core/errors.js';
import type { Filter, RangeOperator } from '#server/core/filter/ast.js';
import { compileFilter } from '#server/core/filter/match.js';
import type { AttributeScalar, AttributeValue } from '#server/core/record/record.js';
import { buildAttributeIndex } from '#server/core/segment/attribute-builder.js';
import { AttributeIndexView } from '#server/core/segment/attribute-index.js';
import { attributeHeap, TestIndex } from '../../support/segments.js';

const ROWS = 5000;

function indexOf(valueOf: (row: number) => AttributeValue | undefined, rows = ROWS): TestIndex {
  return new TestIndex(
    Array.from({ length: rows }, (_, row) => {
      const value = valueOf(row);
      return { id: `id-${row}`, attributes: new Map(value === undefined ? [] : [['a', value]]) };
    }),
  );
}

/**
 * Compares with the predicate on each record, and the estimate with the number of rows. Returns that number.
 */
function check(index: TestIndex, filter: Filter): number {
  const matches = compileFilter(filter);
  const expected = index.records.flatMap(({ id, attributes }, row) => (matches(id, attributes) ? [row] : []));
  expect(
    index.rows(filter),
    JSON.stringify(filter, (_, value) => String(value)),
  ).to.deep.equal(expected);
  const { atLeast, atMost } = index.index.estimate(filter, index.ids);
  expect(expected.length).to.be.within(atLeast, atMost);
  return expected.length;
}

const range = (operator: RangeOperator, value: AttributeScalar): Filter => ({
  kind: 'range',
  field: 'a',
  operator,
  value,
});
const eq = (value: AttributeScalar): Filter => ({ kind: 'eq', field: 'a', value });
const between = (low: AttributeScalar, high: AttributeScalar): Filter => ({
  kind: 'and',
  filters: [range('gte', low), range('lt', high)],
});

/** Ranges that begin and end everywhere between `values`, which ascend. */
function checkRanges(index: TestIndex, values: readonly AttributeScalar[]): void {
  for (const value of values) {
    check(index, eq(value));
    for (const operator of ['gt', 'gte', 'lt', 'lte'] as const) check(index, range(operator, value));
  }
  for (const low of values) for (const high of values) check(index, between(low, high));
}

describe('Attribute index', () => {
  it('finds one value that every row has', () => {
    const index = indexOf(() => 'same');
    expect(check(index, eq('same'))).to.equal(ROWS);
    expect(check(index, eq('other'))).to.equal(0);
    expect(check(index, { kind: 'not', filter: eq('same') })).to.equal(0);
    expect(check(index, { kind: 'prefix', field: 'a', prefix: 'sa' })).to.equal(ROWS);
  });

  it('finds a number of its own in every row, whatever the order of rows', () => {
    const index = indexOf((row) => (row * 2741) % ROWS);
    checkRanges(index, [-1, 0, 0.5, 1, 311, 312, 313, 2500, 4687, 4688, 4999, 5000]);
    expect(check(index, between(100, 4900))).to.equal(4800);
  });

  it('finds a text of its own in every row', () => {
    const text = (number: number): string =>
      `common beginning of every text ${String(number).padStart(5, '0')}`;
    const index = indexOf((row) => text((row * 2741) % ROWS));
    checkRanges(index, ['', text(0), text(311), text(312), `${text(2500)}x`, text(4999), text(9999)]);
    expect(check(index, { kind: 'prefix', field: 'a', prefix: text(123).slice(0, -2) })).to.equal(100);
    expect(check(index, { kind: 'prefix', field: 'a', prefix: 'common' })).to.equal(ROWS);
  });

  it('tells texts apart that differ far behind their beginning', () => {
    const text = (number: number): string =>
      `${'é'.repeat(200)}${String(number % 700).padStart(3, '0')}${'x'.repeat(number % 3)}`;
    const index = indexOf(text);
    checkRanges(index, ['é', 'é'.repeat(32), 'é'.repeat(200), text(5), text(699), `${text(699)}y`]);
    expect(check(index, eq(text(5)))).to.be.greaterThan(0);
    expect(check(index, eq(`${text(5)}x`))).to.be.within(0, 8);
    for (const length of [31, 32, 33, 200]) {
      expect(check(index, { kind: 'prefix', field: 'a', prefix: 'é'.repeat(length) })).to.equal(ROWS);
    }
    expect(check(index, { kind: 'prefix', field: 'a', prefix: text(3) })).to.be.greaterThan(0);
  });

  it('orders integers that doubles cannot tell apart', () => {
    const base = 2n ** 62n;
    const index = indexOf((row) =>
      row % 2 === 0 ? base + BigInt(row % 1500) : Number(base) + 512 * (row % 5),
    );
    checkRanges(index, [
      base - 1n,
      base,
      Number(base),
      base + 1n,
      base + 511n,
      base + 512n,
      base + 513n,
      base + 1500n,
    ]);
  });

  it('keeps text, numbers and booleans of one attribute apart', () => {
    const index = indexOf(
      (row) => [`t${row % 97}`, BigInt(row % 89), (row % 83) + 0.5, row % 2 === 1, undefined][row % 5],
    );
    checkRanges(index, ['t1', 't50', 1, 44.5, 60n]);
    check(index, eq(true));
    check(index, eq(false));
    check(index, range('lt', true));
    expect(check(index, { kind: 'exists', field: 'a' })).to.equal(4000);
    expect(check(index, { kind: 'not', filter: { kind: 'exists', field: 'a' } })).to.equal(1000);
  });

  it('counts a row once, however many values of it match', () => {
    const index = indexOf((row) =>
      Array.from({ length: row % 40 }, (_, step) => BigInt((row * 31 + step * 7) % 500)),
    );
    checkRanges(index, [0, 1, 99n, 250, 499, 500]);
    check(index, { kind: 'in', field: 'a', values: [1, 2n, 3, 3, 499] });
    check(index, { kind: 'containsAll', field: 'a', values: [7n, 14] });
    check(index, { kind: 'containsAll', field: 'a', values: [] });
  });

  it('takes the longest arrays, with repeated elements', () => {
    const index = indexOf(
      (row) => Array.from({ length: 4096 }, (_, step) => `v${(step * (row + 1)) % 3000}`),
      40,
    );
    for (const value of ['v0', 'v1', 'v2999', 'v3000']) check(index, eq(value));
    check(index, { kind: 'containsAll', field: 'a', values: ['v0', 'v6', 'v12'] });
    check(index, { kind: 'prefix', field: 'a', prefix: 'v29' });
  });

  it('combines selective conditions exactly', () => {
    const index = indexOf((row) => (row * 2741) % ROWS);
    const parts = [
      range('gte', 1000),
      range('lt', 1100),
      { kind: 'not', filter: eq(1050) },
    ] satisfies Filter[];
    expect(check(index, { kind: 'and', filters: parts })).to.equal(99);
    expect(
      check(index, {
        kind: 'and',
        filters: [
          { kind: 'not', filter: eq(7) },
          { kind: 'not', filter: eq(8) },
        ],
      }),
    ).to.equal(4998);
    expect(check(index, { kind: 'or', filters: [eq(1), { kind: 'and', filters: parts }, eq(2)] })).to.equal(
      101,
    );
    expect(
      check(index, { kind: 'and', filters: [eq(1), { kind: 'ids', ids: ['id-0', 'id-1', 'none'] }] }),
    ).to.equal(0);
    expect(
      check(index, { kind: 'or', filters: [{ kind: 'idPrefix', prefix: 'id-12' }, eq(0)] }),
    ).to.be.within(111, 112);
  });

  it('estimates without looking at rows, exactly where values are single', () => {
    const index = indexOf((row) => row % 100);
    for (const filter of [eq(5), range('lt', 50), { kind: 'exists', field: 'a' }] satisfies Filter[]) {
      const { atLeast, atMost } = index.index.estimate(filter, index.ids);
      expect(atLeast).to.equal(atMost);
    }
    const both = index.index.estimate(
      { kind: 'and', filters: [range('lt', 60), range('gte', 50)] },
      index.ids,
    );
    expect(both).to.deep.equal({ atLeast: 500, atMost: 2500 });
  });

  it('finds attributes by any name', () => {
    const names = ['a', 'aa', 'b', 'é', '😀', '\uFFFD', '__proto__', 'constructor', 'x'.repeat(128)];
    const records = names.map((name, row) => ({ id: String(row), attributes: new Map([[name, 1]]) }));
    const index = new TestIndex(records);
    for (const [row, field] of names.entries())
      expect(index.rows({ kind: 'exists', field })).to.deep.equal([row]);
    expect(index.rows({ kind: 'exists', field: 'ab' })).to.deep.equal([]);
  });

  it('stays small and exact when every record has names of its own', () => {
    const records = Array.from({ length: 600 }, (_, row) => {
      const own = Array.from({ length: 10 }, (_, index) => [`n${row}-${index}`, row] as const);
      return { id: String(row), attributes: new Map<string, AttributeValue>([['a', row], ...own]) };
    });
    const index = new TestIndex(records);
    expect(check(index, range('lt', 100))).to.equal(100);
    for (const row of [0, 300, 500, 599]) {
      const field = `n${row}-7`;
      expect(check(index, { kind: 'exists', field })).to.equal(1);
      expect(check(index, { kind: 'eq', field, value: row })).to.equal(1);
      expect(check(index, { kind: 'containsAll', field, values: [row] })).to.equal(1);
      expect(
        check(index, { kind: 'and', filters: [{ kind: 'in', field, values: [row] }, eq(row)] }),
      ).to.equal(1);
      expect(
        check(index, { kind: 'not', filter: { kind: 'range', field, operator: 'gte', value: row } }),
      ).to.equal(599);
    }
    expect(check(index, { kind: 'exists', field: 'none' })).to.equal(0);
  });

  it('gives the same bytes for the same rows', () => {
    const heap = (): ReturnType<typeof attributeHeap> =>
      attributeHeap(
        Array.from({ length: 300 }, (_, row) => {
          const entries: [string, AttributeValue][] = [
            ['a', `v${row % 7}`],
            ['b', [`w${row}`, 'w']],
          ];
          return new Map(entries);
        }),
      );
    expect(buildAttributeIndex(heap())).to.deep.equal(buildAttributeIndex(heap()));
  });

  it('refuses an index of other rows', () => {
    const heap = attributeHeap([new Map([['a', 1]])]);
    const bytes = buildAttributeIndex(heap);
    for (const [given, rows] of [
      [bytes, 2],
      [bytes.slice(0, 8), 1],
      [bytes.slice(0, 32), 1],
      [new Uint8Array(), 1],
    ] as const) {
      expect(() => new AttributeIndexView(given, rows, heap)).to.throw(OmenError, 'does not belong');
    }
  });
});
