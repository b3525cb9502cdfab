// The chart on a real cluster, in the order of its life: installed, used, upgraded under load, hurt, scaled,
// removed. Every step needs those before it.
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../live/conditions.js';
import type { Access, WriteReport } from './client-program.js';
import type { KubernetesObject } from './kubernetes.js';
import { ROOT, attempt, get, helm, kubectl, leftOf, list, run } from './kubernetes.js';
import { expectGuardedDoors } from './doors.js';
import {
  CHART,
  HAS_MONITORING,
  IMAGE,
  PATIENCE,
  SCRIPT_OPTIONS,
  SERVER,
  VALUES,
  accessTo,
  deploy,
  podsReady,
  prepareWorld,
  startLoad,
} from './release.js';
import {
  JWT_SECRET,
  NAMESPACE,
  NEXT_JWT_SECRET,
  askIn,
  converseIn,
  crash,
  makeTokenSecret,
  podsScraped,
  readyPods,
  remove,
  removeTokenSecret,
} from './world.js';

/** More than the pods had before. */
const LARGER = {
  requests: { cpu: '100m', memory: '640Mi', 'ephemeral-storage': '64Mi' },
  limits: { cpu: '2', memory: '1280Mi', 'ephemeral-storage': '1Gi' },
};

interface ServerContainer {
  readonly name: string;
  readonly resources: object;
}

function serverOf(pod: KubernetesObject): ServerContainer {
  const all = pod.spec.containers as readonly ServerContainer[];
  const server = all.find(({ name }) => name === 'omendb');
  if (server === undefined) throw new Error(`${pod.metadata.name} has no server`);
  return server;
}

function restartsOf(pod: KubernetesObject): number {
  const all = (pod.status?.containerStatuses ?? []) as readonly { restartCount: number }[];
  return all.reduce((sum, { restartCount }) => sum + restartCount, 0);
}

