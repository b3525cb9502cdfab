/*
 * What must hold of the objects of one collection after every change of one of them.
 *
 * Everything that a root, a kept version or a pin refers to is there and whole (I5) and is not removed while
 * it is needed (I6); the root only moves forward (I3); slots are contiguous above the floor (I2); and the
 * segments of each root hold exactly the records that the log up to its floor makes (I4), with the requests
 * it remembers.
 */
import { decodeRequestWindow } from '#server/app/collections/request-window-codec.js';
import { classifyKey } from '#server/app/log/object-layout.js';
import type { Pin } from '#server/app/log/pin.js';
import { decodePin } from '#server/app/log/pin.js';
import { violationsOfRoot, violationsOfStep } from '#server/core/log/invariants.js';
import type { Root, SegmentRef } from '#server/core/log/root.js';
import { decodeRoot } from '#server/core/log/root.js';
import { NO_SLOT_HASH } from '#server/core/log/wal-slot.js';
import { decodeDeletionVector } from '#server/core/segment/deletion-vector.js';
import { openSegment } from '#server/core/segment/segment-view.js';
import { Checker, Violation } from './linearizability.js';
import { textOf } from './model.js';
import { decodeLoggedSlot, recordOf } from './wire-records.js';

interface Place {
  readonly key: string;
  readonly folder?: string;
}

/** Rows of a segment, in order. */
type Rows = readonly { readonly id: string; readonly text: string }[];

/** What is needed now. */
interface Needed {
  readonly keys: ReadonlySet<string>;
  readonly jobs: ReadonlySet<string>;
  readonly isNeededSlot: (slot: number) => boolean;
}

/** The other collections of the bucket. */
export interface Others {
  /** The collection in whose image one of that name is being made; undefined: it begins empty. */
  originOf(name: string): StoreRules | undefined;
  /** The rules of a collection by its id. */
  byId(id: string): StoreRules | undefined;
  /** Every collection. */
  all(): Iterable<StoreRules>;
}

export class StoreRules {
  readonly #objects = new Map<string, Uint8Array>();
  readonly #rows = new Map<string, Rows>();
  /** Versions that became the root, by number. */
  readonly #chain = new Map<number, Root>();
  readonly #hashes: string[] = [NO_SLOT_HASH];
  readonly #requests: { readonly slot: number; readonly requestId: string; readonly sequence: number }[] = [];
  readonly #pins = new Map<string, Pin>();
  /** Put too late and not taken back yet: nobody relies on them, and a collector may respect them. */
  readonly #latePins = new Map<string, Pin>();
  #root: Root | null = null;
  #ended = false;
  checker = new Checker();

  /** @param others What the rules have to know of other collections. */
  constructor(
    readonly id: string,
    private readonly others: Others,
  ) {}

  /** The durable root. */
  get root(): Root | null {
    return this.#root;
  }

  get keys(): Iterable<string> {
    return this.#objects.keys();
  }

  /** Nobody knows of the collection: nothing is said about it. */
  ignored = false;
  /** Merges that became part of the collection. */
  merges = 0;
  /** Slots that a late writer put where the log had been collected. */
  strays = 0;

  /** An object was written or, with null, removed. `key` is relative to the collection. */
  changed(key: string, body: Uint8Array | null): void {
    if (this.ignored) return;
    const known = classifyKey(key);
    if (body === null) {
      this.#removed(key, known);
      return;
    }
    const previous = this.#objects.get(key);
    this.#objects.set(key, body);
    if (previous !== undefined && known?.kind !== 'root') throw new Violation(`${key} was overwritten`);
    if (known?.kind === 'root') this.#rootChanged(decodeRoot(body, key));
    else if (known?.kind === 'slot') this.#slotPut(known.slot, body);
    else if (known?.kind === 'pin') this.#pinPut(key, body);
  }

