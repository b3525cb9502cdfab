/*
 * A slot of the write-ahead log: one object that holds the writes of one or more requests, each whole.
 *
 * Columnar, so that ten thousand vectors are one copy when written and a view when read. The header holds a
 * checksum per section and one over itself, so together they cover every byte; its hash names the slot in the
 * next one, which chains the log: a slot that was put back after a collector had removed its name cannot pass
 * for the current one. Every write has a sequence number, `firstSequence` plus its index. Drawn byte by byte
 * in docs/formats/wal-slot.md.
 */
import { ByteReader } from '../bytes/byte-reader.js';
import { ByteWriter } from '../bytes/byte-writer.js';
import { crc32c } from '../bytes/crc32c.js';
import { hash128 } from '../bytes/hash64.js';
import { fromHex, toHex } from '../bytes/hex.js';
import { invariant, OmenError } from '../errors.js';
import type { CollectionId } from '../ids.js';

export const OP_PUT = 0;
export const OP_DELETE = 1;

/** The hash that the first slot of a log gives as its predecessor's. */
export const NO_SLOT_HASH = '0'.repeat(32);

/** Effects, in order: whole records and deletions. A later write of an id replaces an earlier one. */
export interface WalWrites {
  /** `OP_PUT` or `OP_DELETE` per write. */
  readonly ops: Uint8Array;
  /** One per write. */
  readonly ids: readonly string[];
  /** One row of `dimensions` numbers per put, contiguous, without padding. */
  readonly vectors: Float32Array;
  /** Encoded attributes per put, opaque here; may be empty. */
  readonly attributes: readonly Uint8Array[];
}

/** What the log remembers of a request that carried an id, so that a repetition gets the first answer. */
export interface SlotRequest {
  readonly requestId: string;
  /** Opaque here. */
  readonly answer: Uint8Array;
  /** Index of the request's first write in the slot. */
  readonly firstWrite: number;
  /** Number of its writes, may be 0. */
  readonly count: number;
  readonly timeMs: number;
}

/** What is known before the bytes are. */
export interface SlotContent {
  readonly collectionId: CollectionId;
  /** 1 and up. */
  readonly slot: number;
  /** 32 hex digits, unique to this attempt. */
  readonly nonce: string;
  /** `hash` of the slot before, `NO_SLOT_HASH` for the first. */
  readonly previousHash: string;
  /** Sequence number of the first write; the next slot begins `ops.length` later. */
  readonly firstSequence: number;
  /** Information only. */
  readonly createdMs: number;
  readonly dimensions: number;
  readonly writes: WalWrites;
  readonly requests: readonly SlotRequest[];
}

export interface DecodedSlot extends SlotContent {
  /** 32 hex digits that stand for every byte of the slot. */
  readonly hash: string;
  /** Size of the object. */
  readonly bytes: number;
}

export interface EncodedSlot {
  readonly body: Uint8Array;
  readonly decoded: DecodedSlot;
}

const MAGIC = 0x4c574d4f; // "OMWL"
const VERSION = 1;
const HEADER_BYTES = 160;
/** Vectors begin here: a multiple of a cache line. */
const BODY_OFFSET = 192;
const SECTIONS = ['vectors', 'ops', 'ids', 'attributes', 'requests'] as const;

type SectionName = (typeof SECTIONS)[number];
interface Section {
  readonly offset: number;
  readonly length: number;
}

