// The simplest thing that is right: a map of records and brute force. Shares no code with the server.
export interface ModelRecord {
  readonly vector: readonly number[];
  readonly color: string;
  readonly rank: number;
}

export class Model {
  readonly records = new Map<string, ModelRecord>();

  /** The scores of the `k` records nearest to the query by squared distance, nearest first. */
  nearest(query: readonly number[], k: number, keep: (record: ModelRecord) => boolean): number[] {
    return [...this.records.values()]
      .filter(keep)
      .map(({ vector }) => -vector.reduce((sum, value, index) => sum + (value - (query[index] ?? 0)) ** 2, 0))
      .sort((a, b) => b - a)
      .slice(0, k);
  }

  count(keep: (record: ModelRecord) => boolean): number {
    return [...this.records.values()].filter(keep).length;
  }
}
