/*
 * What must hold of every root and of every step from one to the next, by name. The committer checks them
 * before it writes, so a bug in a transition stops the change and not the collection; the simulation checks
 * them after every step.
 */
import type { Root, SegmentRef } from './root.js';
import { foldersOf, MANIFESTS_KEPT } from './root.js';
import { Setsum } from './setsum.js';

export interface Violation {
  readonly invariant: string;
  readonly detail: string;
}

type RootRule = (root: Root) => string | null;
type StepRule = (before: Root, after: Root) => string | null;

/** Rules of one root: null when it holds, else what is wrong. */
export const ROOT_RULES = {
  'segment keys are distinct': (root) => repeated(root.segments.map(({ key }) => key)),
  'job ids are distinct': (root) => repeated(root.jobs.map(({ jobId }) => jobId)),
  'no segment is the input of two jobs': (root) => repeated(root.jobs.flatMap(({ inputs }) => inputs)),
  'every input of a job is a segment': (root) => {
    const keys = new Set(root.segments.map(({ key }) => key));
    return root.jobs.flatMap(({ inputs }) => inputs).find((key) => !keys.has(key)) ?? null;
  },
  'live rows are rows less deleted rows': (root) =>
    root.segments.find(({ rows, liveRows, deletes }) => liveRows !== rows - (deletes?.rows ?? 0))?.key ??
    null,
  'segments hold folded writes only': (root) =>
    root.segments.find(({ maxSequence }) => maxSequence > root.foldedSequence)?.key ?? null,
  'sequence numbers of a segment are a range': (root) =>
    root.segments.find(({ minSequence, maxSequence }) => minSequence > maxSequence)?.key ?? null,
  'the retention floor is not past the version': (root) =>
    root.retentionFloor > root.version ? `${root.retentionFloor} > ${root.version}` : null,
  'a bounded number of manifests is carried': (root) =>
    root.manifests.length > MANIFESTS_KEPT ? String(root.manifests.length) : null,
  'checkpoints are older versions in order': (root) => {
    const versions = [...root.checkpoints.map(({ version }) => version), root.version];
    return versions.every((version, index) => version > (versions[index - 1] ?? 0)) ? null : versions.join();
  },
  'snapshot names are distinct': (root) => repeated(root.snapshots.map(({ name }) => name)),
  'a snapshot ends behind its base': (root) =>
    root.snapshots.find(({ base, through }) => through.slot < base.walFloor)?.name ?? null,
  'log bases ascend above the floor': (root) => {
    const ends = [root.walFloor, ...root.logBases.map(({ throughSlot }) => throughSlot)];
    return ends.every((end, index) => index === 0 || end > (ends[index - 1] ?? 0)) ? null : ends.join();
  },
  "another collection's objects are pinned": (root) => {
    const foreign = foldersOf(root);
    return foreign.length > 0 && root.parents.length === 0 ? (foreign[0] ?? null) : null;
  },
  'the books balance: what was logged is live or pruned': (root) => {
    if (root.books === undefined) return null;
    const { logged, pruned } = root.books;
    const live = root.segments.reduce((sum, segment) => sum.plus(liveSetsum(segment)), new Setsum());
    const found = live.plus(Setsum.parse(pruned));
    return found.equals(Setsum.parse(logged)) ? null : `logged ${logged}, live and pruned ${String(found)}`;
  },
  'a sealed root has no jobs': (root) => (root.sealed && root.jobs.length > 0 ? 'jobs' : null),
} as const satisfies Record<string, RootRule>;

/** Rules of one step (I3: version, floor and folded sequence only grow). */
export const STEP_RULES = {
  'the version grows by one': (a, b) => (b.version === a.version + 1 ? null : `${a.version} to ${b.version}`),
  'the log floor does not fall': (a, b) => falls(a.walFloor, b.walFloor),
  'the folded sequence does not fall': (a, b) => falls(a.foldedSequence, b.foldedSequence),
  'the time of the floor does not fall': (a, b) => falls(a.floorTimeMs, b.floorTimeMs),
  'the retention floor does not fall': (a, b) => falls(a.retentionFloor, b.retentionFloor),
  'the floor moves together with its hash': (a, b) =>
    a.walFloor === b.walFloor && a.walFloorHash !== b.walFloorHash ? b.walFloorHash : null,
  'identity and schema stay': (a, b) =>
    a.collectionId === b.collectionId && JSON.stringify(a.schema) === JSON.stringify(b.schema)
      ? null
      : b.collectionId,
  'a seal is never broken': (a, b) => (a.sealed && !b.sealed ? 'opened' : null),
  'manifests extend the chain': (a, b) =>
    b.manifests.at(-2) === a.manifests.at(-1) ? null : String(b.manifests.at(-1)),
} as const satisfies Record<string, StepRule>;

/** Setsum of the rows of a segment that are not deleted. */
export function liveSetsum({ setsum, deletes }: SegmentRef): Setsum {
  const all = setsum === undefined ? new Setsum() : Setsum.parse(setsum);
  return deletes?.setsum === undefined ? all : all.minus(Setsum.parse(deletes.setsum));
}

/** What is wrong with a root by itself; empty when it is sound. */
export function violationsOfRoot(root: Root): Violation[] {
  return collect(ROOT_RULES, (rule) => rule(root));
}

/** What is wrong with replacing one root by another; empty when the step is allowed. */
export function violationsOfStep(before: Root, after: Root): Violation[] {
  return [...collect(STEP_RULES, (rule) => rule(before, after)), ...violationsOfRoot(after)];
}

function collect<Rule>(
  rules: Readonly<Record<string, Rule>>,
  run: (rule: Rule) => string | null,
): Violation[] {
  return Object.entries(rules).flatMap(([invariant, rule]) => {
    const detail = run(rule);
    return detail === null ? [] : [{ invariant, detail }];
  });
}

function repeated(values: readonly string[]): string | null {
  return values.find((value, index) => values.indexOf(value) !== index) ?? null;
}

function falls(before: number, after: number): string | null {
  return after < before ? `${before} to ${after}` : null;
}
