import { expect } from 'chai';
import { descend } from '#server/core/log/descend.js';
import { violationsOfRoot } from '#server/core/log/invariants.js';
import {
  addSnapshot,
  expireCheckpoints,
  keeps,
  removeSnapshot,
  SNAPSHOTS_MAX,
  withCheckpoint,
} from '#server/core/log/retention.js';
import type { Root, SegmentRef } from '#server/core/log/root.js';
import { newRoot } from '#server/core/log/root.js';
import type { CollectionId } from '#server/core/ids.js';
import { COLLECTION, SCHEMA } from '../../../support/log-node.js';
import { SeededRng } from '../../../support/seeded-rng.js';

const HOUR = 3_600_000;
const WINDOW = { windowMs: 24 * HOUR, slotsMax: 1_000_000 };
const id = (digit: string): CollectionId => digit.repeat(32) as CollectionId;

/** A root after so many folds, each `stepMs` apart and of `slots` slots. */
function history(folds: number, stepMs: number, slots = 1, limits = WINDOW): Root {
  let root: Root = { ...newRoot(COLLECTION, SCHEMA), manifests: ['m/1'] };
  for (let fold = 1; fold <= folds; fold++) {
    const checkpoints = withCheckpoint(root, limits);
    const version = root.version + 1;
    root = {
      ...root,
      ...{ version, checkpoints, manifests: [`m/${version}`], walFloor: root.walFloor + slots },
      ...{ foldedSequence: root.foldedSequence + 10, floorTimeMs: root.floorTimeMs + stepMs },
    };
  }
  return root;
}

describe('Checkpoints', () => {
  it('are made now and then, and not at every fold', () => {
    const root = history(2000, 10_000);
    const spans = root.checkpoints.map((checkpoint, index) => {
      const next = root.checkpoints[index + 1] ?? root;
      return next.floorTimeMs - checkpoint.floorTimeMs;
    });
    expect(root.checkpoints.length).to.be.lessThan(40);
    expect(Math.max(...spans)).to.be.at.most(HOUR / 4 + 10_000);
    expect(violationsOfRoot(root)).to.deep.equal([]);
  });

  it('stay below their bound, however long the history, and reach back to its begin', () => {
    const root = history(1000, HOUR);
    expect(root.checkpoints.length).to.be.at.most(128);
    expect(root.checkpoints[0]?.version).to.equal(1);
    expect(violationsOfRoot(root)).to.deep.equal([]);
  });

  it('are none without a window', () => {
    expect(history(100, HOUR, 1, { windowMs: 0, slotsMax: 100 }).checkpoints).to.deep.equal([]);
  });

  it('expire so that every moment of the window can be read from one', () => {
    const rng = new SeededRng(4);
    for (let round = 0; round < 50; round++) {
      const root = history(300, rng.below(2 * HOUR));
      const nowMs = root.floorTimeMs + rng.below(30 * HOUR);
      const kept = expireCheckpoints(root, { ...WINDOW, nowMs });
      const versions = [...kept.checkpoints, kept];
      const start = Math.max(nowMs - WINDOW.windowMs, SCHEMA.createdAtMs);
      expect(versions[0]?.floorTimeMs, `seed 4 round ${round}`).to.be.at.most(start);
      expect(versions[1]?.floorTimeMs ?? Infinity).to.be.greaterThan(start);
    }
  });

  it('expire earlier when the window would keep too many slots', () => {
    const limits = { windowMs: 24 * HOUR, slotsMax: 1600 };
    const root = history(100, 1000, 100, limits);
    const kept = expireCheckpoints(root, { ...limits, nowMs: root.floorTimeMs });
    const [oldest] = kept.checkpoints;
    expect(root.walFloor - (oldest?.walFloor ?? 0)).to.be.within(1400, 1600);
  });
});

