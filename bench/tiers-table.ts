// How queries of the tiers are shown: one row for each kind of query, with what it had to reach and whether
// it did.
import type { Cell, Goal, Table } from './report.js';
import type { Summary } from './tiers-measure.js';

/** What a part returns. */
export interface Part {
  readonly tables: readonly Table[];
  readonly goals: readonly Goal[];
}

/** What a row has to reach. */
export interface Target {
  /** Names the check, such as `p50 ms`. */
  readonly name: string;
  readonly most?: number;
  readonly least?: number;
  readonly got: number;
}

export const RECALL_WANTED = 0.95;

export const QUERY_COLUMNS = [
  ...['set', 'queries', 'n', 'hot/warm/cold', 'recall@10', 'p50 ms', 'p99 ms', 'engine p50 ms'],
  ...['GETs', 'KiB from S3', 'KiB read', 'trips p50', 'trips max', 'target', 'verdict'],
];

export const QUERY_NOTES = [
  'hot/warm/cold: the worst tier of each query, as the server says; p50 and p99 as the client sees them',
  'GETs and KiB from S3: per query, as a proxy in front of the store counts them; KiB read: from disk and S3, as the server says',
  'trips: dependent waits for the store, as the requests show them',
];

/** One row and its goals. */
export function queryRow(
  set: string,
  queries: string,
  summary: Summary,
  targets: readonly Target[],
): { readonly row: readonly Cell[]; readonly goals: readonly Goal[] } {
  const { hot, warm, cold } = summary.tiers;
  const label = `${set}, ${queries}`;
  const goals = targets.map((target) => goalOf(label, target));
  const refused = summary.refused === 0 ? '' : `refused: ${summary.refusal}`;
  return {
    row: [
      ...[set, queries, summary.queries, `${hot}/${warm}/${cold}`, round(summary.recall, 4)],
      ...[round(summary.p50Ms, 2), round(summary.p99Ms, 2), round(summary.engineP50Ms, 3)],
      ...[round(summary.gets, 1), Math.round(summary.bytes / 1024), Math.round(summary.readBytes / 1024)],
      ...[summary.tripsP50, summary.tripsMax],
      targets.map(({ name, most, least }) => `${name} ${boundOf({ most, least })}`).join(', '),
      [verdictOf(targets), refused].filter((part) => part !== '').join('; '),
    ],
    goals,
  };
}

/** `met`, or what was missed. */
export function verdictOf(targets: readonly Target[]): string {
  const missed = targets.filter((target) => !isMet(target)).map(({ name }) => name);
  return missed.length === 0 ? 'met' : `missed: ${missed.join(', ')}`;
}

export function goalOf(label: string, target: Target): Goal {
  return {
    what: `${label}: ${target.name}`,
    want: boundOf(target),
    got: Number.isNaN(target.got) ? 'nothing' : String(round(target.got, 4)),
    met: isMet(target),
  };
}

/** At most four or so places behind the point, so that no digit is there that says nothing. */
export function round(value: number, places: number): number {
  return Number(value.toFixed(places));
}

function isMet({ most, least, got }: Target): boolean {
  return got <= (most ?? Infinity) && got >= (least ?? -Infinity);
}

function boundOf({ most, least }: { most?: number | undefined; least?: number | undefined }): string {
  return [least === undefined ? '' : `≥ ${least}`, most === undefined ? '' : `≤ ${most}`]
    .filter((part) => part !== '')
    .join(' and ');
}
