// Gives `npm run test:cluster` a Kubernetes cluster with images on it. With KUBECONFIG it is that one: then
// TEST_CLUSTER_IMAGE and TEST_CLUSTER_CLIENT_IMAGE name what it can pull. Otherwise test/cluster/kit starts
// one here, which ends with this process. Nothing listens outside of the namespaces of that one.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { installChartTools } from './chart-tools.mjs';
import { installDebianTools } from './debian-tools.mjs';
import { installGoPrograms } from './go-programs.mjs';
import { VERSITYGW } from './s3-servers.mjs';
import { ROOT, step } from './steps.mjs';

const KIT = join(ROOT, 'test/cluster/kit');
const IMAGES = { server: 'localhost/omendb/server:test', client: 'localhost/omendb/client:test' };

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
  const cluster = foreign ? foreignCluster() : await ownCluster(folder);
  return new Promise((resolve) => {
    child = spawn(command, args, {
      stdio: 'inherit',
      env: { ...process.env, ...tools, ...cluster, TEST_CLUSTER_PROGRAMS: programs },
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function foreignCluster() {
  for (const name of ['TEST_CLUSTER_IMAGE', 'TEST_CLUSTER_CLIENT_IMAGE', 'TEST_CLUSTER_S3_IMAGE']) {
    if (process.env[name] !== undefined) continue;
    process.stderr.write(`With KUBECONFIG, ${name} has to name an image that the cluster can pull.\n`);
    process.exit(1);
  }
  return {};
}

async function ownCluster(folder) {
  if (process.platform !== 'linux' || process.getuid() !== 0) {
    process.stderr.write('To start a cluster these tests need root on Linux; or give KUBECONFIG.\n');
    process.exit(1);
  }
  await installDebianTools(['prometheus']);
  const { versitygw } = await installGoPrograms({ versitygw: VERSITYGW });
  spawnSync(join(KIT, 'down.sh'));
  await step('building the cluster (20 minutes the first time)', join(KIT, 'build.sh'), []);
  await step('starting the cluster', join(KIT, 'up.sh'), [], { CLUSTER_OWNER: String(process.pid) });
  await makeImages(folder, versitygw);
  return {
    TEST_CLUSTER_KIT: KIT,
    TEST_CLUSTER_IMAGE: IMAGES.server,
    TEST_CLUSTER_CLIENT_IMAGE: IMAGES.client,
    TEST_CLUSTER_S3_IMAGE: 'localhost/s3:1',
  };
}

async function makeImages(folder, versitygw) {
  const [base, app, client, s3, prometheus] = ['base', 'app', 'client', 's3', 'prometheus'].map((name) =>
    join(folder, name),
  );
  const rootfs = join(KIT, 'rootfs.sh');
  const image = (name, ...args) => step(`image ${name}`, join(KIT, 'image.sh'), [name, ...args]);
  await step('files of the image', process.execPath, [join(ROOT, 'scripts/image-tree.mjs'), app]);
  await step('Node for the image', rootfs, [base, 'node', 'env', 'sh']);
  mkdirSync(join(base, 'usr/local/bin'), { recursive: true });
  symlinkSync('/app/dist/main.js', join(base, 'usr/local/bin/omendb'));
  layClient(client);
  const user = ['-u', '1000:1000', '-w', '/app', '-E', 'NODE_ENV=production'];
  await image(IMAGES.server, base, app, '-e', '["node","/app/dist/main.js"]', '-c', '["serve"]', ...user);
  await image(IMAGES.client, base, app, client, '-e', '["node","-e","setInterval(()=>{},1e6)"]', ...user);
  await step('files of the S3 server', rootfs, [s3, versitygw]);
  await image('localhost/s3:1', s3, '-e', JSON.stringify([basename(versitygw)]), '-u', '1000:1000');
  await step('files of Prometheus', rootfs, [prometheus, 'prometheus']);
  await image('localhost/prometheus:1', prometheus, '-e', '["prometheus"]', '-u', '1000:1000');
}

/** The client of the SDK and programs of the tests, beside the packages of the server. */
function layClient(layer) {
  const top = join(layer, 'app/client');
  mkdirSync(join(top, 'node_modules'), { recursive: true });
  cpSync(join(ROOT, 'sdk/dist'), join(top, 'sdk'), { recursive: true });
  cpSync(join(ROOT, 'node_modules/undici'), join(top, 'node_modules/undici'), { recursive: true });
  for (const name of ['support', 'cluster', 'live']) {
    cpSync(join(ROOT, 'test/dist', name), join(top, 'test', name), { recursive: true });
  }
  const imports = { '#sdk/*': './sdk/*', '#server/*': '../dist/*' };
  writeFileSync(join(top, 'package.json'), JSON.stringify({ type: 'module', imports }));
}
