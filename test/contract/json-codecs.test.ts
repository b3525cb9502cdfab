import { expect } from 'chai';
import fc from 'fast-check';
import { ComparisonOperator, SetOperator } from '#server/gen/messages.js';
import type { Filter, Hit, Record, Scalar, Value, Vector } from '#server/gen/messages.js';
import { METHODS } from '#server/gen/methods.js';
import { filterFromJson, filterToJson } from '#server/gen/runtime/filter.js';
import { Place } from '#server/gen/runtime/place.js';
import { decodeBase64, int64ToJson, readInt64 } from '#server/gen/runtime/scalars.js';
import { valueFromJson, valueToJson } from '#server/gen/runtime/value.js';
import { floatsOf, vectorFromJson, vectorToBase64, vectorToJson } from '#server/gen/runtime/vector.js';

/** Text that JSON carries unchanged, with keys that objects treat specially. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '',
    '0',
    'a.b',
    '$',
    'é',
    '\u0000',
    '𝒳',
  ),
);
const fieldName = text.filter((name) => name !== '' && !name.startsWith('$'));
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const safeInteger = fc.maxSafeInteger().map(BigInt);
const fraction = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((x) => !Number.isInteger(x));
const float32 = fc.float({ noNaN: true, noDefaultInfinity: true });

const STATE = { sequenceNumber: 42n, sessionToken: 'c.16' };

describe('JSON codecs give back what they took', () => {
  it('vectors, to the last bit, as numbers and as base64', () => {
    const property = fc.property(fc.array(float32, { maxLength: 40 }), (numbers) => {
      const vector = read(vectorFromJson, parse(numbers));
      const bits = bitsOf(vector);
      expect(bits).to.deep.equal(new Uint32Array(Float32Array.from(numbers).map(positiveZero).buffer));
      expect(bitsOf(read(vectorFromJson, parse(vectorToJson(vector))))).to.deep.equal(bits);
      expect(bitsOf(read(vectorFromJson, vectorToBase64(vector)))).to.deep.equal(bits);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('attribute values', () => {
    fc.assert(
      fc.property(value(), (message) => {
        expect(read(valueFromJson, parse(valueToJson(message)))).to.deep.equal(message);
      }),
      { numRuns: 1000 },
    );
  });

  it('filters', () => {
    fc.assert(
      fc.property(filter(safeInteger), (message) => {
        expect(read(filterFromJson, parse(filterToJson(message)))).to.deep.equal(message);
      }),
      { numRuns: 1000 },
    );
  });

  it('filters with 64-bit numbers, as objects of the client', () => {
    const json = { year: { $gt: 2n ** 60n } };
    const { expr } = read(filterFromJson, json);
    expect(expr).to.deep.include({ $case: 'compare' });
    expect(() => filterToJson({ expr })).to.throw('would lose digits');
  });

  it('64-bit numbers, as number or decimal text', () => {
    fc.assert(
      fc.property(fc.oneof(int64, safeInteger), (whole) => {
        expect(read(readInt64, parse(int64ToJson(whole)))).to.equal(whole);
      }),
    );
  });

  it('whole requests and answers, in JSON and in protobuf alike', () => {
    const upsert = METHODS.upsertRecords.request;
    const scan = METHODS.scanRecords.response;
    fc.assert(
      fc.property(fc.array(record(), { maxLength: 4 }), text, (records, requestId) => {
        const request = { collection: 'words', records, block: undefined, requestId };
        expect(upsert.fromJson(parse(upsert.toJson(request)))).to.deep.equal(request);
        expect(plain(upsert.decode(upsert.encode(request)))).to.deep.equal(plain(request));
        const answer = { records, nextPageToken: requestId, ...STATE };
        expect(scan.fromJson(parse(scan.toJson(answer)))).to.deep.equal(answer);
      }),
      { numRuns: 300 },
    );
  });

  it('answers of queries', () => {
    const { response } = METHODS.query;
    fc.assert(
      fc.property(fc.array(hit(), { maxLength: 4 }), (hits) => {
        const answer = { hits, usage: undefined, performance: undefined, ...STATE };
        expect(response.fromJson(parse(response.toJson(answer)))).to.deep.equal(answer);
      }),
    );
  });

  it('blocks of records', () => {
    const { request } = METHODS.upsertRecords;
    const json = {
      collection: 'words',
      records: [],
      block: {
        ids: ['a', 'b'],
        dimensions: 2,
        vectorsF32: Buffer.from(Float32Array.of(1, 2, 3, 4).buffer).toString('base64'),
        attributes: [{ rank: 1 }, {}],
      },
      requestId: '',
    };
    expect(request.toJson(request.fromJson(json))).to.deep.equal(json);
  });
});

describe('the $ syntax of filters', () => {
  const accepted: [string, unknown, unknown][] = [
    ['implicit equality', { a: 1 }, { a: { $eq: 1 } }],
    ['implicit and of attributes', { a: 1, b: 'x' }, { $and: [{ a: { $eq: 1 } }, { b: { $eq: 'x' } }] }],
    [
      'implicit and of operators',
      { a: { $gte: 1, $lt: 5 } },
      { $and: [{ a: { $gte: 1 } }, { a: { $lt: 5 } }] },
    ],
    ['equality with null', { a: null }, { $not: { a: { $exists: true } } }],
    ['$eq with null', { a: { $eq: null } }, { $not: { a: { $exists: true } } }],
    ['$ne with null', { a: { $ne: null } }, { a: { $exists: true } }],
    ['$exists false', { a: { $exists: false } }, { $not: { a: { $exists: true } } }],
    ['an id', { $id: 'x' }, { $id: { $in: ['x'] } }],
    ['$id with $ne', { $id: { $ne: 'x' } }, { $not: { $id: { $in: ['x'] } } }],
    ['$id with $nin', { $id: { $nin: ['x', 'y'] } }, { $not: { $id: { $in: ['x', 'y'] } } }],
    ['the empty filter', {}, { $and: [] }],
    [
      'combinators',
      { $or: [{ a: 1 }, { $not: { b: true } }] },
      { $or: [{ a: { $eq: 1 } }, { $not: { b: { $eq: true } } }] },
    ],
    ['special names', parse('{"__proto__":{"$in":[1]}}'), parse('{"__proto__":{"$in":[1]}}')],
  ];
  for (const [name, json, normal] of accepted) {
    it(`has ${name}`, () => {
      expect(JSON.stringify(filterToJson(read(filterFromJson, json)))).to.equal(JSON.stringify(normal));
    });
  }
});

/** Through text, as over the wire. */
function parse(json: unknown): unknown {
  return typeof json === 'string'
    ? JSON.parse(json[0] === '{' ? json : JSON.stringify(json))
    : JSON.parse(JSON.stringify(json));
}

