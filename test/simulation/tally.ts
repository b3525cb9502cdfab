/* What became of many seeds. */

/** Of one seed. */
export interface Verdict {
  readonly seed: number;
  readonly events: number;
  readonly slots: number;
  readonly merges: number;
  readonly strays: number;
  /** Null: every promise was kept. */
  readonly broken: string | null;
}

/** Counts verdicts and prints them. */
export class Tally {
  broken = 0;
  /** Events of the shortest history. */
  shortest = Infinity;
  readonly #sum = { seeds: 0, events: 0, slots: 0, merges: 0, strays: 0 };
  readonly #startedMs = performance.now();

  constructor(
    private readonly wanted: number,
    private readonly events: number,
  ) {}

  add(verdicts: readonly Verdict[]): void {
    for (const { seed, events, slots, merges, strays, broken } of verdicts) {
      this.#sum.seeds++;
      this.#sum.events += events;
      this.#sum.slots += slots;
      this.#sum.merges += merges;
      this.#sum.strays += strays;
      if (broken === null) this.shortest = Math.min(this.shortest, events);
      else this.#report(seed, broken);
    }
  }

  /** These seeds, or one of them, ended the process or never ended. */
  lost(seeds: readonly number[]): void {
    this.#report(seeds[0] ?? 0, `one of the seeds ${seeds.join(' ')} hangs, or ends the process`);
  }

  print(): void {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const { seeds, events, slots, merges, strays } = this.#sum;
    console.log(
      `${seeds} of ${this.wanted} seeds, ${events} events (at least ${this.shortest} each), ` +
        `${slots} log slots, ${merges} merges, ${strays} late slots, ${this.broken} broken, ` +
        `${seconds.toFixed(0)} s, ${(seeds / seconds).toFixed(1)} seeds/s`,
    );
  }

  #report(seed: number, text: string): void {
    this.broken++;
    console.log(`seed ${seed}: ${text}\n    SEED=${seed} EVENTS=${this.events} npm run test:sim`);
  }
}
