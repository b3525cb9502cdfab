/** Time. Everything below `main` gets it handed in, so that a test can stop it. */
export interface Clock {
  /**
   * Milliseconds since 1970-01-01 UTC; may jump in either direction. For timestamps only, never for safety.
   */
  now(): number;
  /** Milliseconds since some fixed point; never goes back. For durations. */
  monotonic(): number;
}
