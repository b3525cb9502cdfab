import { expect } from 'chai';
import fc from 'fast-check';
import { METHODS } from '#server/gen/methods.js';
import { requestFromJson, requestFromProtobuf } from '#server/gen/runtime/http-request.js';
import { InvalidRequest, VIOLATIONS_MAX, type Violation } from '#server/gen/runtime/place.js';

const PATH = { collection: 'words' };
const { query, upsertRecords, getRecord, deleteRecords, countRecords } = METHODS;

function violations(action: () => unknown): readonly Violation[] {
  try {
    action();
    return [];
  } catch (error) {
    if (error instanceof InvalidRequest) return error.violations;
    throw error;
  }
}

/** Reason and path of each problem of a query body, given as JSON text. */
function problems(body: string): string[] {
  const found = violations(() => requestFromJson(query, PATH, {}, JSON.parse(body)));
  return found.map(({ reason, field }) => `${reason} ${field}`);
}

function attributeProblems(attributes: string): string[] {
  const body: unknown = JSON.parse(`{"records":[{"id":"a","vector":[1],"attributes":${attributes}}]}`);
  const found = violations(() => requestFromJson(upsertRecords, PATH, {}, body));
  return found.map(({ reason, field }) => `${reason} ${field}`);
}

function nested(levels: number): string {
  return `${'{"$not":'.repeat(levels)}{"a":1}${'}'.repeat(levels)}`;
}

