/* Clients that read, at every consistency and with tokens that other servers gave. */
import type { AsOf, FoundRecord, ReadOptions } from '#server/app/api.js';
import type { Filter } from '#server/core/filter/ast.js';
import { SeededRng } from '../support/seeded-rng.js';
import type { Moment, Ticket } from './linearizability.js';
import { Violation } from './linearizability.js';
import type { ModelRecord, State } from './model.js';
import { nearest, scoreOf, textOf } from './model.js';
import type { Reply, SimServer } from './server.js';
import { recordFrom } from './wire-records.js';
import { check, COLORS, describeReply, drawVector, pick, remember } from './writers.js';
import type { Subject, World } from './world.js';

const TOP_K = 5;

/** Reads until the world is healed. */
export async function startReader(world: World, name: string): Promise<void> {
  const rng = new SeededRng(world.nextSeed());
  while (!world.healed) {
    await world.think(rng);
    const subject = pick(rng, world.subjects);
    if (subject === undefined) continue;
    const reader = new Reader({ world, rng, name, subject, server: world.pickServer(rng) });
    const dice = rng.below(10);
    if (dice < 3) await reader.count();
    else if (dice < 6) await reader.query();
    else if (dice < 8) await reader.get();
    else if (dice < 9) await reader.past();
    else await reader.scan(rng.chance(0.5) ? 1000 : 1 + rng.below(7));
  }
}

interface ReaderParts {
  readonly world: World;
  readonly rng: SeededRng;
  readonly name: string;
  readonly subject: Subject;
  readonly server: SimServer;
}

/** One reading operation. Each gives whether it was answered. */
export class Reader {
  readonly #ticket: Ticket;
  readonly #what: string;
  readonly #options: ReadOptions;
  readonly #floor: Moment;

  constructor(
    private readonly parts: ReaderParts,
    consistency?: ReadOptions['consistency'],
  ) {
    const { world, rng, subject, server } = parts;
    this.#ticket = subject.checker.ticket(world.timeline.now);
    const level = consistency ?? pick(rng, ['session', 'session', 'strong', 'eventual'] as const) ?? 'strong';
    const known = level === 'session' ? pick(rng, subject.tokens) : undefined;
    this.#options = { consistency: level, sessionToken: known?.token ?? '' };
    this.#floor = this.#floorOf(level, known?.sequence ?? 0);
    this.#what = `${world.nextOperation('r')} ${level} read on ${server.name}`;
  }

