/*
 * A socket file that shows that a process lives: the kernel closes it with the process, however it dies, and
 * it works between containers that share a folder on one machine, where process ids mean nothing.
 */
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { Server } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { codeOf } from './file-system.js';

/** Longest path that fits into a socket address on every platform. */
const ADDRESS_BYTES_MAX = 100;
const CONNECT_TIMEOUT_MS = 2000;

export interface LockSocket {
  close(): Promise<void>;
}

/** Listens on `name` in `folder`. Null where the file system or the platform has no socket files. */
export async function listenIn(folder: string, name: string): Promise<LockSocket | null> {
  const address = await addressOf(folder, name);
  if (address === null) return null;
  const server = createServer((socket) => socket.destroy());
  const listening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ path: address.path }, () => resolve(true));
  });
  if (!listening) {
    await address.handle?.close();
    return null;
  }
  // A process that has nothing else to do may end.
  server.unref();
  return { close: () => closeServer(server, address.handle) };
}

/** Whether somebody listens. Doubt counts as yes. */
export async function answersIn(folder: string, name: string): Promise<boolean> {
  const address = await addressOf(folder, name);
  if (address === null) return true;
  try {
    return await answers(address.path);
  } finally {
    await address.handle?.close();
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const end = (alive: boolean): void => {
      socket.destroy();
      resolve(alive);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => end(true));
    socket.once('connect', () => end(true));
    socket.once('error', (error) => end(!['ECONNREFUSED', 'ENOENT'].includes(codeOf(error) ?? '')));
  });
}

interface Address {
  readonly path: string;
  /** Keeps a shortened path valid. */
  readonly handle: FileHandle | null;
}

/** A path to the socket that fits into an address: on Linux a long one goes through an open folder. */
async function addressOf(folder: string, name: string): Promise<Address | null> {
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= ADDRESS_BYTES_MAX) return { path, handle: null };
  if (process.platform !== 'linux') return null;
  const handle = await open(folder, 'r');
  return { path: `/proc/self/fd/${handle.fd}/${name}`, handle };
}

async function closeServer(server: Server, handle: FileHandle | null): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await handle?.close();
}
