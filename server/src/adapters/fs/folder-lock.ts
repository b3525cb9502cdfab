/*
 * One process per data folder, without help of the kernel's locks, which Node does not offer.
 *
 * Claims are numbered files. Whoever holds the highest number holds the folder; a dead holder is followed by
 * claiming the next number with `link`, which one process alone can do. A number is never given twice,
 * because the newest claim is never removed, not even on release. A holder is dead when its socket does not
 * answer, or its machine was restarted; of a holder on another machine only its heartbeat tells, which is
 * watched by change and not by time of day, so clocks need not agree.
 */
import { link, mkdir, open, readdir, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OmenError } from '../../core/errors.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { Scheduler } from '../../ports/scheduler.js';
import { codeOf } from './file-system.js';
import type { LockHolder } from './lock-holder.js';
import { describeSelf, judge, parseHolder } from './lock-holder.js';
import type { LockSocket } from './lock-socket.js';
import { answersIn, listenIn } from './lock-socket.js';

export interface LockDeps {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** 32 hex digits that nobody else uses. */
  readonly nonce: string;
  /** Where sockets do not work: for tests. */
  readonly withoutSocket?: boolean;
}

/** A live holder changes its claim this often. */
const HEARTBEAT_MS = 5000;
/** A claim that does not change for so long is dead: three heartbeats. */
const SILENCE_MS = 15_000;
/**
 * After a pause of the whole process, such as a frozen machine, the claim is looked at before the next write.
 */
const RECHECK_MS = 10_000;
const CLAIM = /^\d{12}$/;

export class FolderLock {
  #lost = false;
  #checkedMs: number;
  #cancelHeartbeat: () => void = () => undefined;

  private constructor(
    private readonly folder: string,
    private readonly number: number,
    private readonly socket: LockSocket | null,
    private readonly deps: LockDeps,
  ) {
    this.#checkedMs = deps.clock.monotonic();
    this.#beat();
  }

  /**
   * Takes the lock of a data folder. Throws `STORAGE_UNAVAILABLE` naming folder, process and host when
   * another process has it.
   */
  static async acquire(dataFolder: string, deps: LockDeps): Promise<FolderLock> {
    const folder = join(dataFolder, 'lock');
    await mkdir(folder, { recursive: true });
    const name = `s-${deps.nonce}.sock`;
    // The socket answers before the claim that names it is there.
    const socket = deps.withoutSocket === true ? null : await listenIn(folder, name);
    // A process that starts has nothing else to keep it alive while it waits.
    const awake = setInterval(() => undefined, SILENCE_MS);
    try {
      const since = new Date(deps.clock.now()).toISOString();
      const self = await describeSelf({ socket: socket === null ? null : name, nonce: deps.nonce, since });
      const number = await claim({ dataFolder, folder, self, deps });
      await removeOlder(folder, number, name);
      return new FolderLock(folder, number, socket, deps);
    } catch (error) {
      await socket?.close();
      throw error;
    } finally {
      clearInterval(awake);
    }
  }

  /** To be called before a write. Throws `STORAGE_UNAVAILABLE` when the lock was taken over. */
  async check(): Promise<void> {
    if (this.#lost) throw takenOver(this.folder);
    if (this.deps.clock.monotonic() - this.#checkedMs < RECHECK_MS) return;
    await this.#look();
    if (this.#lost) throw takenOver(this.folder);
  }

  /** Lets the folder go. The claim stays, marked as released. */
  async release(): Promise<void> {
    this.#cancelHeartbeat();
    if (!this.#lost) await writeFile(releasedPath(this.folder, this.number), '');
    await this.socket?.close();
  }

  #beat(): void {
    this.#cancelHeartbeat = this.deps.scheduler.after(HEARTBEAT_MS, () => {
      void this.#look().then(() => {
        if (!this.#lost) this.#beat();
      });
    });
  }

