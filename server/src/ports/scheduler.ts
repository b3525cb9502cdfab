/** Timers. A timer never keeps the process alive. */
export interface Scheduler {
  /**
   * Calls `task` once after at least `delayMs` milliseconds. The returned function cancels it; calling it
   * late or twice is harmless.
   */
  after(delayMs: number, task: () => void): () => void;
  /**
   * Resolves after at least `delayMs` milliseconds. Rejects with the signal's reason when the signal aborts
   * first.
   */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Resolves in a later turn of the event loop, after pending I/O had its chance. */
  yield(): Promise<void>;
}
