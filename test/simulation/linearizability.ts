/*
 * Checks that what clients saw of one collection is explained by one order of its writes.
 *
 * The order is that of the log. So nothing has to be searched for: each write must do, at its place in the
 * log, what it asked for, given the state right before it; each acknowledged write must have such a place,
 * once; each read must equal the state at one place, and that place must be new enough for what the read was
 * promised. Real time enters through floors: a place that was acknowledged or seen before an operation began.
 *
 * A write with an unknown outcome may take its place at any time, or never; one that was refused for certain
 * must never.
 */
import type { Answer, Effect, Intent, Outcome, State } from './model.js';
import { outcomeOf, textOf } from './model.js';

/** What was promised and not kept. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** A write in the log. */
export interface LoggedWrite {
  /** Null when the log does not name it: it is found by the stamp of its records. */
  readonly requestId: string | null;
  readonly effects: readonly Effect[];
}

/** Writes that took effect together. */
export interface LoggedSlot {
  readonly slot: number;
  /** Sequence number of its first effect. */
  readonly firstSequence: number;
  /** When it says it was written, in milliseconds since 1970. */
  readonly timeMs: number;
  readonly writes: readonly LoggedWrite[];
}

/** A place in the log: after this many slots. */
export type Moment = number;

/** What an operation may rely on: taken when it begins. */
export interface Ticket {
  readonly beganMs: number;
  /** Everything up to here was acknowledged or seen before. */
  readonly floor: Moment;
}

/** An answer to a read. */
export interface ReadAnswer {
  readonly what: string;
  /** Oldest place that the read may be answered from. */
  readonly floor: Moment;
  /** The sequence number that the answer claims to be of, when it claims one. */
  readonly sequence?: number;
  /** Null when the answer is right for the state, else what is wrong. */
  readonly differs: (state: State) => string | null;
}

interface Write {
  readonly intent: Intent;
  readonly ticket: Ticket;
  /** Where it is in the log, with what it had to answer. */
  placed: { readonly sequence: number; readonly answer: Answer } | null;
  /** Tries whose outcome is open. */
  open: number;
  /** Some try may have been written. */
  possible: boolean;
}

interface Version {
  readonly sequence: number;
  readonly record: Effect['record'];
}

export class Checker {
  readonly #writes = new Map<string, Write>();
  /** Last sequence number by moment. */
  readonly #sequences: number[] = [0];
  /** The time that the slot of a moment gives. */
  readonly #times: number[] = [-Infinity];
  readonly #versions = new Map<string, Version[]>();
  /** Times and places of what was acknowledged or seen, both ascending. */
  readonly #floors: { readonly ms: number; readonly moment: Moment }[] = [];
  #present = new Map<string, NonNullable<Effect['record']>>();
  /** The place at which a branch began. */
  #base: Moment = 0;
  /** The present state holds a part of the slot that is being added. */
  #adding = false;

  /** The place behind all slots so far. */
  get now(): Moment {
    return this.#sequences.length - 1;
  }

  get sequence(): number {
    return this.#sequences.at(-1) ?? 0;
  }

  /** The newest state. */
  get present(): State {
    return this.#present;
  }

  /** A checker of a collection that begins as this one is at a place. */
  fork(moment: Moment): Checker {
    const fork = new Checker();
    const sequence = this.#sequences[moment] ?? 0;
    fork.#sequences.splice(0, 1, ...this.#sequences.slice(0, moment + 1));
    fork.#times.splice(0, 1, ...this.#times.slice(0, moment + 1));
    for (const [id, versions] of this.#versions) {
      const kept = versions.filter((version) => version.sequence <= sequence);
      if (kept.length > 0) fork.#versions.set(id, kept);
    }
    fork.#present = new Map(this.stateAt(moment));
    fork.#base = moment;
    fork.#saw(moment, -Infinity);
    return fork;
  }