  /** What is left although nothing can need it: empty when the collector has done its work. */
  garbage(): string[] {
    const root = this.#root;
    if (root === null) return [];
    const needed = this.#needed(root, [...this.#pins.values(), ...this.#latePins.values()]);
    return [...this.#objects.keys()].filter((key) => {
      const known = classifyKey(key);
      if (known?.kind === 'slot') return !needed.isNeededSlot(known.slot);
      // Of a change that may yet come: it goes when the root is past it.
      if (known?.kind === 'manifest' && known.version > root.version) return false;
      return known?.kind !== 'root' && known?.kind !== 'pin' && !needed.keys.has(key);
    });
  }

  #slotPut(slot: number, body: Uint8Array): void {
    // After a seal nothing counts.
    if (this.#ended) return;
    const floor = this.#root?.walFloor ?? 0;
    const next = this.checker.now + 1;
    if (slot <= floor) {
      this.strays++;
      return;
    }
    if (slot !== next) throw new Violation(`slot ${slot} was written after slot ${next - 1}`);
    const { decoded, logged, requests } = decodeLoggedSlot(body);
    if (decoded.slot !== slot || decoded.previousHash !== this.#hashes[slot - 1]) {
      throw new Violation(`slot ${slot} does not follow the slot before it`);
    }
    this.#hashes[slot] = decoded.hash;
    this.checker.commit(logged);
    for (const request of requests) this.#requests.push({ slot, ...request });
  }

  #rootChanged(root: Root): void {
    const before = this.#root;
    const wrong = before === null ? violationsOfRoot(root) : violationsOfStep(before, root);
    if (wrong.length > 0) throw new Violation(`root ${root.version}: ${JSON.stringify(wrong)}`);
    if (before === null) this.#begin(root);
    this.#root = root;
    this.#ended ||= root.sealed;
    this.#chain.set(root.version, root);
    // A root that only keeps a branch from being made any more.
    if (before === null && root.sealed) return;
    const manifest = root.manifests.at(-1) ?? '';
    if (!sameBytes(this.#objects.get(manifest), this.#objects.get('root'))) {
      throw new Violation(`root ${root.version} and its manifest ${manifest} differ`);
    }
    if (before !== null && sameContent(before, root)) return;
    const merged = before?.segments.filter(({ key }) => !root.segments.some((other) => other.key === key));
    if ((merged?.length ?? 0) > 1) this.merges++;
    this.#checkFloor(root);
    this.#checkSegments(root);
    this.#checkRequests(root);
  }

  /** A branch has the history of its origin. */
  #begin({ schema, walFloor, logBases }: Root): void {
    const origin = this.others.originOf(schema.name);
    if (origin === undefined) return;
    const through = Math.max(walFloor, logBases.at(-1)?.throughSlot ?? 0);
    this.checker = origin.checker.fork(through);
    this.#hashes.splice(0, 1, ...origin.#hashes.slice(0, through + 1));
  }

  #checkFloor({ walFloor, walFloorHash, foldedSequence }: Root): void {
    if (walFloor > this.checker.now) throw new Violation(`slot ${walFloor} was folded and never written`);
    if (walFloorHash !== this.#hashes[walFloor])
      throw new Violation(`the hash of floor ${walFloor} is wrong`);
    if (this.checker.momentOf(foldedSequence) > walFloor) {
      throw new Violation(`floor ${walFloor} goes with sequence ${foldedSequence}`);
    }
  }

  /** The live rows of all segments are the records of the log up to the floor. */
  #checkSegments(root: Root): void {
    const state = this.checker.stateAt(root.walFloor);
    const seen = new Map<string, string>();
    for (const segment of root.segments) {
      const deleted = new Set(this.#deletedRows(segment));
      this.#rowsOf(root, segment).forEach(({ id, text }, row) => {
        if (deleted.has(row)) return;
        if (seen.has(id)) throw new Violation(`root ${root.version} has ${id} twice`);
        seen.set(id, text);
      });
    }
    for (const [id, record] of state) {
      if (seen.get(id) === textOf(record)) continue;
      throw new Violation(
        `root ${root.version} has ${id} as {${seen.get(id) ?? 'absent'}}, the log says {${textOf(record)}}`,
      );
    }
    for (const id of seen.keys()) {
      if (!state.has(id)) throw new Violation(`root ${root.version} has ${id}, the log has it not`);
    }
  }

  #rowsOf({ collectionId }: Root, segment: SegmentRef): Rows {
    const { key, rows, bytes } = segment;
    const body = this.#present(segment);
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    if (body.length !== bytes) throw new Violation(`${key} has ${body.length} bytes instead of ${bytes}`);
    const view = openSegment(body, {
      ...{ verify: true, collectionId: segment.writtenFor ?? collectionId, source: key },
    });
    if (view.rows !== rows) throw new Violation(`${key} has ${view.rows} rows instead of ${rows}`);
    const read = Array.from({ length: rows }, (_, row) => ({
      id: view.idOf(row),
      text: textOf(recordOf(view.vectorOf(row), view.attributesOf(row))),
    }));
    this.#rows.set(key, read);
    return read;
  }

  #deletedRows({ key, rows, deletes }: SegmentRef): Iterable<number> {
    if (deletes === undefined) return [];
    const identity = { segmentKey: key, segmentRows: rows };
    const deleted = decodeDeletionVector(this.#present(deletes), identity, deletes.key);
    if (deleted.length === deletes.rows) return deleted;
    throw new Violation(`${deletes.key} has ${deleted.length} rows instead of ${deletes.rows}`);
  }

  /** Every request that was folded is remembered. */
  #checkRequests({ walFloor, requestWindows }: Root): void {
    const remembered = new Map<string, number>();
    for (const { key, requests } of requestWindows) {
      const entries = decodeRequestWindow(this.#present({ key }), key);
      if (entries.length !== requests) throw new Violation(`${key} has ${entries.length} requests`);
      for (const { requestId, sequence } of entries) remembered.set(requestId, sequence);
    }
    for (const { slot, requestId, sequence } of this.#requests) {
      if (slot > walFloor || remembered.get(requestId) === sequence) continue;
      throw new Violation(`request ${requestId} of slot ${slot} is folded and not remembered`);
    }
  }

  #present({ key, folder }: Place): Uint8Array {
    const there = folder === undefined ? this : this.others.byId(folder);
    const body = there === undefined ? undefined : there.#objects.get(key);
    if (body === undefined) throw new Violation(`the root refers to ${key}, which is not there`);
    return body;
  }

  /** Whether this collection uses an object in the folder of another one. */
  #uses(folder: string, key: string, slot: number | undefined): boolean {
    const root = this.#root;
    if (root === null || root.sealed || this.ignored) return false;
    if (slot !== undefined) {
      const base = root.logBases.find(({ throughSlot }) => slot <= throughSlot);
      return slot > root.walFloor && base?.folder === folder;
    }
    const places: readonly (Place | undefined)[] = root.segments.flatMap((one) => [one, one.deletes]);
    return places.some((place) => place?.folder === folder && place.key === key);
  }

  #pinPut(key: string, body: Uint8Array): void {
    const pin = decodePin(body, key);
    const inTime = this.#root !== null && keptVersions(this.#root).has(pin.version);
    (inTime ? this.#pins : this.#latePins).set(key, pin);
  }

  #removed(key: string, known: ReturnType<typeof classifyKey>): void {
    const root = this.#root;
    this.#objects.delete(key);
    const slot = known?.kind === 'slot' ? known.slot : undefined;
    for (const other of this.others.all()) {
      if (other.#uses(this.id, key, slot)) throw new Violation(`${key} was removed, ${other.id} uses it`);
    }
    if (known?.kind === 'pin') this.#pins.delete(key);
    if (known?.kind === 'pin') this.#latePins.delete(key);
    if (known?.kind === 'root') {
      if (root?.sealed !== true) throw new Violation('the root of a collection that is used was removed');
      this.#root = null;
      return;
    }
    if (root === null || root.sealed || known?.kind === 'pin') return;
    const needed = this.#needed(root);
    const early =
      known?.kind === 'slot'
        ? needed.isNeededSlot(known.slot)
        : needed.keys.has(key) || (known?.kind === 'job' && needed.jobs.has(known.jobId));
    if (early) throw new Violation(`${key} was removed while it is needed (root ${root.version})`);
    if (known?.kind === 'manifest' && known.version > root.version) {
      throw new Violation(`${key} was removed before root ${root.version} was past it`);
    }
  }

  /** What the root, the versions that it keeps and the pins refer to. */
  #needed(root: Root, pins: readonly Pin[] = [...this.#pins.values()]): Needed {
    const versions = new Set([...keptVersions(root), ...pins.map(({ version }) => version)]);
    const kept = [...versions].map((version) => this.#chain.get(version)).filter((one) => one !== undefined);
    const spans = [
      ...root.snapshots.map(({ base, through }) => [base.walFloor, through.slot] as const),
      ...pins.map(({ walFloor, throughSlot }) => [walFloor, throughSlot] as const),
    ];
    const open = new Set([...recentVersions(root), ...root.checkpoints.map(({ version }) => version)]);
    const floor = Math.min(...kept.filter(({ version }) => open.has(version)).map((one) => one.walFloor));
    return {
      keys: new Set(kept.flatMap(keysOf)),
      jobs: new Set(root.jobs.map(({ jobId }) => jobId)),
      isNeededSlot: (slot) => slot > floor || spans.some(([from, through]) => slot > from && slot <= through),
    };
  }
}

function recentVersions({ retentionFloor, version }: Root): number[] {
  return Array.from({ length: version - retentionFloor + 1 }, (_, index) => retentionFloor + index);
}

/** Versions that have to stay readable. */
function keptVersions(root: Root): Set<number> {
  return new Set([
    ...recentVersions(root),
    ...root.checkpoints.map(({ version }) => version),
    ...root.snapshots.map(({ base }) => base.version),
  ]);
}

function keysOf({ segments, requestWindows, manifests }: Root): string[] {
  return [
    ...segments.flatMap(({ key, deletes }) => (deletes === undefined ? [key] : [key, deletes.key])),
    ...requestWindows.map(({ key }) => key),
    manifests.at(-1) ?? '',
  ];
}

/** Whether only jobs and bookkeeping changed. */
function sameContent(before: Root, after: Root): boolean {
  return (
    before.walFloor === after.walFloor &&
    before.foldedSequence === after.foldedSequence &&
    JSON.stringify(before.segments) === JSON.stringify(after.segments) &&
    JSON.stringify(before.requestWindows) === JSON.stringify(after.requestWindows)
  );
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
}