describe('a JSON request with a mistake is refused by its path', () => {
  const cases: [string, string, string[]][] = [
    ['an unknown field', '{"vector":[1],"top_k":1}', ['UNKNOWN_FIELD top_k']],
    ['an unknown field that is null', '{"vector":[1],"nope":null}', ['UNKNOWN_FIELD nope']],
    ['a field named __proto__', '{"vector":[1],"__proto__":{"topK":5}}', ['UNKNOWN_FIELD __proto__']],
    ['a field named constructor', '{"vector":[1],"constructor":1}', ['UNKNOWN_FIELD constructor']],
    ['null in a vector', '{"vector":[1,null]}', ['INVALID_VECTOR vector[1]']],
    ['text in a vector', '{"vector":["1"]}', ['INVALID_VECTOR vector[0]']],
    ['infinity in a vector', '{"vector":[0,1,1e999]}', ['INVALID_VECTOR vector[2]']],
    ['a number beyond 32 bits in a vector', '{"vector":[1e39]}', ['INVALID_VECTOR vector[0]']],
    ['a vector in a vector', '{"vector":[[1]]}', ['INVALID_VECTOR vector[0]']],
    ['an object as vector', '{"vector":{"values":[1]}}', ['INVALID_VECTOR vector']],
    ['a vector that is no base64', '{"vector":"not base64!"}', ['INVALID_VECTOR vector']],
    ['a base64 vector of three bytes', '{"vector":"AAAA"}', ['INVALID_VECTOR vector']],
    ['NaN in a base64 vector', '{"vector":"AACAPwAAwH8="}', ['INVALID_VECTOR vector[1]']],
    ['a fraction for a whole number', '{"vector":[1],"topK":1.5}', ['INVALID_ARGUMENT topK']],
    ['text for a whole number', '{"vector":[1],"topK":"5"}', ['INVALID_ARGUMENT topK']],
    ['a negative whole number', '{"vector":[1],"topK":-1}', ['INVALID_ARGUMENT topK']],
    ['an unknown enum value', '{"vector":[1],"consistency":"STRONG"}', ['INVALID_ARGUMENT consistency']],
    ['a number for an enum value', '{"vector":[1],"consistency":2}', ['INVALID_ARGUMENT consistency']],
    ['the unset enum value', '{"vector":[1],"consistency":"unspecified"}', ['INVALID_ARGUMENT consistency']],
    [
      'half of a surrogate pair',
      '{"vector":[1],"sessionToken":"\\ud800"}',
      ['INVALID_ARGUMENT sessionToken'],
    ],
    ['a list that is no list', '{"vector":[1],"select":"rank"}', ['INVALID_ARGUMENT select']],
    ['null in a list', '{"vector":[1],"select":[null]}', ['INVALID_ARGUMENT select[0]']],
    ['an array as object', '{"vector":[1],"params":[]}', ['INVALID_ARGUMENT params']],
    ['an unknown operator', '{"vector":[1],"filter":{"a":{"$foo":1}}}', ['UNKNOWN_OPERATOR filter.a.$foo']],
    ['an operator without attribute', '{"vector":[1],"filter":{"$gt":1}}', ['UNKNOWN_OPERATOR filter.$gt']],
    [
      'an unknown operator of $id',
      '{"vector":[1],"filter":{"$id":{"$gt":"a"}}}',
      ['UNKNOWN_OPERATOR filter.$id.$gt'],
    ],
    ['a text search', '{"vector":[1],"filter":{"a":{"$match":"x"}}}', ['UNKNOWN_OPERATOR filter.a.$match']],
    ['an attribute without operator', '{"vector":[1],"filter":{"a":{}}}', ['INVALID_FILTER filter.a']],
    ['equality with an array', '{"vector":[1],"filter":{"a":[1]}}', ['INVALID_FILTER filter.a']],
    ['an order with null', '{"vector":[1],"filter":{"a":{"$gt":null}}}', ['INVALID_FILTER filter.a.$gt']],
    ['$in without array', '{"vector":[1],"filter":{"a":{"$in":1}}}', ['INVALID_FILTER filter.a.$in']],
    ['null in $in', '{"vector":[1],"filter":{"a":{"$in":[1,null]}}}', ['INVALID_FILTER filter.a.$in[1]']],
    [
      '$exists without truth value',
      '{"vector":[1],"filter":{"a":{"$exists":1}}}',
      ['INVALID_FILTER filter.a.$exists'],
    ],
    ['$and without array', '{"vector":[1],"filter":{"$and":{}}}', ['INVALID_FILTER filter.$and']],
    ['a filter that is text', '{"vector":[1],"filter":"a=1"}', ['INVALID_ARGUMENT filter']],
    ['an attribute without a name', '{"vector":[1],"filter":{"":1}}', ['INVALID_FILTER filter']],
    [
      'an attribute with a long name',
      `{"vector":[1],"filter":{"${'é'.repeat(65)}":1}}`,
      [`INVALID_FILTER filter["${'é'.repeat(65)}"]`],
    ],
    [
      'more than 10 000 values',
      `{"vector":[1],"filter":{"a":{"$in":[${'1,'.repeat(10_000)}1]}}}`,
      ['INVALID_FILTER filter.a.$in'],
    ],
    [
      'more than 10 000 ids',
      `{"vector":[1],"filter":{"$id":{"$in":[${'"a",'.repeat(10_000)}"a"]}}}`,
      ['INVALID_FILTER filter.$id.$in'],
    ],
    [
      'a whole number beyond 2^53 in a filter',
      '{"vector":[1],"filter":{"a":9007199254740993}}',
      ['INTEGER_PRECISION_LOSS filter.a'],
    ],
    [
      'a filter 17 levels deep',
      `{"vector":[1],"filter":${nested(16)}}`,
      ['INVALID_FILTER filter' + '.$not'.repeat(16)],
    ],
  ];
  for (const [name, body, expected] of cases) {
    it(name, () => {
      expect(problems(body)).to.deep.equal(expected);
    });
  }

  const attributes: [string, string, string[]][] = [
    ['an object as attribute', '{"a":{"b":1}}', ['INVALID_ATTRIBUTE records[0].attributes.a']],
    ['an array of two kinds', '{"a":["x",1]}', ['INVALID_ATTRIBUTE records[0].attributes.a[1]']],
    ['null in an array', '{"a":["x",null]}', ['INVALID_ATTRIBUTE records[0].attributes.a[1]']],
    ['an array of arrays', '{"a":[[1]]}', ['INVALID_ATTRIBUTE records[0].attributes.a[0]']],
    ['a number beyond 2^53', '{"a":9007199254740993}', ['INTEGER_PRECISION_LOSS records[0].attributes.a']],
    [
      'a number beyond 2^53 in an array',
      '{"a":[1,-9007199254740993]}',
      ['INTEGER_PRECISION_LOSS records[0].attributes.a[1]'],
    ],
    ['infinity', '{"a":1e999}', ['INVALID_ATTRIBUTE records[0].attributes.a']],
    ['a strange name in the path', '{"a b\\n":{}}', ['INVALID_ATTRIBUTE records[0].attributes["a b\\n"]']],
    ['half of a surrogate pair', '{"a":"\\udc00"}', ['INVALID_ATTRIBUTE records[0].attributes.a']],
  ];
  for (const [name, json, expected] of attributes) {
    it(`attributes: ${name}`, () => {
      expect(attributeProblems(json)).to.deep.equal(expected);
    });
  }

  it('with all its problems at once, in order', () => {
    const body = '{"vector":[1,null],"topK":"x","filter":{"a":{"$foo":1},"b":{"$in":2}},"select":[1]}';
    expect(problems(body)).to.deep.equal([
      'INVALID_VECTOR vector[1]',
      'INVALID_ARGUMENT topK',
      'UNKNOWN_OPERATOR filter.a.$foo',
      'INVALID_FILTER filter.b.$in',
      'INVALID_ARGUMENT select[0]',
    ]);
  });

  it('with no more than twenty problems', () => {
    const records = Array.from({ length: 5000 }, () => ({ id: 1, vector: 'x', attributes: 7 }));
    const found = violations(() => requestFromJson(upsertRecords, PATH, {}, { records }));
    expect(found).to.have.length(VIOLATIONS_MAX);
  });

  it('with a short message, however long the input', () => {
    const long = 'x'.repeat(1_000_000);
    for (const body of [
      { [long]: 1 },
      { vector: [1], consistency: long },
      { vector: [1], filter: { [`$${long}`]: 1 } },
    ]) {
      const found = violations(() => requestFromJson(query, PATH, {}, body));
      expect(JSON.stringify(found).length).to.be.lessThan(2000);
    }
  });
});

