/*
 * Builds `UpsertRecordsRequest` with a columnar block, record by record.
 *
 * The generated encoder wants all records as objects first and measures nothing until it is done. Loading
 * needs the opposite: the exact size after each record, no object per record, and later any part of the block
 * again without encoding anything twice (when a batch must be split, or one bad record left out). So ids and
 * attributes are written as wire bytes at once, with the offset of each record kept.
 *
 * Must hold: `encode` gives the bytes that the generated decoder reads as the same request. The field numbers
 * below are those of `UpsertRecordsRequest`, `RecordBlock`, `Attributes` and `Value`.
 */
import { invalidArgument } from '../errors.js';
import { ByteSink, varint32Length, writeVarint32 } from '../wire/byte-sink.js';
import { doubleOf, kindOf, kindOfList } from './attributes.js';
import type { AttributeScalar, ValueKind } from './attributes.js';
import { copyVector, dimensionsOf } from './vector.js';
import type { VectorInput } from './vector.js';

/** Records from `from` (included) to `to` (excluded), counted as they were added. */
export interface RecordRange {
  readonly from: number;
  readonly to: number;
}

/** A record as callers give it. */
export interface RecordParts {
  readonly id: string;
  readonly vector: VectorInput;
  readonly attributes?: unknown;
}

const ID_BYTES_MAX = 512;
const MESSAGE_OVERHEAD_BYTES = 64;
const INITIAL_ROWS = 64;

const TAG_COLLECTION = 0x0a;
const TAG_BLOCK = 0x1a;
const TAG_REQUEST_ID = 0x22;
const TAG_BLOCK_IDS = 0x0a;
const TAG_BLOCK_DIMENSIONS = 0x10;
const TAG_BLOCK_VECTORS = 0x1a;
const TAG_BLOCK_ATTRIBUTES = 0x22;
const TAG_ENTRY = 0x0a;
const TAG_ENTRY_KEY = 0x0a;
const TAG_ENTRY_VALUE = 0x12;

const TAG_LIST_ELEMENTS = 0x0a;
const TAG_NULL_VALUE = 0x4a;

/** Tags of `Value` for a scalar and for a list of a kind. */
const VALUE_TAGS: Readonly<Record<ValueKind, { scalar: number; list: number }>> = {
  string: { scalar: 0x0a, list: 0x2a },
  int: { scalar: 0x10, list: 0x32 },
  double: { scalar: 0x19, list: 0x3a },
  bool: { scalar: 0x20, list: 0x42 },
};

/** Records in columns, ready to be sent. */
export class RecordBlockBuilder {
  /** Elements of every vector in the block. */
  readonly dimensions: number;
  readonly #ids = new ByteSink();
  readonly #attributes = new ByteSink();
  readonly #idEnds: number[] = [];
  readonly #attributeEnds: number[] = [];
  #vectors: Float32Array;
  #hasAttributes = false;

  /** `rows` is how many records are expected; more may be added. */
  constructor(dimensions: number, rows = INITIAL_ROWS) {
    this.dimensions = dimensions;
    this.#vectors = new Float32Array(Math.max(1, rows) * dimensions);
  }

  /** Records in the block. */
  get count(): number {
    return this.#idEnds.length;
  }

  /** Upper bound of the bytes that `encode` of everything gives. */
  get byteLength(): number {
    return (
      this.#ids.length + this.#attributes.length + this.count * this.dimensions * 4 + MESSAGE_OVERHEAD_BYTES
    );
  }

  /**
   * Adds a record. Throws `InvalidArgumentError` and leaves the block as it was when the record cannot be one
   * of this block; `field` names its place in the request.
   */
  add(record: RecordParts, field: string): void {
    if (typeof record !== 'object' || record === null) {
      throw invalidArgument('INVALID_ARGUMENT', field, `must be a record, is ${String(record)}`);
    }
    const idStart = this.#ids.length;
    const attributesStart = this.#attributes.length;
    try {
      this.#addId(record.id, `${field}.id`);
      this.#addAttributes(record.attributes, `${field}.attributes`);
      this.#addVector(record.vector, `${field}.vector`);
    } catch (error) {
      this.#ids.truncate(idStart);
      this.#attributes.truncate(attributesStart);
      throw error;
    }
    this.#idEnds.push(this.#ids.length);
    this.#attributeEnds.push(this.#attributes.length);
  }

  /** Takes the last record out again. */
  removeLast(): void {
    this.#idEnds.pop();
    this.#attributeEnds.pop();
    this.#ids.truncate(this.#idEnds.at(-1) ?? 0);
    this.#attributes.truncate(this.#attributeEnds.at(-1) ?? 0);
  }

