import { expect } from 'chai';
import type { Rendered } from './helm.js';
import { OFFLINE, at, ofKind, one, read, render, scenario } from './helm.js';
import { serverContainer, serverPods } from './pods.js';

/** What a requirement wants to see of an environment's objects, as values by where they are. */
type Wanted = readonly (readonly [
  id: string,
  kind: string,
  path: string,
  staging: unknown,
  production: unknown,
])[];

const SERVER = 'spec.template.spec.containers.0';
const DATA = 'spec.template.spec.volumes.0.ephemeral.volumeClaimTemplate.spec';

/** The numbers of K2 to K9, as users were promised them. */
const WANTED: Wanted = [
  ['K2', 'Deployment', 'metadata.name', 'omendb-server', 'omendb-server'],
  ['K2', 'Deployment', 'metadata.namespace', 'omendb-system', 'omendb-system'],
  ['K2', 'Deployment', 'spec.replicas', undefined, undefined],
  ['K4', 'Deployment', `${DATA}.storageClassName`, 'gp3', 'gp3-optimized'],
  ['K4', 'Deployment', `${DATA}.accessModes`, ['ReadWriteOnce'], ['ReadWriteOnce']],
  ['K4', 'Deployment', `${DATA}.resources.requests.storage`, '50Gi', '100Gi'],
  ['K5', 'HorizontalPodAutoscaler', 'spec.minReplicas', 3, 5],
  ['K5', 'HorizontalPodAutoscaler', 'spec.maxReplicas', 50, 100],
  ['K5', 'HorizontalPodAutoscaler', 'spec.metrics.0.containerResource.name', 'cpu', 'cpu'],
  ['K5', 'HorizontalPodAutoscaler', 'spec.metrics.0.containerResource.target.averageUtilization', 70, 60],
  ['K5', 'HorizontalPodAutoscaler', 'spec.metrics.1.containerResource.name', 'memory', 'memory'],
  ['K5', 'HorizontalPodAutoscaler', 'spec.metrics.1.containerResource.target.averageUtilization', 80, 70],
  ...same('K5', 'HorizontalPodAutoscaler', 'spec.metrics.2.pods.metric.name', 'omendb_requests_per_second'),
  ...same(
    'K5',
    'HorizontalPodAutoscaler',
    'spec.metrics.3.external.metric.name',
    'omendb_p99_weighted_requests',
  ),
  ...same('K5', 'HorizontalPodAutoscaler', 'spec.scaleTargetRef.name', 'omendb-server'),
  ['K6', 'VerticalPodAutoscaler', 'spec.updatePolicy.updateMode', undefined, 'Off'],
  ...same('K6', 'PodDisruptionBudget', 'spec.minAvailable', 2),
  ['K7', 'Deployment', `${SERVER}.resources.requests.cpu`, '500m', '1000m'],
  ['K7', 'Deployment', `${SERVER}.resources.requests.memory`, '2Gi', '4Gi'],
  ['K7', 'Deployment', `${SERVER}.resources.limits.cpu`, '4', '8'],
  ['K7', 'Deployment', `${SERVER}.resources.limits.memory`, '8Gi', '16Gi'],
  ...same('K8', 'Deployment', 'spec.template.spec.serviceAccountName', 'omendb-server'),
  ...same('K8', 'Deployment', 'spec.template.spec.securityContext.runAsUser', 1000),
  ...same('K8', 'Deployment', 'spec.template.spec.securityContext.runAsNonRoot', true),
  ...same('K8', 'Deployment', 'spec.template.spec.securityContext.seccompProfile.type', 'RuntimeDefault'),
  ...same('K8', 'Deployment', `${SERVER}.securityContext.readOnlyRootFilesystem`, true),
  ...same('K8', 'Deployment', `${SERVER}.securityContext.allowPrivilegeEscalation`, false),
  ...same('K8', 'Deployment', `${SERVER}.securityContext.capabilities`, { drop: ['ALL'] }),
  ...same('K8', 'NetworkPolicy', 'spec.policyTypes', ['Ingress', 'Egress']),
  [
    'K9',
    'Deployment',
    'spec.template.spec.topologySpreadConstraints.1.whenUnsatisfiable',
    'ScheduleAnyway',
    'DoNotSchedule',
  ],
  ...same(
    'K9',
    'Deployment',
    'spec.template.spec.topologySpreadConstraints.1.topologyKey',
    'topology.kubernetes.io/zone',
  ),
  ...same('K10', 'ServiceMonitor', 'spec.endpoints.0.interval', '15s'),
  ...same('K10', 'ServiceMonitor', 'spec.endpoints.0.honorLabels', false),
  ...same('K10', 'ServiceMonitor', 'spec.endpoints.0.relabelings.0', {
    targetLabel: 'job',
    replacement: 'omendb',
  }),
];

