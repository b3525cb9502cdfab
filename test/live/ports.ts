// Ports that are known before the program that will listen on them, and are still free when it is started
// again.
import { createServer } from 'node:net';
import type { ServerPorts } from '../support/server-process.js';

/** Below the ports that systems give to outgoing connections, so that none of those takes one in between. */
const FIRST = 20_000;
const COUNT = 12_000;

let next = FIRST + ((process.pid * 97) % COUNT);

export async function reservePort(): Promise<number> {
  for (let tries = 0; tries < COUNT; tries++) {
    const port = next;
    next = FIRST + ((next - FIRST + 1) % COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${FIRST} to ${FIRST + COUNT - 1} is free`);
}

export async function reservePorts(): Promise<ServerPorts> {
  return { http: await reservePort(), grpc: await reservePort(), ops: await reservePort() };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
