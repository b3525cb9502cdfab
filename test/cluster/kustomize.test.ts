// `kubectl apply -k k8s/`, on a cluster.
import { expect } from 'chai';
import { eventually } from '../live/conditions.js';
import { apply, attempt, kubectl, leftOf } from './kubernetes.js';
import { PATIENCE, accessTo, prepareWorld } from './release.js';
import { NAMESPACE, askIn, image, makeTokenSecret, readyPods } from './world.js';

const FOLDERS = ['k8s', 'k8s/overlays/staging', 'k8s/overlays/production'];

describe('k8s/ on a cluster', function () {
  this.timeout(400_000);
  this.bail(true);

  before(async () => {
    await prepareWorld();
    await makeTokenSecret();
  });

  for (const folder of FOLDERS) {
    it(`has nothing in ${folder} that the API server refuses or warns of`, async () => {
      const { code, output } = await attempt('kubectl', ['apply', '-k', folder, '--dry-run=server']);
      expect(output).to.match(/^deployment.apps\/omendb-server created \(server dry run\)$/m);
      expect(output).to.not.match(/Warning: (?!resource namespaces)|[Ee]rror/);
      expect(code).to.equal(0);
    });
  }

  it('becomes servers that a client writes to and reads from', async () => {
    const objects = await kubectl('kustomize', 'test/cluster/kustomize');
    await apply(objects.replaceAll('omendb/server:v0.1.0', image('SERVER')));
    await kubectl('-n', NAMESPACE, 'rollout', 'status', 'deploy/omendb-server', '--timeout=240s');
    const three = async (): Promise<true | undefined> =>
      (await readyPods()).length === 3 ? true : undefined;
    await eventually('three pods', three, PATIENCE);
    const access = await accessTo('applied');
    expect(await askIn('client', 'roundTrip', access)).to.deep.equal({ http: 'grpc', grpc: 'http' });
  });

  it('is deleted without a trace', async () => {
    await kubectl('delete', '-k', 'test/cluster/kustomize', '--timeout=240s');
    const gone = async (): Promise<true | undefined> =>
      (await leftOf('omendb')).length === 0 ? true : undefined;
    await eventually('nothing is left', gone, PATIENCE);
  });
});
