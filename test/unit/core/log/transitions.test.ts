import { expect } from 'chai';
import { toHex } from '#server/core/bytes/hex.js';
import { OmenError } from '#server/core/errors.js';
import { violationsOfRoot, violationsOfStep } from '#server/core/log/invariants.js';
import type { Root, SegmentRef } from '#server/core/log/root.js';
import { decodeRoot, encodeRoot, floorOf, newRoot } from '#server/core/log/root.js';
import type { Flush } from '#server/core/log/transitions.js';
import { conflictOf } from '#server/core/log/conflict.js';
import {
  publishFlush,
  publishMerge,
  raiseRetention,
  registerJob,
  revokeJob,
  seal,
} from '#server/core/log/transitions.js';
import { COLLECTION, SCHEMA } from '../../../support/log-node.js';

const HASH = 'ab'.repeat(16);

const WINDOW = { key: 'r/f1', requests: 3, throughSlot: 9, newestMs: 5 };

/** A new root as the committer leaves it. */
function start(): Root {
  return { ...newRoot(COLLECTION, SCHEMA), manifests: ['m/1'] };
}

/** Applies a transition as the committer does, and checks the rules. */
function step(before: Root, transition: (root: Root) => Root): Root {
  const changed = transition(before);
  const version = before.version + 1;
  const after = { ...changed, version, manifests: [...before.manifests, `m/${version}`] };
  expect(violationsOfStep(before, after)).to.deep.equal([]);
  return after;
}

const job =
  (jobId: string, inputs: readonly string[] = []) =>
  (root: Root) =>
    registerJob(root, {
      jobId,
      kind: inputs.length > 0 ? 'merge' : 'flush',
      inputs,
      claimedBy: 'x',
      claimedAtMs: 0,
    });

function segment(key: string, rows = 10): SegmentRef {
  const place = { level: 0, minSequence: 1, maxSequence: 10 };
  return { key, jobId: key, rows, liveRows: rows, bytes: 100, ...place, summary: {} };
}

function flush(root: Root, jobId: string, change: Partial<Flush> = {}): Flush {
  const floor = floorOf(root);
  const through = { slot: floor.slot + 1, hash: HASH, sequence: floor.sequence + 10, timeMs: floor.timeMs };
  return {
    jobId,
    through,
    fromSlot: floor.slot,
    segment: segment(`s/${jobId}`),
    deletes: [],
    requestWindows: [],
    ...change,
  };
}

function flushed(root: Root, jobId: string, change: Partial<Flush> = {}): Root {
  const registered = step(root, job(jobId));
  return step(registered, (at) => publishFlush(at, flush(at, jobId, change)));
}

function conflict(run: () => unknown): string | null {
  try {
    run();
    return 'none';
  } catch (error) {
    return conflictOf(error) ?? (error instanceof OmenError ? error.reason : String(error));
  }
}