function read<T>(reader: (json: unknown, at: Place, step: string) => T, json: unknown): T {
  const at = new Place();
  const result = reader(json, at, 'x');
  at.finish();
  return result;
}

/** JSON has no negative zero: JSON.stringify writes 0. */
function positiveZero(x: number): number {
  return x === 0 ? 0 : x;
}

function bitsOf(vector: Vector): Uint32Array {
  if (vector.data?.$case !== 'f32') throw new Error('no bytes');
  const floats = Float32Array.from(floatsOf(vector.data.value)).map(positiveZero);
  return new Uint32Array(floats.buffer);
}

/** Views of bytes as plain arrays: a decoded message has views into the body. */
function plain(message: unknown): unknown {
  return JSON.parse(
    JSON.stringify(message, (_, part: unknown) => {
      if (part instanceof Map) return [...part].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
      if (part instanceof Uint8Array) return [...part];
      return typeof part === 'bigint' ? `${part}n` : part;
    }),
  );
}

function value(): fc.Arbitrary<Value> {
  const list = <T>(items: fc.Arbitrary<T>): fc.Arbitrary<{ values: T[] }> =>
    fc.array(items, { minLength: 1, maxLength: 5 }).map((values) => ({ values }));
  const kind = fc.oneof(
    text.map((value) => ({ $case: 'stringValue' as const, value })),
    safeInteger.map((value) => ({ $case: 'intValue' as const, value })),
    fraction.map((value) => ({ $case: 'doubleValue' as const, value })),
    fc.boolean().map((value) => ({ $case: 'boolValue' as const, value })),
    fc.array(text, { maxLength: 5 }).map((values) => ({ $case: 'stringList' as const, value: { values } })),
    list(safeInteger).map((value) => ({ $case: 'intList' as const, value })),
    list(fraction).map((value) => ({ $case: 'doubleList' as const, value })),
    list(fc.boolean()).map((value) => ({ $case: 'boolList' as const, value })),
    fc.constant({ $case: 'nullValue' as const, value: {} }),
  );
  return kind.map((chosen) => ({ kind: chosen }));
}