const staging = (): readonly Rendered[] => render({ files: ['values-staging.yaml'], set: OFFLINE });
const production = (): readonly Rendered[] => render({ files: ['values-production.yaml'], set: OFFLINE });

describe('Requirements', function () {
  this.timeout(30_000);

  for (const [id, kind, path, inStaging, inProduction] of WANTED) {
    it(`${id}: ${kind} ${path} is ${JSON.stringify(inStaging)} in staging, ${JSON.stringify(inProduction)} in production`, () => {
      expect(at(ofKind(staging(), kind)[0], path)).to.deep.equal(inStaging);
      expect(at(ofKind(production(), kind)[0], path)).to.deep.equal(inProduction);
    });
  }

  it('K2: the Service is for the cluster only, with 80 to HTTP and 9090 to gRPC', () => {
    const service = one(production(), 'Service', 'omendb-server');
    expect(at(service, 'spec.type')).to.equal('ClusterIP');
    expect(at(service, 'spec.ports')).to.deep.equal([
      { name: 'http', port: 80, targetPort: 'http', appProtocol: 'http' },
      { name: 'grpc', port: 9090, targetPort: 'grpc', appProtocol: 'kubernetes.io/h2c' },
    ]);
    const { ports } = serverContainer(production());
    expect(ports).to.deep.equal([
      { name: 'http', containerPort: 8080 },
      { name: 'grpc', containerPort: 9090 },
      { name: 'ops', containerPort: 8081 },
    ]);
  });

  it('K2: the key is in the Secret omendb-secrets under jwt-secret, and in no object', () => {
    for (const all of [staging(), production()]) {
      const volume = serverPods(all).spec.volumes?.find(({ name }) => name === 'secrets');
      expect(at(volume, 'secret.secretName')).to.equal('omendb-secrets');
      expect(at(volume, 'secret.items.0.key')).to.equal('jwt-secret');
      expect(ofKind(all, 'Secret')).to.deep.equal([]);
    }
  });

  it('K3: there is an Ingress each for HTTP and gRPC, with TLS and limits', () => {
    const all = render(scenario('everything'));
    const [grpc, http] = [
      one(all, 'Ingress', 'omendb-server-grpc'),
      one(all, 'Ingress', 'omendb-server-http'),
    ];
    const annotation = (object: Rendered, name: string): unknown =>
      object.metadata.annotations?.[`nginx.ingress.kubernetes.io/${name}`];
    expect(annotation(grpc, 'backend-protocol')).to.equal('GRPC');
    expect(annotation(http, 'backend-protocol')).to.equal('HTTP');
    for (const ingress of [grpc, http]) {
      expect(annotation(ingress, 'limit-rps')).to.equal('50');
      expect(annotation(ingress, 'limit-connections')).to.equal('20');
      expect(at(ingress, 'spec.tls.0.secretName')).to.equal('omendb-tls');
    }
    expect(ofKind(all, 'HTTPRoute').length + ofKind(all, 'GRPCRoute').length).to.equal(2);
  });

  it('K4: the StorageClasses are gp3 and gp3-optimized, encrypted and expandable', () => {
    const all = render({ set: ['storageClasses.create=true'] });
    expect(one(all, 'StorageClass', 'gp3')).to.deep.include({ allowVolumeExpansion: true });
    const optimized = one(all, 'StorageClass', 'gp3-optimized');
    expect(optimized).to.deep.include({
      provisioner: 'ebs.csi.aws.com',
      parameters: { type: 'gp3', iops: '10000', throughput: '1000', encrypted: 'true' },
      allowVolumeExpansion: true,
      volumeBindingMode: 'WaitForFirstConsumer',
    });
  });

  it('S4: servers with a bucket have a cache on their volumes, and others none', () => {
    const cache = (...set: string[]): unknown => {
      const all = render({ set });
      const settings = ofKind(all, 'ConfigMap').find(({ metadata }) => metadata.name === 'omendb-server');
      return at(settings, 'data.OMENDB_CACHE_BYTES');
    };
    const bucket = 'config.objectStore=s3://vectors/omendb';
    expect(cache()).to.equal(undefined);
    expect(cache(bucket, 'storage.size=100Gi')).to.equal(String(85 * 2 ** 30));
    expect(cache(bucket, 'config.cacheBytes=2Gi')).to.equal(String(2 ** 31));
    expect(cache(bucket, 'config.cacheBytes=0')).to.equal('0');
  });

  it('K7: engines and heap fit into the memory, and a full server stays where the autoscaler looks', () => {
    const gibibyte = 2 ** 30;
    for (const [all, request, limit] of [
      [staging(), 2, 8],
      [production(), 4, 16],
    ] as const) {
      const settings = at(
        ofKind(all, 'ConfigMap').find(({ metadata }) => metadata.name === 'omendb-server'),
        'data',
      );
      expect(Number(at(settings, 'OMENDB_MEMORY_BYTES'))).to.equal((request / 2) * gibibyte);
      const heap = serverContainer(all).env?.find(({ name }) => name === 'NODE_OPTIONS')?.value;
      expect(heap).to.equal(`--max-old-space-size=${(limit / 4) * 1024}`);
    }
    const threads = (all: readonly Rendered[]): unknown =>
      at(one(all, 'ConfigMap', 'omendb-server'), 'data.OMENDB_WORKER_THREADS');
    expect([threads(staging()), threads(production())]).to.deep.equal(['4', '8']);
  });

  it('K8: server, backup and hook have an account each; only the hook may do anything, which is to create Secrets', () => {
    const all = render(scenario('one-volume'));
    const accounts = ofKind(all, 'ServiceAccount').map(({ metadata }) => metadata.name);
    expect(accounts).to.have.members(['omendb-server', 'omendb-backup', 'omendb-hooks']);
    expect(ofKind(all, 'Role').map((role) => role['rules'])).to.deep.equal([
      [{ apiGroups: [''], resources: ['secrets'], verbs: ['create'] }],
    ]);
  });

  it('K8: each port is open to those that need it only', () => {
    const policy = one(
      render({ files: ['values-production.yaml'], set: OFFLINE }),
      'NetworkPolicy',
      'omendb-server',
    );
    const rules = at(policy, 'spec.ingress') as readonly {
      readonly ports: readonly { readonly port: string }[];
    }[];
    const forOps = rules.filter(({ ports }) => ports.some(({ port }) => port === 'ops'));
    expect(forOps).to.deep.equal([
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } },
            podSelector: { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } },
          },
        ],
        ports: [{ protocol: 'TCP', port: 'ops' }],
      },
    ]);
  });

  it('K9: pods tolerate spot nodes, prefer others in production, and keep off each other', () => {
    const spec = serverPods(production()).spec;
    const tolerations = spec['tolerations'] as readonly { readonly key: string }[];
    expect(tolerations.map(({ key }) => key)).to.deep.equal([
      'cloud.google.com/gke-spot',
      'karpenter.sh/capacity-type',
      'kubernetes.azure.com/scalesetpriority',
    ]);
    expect(
      at(spec, 'affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.weight'),
    ).to.equal(100);
    const preferred = at(spec, 'affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution');
    expect(JSON.stringify(preferred)).to.include(
      '"karpenter.sh/capacity-type","operator":"In","values":["on-demand"]',
    );
    expect(JSON.stringify(preferred)).to.include(
      '"cloud.google.com/gke-spot","operator":"NotIn","values":["true"]',
    );
  });

  it('K10: the board omendb-server comes with the chart, and every other', () => {
    const boards = ofKind(production(), 'ConfigMap').filter(({ metadata }) =>
      metadata.name.includes('-board-'),
    );
    const text = Object.values(
      at(
        boards.find(({ metadata }) => metadata.name === 'omendb-board-server'),
        'data',
      ) as object,
    )[0] as string;
    expect((JSON.parse(text) as { readonly uid: string }).uid).to.equal('omendb-server');
    expect(boards.every(({ metadata }) => metadata.labels?.['grafana_dashboard'] === '1')).to.equal(true);
  });

  it('K11: the four required alerts come with the chart, with the numbers that were asked for', () => {
    interface Rule {
      readonly alert?: string;
      readonly expr: string;
      readonly for?: string;
    }
    const groups = at(one(production(), 'PrometheusRule'), 'spec.groups') as readonly {
      readonly rules: readonly Rule[];
    }[];
    const rules = groups.flatMap((group) => group.rules);
    for (const [name, wait, bound] of [
      ['ServerDown', '1m', ''],
      ['HighLatency', '2m', '> 0.05'],
      ['HighErrorRate', '2m', '> 0.01'],
      ['EnginePoolExhausted', '1m', ''],
    ] as const) {
      const rule = rules.find(({ alert }) => alert === `OmenDB${name}`);
      expect(rule?.for, name).to.equal(wait);
      expect(rule?.expr, name).to.include(bound);
    }
  });

  it('S10: backups run every night and end up elsewhere', () => {
    const set = [...OFFLINE, 'backup.enabled=true', 'backup.to=s3://vault/omendb'];
    const job = one(render({ files: ['values-production.yaml'], set }), 'CronJob', 'omendb-backup');
    expect(at(job, 'spec.schedule')).to.equal('15 2 * * *');
    expect(at(job, 'spec.jobTemplate.spec.template.spec.containers.0.args')).to.deep.equal([
      ...['backup', '--json', '--to', 's3://vault/omendb', '--history', 'all'],
    ]);
  });
});