describe('Root transitions', () => {
  it('fold the log into a segment and move the floor', () => {
    const root = flushed(start(), 'f1', { requestWindows: [WINDOW] });
    expect(floorOf(root)).to.deep.equal({ slot: 1, hash: HASH, sequence: 10, timeMs: 1 });
    expect(root.segments.map(({ key }) => key)).to.deep.equal(['s/f1']);
    expect([root.jobs, root.requestWindows]).to.deep.equal([[], [WINDOW]]);
    // The next flush without a window has nothing to carry.
    expect(flushed(root, 'f2').requestWindows).to.deep.equal([]);
  });

  it('add deleted rows to segments that are there', () => {
    const root = flushed(start(), 'f1');
    const deletes = { segmentKey: 's/f1', replaces: null, deletes: { key: 'd/f2-0', rows: 4 } };
    const next = flushed(root, 'f2', { segment: null, deletes: [deletes] });
    expect(next.segments[0]).to.deep.include({ liveRows: 6, deletes: { key: 'd/f2-0', rows: 4 } });
    const stale = step(next, job('f3'));
    expect(conflict(() => publishFlush(stale, flush(stale, 'f3', { deletes: [deletes] })))).to.equal(
      'deletes-changed',
    );
    const elsewhere = { ...deletes, segmentKey: 's/none' };
    expect(conflict(() => publishFlush(stale, flush(stale, 'f3', { deletes: [elsewhere] })))).to.equal(
      'segment-gone',
    );
  });

  it('put one segment in the place of several', () => {
    const root = step(flushed(flushed(start(), 'f1'), 'f2'), job('m', ['s/f1', 's/f2']));
    const inputs = [
      { key: 's/f1', deletesKey: null },
      { key: 's/f2', deletesKey: null },
    ];
    const merged = step(root, (at) => publishMerge(at, { jobId: 'm', inputs, segment: segment('s/m', 20) }));
    expect(merged.segments.map(({ key }) => key)).to.deep.equal(['s/m']);
    const empty = step(root, (at) => publishMerge(at, { jobId: 'm', inputs, segment: null }));
    expect(empty.segments).to.deep.equal([]);
  });

  it('scenario 19: refuse a merge whose input lost rows meanwhile', () => {
    const registered = step(flushed(start(), 'f1'), job('m', ['s/f1']));
    const deletes = [{ segmentKey: 's/f1', replaces: null, deletes: { key: 'd/f2-0', rows: 1 } }];
    const root = flushed(registered, 'f2', { segment: null, deletes });
    const merge = (deletesKey: string | null) => () =>
      publishMerge(root, { jobId: 'm', inputs: [{ key: 's/f1', deletesKey }], segment: segment('s/m') });
    expect(conflict(merge(null))).to.equal('deletes-changed');
    expect(conflict(merge('d/f2-0'))).to.equal('none');
  });

  it('scenario 15: refuse to publish for a job that was revoked', () => {
    const revoked = step(step(start(), job('f1')), (root) => revokeJob(root, 'f1'));
    expect(conflict(() => publishFlush(revoked, flush(revoked, 'f1')))).to.equal('job-revoked');
    const published = flushed(start(), 'f1');
    expect(conflict(() => publishFlush(published, flush(published, 'f1')))).to.equal('job-revoked');
  });

  it('scenario 16: let one job alone have an input, and a second one after revocation', () => {
    const root = step(flushed(start(), 'f1'), job('m1', ['s/f1']));
    expect(conflict(() => job('m2', ['s/f1'])(root))).to.equal('job-exists');
    expect(conflict(() => job('m2', ['s/none'])(root))).to.equal('segment-gone');
    const taken = step(
      step(root, (at) => revokeJob(at, 'm1')),
      job('m2', ['s/f1']),
    );
    const inputs = [{ key: 's/f1', deletesKey: null }];
    expect(conflict(() => publishMerge(taken, { jobId: 'm1', inputs, segment: null }))).to.equal(
      'job-revoked',
    );
    const done = step(taken, (at) => publishMerge(at, { jobId: 'm2', inputs, segment: segment('s/m2') }));
    expect(conflict(() => job('m3', ['s/f1'])(done))).to.equal('segment-gone');
  });

  it('refuse a flush that began from another floor', () => {
    const two = step(step(start(), job('f1')), job('f2'));
    const plan = flush(two, 'f2');
    const first = step(two, (root) => publishFlush(root, flush(root, 'f1')));
    expect(conflict(() => publishFlush(first, plan))).to.equal('floor-moved');
  });

  it('scenario 54: fold nothing when nothing was written', () => {
    const root = step(start(), job('f1'));
    const after = step(root, (at) =>
      publishFlush(at, flush(at, 'f1', { through: floorOf(at), segment: null })),
    );
    expect([floorOf(after), after.segments]).to.deep.equal([floorOf(root), []]);
  });

  it('end with a seal that nothing breaks', () => {
    const sealed = step(step(start(), job('f1')), seal);
    expect([sealed.sealed, sealed.jobs]).to.deep.equal([true, []]);
    expect(seal(sealed)).to.equal(sealed);
    expect(conflict(() => job('f2')(sealed))).to.equal('COLLECTION_NOT_FOUND');
    expect(conflict(() => publishFlush(sealed, flush(sealed, 'f1')))).to.equal('COLLECTION_NOT_FOUND');
  });

  it('raise the retention floor up to the present version and never lower it', () => {
    const root = step(step(start(), job('a')), (at) => raiseRetention(at, 99));
    expect(root.retentionFloor).to.equal(2);
    expect(raiseRetention(root, 1)).to.equal(root);
  });
});