/** The bytes of a slot, made in one allocation. */
export function encodeWalSlot(content: SlotContent): EncodedSlot {
  const { writes, requests } = content;
  const puts = checkWrites(content);
  const writer = new ByteWriter(capacityFor(content));
  writer.zeros(BODY_OFFSET);
  const sections = new Map<SectionName, Section>();
  const section = (name: SectionName, write: () => void): void => {
    writer.alignTo(8);
    const offset = writer.position;
    write();
    sections.set(name, { offset, length: writer.position - offset });
  };
  section('vectors', () => writer.array(writes.vectors));
  section('ops', () => writer.bytes(writes.ops));
  section('ids', () => {
    writeHeap(writer, writes.ids.length, (index) => writer.rawUtf8(writes.ids[index] ?? ''));
  });
  section('attributes', () => {
    writeHeap(writer, puts, (index) => {
      const bytes = writes.attributes[index] ?? new Uint8Array();
      writer.bytes(bytes);
      return bytes.length;
    });
  });
  section('requests', () => {
    for (const request of requests) {
      writer.utf8(request.requestId).varint(request.answer.length).bytes(request.answer);
      writer.varint(request.firstWrite).varint(request.count).u64(Math.max(0, request.timeMs));
    }
  });
  const body = writer.finish();
  const header = encodeHeader({ content, puts, size: body.length, sections, body });
  body.set(header, 0);
  return { body, decoded: { ...content, hash: slotHash(header), bytes: body.length } };
}

/**
 * Reads a slot and checks every byte of it. Vectors and attributes are views of `body` where its address
 * allows.
 *
 * @param source The object's key, for messages.
 */
export function decodeWalSlot(body: Uint8Array, source: string): DecodedSlot {
  const reader = new ByteReader(body, `log slot ${source}`);
  const head = readHeader(reader, body);
  const sections = readSections(reader, body, head.size);
  const within = (name: SectionName): ByteReader => {
    const { offset, length } = sections.get(name) ?? { offset: 0, length: 0 };
    return new ByteReader(body.subarray(offset, offset + length), `log slot ${source}, section ${name}`);
  };
  const vectors = within('vectors');
  const ops = within('ops');
  const writes: WalWrites = {
    vectors: vectors.f32Array(head.puts * head.dimensions, 'vectors'),
    ops: ops.bytes(head.count, 'operations'),
    ids: readIds(within('ids'), head.count),
    attributes: readHeap(within('attributes'), head.puts),
  };
  vectors.end();
  ops.end();
  const puts = writes.ops.reduce((sum, op) => sum + (op === OP_PUT ? 1 : 0), 0);
  if (puts !== head.puts || writes.ops.some((op) => op > OP_DELETE)) {
    throw ops.corrupted('operations', `${head.puts} puts, else deletes`, 0);
  }
  const { collectionId, slot, nonce, previousHash, firstSequence, createdMs, dimensions } = head;
  return {
    ...{ collectionId, slot, nonce, previousHash, firstSequence, createdMs, dimensions, writes },
    requests: readRequests(within('requests'), head.requests, head.count),
    hash: slotHash(body.subarray(0, HEADER_BYTES)),
    bytes: body.length,
  };
}

/** Several requests' writes, one after the other. */
export function joinWrites(parts: readonly WalWrites[]): WalWrites {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const ops = new Uint8Array(parts.reduce((sum, part) => sum + part.ops.length, 0));
  const vectors = new Float32Array(parts.reduce((sum, part) => sum + part.vectors.length, 0));
  let writes = 0;
  let floats = 0;
  for (const part of parts) {
    ops.set(part.ops, writes);
    vectors.set(part.vectors, floats);
    writes += part.ops.length;
    floats += part.vectors.length;
  }
  return {
    ...{ ops, vectors },
    ids: parts.flatMap((part) => part.ids),
    attributes: parts.flatMap((part) => part.attributes),
  };
}

/**
 * The slot as far as its writes are included: the slot itself, one with its first writes only, or null when
 * it has no place. `included` must be false from some index on; it is asked about -1 for a slot without
 * writes.
 */
export function firstWritesOf(slot: DecodedSlot, included: (index: number) => boolean): DecodedSlot | null {
  const { ops, ids, vectors, attributes } = slot.writes;
  if (ops.length === 0) return included(-1) ? slot : null;
  let count = 0;
  let puts = 0;
  for (; count < ops.length && included(count); count++) puts += ops[count] === OP_PUT ? 1 : 0;
  if (count === 0) return null;
  if (count === ops.length) return slot;
  return {
    ...slot,
    writes: {
      ...{ ops: ops.subarray(0, count), ids: ids.slice(0, count), attributes: attributes.slice(0, puts) },
      vectors: vectors.subarray(0, puts * slot.dimensions),
    },
    requests: slot.requests.filter((request) => request.firstWrite + request.count <= count),
  };
}