  /** An operation begins. */
  ticket(nowMs: number): Ticket {
    return { beganMs: nowMs, floor: this.#floors.at(-1)?.moment ?? 0 };
  }

  /** A write begins. `stamp` identifies it: its request id, and the stamp of the records it writes. */
  begin(stamp: string, intent: Intent, nowMs: number): void {
    const write = { intent, ticket: this.ticket(nowMs), placed: null, open: 0, possible: false };
    this.#writes.set(stamp, write);
  }

  /** A try of the write is under way. */
  attempt(stamp: string): void {
    this.#write(stamp).open++;
  }

  /** A try ended without an acknowledgement: for certain without effect, or unknown. */
  failed(stamp: string, certain: boolean): void {
    const write = this.#write(stamp);
    write.open--;
    if (!certain) write.possible = true;
    if (certain && write.placed !== null && !write.possible && write.open === 0) {
      throw new Violation(`${stamp} was refused for certain and is in the log`);
    }
  }

  /** A try was acknowledged with this answer, for effects up to `sequence`. */
  acknowledged(stamp: string, sequence: number, answer: Answer, nowMs: number): void {
    const write = this.#write(stamp);
    write.open--;
    const { placed } = write;
    if (placed === null) {
      this.#unlogged(stamp, write, answer);
      return;
    }
    if (placed.sequence !== sequence) {
      throw new Violation(`${stamp} is at ${placed.sequence} and was acknowledged at ${sequence}`);
    }
    expectAnswer(stamp, answer, placed.answer);
    this.#saw(this.#momentAt(sequence), nowMs);
  }

  /** A slot became part of the log. */
  commit({ slot, firstSequence, timeMs, writes }: LoggedSlot): void {
    if (timeMs < (this.#times.at(-1) ?? 0)) throw new Violation(`slot ${slot} is older than the one before`);
    if (firstSequence !== this.sequence + 1) {
      throw new Violation(`slot ${slot} begins with ${firstSequence} after ${this.sequence}`);
    }
    let sequence = this.sequence;
    this.#adding = true;
    for (const { requestId, effects } of writes) {
      const stamp = requestId ?? effects[0]?.record?.stamp ?? '';
      const write = this.#writes.get(stamp);
      if (write === undefined) throw new Violation(`slot ${slot} holds a write of nobody: "${stamp}"`);
      if (write.placed !== null) throw new Violation(`${stamp} is in the log twice, again in slot ${slot}`);
      if (write.open === 0 && !write.possible) {
        throw new Violation(`${stamp} is in slot ${slot} although every try was refused for certain`);
      }
      const { answer } = this.#expectEffects(stamp, write, effects);
      for (const effect of effects) this.#apply(effect, ++sequence);
      write.placed = { sequence, answer };
    }
    this.#sequences.push(sequence);
    this.#times.push(timeMs);
    this.#adding = false;
  }

  /** Checks a read and notes what was seen. */
  read({ what, floor, sequence, differs }: ReadAnswer, nowMs: number): void {
    const moment = sequence === undefined ? null : this.#momentAt(sequence);
    if (moment !== null && (moment > this.now || this.#sequences[moment] !== sequence)) {
      throw new Violation(`${what}: the answer is of ${sequence}, which is no place in the log`);
    }
    // Slots without effects share their sequence number with the one before: the newest of them counts.
    if (moment !== null && this.#newest(moment) < floor) {
      throw new Violation(`${what}: the answer is of place ${moment}, older than ${floor}`);
    }
    const candidates = moment === null ? this.#back(floor) : [moment];
    let first = '';
    for (const candidate of candidates) {
      const difference = differs(this.stateAt(candidate));
      if (difference === null) {
        if (moment !== null) this.#saw(moment, nowMs);
        return;
      }
      first ||= difference;
    }
    throw new Violation(
      `${what}: no state from place ${moment ?? floor} to ${moment ?? this.now} explains it: ${first}`,
    );
  }

  /** The newest place that was acknowledged or seen before that time. */
  floorAt(ms: number): Moment {
    let floor = 0;
    for (const entry of this.#floors) {
      if (entry.ms > ms) break;
      floor = entry.moment;
    }
    return floor;
  }

  /** The place at which the write with this sequence number is visible. */
  momentOf(sequence: number): Moment {
    return this.#momentAt(sequence);
  }

  /** Where the history that was written here begins. */
  get base(): Moment {
    return this.#base;
  }

  /** The last sequence number at a place. */
  sequenceOf(moment: Moment): number {
    return this.#sequences[moment] ?? 0;
  }

  /** The time that the slot of a place gives. */
  timeOf(moment: Moment): number {
    return this.#times[moment] ?? -Infinity;
  }

  /** The last place whose slot is not newer than that time. */
  momentAtTime(timeMs: number): Moment {
    return this.#times.findLastIndex((time) => time <= timeMs);
  }

  stateAt(moment: Moment): State {
    return this.stateAtSequence(this.#sequences[moment] ?? 0);
  }

  /** The state behind the write with this sequence number, which may be one in the middle of a slot. */
  stateAtSequence(sequence: number): State {
    if (sequence >= this.sequence && !this.#adding) return this.#present;
    const state = new Map<string, NonNullable<Effect['record']>>();
    for (const [id, versions] of this.#versions) {
      const record = lastUpTo(versions, sequence)?.record ?? null;
      if (record !== null) state.set(id, record);
    }
    return state;
  }

  #write(stamp: string): Write {
    const write = this.#writes.get(stamp);
    if (write === undefined) throw new Error(`${stamp} was not begun`);
    return write;
  }

  #saw(moment: Moment, ms: number): void {
    const last = this.#floors.at(-1)?.moment ?? 0;
    if (moment > last) this.#floors.push({ ms, moment });
  }

  /** Only a write that changed nothing may be acknowledged without a place in the log. */
  #unlogged(stamp: string, { intent, ticket }: Write, answer: Answer): void {
    for (const moment of this.#back(ticket.floor)) {
      const outcome = outcomeOf(intent, this.stateAt(moment));
      if (outcome.effects.length === 0 && sameAnswer(outcome.answer, answer)) return;
    }
    throw new Violation(`${stamp} was acknowledged with ${JSON.stringify(answer)} and is not in the log`);
  }

  #expectEffects(stamp: string, { intent, ticket }: Write, seen: readonly Effect[]): Outcome {
    if (intent.kind !== 'deleteWhere') {
      const wanted = outcomeOf(intent, this.#present);
      expectSame(stamp, seen, wanted.effects);
      return wanted;
    }
    // The filter was evaluated at some place after the write began; of what it found, what still matches
    // goes.
    for (const moment of this.#back(ticket.floor)) {
      const found = outcomeOf(intent, this.stateAt(moment)).effects.map(({ id }) => id);
      const wanted = outcomeOf(intent, this.#present, new Set(found));
      const ids = new Set(wanted.effects.map(({ id }) => id));
      if (ids.size === seen.length && seen.every(({ id, record }) => record === null && ids.has(id))) {
        return wanted;
      }
    }
    throw new Violation(`${stamp} deleted ${seen.map(({ id }) => id).join(' ')}, which no moment explains`);
  }

  /** All places from the newest back to `floor`. */
  *#back(floor: Moment): Generator<Moment> {
    for (let moment = this.now; moment >= floor; moment--) yield moment;
  }

  #apply({ id, record }: Effect, sequence: number): void {
    if (record === null) this.#present.delete(id);
    else this.#present.set(id, record);
    const versions = this.#versions.get(id);
    if (versions === undefined) this.#versions.set(id, [{ sequence, record }]);
    else versions.push({ sequence, record });
  }

  /** The first place whose last sequence number is at least this. */
  #momentAt(sequence: number): Moment {
    let low = 0;
    let high = this.#sequences.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sequences[middle] ?? 0) < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The newest place with the sequence number of this one. */
  #newest(moment: Moment): Moment {
    let newest = moment;
    while (this.#sequences[newest + 1] === this.#sequences[moment]) newest++;
    return newest;
  }
}

function lastUpTo(versions: readonly Version[], sequence: number): Version | undefined {
  return versions.findLast((version) => version.sequence <= sequence);
}

function expectSame(stamp: string, seen: readonly Effect[], wanted: readonly Effect[]): void {
  const text = (effects: readonly Effect[]): string =>
    effects.map(({ id, record }) => `${id}: ${textOf(record)}`).join('; ');
  if (seen.length === wanted.length && text(seen) === text(wanted)) return;
  throw new Violation(`${stamp} did {${text(seen)}}, its place in the log asks for {${text(wanted)}}`);
}

function sameAnswer(a: Answer, b: Answer): boolean {
  return Object.entries(a).every(([name, value]) => b[name] === value);
}

function expectAnswer(stamp: string, seen: Answer, wanted: Answer): void {
  if (sameAnswer(wanted, seen)) return;
  throw new Violation(
    `${stamp} was answered with ${JSON.stringify(seen)}, its place asks for ${JSON.stringify(wanted)}`,
  );
}
