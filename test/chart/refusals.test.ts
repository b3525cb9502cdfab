import { expect } from 'chai';
import type { Values } from './helm.js';
import { MAJORS, OFFLINE, refusal, render } from './helm.js';

interface Case {
  readonly values: readonly string[];
  /** What the message must say. */
  readonly says: string;
}

const bucket = 'config.objectStore=s3://vectors';
const production = [
  'environment=production',
  'auth.secretName=s',
  'auth.generate.enabled=false',
  'image.tag=v1',
];

/** Values that do not fit each other. Every line of the validation is met by one of them. */
const MISFITS: readonly Case[] = [
  { values: ['autoscaling.enabled=true'], says: 'config.objectStore: autoscaling needs a bucket' },
  { values: ['replicaCount=3'], says: 'config.objectStore: 3 pods need a bucket that they share' },
  { values: ['workload.kind=Deployment'], says: 'config.objectStore: without a bucket data is on a volume' },
  { values: ['config.s3SseKmsKeyId=k'], says: 'config.s3SseKmsKeyId: is for config.s3Sse=aws:kms only' },
  {
    values: ['config.workerThreads=64'],
    says: 'resources.requests.memory: 64 engines need 1088Mi and get 512Mi',
  },
  { values: ['config.memoryBytes=3500Mi'], says: 'resources.limits.memory: engines (3500Mi) and heap' },
  {
    values: ['resources.requests.memory=5Gi'],
    says: 'resources.limits.memory: 4Gi is less than the request of 5Gi',
  },
  { values: ['resources.requests.memory=1E'], says: '"1E" is no size, such as 512Mi or 4Gi' },
  {
    values: ['config.grpcPort=8080'],
    says: 'config.httpPort, config.grpcPort, config.opsPort: are 8080, 8080, 8081',
  },
  { values: ['config.host=127.0.0.1'], says: "config.host: 127.0.0.1 is the pod's own" },
  { values: ['service.grpcPort=80'], says: 'service.httpPort, service.grpcPort: are both 80' },
  { values: ['workload.maxSurge=0'], says: 'workload.maxSurge, workload.maxUnavailable: are both 0' },
  {
    values: ['metrics.serviceMonitor.scrapeTimeout=1m'],
    says: 'metrics.serviceMonitor.scrapeTimeout: 1m is longer than metrics.serviceMonitor.interval (15s)',
  },
  { values: ['config.drainTime=1m'], says: 'termination.gracePeriodSeconds: must be 75 or more' },
  { values: ['termination.preStopSeconds=40'], says: 'termination.gracePeriodSeconds: must be 70 or more' },
  {
    values: [bucket, 'autoscaling.enabled=true', 'autoscaling.minReplicas=60'],
    says: 'autoscaling.maxReplicas: 50 is less than autoscaling.minReplicas (60)',
  },
  {
    values: [
      bucket,
      'autoscaling.enabled=true',
      'autoscaling.cpuUtilization=0',
      'autoscaling.memoryUtilization=0',
    ],
    says: 'autoscaling: has nothing to look at',
  },
  {
    values: [
      ...[bucket, 'autoscaling.enabled=true', 'autoscaling.provider=keda', 'capabilities.check=false'],
      ...['autoscaling.extraMetrics[0].type=Resource'],
    ],
    says: 'autoscaling.extraMetrics: is for provider hpa only',
  },
  {
    values: [bucket, 'autoscaling.enabled=true', 'resources.requests.cpu=null'],
    says: 'resources.requests.cpu: autoscaling.cpuUtilization is a share of it',
  },
  {
    values: [bucket, 'replicaCount=3', 'podDisruptionBudget.minAvailable=null'],
    says: 'podDisruptionBudget: set minAvailable or maxUnavailable',
  },
  {
    values: [bucket, 'replicaCount=3', 'podDisruptionBudget.maxUnavailable=1'],
    says: 'podDisruptionBudget: minAvailable and maxUnavailable exclude each other',
  },
  {
    values: [bucket, 'replicaCount=2'],
    says: 'podDisruptionBudget.minAvailable: 2 of 2 pods would never let a node',
  },
  {
    values: [
      bucket,
      'autoscaling.enabled=true',
      'capabilities.check=false',
      'vpa.enabled=true',
      'vpa.updateMode=Initial',
    ],
    says: 'vpa.controlledResources: the horizontal autoscaler looks at cpu too',
  },
  {
    values: ['capabilities.check=false', 'vpa.enabled=true', 'vpa.updateMode=Recreate'],
    says: 'vpa.minAllowed, vpa.maxAllowed: are needed for updateMode Recreate',
  },
  {
    values: ['auth.externalSecret.enabled=true'],
    says: 'auth.generate.enabled, auth.externalSecret.enabled: only one',
  },
  { values: ['auth.externalSecret.enabled=true'], says: 'auth.externalSecret.storeRef.name: is needed' },
  { values: ['auth.externalSecret.enabled=true'], says: 'auth.externalSecret.remoteRef.key: is needed' },
  {
    values: ['cloudIdentity.provider=podIdentity', 's3.credentials.secretName=s'],
    says: 's3.credentials.secretName: static credentials would count more than cloudIdentity.provider=podIdentity',
  },
  { values: ['cloudIdentity.provider=irsa'], says: 'cloudIdentity.server: is needed for provider irsa' },
  {
    values: ['cloudIdentity.server=x'],
    says: 'cloudIdentity.server, cloudIdentity.backup: say nothing to provider none',
  },
  { values: ['ingress.enabled=true'], says: 'ingress.host: is needed' },
  { values: ['ingress.enabled=true'], says: 'ingress.grpc.host: is needed' },
  {
    values: ['ingress.enabled=true', 'ingress.host=h', 'ingress.grpc.host=h'],
    says: 'ingress.grpc.host: is that of HTTP, which only controller aws can tell apart',
  },
  {
    values: ['ingress.enabled=true', 'ingress.rateLimit.connections=5'],
    says: 'ingress.rateLimit: controller generic is not told of it by annotations',
  },
  {
    values: ['ingress.enabled=true', 'ingress.controller=aws', 'ingress.rateLimit.requestsPerSecond=5'],
    says: 'controller aws is not told of it by annotations: use ingress.wafAclArn',
  },
  {
    values: ['ingress.enabled=true', 'ingress.wafAclArn=a'],
    says: 'ingress.wafAclArn: is for controller aws only',
  },
  {
    values: ['ingress.enabled=true', 'ingress.tls.certificateArn=a'],
    says: 'ingress.tls.certificateArn: is for controller aws only',
  },
  {
    values: ['ingress.enabled=true', 'ingress.controller=aws'],
    says: 'ingress.tls.certificateArn: is needed for controller aws',
  },
  {
    values: ['ingress.enabled=true', 'ingress.controller=aws', 'ingress.tls.enabled=false'],
    says: 'ingress.tls.enabled: load balancers of AWS take gRPC over HTTPS only',
  },
  { values: ['gateway.grpc.enabled=true'], says: 'gateway.grpc.parentRefs: is needed' },
  {
    values: ['config.metrics=false', 'metrics.serviceMonitor.enabled=true'],
    says: 'config.metrics: is false, so there is nothing for metrics.serviceMonitor',
  },
  {
    values: ['metrics.alertmanagerConfig.enabled=true'],
    says: 'metrics.alertmanagerConfig.secretName: is needed',
  },
  { values: ['backup.enabled=true'], says: 'backup.to: is needed, such as s3://BUCKET/omendb' },
  { values: ['verify.enabled=true'], says: 'backup.to: is needed' },
  {
    values: ['backup.to=file:///backups'],
    says: 'backup.to: file:///backups is a folder that is gone with the pod',
  },
  { values: [bucket, 'backup.to=s3://vectors/'], says: 'backup.to: is the store itself' },
  { values: [bucket, 'backup.to=s3://vectors/kept'], says: 'backup.to: is the store itself, or within it' },
  {
    values: ['backup.enabled=true', 'backup.to=s3://b', 'storage.medium=EmptyDir'],
    says: 'storage.medium: EmptyDir cannot be read by a job',
  },
  { values: ['restore.enabled=true'], says: 'restore.confirm: must be the name of the release, omendb' },
  { values: ['restore.enabled=true'], says: 'restore.from: is needed' },
  { values: ['restore.enabled=true'], says: 'restore.enabled: a folder in use cannot be restored into' },
  {
    values: [bucket, 'volumeSnapshots.enabled=true'],
    says: 'volumeSnapshots.enabled: is for the volumes of a StatefulSet',
  },
  {
    values: ['storage.medium=EmptyDir'],
    says: 'resources.limits.ephemeral-storage: 1Gi counts for storage.medium EmptyDir too',
  },
  { values: ['environment=production'], says: 'auth.secretName: production wants a key that you keep' },
  { values: ['environment=production'], says: 'image.tag: production wants a version or a digest' },
  { values: [...production, 'image.tag=latest'], says: 'image.tag: production wants a version or a digest' },
  {
    values: [...production, 'resources.limits.memory=null'],
    says: 'resources.limits.memory: production wants it',
  },
  { values: [...production, 'resources.limits.cpu=null'], says: 'resources.limits.cpu: production wants it' },
  {
    values: [...production, 'ingress.enabled=true', 'ingress.tls.enabled=false'],
    says: 'ingress.tls.enabled: production wants TLS',
  },
  {
    values: [...production, 'service.type=NodePort'],
    says: 'service.type: NodePort lets others in without TLS',
  },
  {
    values: [...production, 'gateway.http.enabled=true', 'gateway.http.parentRefs[0].name=g'],
    says: "gateway.http.parentRefs: production wants TLS: name the Gateway's listener",
  },
];