describe('Documents for AWS', () => {
  interface Policy {
    readonly Statement: readonly {
      readonly Action: string | readonly string[];
      readonly Resource: string | readonly string[];
    }[];
  }
  const document = <T>(name: string): T => JSON.parse(read(`helm/omendb/files/aws/${name}.json`)) as T;
  const actions = (name: string): string[] =>
    document<Policy>(name).Statement.flatMap(({ Action }) => Action);

  it('allow the server what docs/object-stores.md says that it needs, and no more', () => {
    const wanted = [
      's3:GetObject',
      's3:PutObject',
      's3:DeleteObject',
      's3:AbortMultipartUpload',
      's3:ListBucket',
    ];
    expect(actions('iam-server')).to.have.members(wanted);
    for (const action of wanted) expect(read('docs/object-stores.md')).to.include(`\`${action}\``);
  });

  it('let backups delete no data, neither what is backed up nor what backups hold', () => {
    const deletes = document<Policy>('iam-backup').Statement.filter(({ Action }) =>
      Action.includes('s3:DeleteObject'),
    );
    for (const path of deletes.flatMap(({ Resource }) => Resource)) {
      expect(path).to.match(/PREFIX\/(n\/\*\/p|_backup_marks|_probe)\/\*$/);
    }
  });

  it('archive nothing and delete nothing that is in use', () => {
    const text = read('helm/omendb/files/aws/lifecycle.json');
    expect(text).to.not.match(/GLACIER|DEEP_ARCHIVE|"Expiration"/);
    expect(document<{ readonly Rules: readonly unknown[] }>('lifecycle').Rules).to.have.length(3);
  });
});

function same(id: string, kind: string, path: string, value: unknown): Wanted {
  return [[id, kind, path, value, value]];
}
