// How a table of requests is written that every way into the server must answer alike.
import * as pb from '#sdk/gen/messages.js';
import type { MethodName, MethodTypes } from '#sdk/gen/methods.js';

/** Whose credential goes with a request. */
export type Bearer = 'owner' | 'reader' | 'limited' | 'rival' | 'nobody' | 'forged';

export interface ParityCase {
  readonly name: string;
  readonly method: MethodName;
  readonly request: unknown;
  readonly bearer: Bearer;
  /** What the answer must be: this reason at these fields, or success. */
  readonly expected: { readonly reason: string; readonly fields: readonly string[] } | 'success';
}

type Partial<N extends MethodName> = Parameters<(typeof REQUESTS)[N]['fromPartial']>[0];

const REQUESTS = {
  createCollection: pb.CreateCollectionRequest,
  getCollection: pb.GetCollectionRequest,
  listCollections: pb.ListCollectionsRequest,
  deleteCollection: pb.DeleteCollectionRequest,
  getCollectionStats: pb.GetCollectionStatsRequest,
  branchCollection: pb.BranchCollectionRequest,
  copyCollection: pb.CopyCollectionRequest,
  createSnapshot: pb.CreateSnapshotRequest,
  listSnapshots: pb.ListSnapshotsRequest,
  deleteSnapshot: pb.DeleteSnapshotRequest,
  query: pb.QueryRequest,
  upsertRecords: pb.UpsertRecordsRequest,
  patchRecords: pb.PatchRecordsRequest,
  deleteRecords: pb.DeleteRecordsRequest,
  batchGetRecords: pb.BatchGetRecordsRequest,
  getRecord: pb.GetRecordRequest,
  scanRecords: pb.ScanRecordsRequest,
  countRecords: pb.CountRecordsRequest,
  getLimits: pb.GetLimitsRequest,
  getServerInfo: pb.GetServerInfoRequest,
} satisfies { readonly [N in MethodName]: unknown };

class Row<N extends MethodName> {
  constructor(
    private readonly cases: ParityCase[],
    private readonly name: string,
    private readonly method: N,
    private readonly request: MethodTypes[N]['request'],
    private readonly bearer: Bearer = 'owner',
  ) {}

  by(bearer: Bearer): Row<N> {
    return new Row(this.cases, this.name, this.method, this.request, bearer);
  }

  succeeds(): void {
    this.#add('success');
  }

  fails(reason: string, ...fields: readonly string[]): void {
    this.#add({ reason, fields });
  }

  #add(expected: ParityCase['expected']): void {
    const { name, method, request, bearer } = this;
    this.cases.push({ name, method, request, bearer, expected });
  }
}

/** Cases in the order in which they run. */
export class ParityTable {
  readonly cases: ParityCase[] = [];

  /** Begins a case; what comes of it is said by `succeeds` or `fails`. */
  when<N extends MethodName>(name: string, method: N, request: Partial<N>): Row<N> {
    const type = REQUESTS[method] as unknown as {
      fromPartial(value: Partial<N>): MethodTypes[N]['request'];
    };
    return new Row(this.cases, name, method, type.fromPartial(request));
  }
}

export const f32 = (...numbers: number[]): pb.Vector => ({
  data: { $case: 'f32', value: new Uint8Array(Float32Array.from(numbers).buffer) },
});
export const text = (value: string): pb.Value => ({ kind: { $case: 'stringValue', value } });
export const int = (value: bigint): pb.Value => ({ kind: { $case: 'intValue', value } });
export const double = (value: number): pb.Value => ({ kind: { $case: 'doubleValue', value } });
export const record = (
  id: string,
  vector: pb.Vector | undefined,
  attributes: [string, pb.Value][] = [],
): pb.Record => ({
  ...{ id, vector, attributes: new Map(attributes) },
});
export const equal = (field: string, value: string): pb.Filter => ({
  expr: {
    $case: 'compare',
    value: { field, operator: pb.ComparisonOperator.EQ, value: { kind: { $case: 'stringValue', value } } },
  },
});
export const atLeast = (field: string, value: bigint): pb.Filter => ({
  expr: {
    $case: 'compare',
    value: { field, operator: pb.ComparisonOperator.GTE, value: { kind: { $case: 'intValue', value } } },
  },
});
export const nested = (levels: number): pb.Filter =>
  levels === 1 ? equal('kind', 'a') : { expr: { $case: 'not', value: nested(levels - 1) } };