/** Values whose objects need an API that a plain cluster lacks, and the API. */
const APIS: readonly (readonly [values: readonly string[], value: string, api: string])[] = [
  [
    [bucket, 'autoscaling.enabled=true', 'autoscaling.customMetrics.enabled=true'],
    'autoscaling.customMetrics.enabled',
    'custom.metrics.k8s.io/v1beta1',
  ],
  [
    [bucket, 'autoscaling.enabled=true', 'autoscaling.customMetrics.enabled=true'],
    'autoscaling.customMetrics.latency',
    'external.metrics.k8s.io/v1beta1',
  ],
  [
    [bucket, 'autoscaling.enabled=true', 'autoscaling.provider=keda'],
    'autoscaling.enabled',
    'keda.sh/v1alpha1',
  ],
  [['vpa.enabled=true'], 'vpa.enabled', 'autoscaling.k8s.io/v1'],
  [['metrics.serviceMonitor.enabled=true'], 'metrics.serviceMonitor.enabled', 'monitoring.coreos.com/v1'],
  [['metrics.prometheusRule.enabled=true'], 'metrics.prometheusRule.enabled', 'monitoring.coreos.com/v1'],
  [
    ['metrics.alertmanagerConfig.enabled=true', 'metrics.alertmanagerConfig.secretName=s'],
    'metrics.alertmanagerConfig.enabled',
    'monitoring.coreos.com/v1alpha1',
  ],
  [
    [
      ...['auth.generate.enabled=false', 'auth.externalSecret.enabled=true'],
      ...['auth.externalSecret.storeRef.name=s', 'auth.externalSecret.remoteRef.key=k'],
    ],
    'auth.externalSecret.enabled',
    'external-secrets.io/v1',
  ],
  [
    ['gateway.http.enabled=true', 'gateway.http.parentRefs[0].name=g'],
    'gateway.http.enabled and gateway.grpc.enabled',
    'gateway.networking.k8s.io/v1',
  ],
  [['volumeSnapshots.enabled=true'], 'volumeSnapshots.enabled', 'snapshot.storage.k8s.io/v1'],
];

