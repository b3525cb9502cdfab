// The chart on a real cluster, in the order of its life: installed, used, upgraded under load, hurt, scaled,
// removed. Every step needs those before it.
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../live/conditions.js';
import { tokenFor } from '../support/token.js';
import type { Access, LoadReport, WriteReport } from './client-program.js';
import type { Conversation } from './kubernetes.js';
import { ROOT, attempt, get, helm, kubectl, list } from './kubernetes.js';
import {
  JWT_SECRET,
  NAMESPACE,
  askIn,
  converseIn,
  image,
  installOperatorApis,
  makeTokenSecret,
  makeWorld,
  podsScraped,
  readyPods,
  startMonitoring,
} from './world.js';

const CHART = join(ROOT, 'helm/omendb');
const SERVER = 'omendb-server';
const HOST = `${SERVER}.${NAMESPACE}.svc.cluster.local`;
const PATIENCE = { withinMs: 240_000, everyMs: 500 };
const [REPOSITORY = '', TAG = ''] = image('SERVER').split(/:(?=[^:]*$)/);
const VALUES = [
  ...['--values', join(CHART, 'values-staging.yaml'), '--values', join(ROOT, 'test/cluster/values.yaml')],
  ...['--set', `image.repository=${REPOSITORY}`, '--set', `image.tag=${TAG}`],
];