/** About how many bytes writes take in a slot; never less than they do. */
export function sizeOfWrites(writes: WalWrites): number {
  let bytes = writes.ops.length * 9 + writes.vectors.byteLength + 32;
  for (const id of writes.ids) bytes += id.length * 3;
  for (const attributes of writes.attributes) bytes += attributes.length;
  return bytes;
}

function capacityFor({ writes, requests }: SlotContent): number {
  let bytes = BODY_OFFSET + sizeOfWrites(writes) + 5 * 8;
  for (const request of requests) bytes += request.requestId.length * 3 + request.answer.length + 64;
  return bytes;
}

function checkWrites({ writes, dimensions }: SlotContent): number {
  const puts = writes.attributes.length;
  invariant(writes.ids.length === writes.ops.length, 'a write has no id');
  invariant(writes.vectors.length === puts * dimensions, 'vectors and attributes differ in number');
  let seen = 0;
  for (const op of writes.ops) seen += op === OP_PUT ? 1 : 0;
  invariant(seen === puts, 'puts and attributes differ in number');
  return puts;
}

/** End offsets of all entries, then their bytes. `write` returns the length of the entry it wrote. */
function writeHeap(writer: ByteWriter, count: number, write: (index: number) => number): void {
  const ends = writer.position;
  writer.zeros(count * 4);
  let end = 0;
  for (let index = 0; index < count; index++) {
    end += write(index);
    writer.patchU32(ends + index * 4, end);
  }
}

interface HeaderParts {
  readonly content: SlotContent;
  readonly puts: number;
  readonly size: number;
  readonly sections: ReadonlyMap<SectionName, Section>;
  readonly body: Uint8Array;
}

function encodeHeader({ content, puts, size, sections, body }: HeaderParts): Uint8Array {
  const writer = new ByteWriter(HEADER_BYTES);
  writer.u32(MAGIC).u16(VERSION).u16(HEADER_BYTES);
  writer.u64(content.slot).u64(content.firstSequence).u64(Math.max(0, content.createdMs));
  writer.u32(content.writes.ops.length).u32(puts).u32(content.dimensions).u32(content.requests.length);
  writer
    .bytes(fromHex(content.collectionId))
    .bytes(fromHex(content.nonce))
    .bytes(fromHex(content.previousHash));
  for (const name of SECTIONS) {
    const { offset, length } = sections.get(name) ?? { offset: 0, length: 0 };
    writer.u32(length).u32(crc32c(body.subarray(offset, offset + length)));
  }
  writer.u64(size).zeros(HEADER_BYTES - 4 - writer.position);
  writer.u32(crc32c(writer.written()));
  return writer.finish();
}

interface Header extends Omit<SlotContent, 'writes' | 'requests'> {
  readonly count: number;
  readonly puts: number;
  readonly requests: number;
  readonly size: number;
}

const SECTION_TABLE = 8 + 24 + 16 + 48;

function readHeader(reader: ByteReader, body: Uint8Array): Header {
  if (reader.u32('magic') !== MAGIC) throw reader.corrupted('magic', '"OMWL"', 0);
  const version = reader.u16('version');
  if (version !== VERSION) {
    // A newer server wrote it, or the byte is broken: either way the log cannot be read past this point.
    throw new OmenError(
      'DATA_CORRUPTED',
      `${reader.source} has format version ${version}, this server reads version ${VERSION}`,
    );
  }
  if (reader.u16('header length') !== HEADER_BYTES) throw reader.corrupted('header length', '160', 6);
  reader.seek(HEADER_BYTES - 4, 'header checksum');
  if (reader.u32('header checksum') !== crc32c(body.subarray(0, HEADER_BYTES - 4))) {
    throw reader.corrupted('header checksum', 'the checksum of the header', HEADER_BYTES - 4);
  }
  reader.seek(8, 'header');
  const [slot, firstSequence, createdMs] = [reader.u64('slot'), reader.u64('sequence'), reader.u64('time')];
  const [count, puts] = [reader.u32('writes'), reader.u32('puts')];
  const [dimensions, requests] = [reader.u32('dimensions'), reader.u32('requests')];
  const collectionId = toHex(reader.bytes(16, 'collection id')) as CollectionId;
  const nonce = toHex(reader.bytes(16, 'nonce'));
  const previousHash = toHex(reader.bytes(16, 'previous hash'));
  reader.skip(SECTIONS.length * 8, 'section table');
  const size = reader.u64('size');
  if (size !== body.length) throw reader.corrupted('size', `${size} bytes`, reader.position - 8);
  const names = { collectionId, slot, nonce, previousHash, firstSequence, createdMs, dimensions };
  return { ...names, count, puts, requests, size };
}

