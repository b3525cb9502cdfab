import { expect } from 'chai';
import fc from 'fast-check';
import { OmenError } from '#server/core/errors.js';
import { encodeAttributes } from '#server/core/record/attribute-codec.js';
import { planSegment, SECTION_NUMBERS } from '#server/core/segment/layout.js';
import { openSegment } from '#server/core/segment/segment-view.js';
import { SegmentWriter } from '#server/core/segment/segment-writer.js';
import type { TestRecord } from '../../support/segments.js';
import { buildTestSegment, shared, TEST_HEADER } from '../../support/segments.js';

const RECORDS: TestRecord[] = Array.from({ length: 300 }, (_, index) => ({
  id: `id-${index}`,
  attributes: new Map<string, string | bigint>([
    ['rank', BigInt(index)],
    ['text', `${'long '.repeat(20)}${index}`],
  ]),
}));

function damageOf(bytes: Uint8Array, collectionId?: string): OmenError | null {
  try {
    openSegment(bytes, {
      verify: true,
      source: 'segment x',
      ...(collectionId === undefined ? {} : { collectionId }),
    });
    return null;
  } catch (error) {
    if (error instanceof OmenError && error.reason === 'DATA_CORRUPTED') return error;
    throw error;
  }
}

describe('Segment', () => {
  it('gives back header and records', () => {
    const view = openSegment(buildTestSegment(RECORDS), { verify: true, collectionId: 'c0ffee' });
    expect(view.header).to.deep.equal({ ...TEST_HEADER, rows: 300 });
    expect(view.find('id-123')).to.equal(123);
    expect(view.find('id-300')).to.equal(-1);
    expect(view.idOf(123)).to.equal('id-123');
    expect(view.vectorOf(123)).to.deep.equal(Float32Array.of(123, 124, 125));
    expect(view.sequenceOf(123)).to.equal(130);
    expect(view.attributesOf(123)).to.deep.equal(encodeAttributes(RECORDS[123]?.attributes ?? new Map()));
    const out = new Uint32Array(10);
    expect(
      view.attributeIndex.evaluate(
        { kind: 'range', field: 'rank', operator: 'lt', value: 40 },
        view.idIndex,
        out,
      ),
    ).to.equal(40);
    expect([...out.subarray(0, 3)]).to.deep.equal([0xffffffff, 0xff, 0]);
  });

  it('may be empty', () => {
    const view = openSegment(buildTestSegment([]), { verify: true });
    expect(view.rows).to.equal(0);
    expect(view.find('')).to.equal(-1);
    expect(
      view.attributeIndex.evaluate({ kind: 'and', filters: [] }, view.idIndex, new Uint32Array(1)),
    ).to.equal(0);
  });

  it('puts sections at multiples of 64, rows at one of 4096, and nothing in between', () => {
    const plan = planSegment([
      { kind: 'ids', length: 5 },
      { kind: 'raw', length: 100_000 },
      { kind: 'factors', length: 0 },
    ]);
    expect(
      plan.sections.map(({ kind, offset, length, firstChecksum }) => [kind, offset, length, firstChecksum]),
    ).to.deep.equal([
      ['ids', 256, 5, 0],
      ['raw', 4096, 100_000, 1],
      ['factors', 104_128, 0, 26],
      ['checksums', 104_128, 104, 0],
    ]);
    expect(plan.directory).to.equal(104_256);
    expect(plan.size).to.equal(104_256 + 4 * 32 + 64);
  });

  it('has a number for each kind of section', () => {
    expect(new Set(Object.values(SECTION_NUMBERS))).to.have.lengthOf(Object.keys(SECTION_NUMBERS).length);
  });

  it('notices a flipped bit in any byte', () => {
    const segment = buildTestSegment(RECORDS.slice(0, 40));
    for (let at = 0; at < segment.length; at++) {
      const mask = 1 << (at % 8);
      segment[at] = (segment[at] ?? 0) ^ mask;
      const error = damageOf(segment);
      expect(error, `byte ${at}`).to.be.instanceOf(OmenError);
      expect(error?.message, `byte ${at}`).to.match(/segment x.* byte \d+/);
      segment[at] = (segment[at] ?? 0) ^ mask;
    }
    expect(damageOf(segment)).to.equal(null);
  });

  it('notices a cut at any length, and bytes too many', () => {
    const segment = buildTestSegment(RECORDS.slice(0, 3));
    for (let length = 0; length < segment.length; length++) {
      expect(damageOf(shared(segment.slice(0, length))), `length ${length}`).to.be.instanceOf(OmenError);
    }
    const longer = new Uint8Array(segment.length + 64);
    longer.set(segment);
    expect(damageOf(longer)).to.be.instanceOf(OmenError);
  });

  it('notices any other damage', () => {
    const segment = buildTestSegment(RECORDS.slice(0, 40));
    const { length } = segment;
    const anyDamage = fc.record({ at: fc.nat(length - 1), to: fc.nat(length - 1), bytes: fc.nat(5000) });
    fc.assert(
      fc.property(anyDamage, ({ at, to, bytes }) => {
        const damaged = segment.slice();
        damaged.copyWithin(to, at, at + bytes);
        if (damaged.every((byte, index) => byte === segment[index])) return;
        expect(damageOf(damaged)).to.be.instanceOf(OmenError);
      }),
    );
  });

  it('names the section and the offset of the damage', () => {
    const segment = buildTestSegment(RECORDS);
    const raw = openSegment(segment, { verify: false }).offsetOf('raw');
    segment[raw + 3] = (segment[raw + 3] ?? 0) ^ 1;
    const error = damageOf(segment);
    expect(error?.message).to.equal(`segment x is damaged: section raw at byte ${raw} fails its checksum`);
    expect(error?.metadata).to.deep.equal({ section: 'section raw', offset: String(raw) });
  });

  it('is refused by another collection', () => {
    const error = damageOf(buildTestSegment(RECORDS), 'other');
    expect(error?.message).to.equal('segment x belongs to collection c0ffee, expected was other');
  });

  it('says which section is missing', () => {
    const view = openSegment(buildTestSegment(RECORDS), { verify: true });
    expect(view.section('postings')).to.equal(undefined);
    expect(() => view.required('postings')).to.throw(OmenError, 'section postings');
  });

  it('refuses sections that were not planned or have another size', () => {
    const plan = planSegment([{ kind: 'ids', length: 4 }]);
    const writer = new SegmentWriter(new Uint8Array(plan.size), plan);
    expect(() => writer.section('raw')).to.throw('not planned');
    expect(() => writer.put('ids', new Uint8Array(5))).to.throw('planned were 4');
    expect(() => new SegmentWriter(new Uint8Array(plan.size - 1), plan)).to.throw('does not fit');
    expect(() =>
      planSegment([
        { kind: 'ids', length: 4 },
        { kind: 'ids', length: 4 },
      ]),
    ).to.throw('twice');
  });
});