  async count(): Promise<boolean> {
    const { filter, keep } = this.#filter();
    const reply = await this.#call('count', (app, context, shared) =>
      app.handlers.countRecords(context, { ...shared, ...filter }),
    );
    if (reply.kind !== 'ok') return false;
    const { count, sequenceNumber } = reply.value;
    this.#expect(sequenceNumber, (state) => {
      const wanted = [...state.values()].filter(keep).length;
      return wanted === count ? null : `count is ${count} instead of ${wanted}`;
    });
    return true;
  }

  async query(): Promise<boolean> {
    const { rng } = this.parts;
    const { filter, keep } = this.#filter();
    const vector = drawVector(rng);
    const exact = rng.chance(0.7);
    const reply = await this.#call('query', (app, context, shared) =>
      app.handlers.query(context, {
        ...{ ...shared, ...filter, vector: Float32Array.from(vector), topK: TOP_K },
        ...{ select: 'all', includeVectors: true, params: { exact } },
      }),
    );
    if (reply.kind !== 'ok') return false;
    const { hits, sequenceNumber } = reply.value;
    this.#expect(sequenceNumber, (state) => {
      const wrong = wrongRecords(state, hits, keep);
      if (wrong !== null) return wrong;
      const best = nearest(state, vector, TOP_K, keep);
      if (hits.length !== best.length) return `${hits.length} hits instead of ${best.length}`;
      for (const [index, { id, score }] of hits.entries()) {
        const wanted = exact ? (best[index] ?? 0) : scoreOf(state.get(id) as ModelRecord, vector);
        if (Math.abs(score - wanted) > 1e-3 * (1 + Math.abs(wanted))) {
          return `hit ${index} has score ${score} instead of ${wanted}`;
        }
      }
      return null;
    });
    return true;
  }

  async get(): Promise<boolean> {
    const { rng, world } = this.parts;
    const ids = [...new Set([1, 2, 3].map(() => `id-${rng.below(world.settings.ids)}`))];
    const shape = { select: 'all', includeVectors: true } as const;
    const reply = await this.#call('get', (app, context, shared) =>
      app.handlers.batchGetRecords(context, { ...shared, ...shape, ids }),
    );
    if (reply.kind !== 'ok') return false;
    const { records, missingIds, sequenceNumber } = reply.value;
    this.#expect(sequenceNumber, (state) => {
      const missing = ids.filter((id) => !state.has(id));
      if (missing.join(' ') !== missingIds.join(' ')) {
        return `missing are ${missingIds.join(' ')} instead of ${missing.join(' ')}`;
      }
      return wrongRecords(state, records, () => true);
    });
    return true;
  }

  /** The past: by the number of a write, by time, or a snapshot. */
  async past(): Promise<boolean> {
    const { rng, subject } = this.parts;
    const { checker, snapshots } = subject;
    const [name, held] = pick(rng, [...snapshots]) ?? ['', 0];
    const first = checker.sequenceOf(checker.base);
    const sequence = name !== '' && rng.chance(0.4) ? held : first + rng.below(checker.sequence - first + 1);
    const moment = checker.momentOf(sequence);
    const byTime = sequence !== held && moment > checker.base && rng.chance(0.4);
    const ms = checker.timeOf(moment);
    const asOf: AsOf =
      name !== '' && sequence === held
        ? { kind: 'snapshot', name }
        : byTime
          ? { kind: 'time', ms }
          : { kind: 'sequence', sequence };
    const shape = { select: 'all', includeVectors: true, pageSize: 1000, pageToken: '' } as const;
    const reply = await this.#call(
      `scan as of ${JSON.stringify(asOf)}`,
      ({ handlers }, context, { collection }) =>
        handlers.scanRecords(context, {
          ...{ ...shape, collection, consistency: 'session', sessionToken: '', asOf },
        }),
    );
    if (reply.kind !== 'ok') return false;
    const { records, sequenceNumber } = reply.value;
    const latest = checker.momentAtTime(ms);
    const right = byTime
      ? sequenceNumber >= sequence && checker.momentOf(sequenceNumber) <= latest
      : sequenceNumber === sequence;
    if (!right) this.#fail(`asked for ${JSON.stringify(asOf)} and got ${sequenceNumber}, not ${sequence}`);
    const state = checker.stateAtSequence(sequenceNumber);
    const wrong =
      wrongRecords(state, records, () => true) ??
      (records.length === state.size ? null : `${records.length} records instead of ${state.size}`);
    if (wrong !== null) this.#fail(`as of ${JSON.stringify(asOf)}: ${wrong}`);
    return true;
  }

  /** All pages. A record that is there all the time comes once, no record twice. */
  async scan(pageSize: number): Promise<boolean> {
    const { checker } = this.parts.subject;
    const { filter, keep } = this.#filter();
    const seen = new Set<string>();
    const moments: Moment[] = [];
    for (let pageToken = ''; ;) {
      const shape = { select: 'all', includeVectors: true, pageSize, pageToken } as const;
      const reply = await this.#call('scan', (app, context, shared) =>
        app.handlers.scanRecords(context, { ...shared, ...filter, ...shape }),
      );
      if (reply.kind !== 'ok') return false;
      const { records, nextPageToken, sequenceNumber } = reply.value;
      this.#expect(sequenceNumber, (state) => {
        const whole = pageToken === '' && nextPageToken === '';
        const wanted = [...state.values()].filter(keep).length;
        if (whole && records.length !== wanted) return `${records.length} records instead of ${wanted}`;
        return wrongRecords(state, records, keep);
      });
      moments.push(checker.momentOf(sequenceNumber));
      for (const { id } of records) {
        if (seen.has(id)) this.#fail(`${id} comes twice`);
        seen.add(id);
      }
      pageToken = nextPageToken;
      if (pageToken === '') break;
    }
    this.#expectComplete(seen, moments, keep);
    return true;
  }

  /** What matched at every moment of the scan has to have come. */
  #expectComplete(seen: ReadonlySet<string>, moments: readonly Moment[], keep: Keep): void {
    const { checker } = this.parts.subject;
    const [first, last] = [Math.min(...moments), Math.max(...moments)];
    const always = [...checker.stateAt(first)].filter(([, record]) => keep(record)).map(([id]) => id);
    for (const id of always) {
      if (seen.has(id)) continue;
      let stays = true;
      for (let moment = first; stays && moment <= last; moment++) {
        const record = checker.stateAt(moment).get(id);
        stays = record !== undefined && keep(record);
      }
      if (stays) this.#fail(`${id} does not come`);
    }
  }

  #filter(): { readonly filter: { readonly filter?: Filter }; readonly keep: Keep } {
    const { rng } = this.parts;
    if (rng.chance(0.5)) return { filter: {}, keep: () => true };
    const color = COLORS[rng.below(COLORS.length)] ?? 'red';
    return {
      filter: { filter: { kind: 'eq', field: 'color', value: color } },
      keep: (record) => record.color === color,
    };
  }

  async #call<T>(
    kind: string,
    run: (
      app: Parameters<Parameters<World['call']>[2]>[0],
      context: Parameters<Parameters<World['call']>[2]>[1],
      shared: ReadOptions & { readonly collection: string },
    ) => Promise<T>,
  ): Promise<Reply<T>> {
    const { world, name, subject, server } = this.parts;
    world.note(name, `${this.#what}: ${kind}`);
    const reply = await world.call(server, subject, (app, context) =>
      run(app, context, { ...this.#options, collection: subject.name }),
    );
    world.note(name, `${this.#what}: ${describeReply(reply)}`);
    // The name of a dropped collection may belong to another one by now.
    if (subject.dropped) return { kind: 'down' };
    if (reply.kind === 'ok') remember(subject, reply.value as never);
    return reply;
  }

  #expect(sequence: number, differs: (state: State) => string | null): void {
    const { world, subject } = this.parts;
    const answer = { what: this.#what, floor: this.#floor, sequence, differs };
    check(world, () => subject.checker.read(answer, world.timeline.now));
  }

  #fail(text: string): void {
    this.parts.world.fail(new Violation(`${this.#what}: ${text}`));
  }

  /** The oldest state that the read may be answered from. */
  #floorOf(level: ReadOptions['consistency'], sequence: number): Moment {
    const { world, subject } = this.parts;
    // A server that may rely on being alone always has the newest state.
    if (level === 'strong' || world.settings.ownsStore) return this.#ticket.floor;
    const recent = subject.checker.floorAt(world.timeline.now - world.settings.stalenessMs);
    return Math.max(recent, subject.checker.momentOf(sequence));
  }
}

type Keep = (record: ModelRecord) => boolean;

/** What is wrong with records that a state should have: null when nothing is. */
function wrongRecords(state: State, records: readonly FoundRecord[], keep: Keep): string | null {
  const seen = new Set<string>();
  for (const { id, vector, attributes } of records) {
    if (seen.has(id)) return `${id} comes twice`;
    seen.add(id);
    const wanted = state.get(id);
    const text = textOf(recordFrom(vector ?? [], attributes));
    if (wanted === undefined) return `${id} is not there but comes as {${text}}`;
    if (text !== textOf(wanted)) return `${id} is {${text}} instead of {${textOf(wanted)}}`;
    if (!keep(wanted)) return `${id} does not match the filter`;
  }
  return null;
}
