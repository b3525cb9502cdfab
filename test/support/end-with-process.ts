// Child processes never outlive the process of the tests, however that ends.
import type { ChildProcess } from 'node:child_process';

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Kills this child when this process exits, unless it has ended before. */
export function endWithProcess(child: ChildProcess): void {
  running.add(child);
  child.once('close', () => running.delete(child));
}
