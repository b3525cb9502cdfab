// The chart on a real cluster, in the order of its life: installed, used, upgraded under load, hurt, scaled,
// removed. Every step needs those before it.
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../live/conditions.js';
import type { Access, LoadReport, WriteReport } from './client-program.js';
import type { Conversation } from './kubernetes.js';
import { ROOT, attempt, get, helm, kubectl, leftOf, list, run } from './kubernetes.js';
import {
  CHART,
  IMAGE,
  PATIENCE,
  SCRIPT_OPTIONS,
  SERVER,
  VALUES,
  accessTo,
  deploy,
  prepareWorld,
} from './release.js';
import {
  NAMESPACE,
  askIn,
  converseIn,
  crash,
  makeTokenSecret,
  podsScraped,
  readyPods,
  remove,
} from './world.js';

const HOST = `${SERVER}.${NAMESPACE}.svc.cluster.local`;

describe('The chart on a cluster', function () {
  this.timeout(400_000);
  this.bail(true);
  let access: Access;

  const startLoad = async (): Promise<Conversation<LoadReport>> => {
    const load = converseIn<LoadReport>('client', 'load', { ...access, requestsPerSecond: 200 });
    await eventually('load flows', async () => ((await load.ask()).done > 400 ? true : undefined), PATIENCE);
    return load;
  };

  before(async () => {
    await prepareWorld();
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
    expect(await readyPods()).to.have.length(3);
  });

  it('lets the client write and read through the Service, over HTTP and gRPC', async () => {
    expect(await askIn('client', 'roundTrip', access)).to.deep.equal({ http: 'grpc', grpc: 'http' });
  });

  it('loses no request of 200 a second in an upgrade', async () => {
    const load = await startLoad();
    const before = (await readyPods()).map((pod) => pod.metadata.name);
    await deploy('--set-string', 'podAnnotations.version=2');
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
  });

  it('shows with deploy.sh what would change, and deploys', async () => {
    const script = join(ROOT, 'scripts/deploy.sh');
    const before = (await get(NAMESPACE, 'deployment', SERVER)).metadata;
    const shown = await attempt(script, [...SCRIPT_OPTIONS, '--dry-run', '--set', 'config.logLevel=error']);
    expect(shown.output)
      .to.match(/^\+.*error/m)
      .and.contain('nothing was changed');
    expect(shown.code).to.equal(0);
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
