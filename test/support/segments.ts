// Segments and their parts made of a few records, for tests.
import type { Filter } from '#server/core/filter/ast.js';
import { bitmapWords, forEachRow } from '#server/core/filter/bitmap.js';
import { encodeAttributes } from '#server/core/record/attribute-codec.js';
import type { Attributes } from '#server/core/record/record.js';
import { encodeText } from '#server/core/record/text.js';
import { AttributeIndexView } from '#server/core/segment/attribute-index.js';
import { buildAttributeIndex } from '#server/core/segment/attribute-builder.js';
import type { SegmentHeader } from '#server/core/segment/header.js';
import type { IdHash } from '#server/core/segment/id-index.js';
import { buildIdIndex, IdIndexView } from '#server/core/segment/id-index.js';
import { planSegment } from '#server/core/segment/layout.js';
import { buildRowHeap, RowHeapView } from '#server/core/segment/row-heap.js';
import { SegmentWriter } from '#server/core/segment/segment-writer.js';
import { sequencesBytes, writeSequence } from '#server/core/segment/sequences.js';

export interface TestRecord {
  readonly id: string;
  readonly attributes: Attributes;
}

/** The bytes at an address that is a multiple of 64 in shared memory, as segments lie in the arena. */
export function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length + 64), 64);
  copy.set(bytes);
  return copy;
}

export function idHeap(ids: readonly string[]): RowHeapView {
  return new RowHeapView(shared(buildRowHeap(ids.map(encodeText))), ids.length);
}

export function idIndex(ids: readonly string[], hash?: IdHash): IdIndexView {
  const heap = idHeap(ids);
  return new IdIndexView(shared(buildIdIndex(heap, hash)), heap, hash);
}

export function attributeHeap(attributes: readonly Attributes[]): RowHeapView {
  return new RowHeapView(shared(buildRowHeap(attributes.map(encodeAttributes))), attributes.length);
}

/** What answers filters on these records. */
export class TestIndex {
  readonly index: AttributeIndexView;
  readonly ids: IdIndexView;
  readonly out: Uint32Array;

  constructor(readonly records: readonly TestRecord[]) {
    const heap = attributeHeap(records.map((record) => record.attributes));
    this.index = new AttributeIndexView(shared(buildAttributeIndex(heap)), records.length, heap);
    this.ids = idIndex(records.map((record) => record.id));
    this.out = new Uint32Array(new SharedArrayBuffer(bitmapWords(records.length) * 4));
  }

  /** The matching rows in ascending order; checks the count that is returned with them. */
  rows(filter: Filter): number[] {
    this.out.fill(0xdeadbeef);
    const count = this.index.evaluate(filter, this.ids, this.out);
    const rows: number[] = [];
    forEachRow(this.out, this.out.length, (row) => rows.push(row));
    if (count !== rows.length)
      throw new Error(`evaluate counted ${count} rows, the bitmap has ${rows.length}`);
    return rows;
  }
}

export const TEST_HEADER: Omit<SegmentHeader, 'rows'> = {
  collectionId: 'c0ffee',
  jobId: 'job-1',
  dimensions: 3,
  metric: 'cosine',
  clusters: 0,
  minSequence: 7,
  maxSequence: 2 ** 40,
};

/** A whole segment; row r has the vector (r, r + 1, r + 2) and the sequence number 7 + r. */
export function buildTestSegment(records: readonly TestRecord[]): Uint8Array {
  const rows = records.length;
  const ids = buildRowHeap(records.map((record) => encodeText(record.id)));
  const attributes = buildRowHeap(records.map((record) => encodeAttributes(record.attributes)));
  const parts = {
    ids,
    idIndex: buildIdIndex(new RowHeapView(ids, rows)),
    attributes,
    attributeIndex: buildAttributeIndex(new RowHeapView(attributes, rows)),
  };
  const plan = planSegment([
    { kind: 'ids', length: parts.ids.length },
    { kind: 'raw', length: rows * 16 },
    { kind: 'idIndex', length: parts.idIndex.length },
    { kind: 'attributes', length: parts.attributes.length },
    { kind: 'attributeIndex', length: parts.attributeIndex.length },
    { kind: 'sequences', length: sequencesBytes(rows) },
  ]);
  const writer = new SegmentWriter(shared(new Uint8Array(plan.size).fill(0xaa)), plan);
  for (const kind of ['ids', 'idIndex', 'attributes', 'attributeIndex'] as const)
    writer.put(kind, parts[kind]);
  const raw = writer.section('raw');
  const floats = new Float32Array(raw.buffer, raw.byteOffset, rows * 4);
  for (let row = 0; row < rows; row++) {
    floats.set([row, row + 1, row + 2, 0], row * 4);
    writeSequence(writer.section('sequences'), row, 7 + row);
  }
  return writer.finish({ ...TEST_HEADER, rows });
}