describe('The chart on a cluster', function () {
  this.timeout(400_000);
  this.bail(true);
  let access: Access;

  before(async () => {
    await prepareWorld();
    await removeTokenSecret();
    access = await accessTo('things');
  });

  it('says in one line what is missing, and installs nothing then', async () => {
    const script = join(ROOT, 'scripts/deploy.sh');
    const { code, output } = await attempt(script, SCRIPT_OPTIONS);
    expect(code).to.equal(1);
    expect(output).to.match(/^deploy: Secret omendb-secrets is missing in namespace omendb-system: /);
    expect(output.trim().split('\n')).to.have.length(1);
    expect(await list(NAMESPACE, 'deployments')).to.deep.equal([]);
    const production = await attempt(script, ['-e', 'production']);
    expect(production.code).to.equal(1);
    expect(production.output)
      .to.match(/image\.tag/)
      .and.match(/config\.objectStore/);
  });

  it('is installed in a namespace that enforces restricted pods, and gets ready', async () => {
    await makeTokenSecret();
    await helm('install', 'omendb', CHART, '-n', NAMESPACE, ...VALUES, '--wait', '--timeout', '6m');
    await podsReady(3);
  });

  it('lets the client write and read through the Service, over HTTP and gRPC', async () => {
    expect(await askIn('client', 'roundTrip', access)).to.deep.equal({ http: 'grpc', grpc: 'http' });
  });

  it('loses no request of 200 a second in an upgrade to larger pods', async () => {
    const load = await startLoad(access);
    const before = (await readyPods()).map((pod) => pod.metadata.name);
    await deploy('--set-json', `resources=${JSON.stringify(LARGER)}`);
    const { done, failures } = await load.end();
    expect(failures).to.deep.equal([]);
    expect(done).to.be.greaterThan(1000);
    const pods = await readyPods();
    for (const pod of pods) {
      expect(before).to.not.include(pod.metadata.name);
      expect(serverOf(pod).resources).to.deep.equal(LARGER);
    }
    expect(pods).to.have.length(3);
  });

  it('loses no request of 200 a second in a rollback', async () => {
    const load = await startLoad(access);
    await helm('rollback', 'omendb', '1', '-n', NAMESPACE, '--wait', '--timeout', '6m');
    expect((await load.end()).failures).to.deep.equal([]);
    for (const pod of await readyPods()) expect(serverOf(pod).resources).to.not.deep.equal(LARGER);
  });

  it('loses no acknowledged write when a server crashes, and when a pod is taken away', async () => {
    const writer = converseIn<WriteReport>('client', 'write', access);
    const wrote = async (count: number): Promise<void> => {
      const target = (await writer.ask()).acknowledged + count;
      const enough = async (): Promise<true | undefined> =>
        (await writer.ask()).acknowledged >= target ? true : undefined;
      await eventually(`${count} more writes`, enough, PATIENCE);
    };
    const [first, second] = await readyPods();
    if (first === undefined || second === undefined) throw new Error('there are fewer than two pods');
    await wrote(50);
    await crash(first);
    await wrote(50);
    await remove(second);
    await wrote(50);
    await eventually(
      'three pods again',
      async () => ((await readyPods()).length === 3 ? true : undefined),
      PATIENCE,
    );
    const { acknowledged, missing } = await writer.end();
    expect(acknowledged).to.be.at.least(150);
    expect(missing).to.deep.equal([]);
  });

  it('lets clients in, keeps strangers out, and shows metrics to Prometheus only', async () => {
    await expectGuardedDoors();
    if (!HAS_MONITORING) return;
    const scraped = async (): Promise<true | undefined> => ((await podsScraped()) >= 3 ? true : undefined);
    await eventually('Prometheus has metrics of three pods', scraped, PATIENCE);
  });

  it('passes helm test', async () => {
    expect(await helm('test', 'omendb', '-n', NAMESPACE, '--timeout', '3m')).to.match(/Phase:\s+Succeeded/);
  });

  it('keeps two pods while a node is drained, and the requests', async () => {
    const load = await startLoad(access);
    const [node] = await list('default', 'nodes');
    const name = node?.metadata.name ?? '';
    const drain = attempt('kubectl', [
      ...['drain', name, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=12s'],
      ...['--pod-selector', 'app.kubernetes.io/instance=omendb'],
    ]);
    let fewest = 3;
    const watch = eventually(
      'the drain ends',
      async () => {
        fewest = Math.min(fewest, (await readyPods()).length);
        return Promise.race([drain, Promise.resolve(undefined)]);
      },
      PATIENCE,
    );
    const { code, output } = await watch;
    await kubectl('uncordon', name);
    expect(code).to.not.equal(0);
    expect(output).to.contain("Cannot evict pod as it would violate the pod's disruption budget");
    expect(fewest).to.equal(2);
    await eventually(
      'three pods again',
      async () => ((await readyPods()).length === 3 ? true : undefined),
      PATIENCE,
    );
    expect((await load.end()).failures).to.deep.equal([]);
  });

  it('takes tokens of a new key, and refuses the old one when that goes, without a restart', async () => {
    const next = await accessTo('things', NEXT_JWT_SECRET);
    const pods = await readyPods();
    const before = pods.map(restartsOf);
    const urls = pods.map(({ status }) => `http://${String(status?.podIP)}:8080`);
    const everyServer = (what: string, { token }: Access, status: number): Promise<true> =>
      eventually(
        `every server ${what}`,
        async () => {
          const statuses = await askIn<readonly number[]>('client', 'tokenStatuses', { urls, token });
          return statuses.every((each) => each === status) ? true : undefined;
        },
        PATIENCE,
      );
    await everyServer('refuses the new key', next, 401);
    const load = await startLoad(access);
    await makeTokenSecret(JWT_SECRET, NEXT_JWT_SECRET);
    await everyServer('takes the new key', next, 200);
    const nextLoad = await startLoad(next);
    expect((await load.end()).failures).to.deep.equal([]);
    await makeTokenSecret(NEXT_JWT_SECRET);
    await everyServer('refuses the old key', access, 401);
    expect((await nextLoad.end()).failures).to.deep.equal([]);
    const after = new Map((await readyPods()).map((pod) => [pod.metadata.uid, restartsOf(pod)]));
    expect(pods.map(({ metadata }) => after.get(metadata.uid))).to.deep.equal(before);
    access = next;
  });

  it('scales on requests a second, through an adapter with the rules of the chart', async function () {
    if (!HAS_MONITORING) this.skip();
    const load = await startLoad(access);
    await deploy('--set', 'autoscaling.customMetrics.requestsPerSecond=20');
    const replicas = async (): Promise<number> =>
      Number((await get(NAMESPACE, 'deployment', SERVER)).spec.replicas);
    try {
      await eventually('five pods', async () => ((await replicas()) === 5 ? true : undefined), PATIENCE);
    } catch (error) {
      throw new Error(await kubectl('-n', NAMESPACE, 'describe', 'hpa'), { cause: error });
    }
    await eventually(
      'five are ready',
      async () => ((await readyPods()).length === 5 ? true : undefined),
      PATIENCE,
    );
    await deploy('--set', 'autoscaling.customMetrics.requestsPerSecond=20', '--set', 'config.logLevel=warn');
    expect(await replicas()).to.equal(5);
    expect(await readyPods()).to.have.length(5);
    expect((await load.end()).failures).to.deep.equal([]);
    // Helm has applied on the server, and leaves the number to the autoscaler.
    const { metadata } = await get(NAMESPACE, 'deployment', SERVER, '--show-managed-fields');
    const byHelm = metadata.managedFields?.filter(({ manager }) => manager === 'helm') ?? [];
    expect(byHelm.map(({ operation }) => operation)).to.deep.equal(['Apply']);
    expect(byHelm[0]?.fieldsV1['f:spec']).to.include.keys('f:template').and.not.include.keys('f:replicas');
  });

  it('shows with deploy.sh what would change, and deploys', async () => {
    const script = join(ROOT, 'scripts/deploy.sh');
    const before = (await get(NAMESPACE, 'deployment', SERVER)).metadata;
    const shown = await attempt(script, [...SCRIPT_OPTIONS, '--dry-run', '--set', 'config.logLevel=error']);
    expect(shown.output)
      .to.match(/^\+.*error/m)
      .and.contain('nothing was changed');
    expect(shown.code).to.equal(0);
    const fewer = await attempt(script, [
      ...SCRIPT_OPTIONS,
      '--dry-run',
      '--set',
      'networkPolicy.enabled=false',
    ]);
    expect(fewer.output).to.match(/^deploy: these would be removed: .*NetworkPolicy\/omendb-server/m);
    expect((await get(NAMESPACE, 'deployment', SERVER)).metadata).to.deep.equal(before);
    const deployed = await attempt(script, [...SCRIPT_OPTIONS, '--wait']);
    expect(deployed.output).to.contain('staging is deployed as omendb in omendb-system');
    expect(deployed.code).to.equal(0);
  });

  it('runs beside a second release in the same namespace, and one by Helm 3 in another', async () => {
    const small = ['--set', 'resources.requests.cpu=50m', '--set', 'resources.requests.memory=512Mi'];
    const options = [...IMAGE, ...small, '--wait', '--timeout', '6m'];
    await Promise.all([
      helm('install', 'other', CHART, '-n', NAMESPACE, ...options),
      run('helm3', ['install', 'omendb', CHART, '-n', 'elsewhere', '--create-namespace', ...options]),
    ]);
    expect(await readyPods(NAMESPACE, 'other')).to.have.length(1);
    expect(await readyPods('elsewhere')).to.have.length(1);
    for (const test of [helm('test', 'other', '-n', NAMESPACE), helm('test', 'omendb', '-n', 'elsewhere')]) {
      expect(await test).to.match(/Phase:\s+Succeeded/);
    }
    expect(await askIn('client', 'roundTrip', access)).to.deep.equal({ http: 'grpc', grpc: 'http' });
    const gone = ['--wait', '--timeout', '3m'];
    await Promise.all([
      helm('uninstall', 'other', '-n', NAMESPACE, ...gone),
      run('helm3', ['uninstall', 'omendb', '-n', 'elsewhere', ...gone]),
    ]);
    // These are data: they stay.
    const data = [
      'elsewhere persistentvolumeclaim/data-omendb-server-0',
      'elsewhere secret/omendb-secrets',
      `${NAMESPACE} persistentvolumeclaim/data-other-omendb-server-0`,
      `${NAMESPACE} secret/other-omendb-secrets`,
    ];
    const left = async (): Promise<string> =>
      [...(await leftOf('omendb', 'elsewhere')), ...(await leftOf('other'))].join();
    const onlyData = async (): Promise<true | undefined> =>
      (await left()) === data.join() ? true : undefined;
    await eventually('only data is left', onlyData, PATIENCE);
  });

  it('leaves nothing when it is uninstalled', async () => {
    await helm('uninstall', 'omendb', '-n', NAMESPACE, '--wait', '--timeout', '4m');
    await eventually(
      'nothing is left',
      async () => ((await leftOf('omendb')).length === 0 ? true : undefined),
      PATIENCE,
    );
  });
});
