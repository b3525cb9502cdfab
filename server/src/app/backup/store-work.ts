import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';

/** What the commands on stores work with. */
export interface StoreWork {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Ends the work in order. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Where a command is. Numbers only grow. */
export interface Progress {
  /** What is being worked on. */
  readonly at: string;
  readonly objects: number;
  readonly bytes: number;
}
