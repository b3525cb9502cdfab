import { expect } from 'chai';
import type { Values } from './helm.js';
import { OFFLINE, helm, scenario, scenarios, templateArgs } from './helm.js';

/** What `helm install` would print below the objects; only Helm 4 tells without a cluster. */
function notes(values: Values): string {
  const [, release = '', chart = '', ...rest] = templateArgs(values);
  const args = rest.filter((arg, index) => arg !== '--kube-version' && rest[index - 1] !== '--kube-version');
  const { status, stdout, stderr } = helm('4', ['install', release, chart, '--dry-run=client', ...args]);
  expect(status, stderr).to.equal(0);
  return stdout.slice(stdout.lastIndexOf('\nNOTES:'));
}

const staging = { files: ['values-staging.yaml'], set: OFFLINE };

/** Values, and what the notes say of them. */
const SAYS: readonly (readonly [what: string, values: Values, text: string | RegExp])[] = [
  [
    'where the server is inside the cluster',
    staging,
    'http://omendb-server.omendb-system.svc.cluster.local:80',
  ],
  ['how to wait for it', staging, 'kubectl -n omendb-system rollout status deployment/omendb-server'],
  ['how to test it', staging, 'helm -n omendb-system test omendb'],
  ['where to look when something is wrong', staging, 'docs/operations/troubleshoot.md'],
  ['how to make a token', {}, 'exec statefulset/omendb-server -- omendb token --tenant demo'],
  [
    'where it is outside',
    scenario('everything'),
    /HTTP {2}https:\/\/omendb\.example\.com\n {2}gRPC {2}grpc\.omendb\.example\.com:443/,
  ],
  ['where the Gateway has it', scenario('everything'), 'omendb.example.com (Gateway)'],
  ['that tokens travel in the open', scenario('ingress-plain'), 'WARNING: ingress.tls.enabled is false'],
  ['that all data is on one volume', {}, 'NOTE: all data is on one volume'],
  [
    'that data is lost with the pod',
    { set: ['storage.medium=EmptyDir', 'storage.size=512Mi'] },
    'WARNING: storage.medium is EmptyDir and there is no bucket',
  ],
  ['that the key was made', {}, 'in Secret omendb-secrets. Keep a copy'],
  [
    'that a load balancer does not encrypt',
    scenario('hpa-resources-only'),
    'WARNING: service.type is LoadBalancer',
  ],
  ['that nothing guards the ports', {}, 'WARNING: networkPolicy.enabled is false'],
  [
    'that traces do not get through',
    { set: ['networkPolicy.enabled=true', 'config.otelExporterOtlpEndpoint=http://c:4318'] },
    'WARNING: no policy lets traces through to http://c:4318',
  ],
  [
    'that the autoscaler lacks its rules',
    { ...staging, set: [...OFFLINE, 'metrics.prometheusRule.enabled=false'] },
    'WARNING: autoscaling by latency reads omendb_p99_latency_pressure',
  ],
  ['that a restore runs', scenario('everything'), 'NOTE: a restore runs.'],
  ['that there are no backups', staging, 'NOTE: there are no backups'],
];

describe('Notes after an installation', function () {
  this.timeout(60_000);

  for (const [what, values, text] of SAYS) {
    it(`say ${what}`, () => {
      const found = notes(values);
      if (typeof text === 'string') expect(found).to.include(text);
      else expect(found).to.match(text);
    });
  }

  it('warn of nothing in an environment that is complete', () => {
    const set = [...OFFLINE, 'backup.enabled=true', 'backup.to=s3://vault/omendb'];
    expect(notes({ files: ['values-production.yaml'], set })).to.not.match(/WARNING|NOTE:/);
  });

  it('have no gaps and no values that are missing', () => {
    for (const values of scenarios()) {
      expect(notes(values), values.name).to.not.match(/\n\n\n|<no value>|%!/);
    }
  });
});
