/*
 * Every limit a client can run into, with its reason. `GetLimits` returns this table, so a client never has
 * to guess.
 */

export const LIMITS = {
  /**
   * Codes and centroids of wider vectors would not fit the engines' scratch memory; no embedding model in use
   * is wider.
   */
  dimensionsMax: 4096,
  /** Bytes of UTF-8. Ids are stored beside every row; longer keys belong into an attribute. */
  idBytesMax: 512,
  /**
   * Encoded bytes of all attributes of one record. A page of 64 KiB is the unit in which attributes are read.
   */
  attributeBytesMax: 65_536,
  /** Attributes of one record: each has an index. */
  attributesMax: 256,
  /** Bytes of UTF-8. */
  attributeNameBytesMax: 128,
  /** Elements of one array attribute. */
  attributeArrayMax: 4096,
  /** Records in one request: one write-ahead slot holds the batch whole. */
  batchRecordsMax: 10_000,
  /** Parsing JSON blocks the event loop for about 5 ms per MiB. */
  jsonBodyBytesMax: 32 * 1024 * 1024,
  /** One protobuf message over HTTP or gRPC. */
  protobufBodyBytesMax: 64 * 1024 * 1024,
  /** Hits of one query: results are collected in a heap that lives in engine memory. */
  topKMax: 10_000,
  /** Nesting of a filter: evaluated recursively. */
  filterDepthMax: 16,
  /** Nodes of a filter. */
  filterNodesMax: 1024,
  /** Values of one `$in`, `$nin`, `$containsAny`, `$containsAll` or `$id` list. */
  filterValuesMax: 10_000,
  /** Records of one page of a scan, or ids of one batch get. */
  pageSizeMax: 1000,
  pageSizeDefault: 100,
  /** Bytes of one answer, so that a page of large records stays below what clients accept in one message. */
  responseBytesMax: 32 * 1024 * 1024,
  /** Bytes of UTF-8: names appear in paths, logs and metric exemplars. */
  collectionNameBytesMax: 128,
  collectionsPerTenantMax: 10_000,
  /** Characters of a client's request id. */
  requestIdBytesMax: 128,
  /** A repeated request id gets its first answer within this window. */
  idempotencyWindowMs: 24 * 60 * 60 * 1000,
  /** Remembered request ids of one collection: about 100 bytes each. */
  idempotencyEntriesMax: 100_000,
  /** Above this many bytes in the log and not yet in a segment, writes are slowed down. */
  unfoldedBytesSoft: 128 * 1024 * 1024,
  /** Above this, writes are refused with WRITE_BACKPRESSURE until a flush has caught up. */
  unfoldedBytesHard: 512 * 1024 * 1024,
} as const;

export type LimitName = keyof typeof LIMITS;