describe('a hostile request', () => {
  it('with a huge filter stops at the limit', () => {
    const conditions = Array.from({ length: 200_000 }, (_, i) => ({ [`a${i}`]: i }));
    const found = violations(() => requestFromJson(countRecords, PATH, {}, { filter: { $or: conditions } }));
    expect(found.map(({ reason }) => reason)).to.deep.equal(['INVALID_FILTER']);
  });

  it('with attributes named like parts of an object keeps them as data', () => {
    const text =
      '{"records":[{"id":"a","vector":[1],"attributes":{"__proto__":"p","constructor":"c","toString":"t"}}]}';
    const request = requestFromJson(upsertRecords, PATH, {}, JSON.parse(text));
    const kept = request.records[0]?.attributes;
    expect([...(kept?.keys() ?? [])]).to.deep.equal(['__proto__', 'constructor', 'toString']);
    const printed = JSON.stringify(upsertRecords.request.toJson(request));
    expect(printed).to.include('"attributes":{"__proto__":"p","constructor":"c","toString":"t"}');
    expect(({} as Record<string, unknown>)['p']).to.equal(undefined);
  });

  it('never gets anything but a message or InvalidRequest', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withTypedArray: true,
    });
    const shaped = fc.record(
      {
        vector: anything,
        topK: anything,
        filter: anything,
        select: anything,
        params: anything,
        consistency: anything,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(anything, shaped), (body) => {
        for (const method of [query, upsertRecords, deleteRecords] as (typeof query)[]) {
          violations(() => {
            method.validate(requestFromJson(method, PATH, {}, body));
          });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('in protobuf of random bytes never gets anything but a message or InvalidRequest', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const found = violations(() => {
          query.validate(requestFromProtobuf(query, PATH, {}, bytes));
        });
        for (const { reason } of found) expect(reason).to.be.a('string');
      }),
      { numRuns: 3000 },
    );
  });

  it('in protobuf that is cut anywhere is refused', () => {
    const whole = query.request.encode(
      query.request.fromJson({
        collection: 'words',
        vector: [1, 2, 3],
        filter: { a: { $in: [1, 'x'] } },
        select: ['a'],
      }),
    );
    const accepted: number[] = [];
    for (let length = 0; length < whole.length; length++) {
      const found = violations(() => query.request.decode(whole.subarray(0, length)));
      if (found.length === 0) accepted.push(length);
      else expect(found[0]?.reason).to.equal('MALFORMED_BODY');
    }
    // A message may end after any whole field: only there is a cut not seen.
    const boundaries = [0, 7, 7 + 16, whole.length - 3];
    expect(accepted).to.deep.equal(boundaries);
  });

  it('in protobuf with a zero byte in the middle is refused', () => {
    const found = violations(() => query.request.decode(Uint8Array.of(10, 1, 97, 0, 10, 1, 98)));
    expect(found[0]?.reason).to.equal('MALFORMED_BODY');
  });
});

