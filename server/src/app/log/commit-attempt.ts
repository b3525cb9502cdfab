/*
 * One slot on its way into the log, with the requests that wait for it.
 */
import type { DecodedSlot } from '../../core/log/wal-slot.js';
import type { Span } from '../../ports/tracer.js';
import type { Seated } from './slot-assembly.js';

/** A slot on its way into the log. */
export interface Attempt {
  readonly body: Uint8Array;
  readonly slot: DecodedSlot;
  seated: readonly Seated[];
  /** `Clock.monotonic()` before the slot was first tried. */
  readonly startedMs: number;
  writtenMs: number;
  checkedMs: number;
  /** An earlier try may have written the slot. */
  uncertain: boolean;
}

/** What became of it. */
export type Outcome =
  | { readonly kind: 'committed' }
  /** Another writer has this slot; nothing of ours was written. */
  | { readonly kind: 'lost' }
  /** The slot's name had been collected: whether the writes stand cannot be told. */
  | { readonly kind: 'overtaken' }
  /** For certain not written, and not to be tried again. */
  | { readonly kind: 'refused'; readonly error: unknown }
  /** Storage does not answer. */
  | { readonly kind: 'unresolved'; readonly error: unknown };

/** Answers a request whose writes begin at `firstWrite` of a slot that begins with `slotSequence`. */
export function acknowledge(
  { waiting, firstWrite, count }: Seated,
  slot: number,
  slotSequence: number,
): void {
  const firstSequence = slotSequence + firstWrite;
  waiting.resolve({ slot, firstSequence, count, lastSequence: firstSequence + count - 1 });
}

export function rejectSeated(attempt: Attempt, error: unknown): void {
  for (const { waiting } of attempt.seated) waiting.reject(error);
}

/** Adds the commit of a request to its trace: requests that share a slot share its times. */
export function traceCommit(span: Span, sinceMs: number, attempt: Attempt): void {
  const { startedMs, writtenMs, checkedMs } = attempt;
  const commit = span.child('commit', sinceMs, checkedMs);
  commit.child('commit.queue', sinceMs, startedMs);
  commit.child('commit.put', startedMs, writtenMs);
  commit.child('commit.check', writtenMs, checkedMs);
}