  /** The request, as protobuf, with the records of `ranges` in their order; all by default. */
  encode(
    collection: string,
    requestId: string,
    ranges: readonly RecordRange[] = this.#everything(),
  ): Uint8Array {
    const ids = ranges.map((range) => viewOf(this.#ids, this.#idEnds, range));
    const attributes = this.#hasAttributes
      ? ranges.map((range) => viewOf(this.#attributes, this.#attributeEnds, range))
      : [];
    const vectors = ranges.map(({ from, to }) => this.#vectorBytes(from, to));
    const vectorBytes = totalLength(vectors);
    const blockBytes =
      totalLength(ids) +
      (1 + varint32Length(this.dimensions)) +
      (1 + varint32Length(vectorBytes) + vectorBytes) +
      totalLength(attributes);
    const head = [textField(TAG_COLLECTION, collection), lengthField(TAG_BLOCK, blockBytes), ...ids];
    head.push(
      varintField(TAG_BLOCK_DIMENSIONS, this.dimensions),
      lengthField(TAG_BLOCK_VECTORS, vectorBytes),
    );
    return Buffer.concat([...head, ...vectors, ...attributes, textField(TAG_REQUEST_ID, requestId)]);
  }

  #everything(): RecordRange[] {
    return [{ from: 0, to: this.count }];
  }

  #addId(id: unknown, field: string): void {
    if (typeof id !== 'string') throw invalidArgument('INVALID_ID', field, `must be text, is ${typeof id}`);
    if (id === '') throw invalidArgument('INVALID_ID', field, 'must not be empty');
    this.#ids.byte(TAG_BLOCK_IDS);
    const before = this.#ids.length;
    if (!this.#ids.text(id)) throw invalidArgument('INVALID_ID', field, 'has half a surrogate pair');
    // The length before the text takes one byte or two.
    const bytes = this.#ids.length - before - (this.#ids.length - before > 0x80 ? 2 : 1);
    if (bytes > ID_BYTES_MAX) {
      throw invalidArgument('INVALID_ID', field, `has ${bytes} bytes, at most ${ID_BYTES_MAX} are allowed`);
    }
  }

  #addAttributes(attributes: unknown, field: string): void {
    const sink = this.#attributes;
    sink.byte(TAG_BLOCK_ATTRIBUTES);
    const message = sink.begin();
    if (typeof attributes === 'object' && attributes !== null) {
      for (const name of Object.keys(attributes)) {
        const value = (attributes as Readonly<Record<string, unknown>>)[name];
        if (value === undefined) continue;
        sink.byte(TAG_ENTRY);
        const entry = sink.begin();
        sink.byte(TAG_ENTRY_KEY);
        if (!sink.text(name))
          throw invalidArgument('INVALID_ATTRIBUTE', field, 'a name has half a surrogate pair');
        sink.byte(TAG_ENTRY_VALUE);
        writeValue(sink, value, field, name);
        sink.end(entry);
        this.#hasAttributes = true;
      }
    } else if (attributes !== undefined && attributes !== null) {
      throw invalidArgument('INVALID_ATTRIBUTE', field, `must be an object, is ${typeof attributes}`);
    }
    sink.end(message);
  }

  #addVector(vector: VectorInput, field: string): void {
    const { dimensions } = this;
    const given = dimensionsOf(vector, field);
    if (given !== dimensions) {
      throw invalidArgument(
        'DIMENSION_MISMATCH',
        field,
        `has ${given} dimensions, ${dimensions} are expected`,
      );
    }
    const offset = this.count * dimensions;
    if (offset + dimensions > this.#vectors.length) {
      const grown = new Float32Array(Math.max(offset + dimensions, this.#vectors.length * 2));
      grown.set(this.#vectors.subarray(0, offset));
      this.#vectors = grown;
    }
    copyVector(vector, this.#vectors, offset, field);
  }

  #vectorBytes(from: number, to: number): Uint8Array {
    const rowBytes = this.dimensions * 4;
    return new Uint8Array(this.#vectors.buffer, from * rowBytes, (to - from) * rowBytes);
  }
}

function writeValue(sink: ByteSink, value: unknown, field: string, name: string): void {
  const content = sink.begin();
  if (typeof value === 'string') {
    sink.byte(VALUE_TAGS.string.scalar);
    writeText(sink, value, field, name);
  } else if (Array.isArray(value)) {
    writeList(sink, value, `${field}.${name}`);
  } else if (value === null) {
    sink.byte(TAG_NULL_VALUE);
    sink.byte(0);
  } else {
    writeScalar(sink, value, `${field}.${name}`);
  }
  sink.end(content);
}

function writeScalar(sink: ByteSink, value: unknown, field: string): void {
  const kind = kindOf(value, field);
  sink.byte(VALUE_TAGS[kind].scalar);
  if (kind === 'int') sink.varint64(value as number | bigint);
  else if (kind === 'double') sink.double(value as number);
  else sink.byte(value === true ? 1 : 0);
}

function writeList(sink: ByteSink, list: readonly unknown[], field: string): void {
  const kind = kindOfList(list, field);
  sink.byte(VALUE_TAGS[kind].list);
  const message = sink.begin();
  if (kind === 'string') {
    for (const element of list) {
      sink.byte(TAG_LIST_ELEMENTS);
      writeText(sink, element as string, field, '');
    }
  } else if (list.length > 0) {
    sink.byte(TAG_LIST_ELEMENTS);
    const packed = sink.begin();
    for (const element of list as readonly AttributeScalar[]) {
      if (kind === 'int') sink.varint64(element as number | bigint);
      else if (kind === 'double') sink.double(doubleOf(element, field));
      else sink.byte(element === true ? 1 : 0);
    }
    sink.end(packed);
  }
  sink.end(message);
}

function writeText(sink: ByteSink, text: string, field: string, name: string): void {
  if (sink.text(text)) return;
  throw invalidArgument(
    'INVALID_ATTRIBUTE',
    name === '' ? field : `${field}.${name}`,
    'has half a surrogate pair',
  );
}

function viewOf(sink: ByteSink, ends: readonly number[], { from, to }: RecordRange): Uint8Array {
  return sink.view(from === 0 ? 0 : (ends[from - 1] ?? 0), to === 0 ? 0 : (ends[to - 1] ?? 0));
}

function totalLength(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}

function varintField(tag: number, value: number): Uint8Array {
  const bytes = new Uint8Array(1 + varint32Length(value));
  bytes[0] = tag;
  writeVarint32(bytes, 1, value);
  return bytes;
}

/** Tag and length of a field whose content follows. */
function lengthField(tag: number, contentLength: number): Uint8Array {
  return varintField(tag, contentLength);
}

function textField(tag: number, text: string): Uint8Array {
  const content = Buffer.from(text);
  return Buffer.concat([lengthField(tag, content.byteLength), content]);
}
