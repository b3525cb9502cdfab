/* What kind of world a seed makes. */
import type { Fault } from '../support/failing-object-store.js';
import type { SeededRng } from '../support/seeded-rng.js';

export interface Settings {
  readonly servers: number;
  /** A server may rely on being alone. */
  readonly ownsStore: boolean;
  readonly tenants: readonly string[];
  readonly writers: number;
  readonly readers: number;
  /** Ids of records in use. */
  readonly ids: number;
  readonly foldSlots: number;
  /** How long the past stays readable. */
  readonly retentionMs: number;
  /** Oldest state that reads may be answered from unless they ask for the newest. */
  readonly stalenessMs: number;
  readonly flushRows: number;
  readonly clusterFromRows: number;
  /** Longest usual way to the store. */
  readonly latencyMs: number;
  /** Share of calls that take seconds. */
  readonly slowRate: number;
  /** Adapters do not know their own writes again. */
  readonly forgetful: boolean;
  /** Bytes may be wrong on their way. */
  readonly damaged: boolean;
  /** Share of reads of slots, segments and what belongs to them that are damaged. */
  readonly damageRate: number;
  readonly rates: Readonly<Partial<Record<Fault, number>>>;
  /** Mean time between two operations of an actor. */
  readonly thinkMs: number;
  /** A client gives up after this long. */
  readonly clientMs: number;
  /** Somebody makes backups. */
  readonly backups: boolean;
  /** Mean time between two blows. */
  readonly chaosMs: number;
  /** `paged`: segments are never in memory as a whole; `moving`: they come and go. */
  readonly segments: 'whole' | 'paged' | 'moving';
}

export const DAY_MS = 24 * 3_600_000;

export function drawSettings(rng: SeededRng): Settings {
  const one = <T>(...values: readonly [T, ...T[]]): T => values[rng.below(values.length)] ?? values[0];
  const servers = one(1, 2, 2, 2, 3, 3);
  const rate = (): number => one(0, 0, 0.004, 0.015, 0.05);
  const damaged = rng.chance(0.4);
  const damage = (): number => (damaged ? rate() / 4 : 0);
  return {
    servers,
    ownsStore: servers === 1 && rng.chance(0.5),
    tenants: rng.chance(0.25) ? ['acme', 'umbrella'] : ['acme'],
    writers: one(2, 2, 3),
    readers: one(1, 2, 2),
    ids: one(6, 16, 40),
    foldSlots: one(3, 6, 12),
    retentionMs: one(0, 0, 5000, DAY_MS),
    stalenessMs: one(200, 5000, 5000),
    flushRows: one(8, 30, 1000),
    clusterFromRows: one(6, 16, 64),
    latencyMs: one(5, 20, 60),
    slowRate: one(0, 0.005, 0.02),
    forgetful: rng.chance(0.3),
    damaged,
    damageRate: damaged ? one(0.03, 0.2, 0.5) : 0,
    rates: { before: rate(), after: rate(), full: rate() / 4, truncated: damage(), flipped: damage() },
    thinkMs: one(10, 60, 300),
    clientMs: one(1000, 5000, 20_000),
    backups: rng.chance(0.35),
    chaosMs: one(400, 1500, 6000),
    segments: one('whole', 'paged', 'moving'),
  };
}
