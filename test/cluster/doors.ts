// Who gets through to the servers.
import { expect } from 'chai';
import { HOST } from './release.js';
import { askIn, readyPods } from './world.js';

const DOORS = [
  ['client', 'http', true],
  ['client', 'grpc', true],
  ['client', 'metrics', false],
  ['stranger', 'http', false],
  ['stranger', 'grpc', false],
  ['stranger', 'metrics', false],
] as const;

/** Clients reach the Service, strangers do not, and neither of them reaches the metrics. */
export async function expectGuardedDoors(): Promise<void> {
  const [pod] = await readyPods();
  const podIp = String(pod?.status?.podIP);
  const ports = { http: [HOST, 80], grpc: [HOST, 9090], metrics: [podIp, 8081] } as const;
  const seen = DOORS.map(async ([who, what]) => {
    const [host, port] = ports[what];
    const { open } = await askIn<{ open: boolean }>(who, 'probe', { host, port });
    return [who, what, open] as const;
  });
  expect(await Promise.all(seen)).to.deep.equal(DOORS);
}
