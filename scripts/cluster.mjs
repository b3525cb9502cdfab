// Gives `npm run test:cluster` a Kubernetes cluster with images on it. With KUBECONFIG it is that one: then
// TEST_CLUSTER_IMAGE, TEST_CLUSTER_CLIENT_IMAGE and TEST_CLUSTER_S3_IMAGE name what it can pull. Otherwise
// test/cluster/kit starts one here, which ends with this process. Nothing listens outside of the namespaces
// of that one.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installChartTools } from './chart-tools.mjs';
import { importArchives, makeArchives } from './cluster-images.mjs';
import { ROOT, capture, step } from './steps.mjs';

/** What the chart uses when a cluster has it. */
const OPTIONAL_APIS = [
  'monitoring.coreos.com/v1',
  'custom.metrics.k8s.io/v1beta1',
  'autoscaling.k8s.io/v1',
  'metrics.k8s.io/v1beta1',
];
const KIT = join(ROOT, 'test/cluster/kit');

/** Runs a command with the cluster in its environment, and returns its exit code when the cluster is gone. */
export async function withCluster(command, args) {
  const folder = mkdtempSync(join(tmpdir(), 'omendb-cluster-'));
  const foreign = process.env.KUBECONFIG !== undefined;
  let child;
  const end = () => {
    child?.kill('SIGKILL');
    if (!foreign) spawnSync(join(KIT, 'down.sh'), { stdio: 'inherit' });
    rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', end);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => process.exit(1));
  const tools = await installChartTools();
  const programs = join(folder, 'bin');
  mkdirSync(programs);
  symlinkSync(tools.TEST_HELM4, join(programs, 'helm'));
  symlinkSync(tools.TEST_HELM3, join(programs, 'helm3'));
  const cluster = foreign ? await foreignCluster() : await ownCluster(folder);
  return new Promise((resolve) => {
    child = spawn(command, args, {
      stdio: 'inherit',
      env: { ...process.env, ...tools, ...cluster, TEST_CLUSTER_PROGRAMS: programs },
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

async function foreignCluster() {
  for (const name of ['TEST_CLUSTER_IMAGE', 'TEST_CLUSTER_CLIENT_IMAGE', 'TEST_CLUSTER_S3_IMAGE']) {
    if (process.env[name] !== undefined) continue;
    process.stderr.write(`With KUBECONFIG, ${name} has to name an image that the cluster can pull.\n`);
    process.exit(1);
  }
  const { code, output } = await capture('kubectl', ['api-versions', '--request-timeout=15s']);
  if (code !== 0) {
    process.stderr.write(`The cluster of KUBECONFIG does not answer: ${output.trim()}\n`);
    process.exit(1);
  }
  const lacks = OPTIONAL_APIS.filter((api) => !output.split('\n').includes(api));
  if (lacks.length > 0)
    process.stderr.write(`The cluster does not serve ${lacks.join(', ')}: tests go without\n`);
  return { TEST_CLUSTER_LACKS: lacks.join(' ') };
}

async function ownCluster(folder) {
  if (process.platform !== 'linux' || process.getuid() !== 0) {
    process.stderr.write('To start a cluster these tests need root on Linux; or give KUBECONFIG.\n');
    process.exit(1);
  }
  spawnSync(join(KIT, 'down.sh'));
  await step('building the cluster (20 minutes the first time)', join(KIT, 'build.sh'), []);
  const up = () =>
    step('starting the cluster', join(KIT, 'up.sh'), [], { CLUSTER_OWNER: String(process.pid) });
  const [archives] = await Promise.all([makeArchives(folder), up()]);
  return { TEST_CLUSTER_KIT: KIT, ...(await importArchives(archives)) };
}
