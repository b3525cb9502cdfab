/*
 * Who holds a folder, and whether that process still lives.
 */
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** Changes with every start of the machine; empty where it cannot be known. */
  readonly bootId: string;
  /** Tells processes apart that had one pid after another; empty where it cannot be known. */
  readonly startTime: string;
  /** Process ids of different namespaces (containers) do not compare; empty where it cannot be known. */
  readonly pidNamespace: string;
  /** Name of the socket file, null where there is none. */
  readonly socket: string | null;
  readonly nonce: string;
  /** For people. */
  readonly since: string;
}

/** This process as a holder. */
export async function describeSelf(
  given: Pick<LockHolder, 'socket' | 'nonce' | 'since'>,
): Promise<LockHolder> {
  return {
    pid: process.pid,
    host: hostname(),
    bootId: await textOf('/proc/sys/kernel/random/boot_id'),
    startTime: await startTimeOf(process.pid),
    pidNamespace: await namespaceOf(),
    ...given,
  };
}

/** Null when `text` describes nobody. */
export function parseHolder(text: string): LockHolder | null {
  try {
    const value = JSON.parse(text) as Partial<LockHolder> | null;
    const whole =
      typeof value?.pid === 'number' && typeof value.host === 'string' && typeof value.nonce === 'string';
    return whole
      ? ({ bootId: '', startTime: '', pidNamespace: '', socket: null, since: '', ...value } as LockHolder)
      : null;
  } catch {
    return null;
  }
}

export const VERDICTS = ['alive', 'dead', 'unknown'] as const;
export type Verdict = (typeof VERDICTS)[number];

/**
 * Judges a holder without waiting.
 *
 * @param answers Whether the holder's socket answers; asked only if it has one and runs on this machine since
 * its last start.
 */
export async function judge(
  holder: LockHolder,
  self: LockHolder,
  answers: (socket: string) => Promise<boolean>,
): Promise<Verdict> {
  const sameBoot = holder.bootId !== '' && holder.bootId === self.bootId;
  if (holder.bootId !== '' && self.bootId !== '' && !sameBoot) {
    // The machine was restarted, which no process survives; or it is another machine, of which nothing can be
    // told from here.
    return holder.host === self.host ? 'dead' : 'unknown';
  }
  if (!sameBoot && holder.host !== self.host) return 'unknown';
  if (holder.socket !== null) return (await answers(holder.socket)) ? 'alive' : 'dead';
  if (holder.pidNamespace !== self.pidNamespace) return 'unknown';
  if (!isRunning(holder.pid)) return 'dead';
  return (await startTimeOf(holder.pid)) === holder.startTime ? 'alive' : 'dead';
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not permitted means that it is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Field 22 of /proc/PID/stat, counted behind the command, which may hold spaces and brackets. */
async function startTimeOf(pid: number): Promise<string> {
  const stat = await textOf(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

async function namespaceOf(): Promise<string> {
  try {
    return await readlink('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    // Not Linux.
    return '';
  }
}