/** Where the sections lie; every checksum is compared, and gaps must be zero. */
function readSections(reader: ByteReader, body: Uint8Array, size: number): ReadonlyMap<SectionName, Section> {
  const sections = new Map<SectionName, Section>();
  reader.seek(SECTION_TABLE, 'section table');
  let end = HEADER_BYTES;
  let offset = BODY_OFFSET;
  for (const name of SECTIONS) {
    const length = reader.u32(`length of ${name}`);
    const checksum = reader.u32(`checksum of ${name}`);
    if (offset + length > size) throw reader.corrupted(`section ${name}`, `${length} bytes`, offset);
    if (body.subarray(end, offset).some((byte) => byte !== 0)) {
      throw reader.corrupted(`padding before ${name}`, 'zeros', end);
    }
    if (crc32c(body.subarray(offset, offset + length)) !== checksum) {
      throw reader.corrupted(`section ${name}`, `bytes with checksum ${checksum.toString(16)}`, offset);
    }
    sections.set(name, { offset, length });
    end = offset + length;
    offset = (end + 7) & ~7;
  }
  if (end !== size) throw reader.corrupted('the end', `${end} bytes`, end);
  return sections;
}

function readHeap(reader: ByteReader, count: number): Uint8Array[] {
  const ends = reader.u32Array(count, 'end offsets');
  const entries: Uint8Array[] = new Array<Uint8Array>(count);
  let begin = 0;
  for (let index = 0; index < count; index++) {
    const end = ends[index] ?? 0;
    if (end < begin) throw reader.corrupted(`end offset ${index}`, `at least ${begin}`, index * 4);
    entries[index] = reader.bytes(end - begin, 'entry');
    begin = end;
  }
  reader.end();
  return entries;
}

function readIds(reader: ByteReader, count: number): string[] {
  const ends = reader.u32Array(count, 'end offsets');
  const begin = reader.position;
  const bytes = reader.remaining;
  const text = reader.rawUtf8(bytes, 'ids');
  // As many units as bytes means ASCII, and cutting one text is far cheaper than decoding each id.
  const ascii = text.length === bytes;
  const ids: string[] = new Array<string>(count);
  reader.seek(begin, 'ids');
  let from = 0;
  for (let index = 0; index < count; index++) {
    const to = ends[index] ?? 0;
    if (to < from || to > bytes)
      throw reader.corrupted(`end offset ${index}`, `${from} to ${bytes}`, index * 4);
    ids[index] = ascii ? text.slice(from, to) : reader.rawUtf8(to - from, 'id');
    from = to;
  }
  if (from !== bytes) throw reader.corrupted('the last id', `an end at ${bytes}`, begin + from);
  return ids;
}

function readRequests(reader: ByteReader, count: number, writes: number): SlotRequest[] {
  const requests: SlotRequest[] = [];
  for (let index = 0; index < count; index++) {
    const requestId = reader.utf8('request id');
    const answer = reader.bytes(reader.varint('answer length'), 'answer');
    const firstWrite = reader.varint('first write');
    const length = reader.varint('number of writes');
    if (firstWrite + length > writes) throw reader.corrupted(`request ${index}`, `at most ${writes} writes`);
    requests.push({ requestId, answer, firstWrite, count: length, timeMs: reader.u64('time') });
  }
  reader.end();
  return requests;
}

function slotHash(header: Uint8Array): string {
  const writer = new ByteWriter(16);
  for (const part of hash128(header)) writer.u32(part);
  return toHex(writer.finish());
}
