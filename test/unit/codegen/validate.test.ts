import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { create, createFileRegistry, fromBinary, ScalarType, toBinary } from '@bufbuild/protobuf';
import type { DescField, DescMessage, Message } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { createValidator, type Violation } from '@bufbuild/protovalidate';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Filter } from '#server/gen/messages.js';
import { METHODS } from '#server/gen/methods.js';
import { formatPath, InvalidRequest, VIOLATIONS_MAX, type Step } from '#server/gen/runtime/place.js';

const IMAGE = fileURLToPath(new URL('../../../../proto/image.binpb', import.meta.url));
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(IMAGE)));
const reference = createValidator({ registry });

/** Messages whose JSON form has no fields, so that paths do not name them. */
const TRANSPARENT = new Set(
  [
    'Vector',
    'FloatList',
    'Value',
    'StringList',
    'Int64List',
    'DoubleList',
    'BoolList',
    'Attributes',
    'Scalar',
  ].map((name) => `omendb.v1.${name}`),
);

const TEXTS = [
  ...['', 'a', 'words', 'a.b_c-d', '$x', '.x', 'a b', 'é', '𝒳'],
  ...['c'.repeat(128), 'c'.repeat(129), 'é'.repeat(64), 'é'.repeat(65), '𝒳'.repeat(128)],
  ...['i'.repeat(512), 'i'.repeat(513), '语'.repeat(171), 't'.repeat(4096), 't'.repeat(4097)],
];
const COUNTS = [0, 1, 10, 4096, 4097, 10_000, 10_001, 65_536, 65_537, 100_000, 100_001];
const DOUBLES = [0, 0.49, 0.5, 0.95, 1, 1.01, -1, 1e300, Number.NaN, Number.POSITIVE_INFINITY];

describe('generated validators', function () {
  this.timeout(60_000);

  for (const method of Object.values(METHODS)) {
    it(`agree with protovalidate on ${method.request.typeName}`, () => {
      const desc = registry.getMessage(method.request.typeName);
      if (desc === undefined) throw new Error('not in the image');
      fc.assert(
        fc.property(arbitraryMessage(desc, 4), (message) => {
          const bytes = toBinary(desc, message);
          const expected = referencePaths(desc, message);
          const seen = ourPaths(method as (typeof METHODS)['query'], bytes);
          if (seen.length >= VIOLATIONS_MAX) return;
          expect(new Set(seen)).to.deep.equal(new Set(expected));
        }),
        { numRuns: 300 },
      );
    });
  }

  it('say what was seen and what is allowed, with the reason of the field', () => {
    const request = METHODS.upsertRecords.request.fromJson({
      collection: 'words',
      records: [
        { id: '', vector: [1], attributes: { $bad: 1 } },
        { id: 'é'.repeat(300), vector: [1] },
      ],
    });
    expect(violations(() => METHODS.upsertRecords.validate(request))).to.deep.equal([
      { field: 'records[0].id', description: 'is empty, at least 1 character needed', reason: 'INVALID_ID' },
      {
        field: 'records[0].attributes.$bad',
        description: 'is "$bad", which does not match ^[^$]',
        reason: 'INVALID_ATTRIBUTE',
      },
      {
        field: 'records[1].id',
        description: 'has 600 bytes of UTF-8, at most 512 are allowed',
        reason: 'INVALID_ID',
      },
    ]);
  });

  it('refuse empty batches and large ones by different names', () => {
    const get = METHODS.batchGetRecords;
    const reason = (ids: string[]): string | undefined =>
      violations(() => get.validate(get.request.fromJson({ collection: 'c', ids })))[0]?.reason;
    expect([reason([]), reason(Array(1001).fill('a')), reason([''])]).to.deep.equal([
      'EMPTY_BATCH',
      'BATCH_TOO_LARGE',
      'INVALID_ID',
    ]);
  });

  it('bound the depth and size of a filter that comes as protobuf', () => {
    const exists = { expr: { $case: 'exists' as const, value: { field: 'a' } } };
    let deep: Filter = exists;
    for (let i = 0; i < 16; i++) deep = { expr: { $case: 'not', value: deep } };
    const wide = { expr: { $case: 'or' as const, value: { filters: Array(1024).fill(exists) } } };
    for (const filter of [deep, wide]) {
      const request = METHODS.countRecords.request.fromJson({ collection: 'c' });
      request.filter = filter;
      const found = violations(() => METHODS.countRecords.validate(request));
      expect(found.map(({ reason, field }) => [reason, field])).to.deep.equal([['INVALID_FILTER', 'filter']]);
    }
  });
});

function violations(check: () => void): InvalidRequest['violations'] {
  try {
    check();
    return [];
  } catch (error) {
    if (error instanceof InvalidRequest) return error.violations;
    throw error;
  }
}