describe('The chart on a cluster', function () {
  this.timeout(400_000);
  this.bail(true);
  let access: Access;

  const upgrade = (...args: readonly string[]): Promise<string> =>
    helm('upgrade', 'omendb', CHART, '-n', NAMESPACE, ...VALUES, '--wait', '--timeout', '6m', ...args);
  const startLoad = async (): Promise<Conversation<LoadReport>> => {
    const load = converseIn<LoadReport>('client', 'load', { ...access, requestsPerSecond: 200 });
    await eventually('load flows', async () => ((await load.ask()).done > 400 ? true : undefined), PATIENCE);
    return load;
  };

  before(async () => {
    await makeWorld();
    await installOperatorApis();
    await startMonitoring(VALUES);
    const token = await tokenFor('demo', JWT_SECRET);
    access = { url: `http://${HOST}`, grpcAddress: `${HOST}:9090`, token, collection: 'things' };
  });

  it('says in one line what is missing, and installs nothing then', async () => {
    const script = join(ROOT, 'scripts/deploy.sh');
    const { code, output } = await attempt(
      script,
      VALUES.map((each) => (each === '--values' ? '-f' : each)),
    );
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
    expect(await readyPods()).to.have.length(3);
  });

  it('lets the client write and read through the Service, over HTTP and gRPC', async () => {
    expect(await askIn('client', 'roundTrip', access)).to.deep.equal({ http: 'grpc', grpc: 'http' });
  });

  it('loses no request of 200 a second in an upgrade', async () => {
    const load = await startLoad();
    const before = (await readyPods()).map((pod) => pod.metadata.name);
    await upgrade('--set-string', 'podAnnotations.version=2');
    const { done, failures } = await load.end();
    expect(failures).to.deep.equal([]);
    expect(done).to.be.greaterThan(1000);
    expect((await readyPods()).map((pod) => pod.metadata.name)).to.not.include.members(before);
  });

  it('loses no request of 200 a second in a rollback', async () => {
    const load = await startLoad();
    await helm('rollback', 'omendb', '1', '-n', NAMESPACE, '--wait', '--timeout', '6m');
    expect((await load.end()).failures).to.deep.equal([]);
    for (const pod of await readyPods()) expect(pod.metadata.annotations).to.not.have.property('version');
  });

  it('loses no acknowledged write when a pod is killed', async () => {
    const writer = converseIn<WriteReport>('client', 'write', access);
    const wrote = async (count: number): Promise<void> => {
      const target = (await writer.ask()).acknowledged + count;
      const enough = async (): Promise<true | undefined> =>
        (await writer.ask()).acknowledged >= target ? true : undefined;
      await eventually(`${count} more writes`, enough, PATIENCE);
    };
    await wrote(50);
    const [victim] = await readyPods();
    await kubectl(
      '-n',
      NAMESPACE,
      'delete',
      'pod',
      victim?.metadata.name ?? '',
      '--force',
      '--grace-period=0',
    );
    await wrote(50);
    await eventually(
      'three pods again',
      async () => ((await readyPods()).length === 3 ? true : undefined),
      PATIENCE,
    );
    const { acknowledged, missing } = await writer.end();
    expect(acknowledged).to.be.at.least(100);
    expect(missing).to.deep.equal([]);
  });

  it('lets clients in, keeps strangers out, and shows metrics to Prometheus only', async () => {
    const open = async (pod: 'client' | 'stranger', host: string, port: number): Promise<boolean> =>
      (await askIn<{ open: boolean }>(pod, 'probe', { host, port })).open;
    const [pod] = await readyPods();
    const podIp = String(pod?.status?.podIP);
    expect(await open('client', HOST, 80), 'client, HTTP').to.equal(true);
    expect(await open('client', HOST, 9090), 'client, gRPC').to.equal(true);
    expect(await open('stranger', HOST, 80), 'stranger, HTTP').to.equal(false);
    expect(await open('stranger', HOST, 9090), 'stranger, gRPC').to.equal(false);
    expect(await open('client', podIp, 8081), 'client, metrics').to.equal(false);
    expect(await open('stranger', podIp, 8081), 'stranger, metrics').to.equal(false);
    const scraped = async (): Promise<true | undefined> => ((await podsScraped()) >= 3 ? true : undefined);
    await eventually('Prometheus has metrics of three pods', scraped, PATIENCE);
  });

  it('passes helm test', async () => {
    expect(await helm('test', 'omendb', '-n', NAMESPACE, '--timeout', '3m')).to.match(/Phase:\s+Succeeded/);
  });

  it('keeps two pods while a node is drained, and the requests', async () => {
    const load = await startLoad();
    const [node] = await list('default', 'nodes');
    const name = node?.metadata.name ?? '';
    const drain = attempt('kubectl', [
      ...['drain', name, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=25s'],
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

  it('scales on requests a second, through an adapter with the rules of the chart', async () => {
    const load = await startLoad();
    await upgrade('--set', 'autoscaling.customMetrics.requestsPerSecond=20');
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
    await upgrade('--set', 'autoscaling.customMetrics.requestsPerSecond=20', '--set', 'config.logLevel=warn');
    expect(await replicas()).to.equal(5);
    expect(await readyPods()).to.have.length(5);
    expect((await load.end()).failures).to.deep.equal([]);
  });

  it('shows with deploy.sh what would change, and deploys', async () => {
    const script = join(ROOT, 'scripts/deploy.sh');
    const options = VALUES.map((each) => (each === '--values' ? '-f' : each));
    const before = (await get(NAMESPACE, 'deployment', SERVER)).metadata;
    const shown = await attempt(script, [...options, '--dry-run', '--set', 'config.logLevel=error']);
    expect(shown.output)
      .to.match(/^\+.*error/m)
      .and.contain('nothing was changed');
    expect(shown.code).to.equal(0);
    expect((await get(NAMESPACE, 'deployment', SERVER)).metadata).to.deep.equal(before);
    const deployed = await attempt(script, [...options, '--wait']);
    expect(deployed.output).to.contain('staging is deployed as omendb in omendb-system');
    expect(deployed.code).to.equal(0);
  });

  it('runs beside a second release in the same namespace, with one volume and a Secret of its own', async () => {
    const own = ['--set', `image.repository=${REPOSITORY}`, '--set', `image.tag=${TAG}`];
    const small = ['--set', 'resources.requests.cpu=50m', '--set', 'resources.requests.memory=512Mi'];
    await helm('install', 'other', CHART, '-n', NAMESPACE, ...own, ...small, '--wait', '--timeout', '6m');
    expect(await readyPods(NAMESPACE, 'other')).to.have.length(1);
    expect(await helm('test', 'other', '-n', NAMESPACE, '--timeout', '3m')).to.match(/Phase:\s+Succeeded/);
    expect(await askIn('client', 'roundTrip', access)).to.deep.equal({ http: 'grpc', grpc: 'http' });
    await helm('uninstall', 'other', '-n', NAMESPACE, '--wait', '--timeout', '3m');
    // These are data: they stay.
    const data = ['persistentvolumeclaim/data-other-omendb-server-0', 'secret/other-omendb-secrets'];
    await eventually(
      'only data is left',
      async () => {
        const left = await leftOf('other');
        return left.join() === data.join() ? true : undefined;
      },
      PATIENCE,
    );
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

/** Every object of a release, whatever kind it has. */
async function leftOf(release: string): Promise<readonly string[]> {
  const kinds = (await kubectl('api-resources', '--verbs=list', '-o', 'name')).trim().split('\n');
  const wanted = kinds.filter((kind) => !/^events|metrics\.k8s\.io$/.test(kind)).join(',');
  const selector = `app.kubernetes.io/instance=${release}`;
  const names = await kubectl('get', wanted, '-A', '-l', selector, '-o', 'name');
  return names
    .split('\n')
    .filter((name) => name !== '')
    .sort();
}
