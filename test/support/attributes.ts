// Random attributes and filters for property tests. Few names and many near-equal values, so that filters
// match something.
import fc from 'fast-check';
import type { Filter } from '#server/core/filter/ast.js';
import { RANGE_OPERATORS } from '#server/core/filter/ast.js';
import type { Attributes, AttributeScalar, AttributeValue } from '#server/core/record/record.js';

const INT64_MAX = 2n ** 63n - 1n;

/** Values at which orders and encodings go wrong. */
const TEXTS = [
  '',
  'a',
  'ab',
  'abc',
  'b',
  'é',
  'ééé',
  '\uE000',
  '\uFFFD',
  '😀',
  '😀😀',
  'z'.repeat(64),
  'z'.repeat(65),
  `${'z'.repeat(64)}a`,
  `${'z'.repeat(64)}b`,
  `${'z'.repeat(100)}é`,
];
const INTEGERS = [
  ...[0n, 1n, -1n, 2n, 3n, 127n, 128n, -128n, -129n],
  ...[2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 53n + 2n, -(2n ** 53n) - 1n, 2n ** 62n + 1n],
  ...[INT64_MAX, INT64_MAX - 1n, INT64_MAX - 512n, -INT64_MAX - 1n, -INT64_MAX],
];
const DOUBLES = [
  ...[0, -0, 1, -1, 2, 2.5, 3, 0.1, 5e-324, -5e-324, 127, 128],
  ...[2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, 2 ** 62, 2 ** 63, -(2 ** 63), 2 ** 64, 1e300, -Number.MAX_VALUE],
];

const anyText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...TEXTS) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'binary', maxLength: 80 }).filter((text) => text.isWellFormed()),
  },
);
const anyInteger = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...INTEGERS) },
  { weight: 1, arbitrary: fc.bigInt({ min: -INT64_MAX - 1n, max: INT64_MAX }) },
);
const anyDouble = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...DOUBLES) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
);

const anyScalar: fc.Arbitrary<AttributeScalar> = fc.oneof(anyText, anyInteger, anyDouble, fc.boolean());

const anyValue: fc.Arbitrary<AttributeValue> = fc.oneof(
  { weight: 5, arbitrary: anyScalar },
  { weight: 1, arbitrary: fc.array(anyText, { maxLength: 5 }) },
  { weight: 1, arbitrary: fc.array(anyInteger, { maxLength: 5 }) },
  { weight: 1, arbitrary: fc.array(anyDouble, { maxLength: 5 }) },
  { weight: 1, arbitrary: fc.array(fc.boolean(), { maxLength: 3 }) },
);

const anyName = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('a', 'b', 'rank', 'é', '😀 name', '\uFFFDname') },
  {
    weight: 1,
    arbitrary: fc.string({ minLength: 1, maxLength: 20 }).filter((name) => !name.startsWith('$')),
  },
);

/** Attributes within every limit. */
export const anyAttributes: fc.Arbitrary<Attributes> = fc
  .array(fc.tuple(anyName, anyValue), { maxLength: 6 })
  .map((entries) => new Map(entries));

const ID_CHARACTERS = 'ab/é😀';

/** Short ids that often share a prefix; distinct ones are the caller's business. */
export const anyId: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: fc.constantFrom(...ID_CHARACTERS), minLength: 1, maxLength: 6 }),
  fc.uuid(),
);

const anyPrefix = anyText.chain((text) =>
  fc.nat([...text].length).map((end) => [...text].slice(0, end).join('')),
);

/**
 * Operands that no attribute can hold are among them: huge integers and infinity, but not NaN or ill-formed
 * text.
 */
const anyOperand = fc.oneof(
  { weight: 9, arbitrary: anyScalar },
  {
    weight: 1,
    arbitrary: fc.constantFrom<AttributeScalar>(Infinity, -Infinity, 2n ** 63n, -(2n ** 70n), 2n ** 1100n),
  },
);

export const anyFilter: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    ...leafFilters(),
    fc.record({ kind: fc.constant('not' as const), filter: tie('filter') }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      filters: fc.array(tie('filter'), { maxLength: 4 }),
    }),
  ),
})).filter;

function leafFilters(): fc.Arbitrary<Filter>[] {
  const values = fc.array(anyOperand, { maxLength: 5 });
  return [
    fc.record({ kind: fc.constant('eq' as const), field: anyName, value: anyOperand }),
    fc.record({
      kind: fc.constant('range' as const),
      field: anyName,
      operator: fc.constantFrom(...RANGE_OPERATORS),
      value: anyOperand,
    }),
    fc.record({ kind: fc.constantFrom('in' as const, 'containsAll' as const), field: anyName, values }),
    fc.record({ kind: fc.constant('exists' as const), field: anyName }),
    fc.record({ kind: fc.constant('prefix' as const), field: anyName, prefix: anyPrefix }),
    fc.record({ kind: fc.constant('ids' as const), ids: fc.array(anyId, { maxLength: 5 }) }),
    fc.record({
      kind: fc.constant('idPrefix' as const),
      prefix: fc.string({ unit: fc.constantFrom(...ID_CHARACTERS), maxLength: 3 }),
    }),
  ];
}