  /** Is ours still the newest claim? Then shows others that its holder lives. */
  async #look(): Promise<void> {
    try {
      const newest = (await claimsIn(this.folder)).at(-1) ?? 0;
      if (newest !== this.number) {
        this.#lost = true;
        this.deps.logger.error('another process has taken over the data folder', { folder: this.folder });
        return;
      }
      const now = this.deps.clock.now() / 1000;
      await utimes(claimPath(this.folder, this.number), now, now);
      this.#checkedMs = this.deps.clock.monotonic();
    } catch (error) {
      this.deps.logger.warn('the claim of the data folder cannot be renewed', { folder: this.folder, error });
    }
  }
}

interface Claim {
  readonly dataFolder: string;
  readonly folder: string;
  readonly self: LockHolder;
  readonly deps: LockDeps;
}

/** Claims the number after that of a dead holder; returns it. */
async function claim({ dataFolder, folder, self, deps }: Claim): Promise<number> {
  const temporary = join(folder, `${self.nonce}.tmp`);
  await writeDurably(temporary, JSON.stringify(self));
  try {
    for (;;) {
      const newest = (await claimsIn(folder)).at(-1) ?? 0;
      const holder = newest === 0 ? null : await liveHolder({ dataFolder, folder, self, deps }, newest);
      if (holder !== null) throw inUse(dataFolder, holder);
      if (!(await tryLink(temporary, claimPath(folder, newest + 1)))) continue;
      // Somebody may have claimed this number and later ones, and removed them, since they were listed.
      if ((await claimsIn(folder)).at(-1) === newest + 1) return newest + 1;
      await unlink(claimPath(folder, newest + 1));
    }
  } finally {
    await unlink(temporary);
  }
}

/** The holder of a claim, or null when it has let go or is dead. */
async function liveHolder({ folder, self, deps }: Claim, number: number): Promise<LockHolder | null> {
  if (await exists(releasedPath(folder, number))) return null;
  const holder = parseHolder(await readText(claimPath(folder, number)));
  // Claims appear whole, so this is not one that is being written.
  if (holder === null) return null;
  const verdict = await judge(holder, self, (socket) => answersIn(folder, socket));
  if (verdict !== 'unknown') return verdict === 'alive' ? holder : null;
  const facts = { folder, host: holder.host, pid: holder.pid, waitMs: SILENCE_MS };
  deps.logger.info('the data folder was last used by a process elsewhere: waiting for a sign of life', facts);
  const before = await beatOf(folder, number);
  await deps.scheduler.sleep(SILENCE_MS);
  return (await beatOf(folder, number)) === before ? null : holder;
}

async function removeOlder(folder: string, number: number, socket: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const claimed = /^(\d{12})(\.released)?$/.exec(name)?.[1];
    const old = claimed !== undefined && Number(claimed) < number;
    // A socket without a claim may belong to a process that is about to make one: only those of dead claims
    // go.
    const dead = name.endsWith('.sock') && name !== socket && !(await answersIn(folder, name));
    if (old || dead) await unlink(join(folder, name)).catch(() => undefined);
  }
}

/** Numbers claimed, ascending. */
async function claimsIn(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => CLAIM.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

async function beatOf(folder: string, number: number): Promise<number> {
  try {
    return (await stat(claimPath(folder, number))).mtimeMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return -1;
    throw error;
  }
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Empty when there is no such file. */
async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function claimPath(folder: string, number: number): string {
  return join(folder, String(number).padStart(12, '0'));
}

function releasedPath(folder: string, number: number): string {
  return `${claimPath(folder, number)}.released`;
}

function inUse(dataFolder: string, { pid, host, since }: LockHolder): OmenError {
  return new OmenError(
    'STORAGE_UNAVAILABLE',
    `data folder ${dataFolder} is in use by process ${pid} on host ${host} since ${since}: ` +
      'stop that process, or give this one another folder',
    { metadata: { pid: String(pid), host } },
  );
}

function takenOver(folder: string): OmenError {
  return new OmenError('STORAGE_UNAVAILABLE', `another process has taken over the data folder of ${folder}`);
}
