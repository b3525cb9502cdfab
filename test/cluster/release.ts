// The release that the tests install, and what the tests have in common.
import { join } from 'node:path';
import { eventually } from '../live/conditions.js';
import { tokenFor } from '../support/token.js';
import type { Access, LoadReport } from './client-program.js';
import type { Conversation } from './kubernetes.js';
import { ROOT, helm } from './kubernetes.js';
import {
  JWT_SECRET,
  NAMESPACE,
  converseIn,
  image,
  installOperatorApis,
  makeNamespace,
  makeNeighbours,
  readyPods,
  startMonitoring,
} from './world.js';

export const CHART = join(ROOT, 'helm/omendb');
export const SERVER = 'omendb-server';
/** Of its Service. */
export const HOST = `${SERVER}.${NAMESPACE}.svc.cluster.local`;

const [REPOSITORY = '', TAG = ''] = image('SERVER').split(/:(?=[^:]*$)/);
/** The image that the tests made. */
export const IMAGE = ['--set', `image.repository=${REPOSITORY}`, '--set-string', `image.tag=${TAG}`];
/** What the chart cannot use on a cluster that lacks these APIs. */
const LACKING: Readonly<Record<string, readonly string[]>> = {
  'monitoring.coreos.com/v1': [
    'metrics.serviceMonitor.enabled=false',
    'metrics.prometheusRule.enabled=false',
  ],
  'custom.metrics.k8s.io/v1beta1': ['autoscaling.customMetrics.enabled=false'],
  'autoscaling.k8s.io/v1': ['vpa.enabled=false'],
};
const lacks = (process.env.TEST_CLUSTER_LACKS ?? '').split(' ');
const WITHOUT = Object.keys(LACKING)
  .filter((api) => lacks.includes(api))
  .flatMap((api) => LACKING[api] ?? [])
  .flatMap((value) => ['--set', value]);
const SMALL = join(ROOT, 'test/cluster/values.yaml');
/** Values of staging, made small. */
export const VALUES = [
  '--values',
  join(CHART, 'values-staging.yaml'),
  '--values',
  SMALL,
  ...IMAGE,
  ...WITHOUT,
];
/** The same for scripts/deploy.sh. */
export const SCRIPT_OPTIONS = ['-f', SMALL, '--set', `image.repository=${REPOSITORY}`, '-t', TAG, ...WITHOUT];
/** Whether Prometheus is there, and its adapter. */
export const HAS_MONITORING = process.env.TEST_CLUSTER_KIT !== undefined;
/** Whether the cluster measures processors and memory of pods. */
export const HAS_POD_METRICS = !lacks.includes('metrics.k8s.io/v1beta1');
/** For a machine that has other work. */
export const PATIENCE = { withinMs: 240_000, everyMs: 500 };

let neighbours: Promise<void> | undefined;

/** The namespace of the release, and what is around it, which is made once. */
export async function prepareWorld(): Promise<void> {
  await makeNamespace();
  neighbours ??= (async (): Promise<void> => {
    const started = Date.now();
    await Promise.all([makeNeighbours(), installOperatorApis(), startMonitoring(VALUES)]);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    process.stderr.write(`✓ a bucket, clients, Prometheus and its adapter on the cluster  ${seconds} s\n`);
  })();
  await neighbours;
}

/** Waits for so many pods that are ready: Helm waits for one, and the autoscaler asks for the others. */
export function podsReady(count: number): Promise<true> {
  const there = async (): Promise<true | undefined> =>
    (await readyPods()).length === count ? true : undefined;
  return eventually(`${count} pods are ready`, there, PATIENCE);
}

/** How a client reaches the release. */
export async function accessTo(collection: string, secret = JWT_SECRET): Promise<Access> {
  const token = await tokenFor('demo', secret);
  return { url: `http://${HOST}`, grpcAddress: `${HOST}:9090`, token, collection };
}

/** Requests of the client, 200 a second, once they flow. */
export async function startLoad(access: Access, { writes = true } = {}): Promise<Conversation<LoadReport>> {
  const load = converseIn<LoadReport>('client', 'load', { ...access, requestsPerSecond: 200, writes });
  await eventually('load flows', async () => ((await load.ask()).done > 400 ? true : undefined), PATIENCE);
  return load;
}

/** Installs the release, or changes it, and waits until all pods are ready. */
export function deploy(...args: readonly string[]): Promise<string> {
  const wait = ['--wait', '--timeout', '6m'];
  return helm('upgrade', '--install', 'omendb', CHART, '-n', NAMESPACE, ...VALUES, ...wait, ...args);
}
