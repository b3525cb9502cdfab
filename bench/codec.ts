// What it costs to put vectors on the wire and to take them off again: the floor under every request.
import { CODECS } from '#sdk/gen/methods.js';
import type * as pb from '#sdk/gen/messages.js';
import { RecordBlockBuilder } from '#sdk/values/record-block.js';
import type { BenchContext, Report, Table } from './report.js';

const ROWS = 500;
const ROUNDS = 15;

/** Encoding and decoding of upserts and queries, in each wire form. */
export async function codecSuite(context: BenchContext): Promise<Report> {
  const dimensions = context.quick ? [100] : [100, 384, 768];
  const tables: Table[] = [];
  for (const size of dimensions) {
    context.progress(`codecs, ${size} dimensions`);
    tables.push(upsertTable(size));
  }
  tables.push(queryTable());
  return { tables, goals: [] };
}

interface Form {
  readonly name: string;
  encode(): Uint8Array | string;
  decode(wire: Uint8Array | string): unknown;
}

function upsertTable(dimensions: number): Table {
  const vectors = randomVectors(ROWS, dimensions);
  const ids = Array.from({ length: ROWS }, (_, row) => `record-${row}`);
  const { UpsertRecordsRequest: codec } = CODECS;
  const row = (at: number): Float32Array => vectors.subarray(at * dimensions, (at + 1) * dimensions);
  const bytesOf = (floats: Float32Array): Uint8Array =>
    new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
  const request = (data: (at: number) => pb.Vector['data']): pb.UpsertRecordsRequest => ({
    collection: 'bench',
    records: ids.map((id, at) => ({ id, vector: { data: data(at) }, attributes: new Map() })),
    requestId: '',
  });
  const packed = request((at) => ({ $case: 'f32', value: bytesOf(row(at)) }));
  const numbers = request((at) => ({ $case: 'values', value: { values: [...row(at)] } }));
  const forms: Form[] = [
    {
      name: 'protobuf, columns (bulk)',
      encode: () => {
        const block = new RecordBlockBuilder(dimensions, ROWS);
        for (let at = 0; at < ROWS; at++) block.add({ id: ids[at] ?? '', vector: row(at) }, 'records');
        return block.encode('bench', '');
      },
      decode: (wire) => codec.decode(wire as Uint8Array),
    },
    {
      name: 'protobuf, bytes per record',
      encode: () => codec.encode(packed),
      decode: (wire) => codec.decode(wire as Uint8Array),
    },
    {
      name: 'protobuf, numbers per record',
      encode: () => codec.encode(numbers),
      decode: (wire) => codec.decode(wire as Uint8Array),
    },
    {
      name: 'JSON, numbers',
      encode: () => JSON.stringify(codec.toJson(numbers)),
      decode: (wire) => codec.fromJson(JSON.parse(wire as string)),
    },
    {
      name: 'JSON, base64',
      encode: () => base64Body(ids, (at) => bytesOf(row(at))),
      decode: (wire) => codec.fromJson(JSON.parse(wire as string)),
    },
  ];
  return {
    title: `Upsert of ${ROWS} records with ${dimensions} dimensions, per record`,
    columns: ['form', 'encode µs', 'decode µs', 'bytes'],
    rows: forms.map((form) => measureForm(form, ROWS)),
  };
}

function queryTable(): Table {
  const { QueryRequest, QueryResponse } = CODECS;
  const vector = randomVectors(1, 100);
  const query: pb.QueryRequest = {
    collection: 'bench',
    vector: { data: { $case: 'f32', value: new Uint8Array(vector.buffer) } },
    topK: 10,
    select: [],
    includeVectors: false,
    consistency: 0,
    sessionToken: '',
  };
  const answer: pb.QueryResponse = {
    hits: Array.from({ length: 10 }, (_, rank) => ({
      id: `record-${rank}`,
      score: 1 - rank / 100,
      distance: rank / 100,
      attributes: new Map(),
    })),
    sequenceNumber: 123_456n,
    sessionToken: '6jm2xqz41w0b5c8d.2n9c',
  };
  const forms: Form[] = [
    { name: 'request, protobuf', ...binary(QueryRequest, query) },
    { name: 'request, JSON', ...text(QueryRequest, query) },
    { name: 'answer of 10 hits, protobuf', ...binary(QueryResponse, answer) },
    { name: 'answer of 10 hits, JSON', ...text(QueryResponse, answer) },
  ];
  return {
    title: 'Query with 100 dimensions',
    columns: ['message', 'encode µs', 'decode µs', 'bytes'],
    rows: forms.map((form) => measureForm(form, 1)),
  };
}

interface Codec<T> {
  encode(message: T): Uint8Array;
  decode(bytes: Uint8Array): T;
  fromJson(json: unknown): T;
  toJson(message: T): unknown;
}

function binary<T>(codec: Codec<T>, message: T): Omit<Form, 'name'> {
  return { encode: () => codec.encode(message), decode: (wire) => codec.decode(wire as Uint8Array) };
}

function text<T>(codec: Codec<T>, message: T): Omit<Form, 'name'> {
  return {
    encode: () => JSON.stringify(codec.toJson(message)),
    decode: (wire) => codec.fromJson(JSON.parse(wire as string)),
  };
}

function base64Body(ids: readonly string[], bytes: (at: number) => Uint8Array): string {
  const records = ids.map((id, at) => {
    const view = bytes(at);
    return { id, vector: Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64') };
  });
  return JSON.stringify({ collection: 'bench', records });
}

function measureForm({ name, encode, decode }: Form, perCall: number): readonly (string | number)[] {
  const wire = encode();
  const bytes = typeof wire === 'string' ? Buffer.byteLength(wire) : wire.byteLength;
  const encodeUs = medianUs(encode) / perCall;
  const decodeUs = medianUs(() => decode(wire)) / perCall;
  return [name, encodeUs, decodeUs, Math.round(bytes / perCall)];
}

/** Median over rounds of at least 20 ms each, after a warm-up of the same length. */
function medianUs(work: () => unknown): number {
  let calls = 1;
  while (timeMs(work, calls) < 20) calls *= 2;
  const times = Array.from({ length: ROUNDS }, () => timeMs(work, calls)).sort((a, b) => a - b);
  return ((times[ROUNDS >> 1] ?? 0) / calls) * 1000;
}

function timeMs(work: () => unknown, calls: number): number {
  const started = performance.now();
  for (let call = 0; call < calls; call++) sink.last = work();
  return performance.now() - started;
}

/** Where results go, so that no work is optimised away. */
const sink: { last: unknown } = { last: undefined };

function randomVectors(rows: number, dimensions: number): Float32Array {
  let state = 42;
  return Float32Array.from({ length: rows * dimensions }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
