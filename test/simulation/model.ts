/*
 * The simplest thing that is right: what each kind of write does to a map of records, and brute force for
 * reads. Shares no code with the server.
 */

export interface ModelRecord {
  readonly vector: readonly number[];
  readonly color: string;
  readonly rank: number;
  /** The operation that wrote the record last. */
  readonly stamp: string;
}

/** Records by id, at one moment. */
export type State = ReadonlyMap<string, ModelRecord>;

/** What a write asks for. */
export type Intent =
  | { readonly kind: 'upsert'; readonly records: readonly (ModelRecord & { readonly id: string })[] }
  /** Sets `rank` and `stamp` of those that exist. */
  | { readonly kind: 'patch'; readonly ids: readonly string[]; readonly rank: number; readonly stamp: string }
  | { readonly kind: 'delete'; readonly ids: readonly string[] }
  | { readonly kind: 'deleteWhere'; readonly rankBelow: number };

/** What a write did: whole records and deletions, in order. */
export interface Effect {
  readonly id: string;
  /** Null: deleted. */
  readonly record: ModelRecord | null;
}

/** The numbers in the answer to a write. */
export type Answer = Readonly<Record<string, number>>;

export interface Outcome {
  readonly effects: readonly Effect[];
  readonly answer: Answer;
}

/**
 * What the write has to do to a state. For `deleteWhere`, `found` are the ids that matched when the filter
 * was evaluated: of these, those that still match go.
 */
export function outcomeOf(intent: Intent, state: State, found: ReadonlySet<string> | null = null): Outcome {
  switch (intent.kind) {
    case 'upsert': {
      const updated = intent.records.filter(({ id }) => state.has(id)).length;
      return {
        effects: intent.records.map(({ id, ...record }) => ({ id, record })),
        answer: { inserted: intent.records.length - updated, updated },
      };
    }
    case 'patch': {
      const { rank, stamp } = intent;
      const effects = intent.ids.flatMap((id): Effect[] => {
        const record = state.get(id);
        return record === undefined ? [] : [{ id, record: { ...record, rank, stamp } }];
      });
      return { effects, answer: { patched: effects.length, missing: intent.ids.length - effects.length } };
    }
    case 'delete': {
      const effects = intent.ids.filter((id) => state.has(id)).map((id): Effect => ({ id, record: null }));
      return { effects, answer: { deleted: effects.length } };
    }
    case 'deleteWhere': {
      const matching = [...state].filter(([, { rank }]) => rank < intent.rankBelow).map(([id]) => id);
      const gone = matching.filter((id) => found === null || found.has(id));
      return { effects: gone.map((id) => ({ id, record: null })), answer: { deleted: gone.length } };
    }
  }
}

/** One text per record: equal texts, equal records. */
export function textOf(record: ModelRecord | null): string {
  if (record === null) return 'deleted';
  return `${record.vector.join(',')} ${record.color} ${record.rank} ${record.stamp}`;
}

/** Ids and scores of the `k` records nearest to `query` by squared distance, nearest first. */
export function nearest(
  state: State,
  query: readonly number[],
  k: number,
  keep: (record: ModelRecord) => boolean,
): number[] {
  return [...state.values()]
    .filter(keep)
    .map((record) => scoreOf(record, query))
    .sort((a, b) => b - a)
    .slice(0, k);
}

/** Higher is nearer. */
export function scoreOf({ vector }: ModelRecord, query: readonly number[]): number {
  return -vector.reduce((sum, value, index) => sum + (value - (query[index] ?? 0)) ** 2, 0);
}