/** Values that the schema refuses, and the path and fault that it names. */
const STRANGERS: readonly (readonly [value: string, path: string, fault: string])[] = [
  ['replicaCont=3', "at ''", "'replicaCont' not allowed"],
  ['autoscaling.minReplica=3', "'/autoscaling'", "'minReplica' not allowed"],
  ['autoscaling.customMetrics.latencyP99=1', "'/autoscaling/customMetrics'", "'latencyP99' not allowed"],
  ['autoscaling.behavior.scaleUp.window=1', "'/autoscaling/behavior/scaleUp'", "'window' not allowed"],
  ['config.maxInflight=3', "'/config'", "'maxInflight' not allowed"],
  ['config.jwtSecret=secret', "'/config'", "'jwtSecret' not allowed"],
  ['resources.limit.cpu=1', "'/resources'", "'limit' not allowed"],
  ['global.registry=x', "'/global'", "'registry' not allowed"],
  ['extraEnv[0].nam=x', "'/extraEnv/0'", "'nam' not allowed"],
  ['sidecars[0].name=x,sidecars[0].port=1', "'/sidecars/0'", "'port' not allowed"],
  ['scheduling.tolerations[0].keys=x', "'/scheduling/tolerations/0'", "'keys' not allowed"],
  [
    'metrics.prometheusRule.alerts.OmenDBServerDwn.for=1m',
    "'/metrics/prometheusRule/alerts'",
    "'OmenDBServerDwn' not allowed",
  ],
  [
    'networkPolicy.ingress.clients[0].podSelecto.a=b',
    "'/networkPolicy/ingress/clients/0'",
    "'podSelecto' not allowed",
  ],
  ['replicaCount=three', "'/replicaCount'", 'got string, want integer'],
  ['replicaCount=101', "'/replicaCount'", 'maximum: got 101, want 100'],
  ['replicaCount=-1', "'/replicaCount'", 'minimum: got -1, want 0'],
  ['config.httpPort=80', "'/config/httpPort'", 'minimum: got 80'],
  ['config.otelTracesSamplerArg=2', "'/config/otelTracesSamplerArg'", 'maximum: got 2, want 1'],
  ['config.drainTime=25', "'/config/drainTime'", 'got number, want null or string'],
  ['config.retention=1d', "'/config/retention'", 'does not match pattern'],
  ['config.objectStore=http://b', "'/config/objectStore'", 'does not match pattern'],
  ['config.logLevel=loud', "'/config/logLevel'", 'must be one of'],
  ['environment=prod', "'/environment'", 'must be one of'],
  ['image.digest=sha256:1', "'/image/digest'", 'does not match pattern'],
  ['vpa.updateMode=Auto', "'/vpa/updateMode'", 'must be one of'],
  ['autoscaling.enabled=yes', "'/autoscaling/enabled'", 'got string, want boolean'],
  ['memory.engineShare=0.95', "'/memory/engineShare'", 'does not match pattern'],
  ['memory.engineShare=1', "'/memory/engineShare'", 'maximum: got 1'],
  ['resources.limits.cpu=two', "'/resources/limits/cpu'", 'does not match pattern'],
  ['resources.requests.cpu=-1', "'/resources/requests/cpu'", 'minimum: got -1, want 0'],
  ['vpa.maxAllowed.memory=much', "'/vpa/maxAllowed/memory'", 'does not match pattern'],
  [
    'podDisruptionBudget.maxUnavailable=0%',
    "'/podDisruptionBudget/maxUnavailable'",
    'does not match pattern',
  ],
  ['storage.size=lots', "'/storage/size'", 'does not match pattern'],
  ['metrics.serviceMonitor.interval=15', "'/metrics/serviceMonitor/interval'", 'got number, want string'],
  ['backup.to=ftp://b', "'/backup/to'", 'does not match pattern'],
];