function attributes(): fc.Arbitrary<Map<string, Value>> {
  return fc.array(fc.tuple(text, value()), { maxLength: 4 }).map((entries) => new Map(entries));
}

function record(): fc.Arbitrary<Record> {
  const vector = fc
    .array(float32.map(positiveZero), { minLength: 1, maxLength: 8 })
    .map((numbers): Vector => {
      const bytes = decodeBase64(Buffer.from(Float32Array.from(numbers).buffer).toString('base64'));
      return { data: { $case: 'f32', value: Uint8Array.from(bytes ?? []) } };
    });
  return fc
    .record({ id: text, vector: fc.option(vector, { nil: undefined }), attributes: attributes() })
    .map((made) => ({ ...made }));
}

function hit(): fc.Arbitrary<Hit> {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map(positiveZero);
  return fc
    .record({
      id: text,
      score: number,
      distance: number,
      attributes: attributes(),
      vector: fc.constant(undefined),
    })
    .map((made) => ({ ...made }));
}

function filter(whole: fc.Arbitrary<bigint>): fc.Arbitrary<Filter> {
  const scalar: fc.Arbitrary<Scalar> = fc
    .oneof(
      text.map((value) => ({ $case: 'stringValue' as const, value })),
      whole.map((value) => ({ $case: 'intValue' as const, value })),
      fraction.map((value) => ({ $case: 'doubleValue' as const, value })),
      fc.boolean().map((value) => ({ $case: 'boolValue' as const, value })),
    )
    .map((kind) => ({ kind }));
  const { EQ, NE, LT, LTE, GT, GTE } = ComparisonOperator;
  const { IN, NOT_IN, CONTAINS_ANY, CONTAINS_ALL } = SetOperator;
  const operator = fc.constantFrom(EQ, NE, LT, LTE, GT, GTE);
  const set = fc.constantFrom(IN, NOT_IN, CONTAINS_ANY, CONTAINS_ALL);
  const { node } = fc.letrec<{ node: Filter }>((tie) => {
    const some = fc.array(tie('node'), { maxLength: 3 });
    const leaves = [
      fc
        .record({ field: fieldName, operator, value: scalar })
        .map((value) => ({ $case: 'compare' as const, value: { ...value } })),
      fc
        .record({ field: fieldName, operator: set, values: fc.array(scalar, { maxLength: 3 }) })
        .map((value) => ({ $case: 'in' as const, value: { ...value } })),
      fieldName.map((field) => ({ $case: 'exists' as const, value: { field } })),
      fc
        .tuple(fieldName, text)
        .map(([field, prefix]) => ({ $case: 'prefix' as const, value: { field, prefix } })),
      fc.array(text, { maxLength: 3 }).map((ids) => ({ $case: 'ids' as const, value: { ids } })),
      text.map((value) => ({ $case: 'idPrefix' as const, value })),
    ];
    const inner = [
      some.map((filters) => ({ $case: 'and' as const, value: { filters } })),
      some.map((filters) => ({ $case: 'or' as const, value: { filters } })),
      tie('node').map((value) => ({ $case: 'not' as const, value })),
    ];
    const expr = fc.oneof({ maxDepth: 6, depthSize: 'small' }, ...leaves, ...inner);
    return { node: expr.map((chosen) => ({ expr: chosen })) };
  });
  return node;
}
