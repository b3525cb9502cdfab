// What a server tells of the pod that it runs in, which Kubernetes puts into its environment.
import { expect } from 'chai';
import { startOtlpReceiver } from '../support/otlp-receiver.js';
import { startServer } from '../support/server-process.js';
import { withTemporaryFolder } from '../support/temporary-folder.js';

const POD = {
  OMENDB_POD_NAME: 'omendb-server-7d9f-x2k',
  OMENDB_POD_NAMESPACE: 'omendb-system',
  OMENDB_NODE_NAME: 'ip-10-0-1-7',
};

describe('A server that knows its pod', function () {
  this.timeout(60_000);

  it('names it in every line of its log', async () => {
    await withTemporaryFolder(async (dataDir) => {
      const server = await startServer({ dataDir, env: { ...POD, OMENDB_WORKER_THREADS: '1' } });
      expect(await server.stop()).to.equal(0);
      const lines = server
        .output()
        .split('\n')
        .filter((line) => line.startsWith('{"level"'));
      expect(lines).to.have.length.greaterThan(2);
      for (const line of lines) {
        const named = {
          pod: POD.OMENDB_POD_NAME,
          namespace: POD.OMENDB_POD_NAMESPACE,
          node: POD.OMENDB_NODE_NAME,
        };
        expect(JSON.parse(line)).to.include(named);
      }
    });
  });

  it('names it in its traces, unless their own settings say otherwise', async () => {
    const receiver = await startOtlpReceiver();
    const env = {
      ...POD,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_RESOURCE_ATTRIBUTES: 'k8s.node.name=another',
      OMENDB_WORKER_THREADS: '1',
    };
    await withTemporaryFolder(async (dataDir) => {
      const server = await startServer({ dataDir, env });
      const traceId = '0af7651916cd43dd8448eb211c80319c';
      const headers = {
        authorization: `Bearer ${server.token}`,
        traceparent: `00-${traceId}-b7ad6b7169203331-01`,
      };
      await (await fetch(`${server.url}/v1/collections`, { headers })).text();
      const [span] = await receiver.trace(traceId);
      expect(span?.resource).to.include({
        'k8s.pod.name': POD.OMENDB_POD_NAME,
        'k8s.namespace.name': POD.OMENDB_POD_NAMESPACE,
        'k8s.node.name': 'another',
      });
      await server.kill();
    });
    await receiver.close();
  });

  it('says nothing of a pod where there is none', async () => {
    await withTemporaryFolder(async (dataDir) => {
      const server = await startServer({ dataDir });
      await server.stop();
      expect(server.output()).to.include('"message":"the server is ready"').and.not.include('"pod"');
    });
  });
});