describe('Refused values', function () {
  this.timeout(30_000);

  for (const major of MAJORS) {
    describe(`under Helm ${major}`, () => {
      for (const { values, says } of MISFITS) {
        it(`${values.join(' ')}: ${says}`, () => {
          expect(flat(refusal({ set: values }, major))).to.include(says);
        });
      }

      for (const [values, value, api] of APIS) {
        it(`${value} without ${api}`, () => {
          const message = flat(refusal({ set: values }, major));
          expect(message).to.include(`${value}: needs ${api}, which the cluster does not serve: install`);
        });
      }

      for (const [value, path, fault] of STRANGERS) {
        it(value, () => {
          const lines = refusal({ set: value.split(',') }, major).split('\n');
          expect(
            lines.find((line) => line.includes(path) && line.includes(fault)),
            lines.join('\n'),
          ).to.be.a('string');
        });
      }
    });
  }

  it('are all named at once', () => {
    const message = refusal({ set: ['environment=production', 'replicaCount=3', 'verify.enabled=true'] });
    expect(message).to.match(
      /omendb: 4 values are wrong:\n {2}config.objectStore.*\n {2}backup.to.*\n {2}auth.*\n {2}image/,
    );
  });

  it('are allowed when the cluster serves the API, or is said to', () => {
    const values: Values = { set: ['vpa.enabled=true', 'capabilities.apiVersions[0]=autoscaling.k8s.io/v1'] };
    expect(render(values).some(({ kind }) => kind === 'VerticalPodAutoscaler')).to.equal(true);
  });

  it('for InPlaceOrRecreate are those of an old Kubernetes', () => {
    const set = ['vpa.enabled=true', 'vpa.updateMode=InPlaceOrRecreate', 'capabilities.check=false'];
    const message = refusal({ set: [...set, 'vpa.minAllowed.cpu=1'], kubernetes: '1.32.0' });
    expect(message).to.include('vpa.updateMode: InPlaceOrRecreate needs Kubernetes 1.33');
  });

  it('do not come with what production needs set', () => {
    expect(render({ files: ['values-production.yaml'], set: OFFLINE }).length).to.be.above(10);
  });

  it('for a Kubernetes below the floor are refused as a whole', () => {
    expect(refusal({ kubernetes: '1.29.0' })).to.include('chart requires kubeVersion: >=1.30.0-0');
  });
});

/** A message without its line breaks, which differ. */
function flat(message: string): string {
  return message.replace(/\s+/g, ' ');
}
