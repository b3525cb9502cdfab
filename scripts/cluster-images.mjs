// The images of `npm run test:cluster`: the server's, that of a client, of an S3 server, of Prometheus. They
// are made from folders, as archives. `node scripts/cluster-images.mjs` gives them to the cluster that
// test/cluster/kit/up.sh has started, and prints what to set to run the tests on it.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { installDebianTools } from './debian-tools.mjs';
import { installGoPrograms } from './go-programs.mjs';
import { VERSITYGW } from './s3-servers.mjs';
import { ROOT, prepare, step } from './steps.mjs';

const KIT = join(ROOT, 'test/cluster/kit');
const ROOTFS = join(KIT, 'rootfs.sh');
const USER = ['-u', '1000:1000'];
/** By the variables that name them to the tests. */
const IMAGES = {
  TEST_CLUSTER_IMAGE: 'localhost/omendb/server:v0.1.0',
  TEST_CLUSTER_CLIENT_IMAGE: 'localhost/omendb/client:v0.1.0',
  TEST_CLUSTER_S3_IMAGE: 'localhost/s3:1',
};

/** Makes the images as archives below a folder, and returns their files. */
export async function makeArchives(folder) {
  await installDebianTools(['prometheus']);
  const { versitygw } = await installGoPrograms({ versitygw: VERSITYGW });
  const [base, files, client, s3, prometheus] = ['base', 'app', 'client', 's3', 'prometheus'].map((name) =>
    join(folder, name),
  );
  const node = async () => {
    await step('Node for the images', ROOTFS, [base, 'node', 'env', 'sh']);
    mkdirSync(join(base, 'usr/local/bin'), { recursive: true });
    symlinkSync('/app/dist/main.js', join(base, 'usr/local/bin/omendb'));
  };
  await Promise.all([
    step('files of the server', process.execPath, [join(ROOT, 'scripts/image-tree.mjs'), files]),
    node(),
    step('files of the S3 server', ROOTFS, [s3, versitygw]),
    step('files of Prometheus', ROOTFS, [prometheus, 'prometheus']),
  ]);
  layClient(client);
  const archives = [];
  const image = (name, ...args) => {
    const file = join(folder, `${archives.length}.tar`);
    archives.push(file);
    return step(`image ${name}`, join(KIT, 'image.sh'), [name, ...args, ...USER, '-o', file]);
  };
  const app = [...['-w', '/app'], '-E', 'NODE_ENV=production'];
  const idle = '["node","-e","setInterval(()=>{},1e6)"]';
  await Promise.all([
    image(
      IMAGES.TEST_CLUSTER_IMAGE,
      base,
      files,
      '-e',
      '["node","/app/dist/main.js"]',
      '-c',
      '["serve"]',
      ...app,
    ),
    image(IMAGES.TEST_CLUSTER_CLIENT_IMAGE, base, files, client, '-e', idle, ...app),
    image(IMAGES.TEST_CLUSTER_S3_IMAGE, s3, '-e', JSON.stringify([basename(versitygw)])),
    image('localhost/prometheus:1', prometheus, '-e', '["prometheus"]'),
  ]);
  return archives;
}

/** Gives archives to the cluster of the kit, and returns the variables that name their images. */
export async function importArchives(archives) {
  const images = ['ctr', '-n', 'k8s.io', 'images', 'import'];
  for (const file of archives)
    await step(`giving ${basename(file)} to the cluster`, join(KIT, 'in.sh'), [...images, file]);
  return IMAGES;
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

if (process.argv[1] === import.meta.filename) {
  const folder = mkdtempSync(join(tmpdir(), 'omendb-images-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  await prepare({ build: ['proto/codegen', 'test'] });
  const images = await importArchives(await makeArchives(folder));
  for (const [name, image] of Object.entries(images)) process.stdout.write(`${name}=${image}\n`);
}
