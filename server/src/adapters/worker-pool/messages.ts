/*
 * What crosses the boundary between the main thread and an engine thread.
 */
import type {
  BuildTask,
  BuiltSegment,
  MatchOutcome,
  MatchTask,
  SearchOutcome,
  SearchTask,
} from '../../core/engine/tasks.js';
import type { StageOutcome, StageTask } from '../../core/engine/stages.js';
import type { ErrorReason } from '../../core/errors.js';

/** Handed to a thread when it starts. */
export interface ThreadData {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  /** The thread's own piece of the arena. */
  readonly scratch: { readonly pointer: number; readonly bytes: number };
}

export type ToThread =
  | { readonly kind: 'search'; readonly id: number; readonly task: SearchTask }
  | { readonly kind: 'match'; readonly id: number; readonly task: MatchTask }
  | { readonly kind: 'stage'; readonly id: number; readonly task: StageTask }
  | { readonly kind: 'build'; readonly id: number; readonly task: BuildTask }
  | { readonly kind: 'forget'; readonly tags: readonly number[] }
  /** Answer to `allocate`: pointer 0 and a message when the arena is full. */
  | { readonly kind: 'allocated'; readonly id: number; readonly pointer: number; readonly message: string }
  | { readonly kind: 'stop' };

export type FromThread =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'searched';
      readonly id: number;
      readonly outcome: SearchOutcome;
      readonly engineMs: number;
    }
  | {
      readonly kind: 'matched';
      readonly id: number;
      readonly outcome: MatchOutcome;
      readonly engineMs: number;
    }
  | {
      readonly kind: 'staged';
      readonly id: number;
      readonly outcome: StageOutcome;
      readonly engineMs: number;
    }
  | { readonly kind: 'built'; readonly id: number; readonly segment: BuiltSegment | null }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: ErrorReason; readonly message: string }
  | { readonly kind: 'allocate'; readonly id: number; readonly bytes: number; readonly purpose: string }
  | { readonly kind: 'shrink'; readonly pointer: number; readonly bytes: number }
  | { readonly kind: 'free'; readonly pointer: number };