describe('Root rules', () => {
  const broken: Readonly<Record<string, (root: Root) => Root>> = {
    'segment keys are distinct': (root) => ({ ...root, segments: [...root.segments, ...root.segments] }),
    'live rows are rows less deleted rows': (root) => ({
      ...root,
      segments: root.segments.map((ref) => ({ ...ref, liveRows: 3 })),
    }),
    'segments hold folded writes only': (root) => ({
      ...root,
      segments: root.segments.map((ref) => ({ ...ref, maxSequence: 11 })),
    }),
    'the log floor does not fall': (root) => ({ ...root, walFloor: 0 }),
    'the folded sequence does not fall': (root) => ({ ...root, foldedSequence: 1 }),
    'the version grows by one': (root) => ({ ...root, version: root.version + 1 }),
    'the floor moves together with its hash': (root) => ({ ...root, walFloorHash: 'cd'.repeat(16) }),
    'identity and schema stay': (root) => ({ ...root, schema: { ...root.schema, dimensions: 3 } }),
    'manifests extend the chain': (root) => ({ ...root, manifests: ['m/other'] }),
    'the retention floor is not past the version': (root) => ({ ...root, retentionFloor: 99 }),
    'every input of a job is a segment': (root) => ({
      ...root,
      jobs: [{ jobId: 'm', kind: 'merge', inputs: ['s/none'], claimedBy: 'x', claimedAtMs: 0 }],
    }),
  };
  for (const [rule, damage] of Object.entries(broken)) {
    it(`notice when this does not hold: ${rule}`, () => {
      const before = flushed(start(), 'f1');
      const version = before.version + 1;
      const after = damage({ ...before, version, manifests: [...before.manifests, `m/${version}`] });
      expect(violationsOfStep(before, after).map(({ invariant }) => invariant)).to.include(rule);
    });
  }
});

describe('Root bytes', () => {
  it('give back the root', () => {
    const deletes = [{ segmentKey: 's/f1', replaces: null, deletes: { key: 'd/f2-0', rows: 4 } }];
    const root = flushed(flushed(start(), 'f1'), 'f2', {
      deletes,
      requestWindows: [WINDOW],
    });
    expect(decodeRoot(encodeRoot(root), 'root')).to.deep.equal(root);
    expect(violationsOfRoot(root)).to.deep.equal([]);
  });

  it('begin as documented', () => {
    const bytes = encodeRoot(start());
    const length = bytes.length - 16;
    expect(toHex(bytes.subarray(0, 8))).to.equal('4f4d525402000000');
    expect(new DataView(bytes.buffer).getUint32(8, true)).to.equal(length);
  });

  it('show every truncation and every flipped bit', () => {
    const bytes = encodeRoot(flushed(start(), 'f1'));
    const refuses = (damaged: Uint8Array): void => {
      expect(() => decodeRoot(damaged, 'root'))
        .to.throw(OmenError)
        .with.property('reason', 'DATA_CORRUPTED');
    };
    for (let length = 0; length < bytes.length; length++) refuses(bytes.subarray(0, length));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      refuses(damaged);
    }
  });

  it('name the field that is missing or wrong', () => {
    const wrong = (change: object): Uint8Array => encodeRoot({ ...start(), ...change } as Root);
    for (const [field, value] of Object.entries({
      version: -1,
      walFloorHash: 'xyz',
      sealed: 1,
      segments: [{ key: 's' }],
      schema: { ...SCHEMA, metric: 'hamming' },
    })) {
      expect(() => decodeRoot(wrong({ [field]: value }), 'root')).to.throw(`field "${field}"`);
    }
  });
});
