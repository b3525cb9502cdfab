// The release that the tests install, and what the tests have in common.
import { join } from 'node:path';
import { tokenFor } from '../support/token.js';
import type { Access } from './client-program.js';
import { ROOT, helm } from './kubernetes.js';
import {
  JWT_SECRET,
  NAMESPACE,
  image,
  installOperatorApis,
  makeNamespace,
  makeNeighbours,
  startMonitoring,
} from './world.js';

export const CHART = join(ROOT, 'helm/omendb');
export const SERVER = 'omendb-server';
const HOST = `${SERVER}.${NAMESPACE}.svc.cluster.local`;

const [REPOSITORY = '', TAG = ''] = image('SERVER').split(/:(?=[^:]*$)/);
/** The image that the tests made. */
export const IMAGE = ['--set', `image.repository=${REPOSITORY}`, '--set-string', `image.tag=${TAG}`];
const SMALL = join(ROOT, 'test/cluster/values.yaml');
/** Values of staging, made small. */
export const VALUES = ['--values', join(CHART, 'values-staging.yaml'), '--values', SMALL, ...IMAGE];
/** The same for scripts/deploy.sh. */
export const SCRIPT_OPTIONS = ['-f', SMALL, '--set', `image.repository=${REPOSITORY}`, '-t', TAG];
/** For a machine that has other work. */
export const PATIENCE = { withinMs: 240_000, everyMs: 500 };

let neighbours: Promise<void> | undefined;

/** The namespace of the release, and what is around it, which is made once. */
export async function prepareWorld(): Promise<void> {
  await makeNamespace();
  neighbours ??= (async (): Promise<void> => {
    await makeNeighbours();
    await installOperatorApis();
    await startMonitoring(VALUES);
  })();
  await neighbours;
}

/** How a client reaches the release. */
export async function accessTo(collection: string): Promise<Access> {
  const token = await tokenFor('demo', JWT_SECRET);
  return { url: `http://${HOST}`, grpcAddress: `${HOST}:9090`, token, collection };
}

/** Installs the release, or changes it, and waits until all pods are ready. */
export function deploy(...args: readonly string[]): Promise<string> {
  const wait = ['--wait', '--timeout', '6m'];
  return helm('upgrade', '--install', 'omendb', CHART, '-n', NAMESPACE, ...VALUES, ...wait, ...args);
}
