// Programs that run beside the server: started here, ended by process id, and also ended when the process
// that started them is told to end.
import { spawn } from 'node:child_process';
import { endWithProcess } from '../support/end-with-process.js';
import { eventually } from './conditions.js';

/** A program that answers. */
export interface Program {
  readonly pid: number;
  /** What it has printed so far, to both streams. */
  output(): string;
  /** Sends SIGTERM and waits for the end; SIGKILL when it does not end within 5 seconds. */
  stop(): Promise<void>;
}

/**
 * Starts a program and resolves when `url` answers with success. Rejects with what it printed when it ends or
 * does not answer within 30 seconds.
 */
export async function startProgram(command: string, args: readonly string[], url: string): Promise<Program> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  endWithProcess(child);
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  let failure: Error | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      failure = error;
      resolve();
    });
    child.once('close', () => {
      resolve();
    });
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(patience);
  };
  let isOver = false;
  try {
    await eventually(
      `${command} answers`,
      async () => {
        isOver = failure !== undefined || child.exitCode !== null || child.signalCode !== null;
        return isOver || (await answers(url)) || undefined;
      },
      { withinMs: 30_000, everyMs: 50 },
    );
    if (isOver) throw failure ?? new Error(`${command} ended`);
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}\n${printed}`, { cause: error });
  }
  return { pid: child.pid ?? 0, output: () => printed, stop };
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.ok;
}
