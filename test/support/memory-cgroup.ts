// A container's memory limit without a container: a control group, where this process may make one.
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MemoryCgroup {
  /** For `startServer`. */
  readonly folder: string;
  /** When nothing runs in it any more. */
  remove(): void;
}

/** Null where the system does not let us. */
export function memoryCgroup(limitBytes: number): MemoryCgroup | null {
  const [own, file] = ownGroup();
  const folder = join(own, `omendb-test-${process.pid}`);
  try {
    mkdirSync(folder);
    try {
      writeFileSync(join(folder, file), String(limitBytes));
      return { folder, remove: () => rmdirSync(folder) };
    } catch {
      rmdirSync(folder);
      return null;
    }
  } catch {
    return null;
  }
}

/** The group that this process is in, and the file of the limit, for both versions of control groups. */
function ownGroup(): readonly [folder: string, file: string] {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  const first = lines.find((line) => /^\d+:([^:]*,)?memory(,[^:]*)?:/.test(line));
  if (first !== undefined)
    return [join('/sys/fs/cgroup/memory', first.split(':')[2] ?? ''), 'memory.limit_in_bytes'];
  const second = lines.find((line) => line.startsWith('0::')) ?? '0::/';
  return [join('/sys/fs/cgroup', second.slice(3)), 'memory.max'];
}
