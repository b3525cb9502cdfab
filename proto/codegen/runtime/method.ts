/*
 * One RPC as data: its names, route, rules and codecs. The HTTP and gRPC transports and the client are loops
 * over these.
 */
import { BinaryReader, type BinaryWriter } from '@bufbuild/protobuf/wire';
import { InvalidRequest, Place, type Violation } from './place.js';

/** Both wire forms of one message. */
export interface Codec<T> {
  /** Full protobuf name. */
  readonly typeName: string;
  encode(message: T): Uint8Array;
  /**
   * Throws `InvalidRequest` with MALFORMED_BODY. Bytes of the message are views into `bytes`, not aligned.
   */
  decode(bytes: Uint8Array): T;
  /** Throws `InvalidRequest` that names every problem. `json` is what JSON.parse gives; it is not changed. */
  fromJson(json: unknown): T;
  /** A value for JSON.stringify. */
  toJson(message: T): unknown;
}

/** How a field is read from a query string. */
export type QueryKind = 'string' | 'bool' | 'uint32' | 'strings';

export interface Method<I, O> {
  /** As in the proto, such as `UpsertRecords`. */
  readonly name: string;
  /** Full name of the service. */
  readonly service: string;
  /** The path gRPC uses. */
  readonly grpcPath: string;
  readonly verb: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT';
  /** Path template with `{field}` parts. */
  readonly path: string;
  /** Fields in the path, in order, by JSON name. */
  readonly pathFields: readonly string[];
  /** Fields in the query string of a method without body, by JSON name. */
  readonly queryFields: Readonly<globalThis.Record<string, QueryKind>>;
  readonly hasBody: boolean;
  /** What a credential needs; empty for a public method. */
  readonly scope: string;
  readonly readOnly: boolean;
  /** May be repeated when the outcome of a call is unknown. */
  readonly idempotent: boolean;
  readonly public: boolean;
  /** The request has `requestId`, which makes a repeated write harmless. */
  readonly hasRequestId: boolean;
  /** The collections a request works on or makes; undefined for a method without any. */
  readonly collectionsOf: ((request: I) => readonly string[]) | undefined;
  readonly request: Codec<I>;
  readonly response: Codec<O>;
}

/** The part of ts-proto's message functions that a codec needs. */
export interface MessageType<T> {
  encode(message: T, writer?: BinaryWriter): BinaryWriter;
  decode(input: BinaryReader | Uint8Array, length?: number): T;
}

export function codec<T>(
  typeName: string,
  type: MessageType<T>,
  read: (json: unknown, at: Place, step: string) => T,
  write: (message: T) => unknown,
): Codec<T> {
  return {
    typeName,
    encode: (message) => type.encode(message).finish(),
    decode: (bytes) => decodeAll(typeName, type, bytes),
    fromJson(json) {
      const at = new Place();
      const message = read(json, at, '');
      at.finish();
      return message;
    },
    toJson: write,
  };
}

/** The same memory as a Buffer, which is what grpc-js sends. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A violation as an error of its own. */
export function refuse(violation: Violation): never {
  throw new InvalidRequest([violation]);
}

function decodeAll<T>(typeName: string, type: MessageType<T>, bytes: Uint8Array): T {
  try {
    const reader = new BinaryReader(bytes);
    const message = type.decode(reader);
    // The generated reader stops without a word at a tag of zero.
    if (reader.pos === reader.len) return message;
  } catch {
    // The reasons ("premature EOF", "illegal tag") say nothing to a user.
  }
  return refuse({
    field: '',
    description: `the body is not the protobuf message ${typeName}`,
    reason: 'MALFORMED_BODY',
  });
}