describe('the cost of strictness', () => {
  it('is below that of parsing the text', () => {
    const vector = Array.from({ length: 100 }, (_, i) => Math.fround(Math.sin(i)));
    const records = Array.from({ length: 1000 }, (_, i) => ({
      id: `word${i}`,
      vector,
      attributes: { rank: i },
    }));
    const text = JSON.stringify({ collection: 'words', records });
    const parsed: unknown = JSON.parse(text);
    const parsing = fastest(() => JSON.parse(text));
    const reading = fastest(() => {
      upsertRecords.validate(upsertRecords.request.fromJson(parsed));
    });
    expect(reading / parsing).to.be.lessThan(1);
  });
});

/** The least of several times: what the work itself takes. */
function fastest(work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 15; i++) {
    const started = performance.now();
    work();
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

describe('parts of an HTTP request', () => {
  it('join: path, query string and body', () => {
    const request = requestFromJson(
      getRecord,
      { collection: 'words', id: 'a/../b' },
      { select: ['x', 'y'], includeVectors: 'true', consistency: 'strong' },
      undefined,
    );
    expect(request).to.deep.include({
      collection: 'words',
      id: 'a/../b',
      select: ['x', 'y'],
      includeVectors: true,
    });
    expect(
      requestFromJson(getRecord, { collection: 'c', id: 'a' }, { select: 'x' }, undefined).select,
    ).to.deep.equal(['x']);
  });

  const refused: [string, () => unknown, string][] = [
    [
      'a query parameter that does not exist',
      () => requestFromJson(getRecord, PATH, { nope: '1' }, undefined),
      'UNKNOWN_FIELD nope',
    ],
    [
      'a path field as query parameter',
      () => requestFromJson(getRecord, PATH, { id: 'x' }, undefined),
      'UNKNOWN_FIELD id',
    ],
    [
      'a parameter given twice',
      () => requestFromJson(getRecord, PATH, { consistency: ['a', 'b'] }, undefined),
      'INVALID_ARGUMENT consistency',
    ],
    [
      'a parameter that is no truth value',
      () => requestFromJson(getRecord, PATH, { includeVectors: '1' }, undefined),
      'INVALID_ARGUMENT includeVectors',
    ],
    [
      'a parameter named __proto__',
      () =>
        requestFromJson(
          getRecord,
          PATH,
          JSON.parse('{"__proto__":"x"}') as object as Record<string, unknown>,
          undefined,
        ),
      'UNKNOWN_FIELD __proto__',
    ],
    [
      'a query string beside a body',
      () => requestFromJson(query, PATH, { topK: '5' }, { vector: [1] }),
      'UNKNOWN_FIELD topK',
    ],
    [
      'a body that contradicts the path',
      () => requestFromJson(query, PATH, {}, { collection: 'other', vector: [1] }),
      'INVALID_ARGUMENT collection',
    ],
    ['no body', () => requestFromJson(query, PATH, {}, undefined), 'MALFORMED_BODY '],
    ['a body that is an array', () => requestFromJson(query, PATH, {}, []), 'MALFORMED_BODY '],
  ];
  for (const [name, action, expected] of refused) {
    it(`refuse ${name}`, () => {
      expect(violations(action).map(({ reason, field }) => `${reason} ${field}`)).to.deep.equal([expected]);
    });
  }

  it('may repeat the path in the body', () => {
    const request = requestFromJson(query, PATH, {}, { collection: 'words', vector: [1] });
    expect(request.collection).to.equal('words');
  });
});