function ourPaths(method: (typeof METHODS)['query'], bytes: Uint8Array): string[] {
  return violations(() => method.validate(method.request.decode(bytes))).map(({ field }) => field);
}

/**
 * Paths that protovalidate refuses. Every message inside is validated on its own too: the planner of
 * protovalidate 1.3 prunes a rule of a message that contains itself through a list.
 */
function referencePaths(desc: DescMessage, message: Message, prefix: readonly Step[] = []): string[] {
  const result = reference.validate(desc, message);
  if (result.kind === 'error') throw result.error;
  const paths =
    result.kind === 'valid' ? [] : result.violations.map((violation) => jsonPath(prefix, violation));
  for (const field of desc.fields.filter((candidate) => candidate.message !== undefined)) {
    if (field.message === undefined) continue;
    const here = TRANSPARENT.has(desc.typeName) ? prefix : [...prefix, field.jsonName];
    for (const [step, inner] of messagesOf(field, message)) {
      paths.push(...referencePaths(field.message, inner, step === undefined ? here : [...here, step]));
    }
  }
  return paths;
}

function messagesOf(field: DescField, message: Message): [Step | undefined, Message][] {
  const holder = message as unknown as Readonly<Record<string, unknown>>;
  const oneof =
    field.oneof === undefined
      ? undefined
      : (holder[field.oneof.localName] as { case?: string; value?: Message });
  if (oneof !== undefined)
    return oneof.case === field.localName && oneof.value ? [[undefined, oneof.value]] : [];
  const value = holder[field.localName];
  if (value === undefined) return [];
  if (field.fieldKind === 'list') return (value as Message[]).map((item, i) => [i, item]);
  if (field.fieldKind === 'map') return Object.entries(value as Record<string, Message>);
  return [[undefined, value as Message]];
}

function jsonPath(prefix: readonly Step[], violation: Violation): string {
  const steps: Step[] = [...prefix];
  for (const part of violation.field) {
    if (part.kind === 'field') {
      if (!TRANSPARENT.has(part.parent.typeName)) steps.push(part.jsonName);
    } else if (part.kind === 'list_sub') steps.push(part.index);
    else if (part.kind === 'map_sub') steps.push(String(part.key));
  }
  return formatPath(steps);
}

/** Messages of any shape, with values at and beside the limits. */
function arbitraryMessage(desc: DescMessage, depth: number): fc.Arbitrary<Message> {
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  const always: string[] = [];
  for (const field of desc.fields.filter(({ oneof }) => oneof === undefined)) {
    if (depth === 0 && (field.fieldKind === 'message' || field.message !== undefined)) continue;
    fields[field.localName] = arbitraryField(field, depth);
    if (field.fieldKind !== 'message' && field.proto.proto3Optional !== true) always.push(field.localName);
  }
  for (const oneof of desc.oneofs) {
    const members = oneof.fields.filter((field) => depth > 0 || field.message === undefined);
    const cases = members.map((field) =>
      fc.record({ case: fc.constant(field.localName), value: arbitraryField(field, depth) }),
    );
    fields[oneof.localName] = fc.oneof(
      { weight: 1, arbitrary: fc.constant({ case: undefined }) },
      ...cases.map((arbitrary) => ({ weight: 3, arbitrary })),
    );
  }
  const record = fc.record(fields, { requiredKeys: always.filter((name) => name in fields) });
  return record.map((init) => create(desc, init as Parameters<typeof create>[1]) as Message);
}

function arbitraryField(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.fieldKind === 'list') {
    const item = field.message ? arbitraryMessage(field.message, depth - 1) : arbitraryScalar(field.scalar);
    return fc.array(item, { maxLength: 3 });
  }
  if (field.fieldKind === 'map') {
    const value = field.message ? arbitraryMessage(field.message, depth - 1) : arbitraryScalar(field.scalar);
    return fc.dictionary(fc.constantFrom(...TEXTS), value, { maxKeys: 3, noNullPrototype: true });
  }
  if (field.fieldKind === 'message') return arbitraryMessage(field.message, depth - 1);
  if (field.fieldKind === 'enum')
    return fc.constantFrom(...field.enum.values.map(({ number }) => number), 99);
  return arbitraryScalar(field.scalar);
}

function arbitraryScalar(scalar: ScalarType | undefined): fc.Arbitrary<unknown> {
  switch (scalar) {
    case ScalarType.STRING:
      return fc.constantFrom(...TEXTS);
    case ScalarType.BYTES:
      return fc.constantFrom(0, 3, 4, 400, 16_384, 16_385).map((length) => new Uint8Array(length));
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.UINT32:
      return fc.constantFrom(...COUNTS);
    case ScalarType.INT32:
      return fc.integer();
    case ScalarType.INT64:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case ScalarType.FLOAT:
      return fc.constantFrom(0, 1.5, -1, Number.NaN, Number.POSITIVE_INFINITY);
    default:
      return fc.constantFrom(...DOUBLES);
  }
}
