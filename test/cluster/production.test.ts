// Production, by scripts/deploy.sh as the README has it: what it refuses first, and what then runs.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../live/conditions.js';
import type { Access } from './client-program.js';
import { expectGuardedDoors } from './doors.js';
import type { Outcome } from './kubernetes.js';
import { ROOT, attempt, get, helm, kubectl, leftOf, list, objectsIn } from './kubernetes.js';
import {
  HAS_MONITORING,
  HAS_POD_METRICS,
  PATIENCE,
  SCRIPT_OPTIONS,
  SERVER,
  accessTo,
  podsReady,
  prepareWorld,
  startLoad,
} from './release.js';
import { NAMESPACE, askIn, makeTokenSecret, podsScraped, removeTokenSecret } from './world.js';

const SCRIPT = join(ROOT, 'scripts/deploy.sh');
const ZONE = 'topology.kubernetes.io/zone';

describe('Production on a cluster', function () {
  this.timeout(400_000);
  this.bail(true);
  let access: Access;
  let options: readonly string[];
  let unchanged: readonly string[];
  let labelled = false;

  const deploy = (...args: readonly string[]): Promise<Outcome> => attempt(SCRIPT, [...options, ...args]);
  const deployIn = (environment: readonly string[]): Promise<Outcome> =>
    attempt('env', [...environment, '/bin/bash', SCRIPT, ...options]);

  const expectRefusal = async ({ code, output }: Outcome, line: RegExp): Promise<void> => {
    expect(output.trim()).to.match(line);
    expect(output.trim().split('\n')).to.have.length(1);
    expect(code).to.equal(1);
    expect(await objectsIn(NAMESPACE)).to.deep.equal(unchanged);
  };

  before(async () => {
    await prepareWorld();
    await removeTokenSecret();
    access = await accessTo('kept');
    const own = ['-f', join(ROOT, 'test/cluster/production.yaml')];
    options = [
      '-e',
      'production',
      ...SCRIPT_OPTIONS,
      ...own,
      '--set',
      `storage.storageClassName=${await someClass()}`,
    ];
    labelled = (await list('default', 'nodes', '-l', ZONE)).length === 0;
    if (labelled) await kubectl('label', 'nodes', '--all', `${ZONE}=zone-0`);
    unchanged = await objectsIn(NAMESPACE);
  });

  after(async () => {
    if (labelled) await kubectl('label', 'nodes', '--all', `${ZONE}-`);
  });

  it('is refused in one line where no cluster answers', async () => {
    await expectRefusal(
      await deployIn(['KUBECONFIG=/dev/null']),
      /^deploy: no cluster answers: check KUBECONFIG and "kubectl cluster-info"$/,
    );
  });

  it('is refused in one line where helm is not in PATH', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'omendb-no-helm-'));
    try {
      symlinkSync('/usr/bin/dirname', join(folder, 'dirname'));
      await expectRefusal(
        await deployIn([`PATH=${folder}`]),
        /^deploy: helm is not installed: https:\/\/helm\.sh$/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is refused in one line without its Secret', async () => {
    await expectRefusal(
      await deploy(),
      /^deploy: Secret omendb-secrets is missing in namespace omendb-system: kubectl .* create secret /,
    );
  });

  it('is refused in one line without its StorageClass', async () => {
    await makeTokenSecret();
    unchanged = [...unchanged, `${NAMESPACE} secret/omendb-secrets`].sort();
    await expectRefusal(
      await deploy('--set', 'storage.storageClassName=gp3-optimized'),
      /^deploy: StorageClass gp3-optimized is missing: add --set storageClasses\.create=true /,
    );
  });

  it('gets ready with five pods that the restricted standard lets in', async () => {
    const { code, output } = await deploy('--wait', '--timeout', '6m');
    expect(output).to.contain('deploy: production is deployed as omendb in omendb-system');
    expect(output).to.not.contain('Warning');
    expect(code).to.equal(0);
    await podsReady(5);
    expect((await get('default', 'namespace', NAMESPACE)).metadata.labels).to.have.property(
      'pod-security.kubernetes.io/enforce',
      'restricted',
    );
    expect((await get(NAMESPACE, 'pdb', SERVER)).status).to.include({ desiredHealthy: 2, currentHealthy: 5 });
  });

  it('lets the client write and read through the Service, and nobody else, and shows its metrics', async () => {
    expect(await askIn('client', 'roundTrip', access)).to.deep.equal({ http: 'grpc', grpc: 'http' });
    await expectGuardedDoors();
    if (!HAS_MONITORING) return;
    const scraped = async (): Promise<true | undefined> => ((await podsScraped()) === 5 ? true : undefined);
    await eventually('Prometheus has metrics of five pods', scraped, PATIENCE);
  });

  it('gets another pod when its processors are busy', async function () {
    if (!HAS_POD_METRICS) this.skip();
    // Writes of five servers to one collection take turns, and wait for the bucket.
    const load = await startLoad(access, { writes: false });
    expect((await deploy('--set', 'autoscaling.maxReplicas=6')).code).to.equal(0);
    const replicas = async (): Promise<true | undefined> =>
      (await get(NAMESPACE, 'deployment', SERVER)).spec.replicas === 6 ? true : undefined;
    try {
      await eventually('six pods', replicas, PATIENCE);
    } catch (error) {
      throw new Error(await kubectl('-n', NAMESPACE, 'describe', 'hpa'), { cause: error });
    }
    expect(await scalings()).to.match(/^New size: 6; reason: cpu container resource utilization .* above/m);
    expect((await load.end()).failures).to.deep.equal([]);
  });

  it('leaves nothing when it is uninstalled', async () => {
    await helm('uninstall', 'omendb', '-n', NAMESPACE, '--wait', '--timeout', '4m');
    const gone = async (): Promise<true | undefined> =>
      (await leftOf('omendb')).length === 0 ? true : undefined;
    await eventually('nothing is left', gone, PATIENCE);
  });
});

/** What the autoscaler did. */
async function scalings(): Promise<string> {
  const { metadata } = await get(NAMESPACE, 'hpa', SERVER);
  const selector = `involvedObject.uid=${metadata.uid ?? ''},reason=SuccessfulRescale`;
  const columns = 'jsonpath={range .items[*]}{.message}{"\\n"}{end}';
  return kubectl('-n', NAMESPACE, 'get', 'events', '--field-selector', selector, '-o', columns);
}

/** The StorageClass of those who name none, else any. */
async function someClass(): Promise<string> {
  const mark = 'storageclass.kubernetes.io/is-default-class';
  const all = await list('default', 'storageclasses');
  const found = all.find(({ metadata }) => metadata.annotations?.[mark] === 'true') ?? all[0];
  if (found === undefined) throw new Error('the cluster has no StorageClass');
  return found.metadata.name;
}