describe('Snapshots of a root', () => {
  const through = { slot: 9, hash: 'ab'.repeat(16), sequence: 90, timeMs: 5 };
  const root = history(5, 1000);

  it('keep the version they were made of', () => {
    const later = {
      ...addSnapshot(root, { name: 'a', createdAtMs: 1, through }),
      version: 50,
      retentionFloor: 50,
    };
    expect(keeps(later, root.version)).to.equal(true);
    expect(keeps(removeSnapshot(later, 'a'), root.version)).to.equal(false);
    expect(removeSnapshot(root, 'none')).to.equal(root);
  });

  it('are refused when their moment is folded, their name taken, or their number too large', () => {
    const add =
      (to: Root, name: string, slot = 9) =>
      () =>
        addSnapshot(to, { name, createdAtMs: 1, through: { ...through, slot } });
    expect(add(root, 'a', 4)).to.throw('folded');
    expect(add(add(root, 'a')(), 'a')).to.throw('exists already');
    let full = root;
    for (let index = 0; index < SNAPSHOTS_MAX; index++) full = add(full, `s${index}`)();
    expect(add(full, 'more')).to.throw(`${SNAPSHOTS_MAX} snapshots`);
    expect(add({ ...root, sealed: true }, 'a')).to.throw('deleted');
  });
});

describe('The first root of a collection that descends from another', () => {
  const segment: SegmentRef = {
    ...{ key: 's/j-0', jobId: 'j', level: 0, rows: 10, liveRows: 8, bytes: 100 },
    ...{ minSequence: 1, maxSequence: 10, summary: {}, deletes: { key: 'd/j-0', rows: 2 } },
  };
  const base: Root = {
    ...history(3, 1000),
    segments: [segment],
    books: { logged: '0'.repeat(32), pruned: '0'.repeat(32) },
  };
  const branch = (of: Root, name: string, throughSlot: number): Root =>
    descend(of, {
      ...{ collectionId: id(name), schema: { ...SCHEMA, name }, throughSlot },
      parent: { collectionId: of.collectionId, pinId: 'p' },
    });

  it('names objects and log where they lie, through any number of generations', () => {
    const child = branch(base, '1', 5);
    expect(child.segments[0]).to.deep.include({ folder: COLLECTION, writtenFor: COLLECTION });
    expect(child.segments[0]?.deletes).to.deep.include({ folder: COLLECTION });
    expect(child.logBases).to.deep.equal([{ throughSlot: 5, folder: COLLECTION, writtenFor: COLLECTION }]);
    const grandchild = branch(
      { ...child, segments: [...child.segments, { ...segment, key: 's/own-0' }] },
      '2',
      8,
    );
    expect(grandchild.segments.map(({ folder }) => folder)).to.deep.equal([COLLECTION, id('1')]);
    expect(grandchild.logBases).to.deep.equal([
      { throughSlot: 5, folder: COLLECTION, writtenFor: COLLECTION },
      { throughSlot: 8, folder: id('1'), writtenFor: id('1') },
    ]);
    expect(branch(child, '3', 4).logBases).to.deep.equal([
      { throughSlot: 4, folder: COLLECTION, writtenFor: COLLECTION },
    ]);
    for (const root of [child, grandchild])
      expect(violationsOfRoot({ ...root, books: undefined as never })).to.deep.equal([]);
  });

  it('keeps everything in its own folder when it was copied there', () => {
    const child = branch(base, '1', 5);
    const restored = descend(child, { collectionId: id('4'), schema: SCHEMA, throughSlot: 5 });
    expect(restored.segments[0]?.folder).to.equal(undefined);
    expect(restored.segments[0]?.writtenFor).to.equal(COLLECTION);
    expect(restored.logBases).to.deep.equal([{ throughSlot: 5, writtenFor: COLLECTION }]);
    expect(restored.parents).to.deep.equal([]);
  });

  it('has no parent when it uses nothing of it', () => {
    const empty = { ...base, segments: [] };
    expect(branch(empty, '1', empty.walFloor).parents).to.deep.equal([]);
  });
});
