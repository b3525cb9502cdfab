/*
 * What the commands on whole stores share: opening stores, saying where they are, and turning what the user
 * can put right into a message.
 */
import { FsObjectStore } from '../adapters/fs/fs-object-store.js';
import { NO_METRICS } from '../adapters/memory/no-metrics.js';
import { SystemClock } from '../adapters/system/clock.js';
import { SystemRng } from '../adapters/system/rng.js';
import { SystemScheduler } from '../adapters/system/scheduler.js';
import type { StoreWork, Progress } from '../app/backup/store-work.js';
import type { Config } from '../config/load.js';
import { OmenError } from '../core/errors.js';
import type { Logger } from '../ports/logger.js';
import type { ObjectStore } from '../ports/object-store.js';
import type { StoreAddress } from '../ports/store-address.js';
import { openStore } from './store.js';
import { UserError } from './user-error.js';

/** What a command gets from the process. */
export interface CommandContext {
  readonly config: Config;
  readonly logger: Logger;
  /** Aborted when the process is asked to end. */
  readonly signal: AbortSignal;
  /** Writes a line to standard output. */
  readonly print: (line: string) => void;
}

const PROGRESS_MS = 5000;

export class StoreSession {
  readonly work: StoreWork;
  readonly #clock = new SystemClock();
  readonly #opened: ObjectStore[] = [];
  #saidMs: number;

  private constructor(
    private readonly context: CommandContext,
    private readonly json: boolean,
  ) {
    this.#saidMs = this.#clock.monotonic();
    this.work = {
      ...{ clock: this.#clock, rng: new SystemRng(), scheduler: new SystemScheduler() },
      ...{ logger: context.logger, signal: context.signal },
      onProgress: (progress) => this.#progress(progress),
    };
  }

  /** Runs a command and closes the stores it opened. Throws `UserError` for what the user can put right. */
  static async run<T>(
    context: CommandContext,
    json: boolean,
    command: (session: StoreSession) => Promise<T>,
  ): Promise<T> {
    const session = new StoreSession(context, json);
    try {
      return await command(session);
    } catch (error) {
      if (error instanceof OmenError) throw new UserError(error.message, { cause: error });
      throw error;
    } finally {
      for (const store of session.#opened.reverse()) await store.close();
    }
  }

  /** Opens a store that only this process uses, if it is a folder. A folder is made when there is none. */
  async open(address: StoreAddress): Promise<ObjectStore> {
    const { config, logger } = this.context;
    const { clock, scheduler, rng } = this.work;
    return this.#keep(
      await openStore(address, config, { clock, scheduler, rng, logger, metrics: NO_METRICS }),
    );
  }

  /** Opens a store that other processes may use at the same time: nothing is swapped in it. */
  async openBeside(address: StoreAddress): Promise<ObjectStore> {
    if (address.kind !== 'file') return this.open(address);
    const store = await FsObjectStore.beside(address.folder);
    if (store === null) throw new UserError(`there is no data folder at ${address.folder}`);
    return this.#keep(store);
  }

  /** Prints a result: a line of JSON, or lines for people. */
  say(facts: Readonly<Record<string, unknown>>, lines: readonly string[]): void {
    if (this.json) this.context.print(JSON.stringify(facts));
    else for (const line of lines) this.context.print(line);
  }

  #keep(store: ObjectStore): ObjectStore {
    this.#opened.push(store);
    return store;
  }

  #progress(progress: Progress): void {
    const now = this.#clock.monotonic();
    if (now - this.#saidMs < PROGRESS_MS) return;
    this.#saidMs = now;
    const { at, objects, bytes } = progress;
    this.say({ event: 'progress', ...progress }, [`${at}: ${objects} objects, ${sizeText(bytes)}`]);
  }
}

/** Bytes for people. */
export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** A rate for people, in decimal megabytes as disks and networks are sold. */
export function rateText(bytes: number, ms: number): string {
  return `${(bytes / 1000 / Math.max(1, ms)).toFixed(1)} MB/s`;
}
