// What no rule for all objects can say: fields of optional parts, each as whoever reads it needs it. Where a
// value decides, the set of values gives it another value than its neighbours.
import { expect } from 'chai';
import type { Rendered, Values } from './helm.js';
import { OFFLINE, at, ofKind, render, scenario } from './helm.js';
import { serverContainer } from './pods.js';

type Wanted = readonly [kind: string, name: string, path: string, value: unknown];

const everything = scenario('everything');
const aws = scenario('ingress-aws');
const store = 'config.objectStore=s3://vectors';
const set = (...more: readonly string[]): Values => ({ set: [...OFFLINE, ...more] });
const STAGING: Values = { files: ['values-staging.yaml'], set: OFFLINE };
const NGINX = 'metadata.annotations.nginx\\.ingress\\.kubernetes\\.io/';
const ALB = 'metadata.annotations.alb\\.ingress\\.kubernetes\\.io/';
const KEDA = 'spec.triggers.2.metadata.ignoreNullValues';
const JOB_POD = 'spec.jobTemplate.spec.template.spec';

const PARTS: readonly (readonly [what: string, values: Values, wanted: readonly Wanted[]])[] = [
  [
    'an update adds a pod before it takes one away',
    STAGING,
    [
      ['Deployment', 'omendb-server', 'spec.strategy.rollingUpdate', { maxSurge: 1, maxUnavailable: 0 }],
      ['Deployment', 'omendb-server', 'spec.minReadySeconds', 15],
      ['Deployment', 'omendb-server', 'spec.template.spec.containers.0.lifecycle.preStop.sleep.seconds', 10],
    ],
  ],
  [
    'pods are spread over nodes that take them, and over zones, without those of the version before',
    STAGING,
    ['0', '1'].flatMap((number): Wanted[] => {
      const path = `spec.template.spec.topologySpreadConstraints.${number}`;
      return [
        ['Deployment', 'omendb-server', `${path}.matchLabelKeys`, ['pod-template-hash']],
        ['Deployment', 'omendb-server', `${path}.nodeTaintsPolicy`, 'Honor'],
      ];
    }),
  ],
  [
    'Prometheus asks the right path, also pods that are not ready',
    STAGING,
    [
      ['ServiceMonitor', 'omendb-server', 'spec.endpoints.0.path', '/metrics'],
      ['ServiceMonitor', 'omendb-server', 'spec.endpoints.0.port', 'ops'],
      ['Service', 'omendb-server-metrics', 'spec.publishNotReadyAddresses', true],
    ],
  ],
  [
    'each protocol has a port of its own on the headless Service',
    STAGING,
    [
      ['Service', 'omendb-server-headless', 'spec.ports.0.targetPort', 'http'],
      ['Service', 'omendb-server-headless', 'spec.ports.1.targetPort', 'grpc'],
    ],
  ],
  [
    'the autoscaler asks for the latency of this release',
    set(store, 'autoscaling.enabled=true', 'autoscaling.customMetrics.enabled=true', 'metrics.job=second'),
    [
      [
        'HorizontalPodAutoscaler',
        'omendb-server',
        'spec.metrics.3.external.metric.selector.matchLabels.job',
        'second',
      ],
    ],
  ],
  [
    'KEDA takes no answer for an outage, and never scales down in one',
    scenario('keda'),
    [
      ['ScaledObject', 'omendb-server', KEDA, 'false'],
      ['ScaledObject', 'omendb-server', KEDA.replace('2', '3'), 'false'],
      ['ScaledObject', 'omendb-server', 'spec.fallback.behavior', 'currentReplicasIfHigher'],
    ],
  ],
  [
    'the VPA leaves limits as they are',
    scenario('vpa'),
    [
      [
        'VerticalPodAutoscaler',
        'omendb-server',
        'spec.resourcePolicy.containerPolicies.0.controlledValues',
        'RequestsOnly',
      ],
    ],
  ],
  [
    'volumes of a StatefulSet stay as the user says, for each way to lose them',
    set('workload.kind=StatefulSet', 'storage.retention.whenScaled=Delete'),
    [
      [
        'StatefulSet',
        'omendb-server',
        'spec.persistentVolumeClaimRetentionPolicy',
        { whenDeleted: 'Retain', whenScaled: 'Delete' },
      ],
    ],
  ],
  [
    'nginx lets the largest body through',
    everything,
    [
      ['Ingress', 'omendb-server-http', `${NGINX}proxy-body-size`, '64m'],
      ['Ingress', 'omendb-server-grpc', `${NGINX}proxy-body-size`, '64m'],
    ],
  ],
  [
    'the load balancer of AWS asks for the health of gRPC, and knows gRPC by its content',
    aws,
    [
      ['Ingress', 'omendb-server-grpc', `${ALB}backend-protocol-version`, 'GRPC'],
      ['Ingress', 'omendb-server-grpc', `${ALB}healthcheck-path`, '/grpc.health.v1.Health/Check'],
      ['Ingress', 'omendb-server-grpc', `${ALB}success-codes`, '0'],
      ['Ingress', 'omendb-server-grpc', `${ALB}group.order`, '1'],
      ['Ingress', 'omendb-server-http', `${ALB}group.order`, '2'],
      ['Ingress', 'omendb-server-http', `${ALB}healthcheck-path`, '/health'],
    ],
  ],
  [
    'routes lead to the port of their protocol',
    everything,
    [
      ['HTTPRoute', 'omendb-server-http', 'spec.rules.0.backendRefs.0.port', 80],
      ['GRPCRoute', 'omendb-server-grpc', 'spec.rules.0.backendRefs.0.port', 9090],
    ],
  ],
  [
    'backups have an identity of their own',
    everything,
    [
      [
        'ServiceAccount',
        'omendb-server',
        'metadata.annotations.eks\\.amazonaws\\.com/role-arn',
        'arn:aws:iam::123456789012:role/omendb',
      ],
      [
        'ServiceAccount',
        'omendb-backup',
        'metadata.annotations.eks\\.amazonaws\\.com/role-arn',
        'arn:aws:iam::123456789012:role/omendb-backup',
      ],
    ],
  ],
  [
    'External Secrets writes the key that the pod reads',
    scenario('external-secret'),
    [
      ['ExternalSecret', 'vectors-secrets', 'spec.data.0.secretKey', 'jwt-secret'],
      ['ExternalSecret', 'vectors-secrets', 'spec.data.0.remoteRef', { key: 'omendb', property: 'jwt' }],
      ['Deployment', 'vectors-server', 'spec.template.spec.volumes.3.secret.items.0.key', 'jwt-secret'],
    ],
  ],
  [
    'a backup goes on after a drained node, and not after a wrong argument',
    everything,
    [
      ['CronJob', 'omendb-backup', 'spec.jobTemplate.spec.podFailurePolicy.rules.0.action', 'Ignore'],
      ['CronJob', 'omendb-backup', 'spec.jobTemplate.spec.podFailurePolicy.rules.1.onExitCodes.values', [2]],
      [
        'CronJob',
        'omendb-backup',
        `${JOB_POD}.containers.0.args`,
        [
          ...[
            'backup',
            '--json',
            '--to',
            's3://vault/omendb',
            '--history',
            'all',
            '--collection',
            'acme/words',
          ],
        ],
      ],
    ],
  ],
  [
    'a check reads all, unless it is to be quick',
    scenario('one-volume'),
    [
      [
        'CronJob',
        'omendb-verify',
        `${JOB_POD}.containers.0.args`,
        ['verify', '--json', '--from', 'file:///backups'],
      ],
    ],
  ],
  [
    'a quick check is told to be',
    everything,
    [
      [
        'CronJob',
        'omendb-verify',
        `${JOB_POD}.containers.0.args`,
        ['verify', '--json', '--from', 's3://vault/omendb', '--quick'],
      ],
    ],
  ],
  [
    'helm test runs when it is asked for, and the Secret is made before the first installation',
    {},
    [
      ['Pod', 'omendb-test', 'metadata.annotations.helm\\.sh/hook', 'test'],
      ['Job', 'omendb-hooks', 'metadata.annotations.helm\\.sh/hook', 'pre-install,pre-upgrade'],
      [
        'Job',
        'omendb-hooks',
        'metadata.annotations.helm\\.sh/hook-delete-policy',
        'before-hook-creation,hook-succeeded',
      ],
    ],
  ],
];

describe('Parts of the chart', function () {
  this.timeout(30_000);

  for (const [what, values, wanted] of PARTS) {
    it(what, () => {
      const all = render(values);
      for (const [kind, name, path, value] of wanted) {
        const object = ofKind(all, kind).find(({ metadata }) => metadata.name === name);
        expect(field(object, path), `${kind} ${name} ${path}`).to.deep.equal(value);
      }
    });
  }

  it('tell the server which pod, namespace and node it runs on', () => {
    const sources = (serverContainer(render(STAGING)).env ?? []).flatMap((variable) => {
      const path = at(variable, 'valueFrom.fieldRef.fieldPath');
      return path === undefined ? [] : [[variable.name, path]];
    });
    expect(Object.fromEntries(sources)).to.deep.equal({
      OMENDB_POD_NAME: 'metadata.name',
      OMENDB_POD_NAMESPACE: 'metadata.namespace',
      OMENDB_NODE_NAME: 'spec.nodeName',
    });
  });

  it('give each half of the credentials its key', () => {
    const keys = ['s3.credentials.accessKeyIdKey=id', 's3.credentials.secretAccessKeyKey=secret'];
    const env = serverContainer(render(set(store, 's3.credentials.secretName=bucket', ...keys))).env ?? [];
    const key = (wanted: string): unknown =>
      at(
        env.find(({ name }) => name === wanted),
        'valueFrom.secretKeyRef.key',
      );
    expect([key('AWS_ACCESS_KEY_ID'), key('AWS_SECRET_ACCESS_KEY')]).to.deep.equal(['id', 'secret']);
  });

  it('keep engines within what the server takes, and the heap of jobs within their memory', () => {
    const large = ['resources.requests.memory=64Gi', 'resources.limits.memory=128Gi'];
    const settings = ofKind(render(set(store, ...large)), 'ConfigMap')[0];
    expect(at(settings, 'data.OMENDB_MEMORY_BYTES')).to.equal('4294901760');
    const [backup] = ofKind(render(everything), 'CronJob');
    const env = at(backup, `${JOB_POD}.containers.0.env`) as readonly { name: string; value: string }[];
    const options = env.find(({ name }) => name === 'NODE_OPTIONS')?.value;
    expect(options).to.equal('--max-old-space-size=1228 --enable-source-maps');
  });

  it('let controllers reach the APIs only, and pods the agent of Pod Identity', () => {
    const inward = rules(render(everything), 'ingress').filter((rule) =>
      JSON.stringify(rule).includes('ingress-nginx'),
    );
    expect(inward.map((rule) => at(rule, 'ports'))).to.deep.equal([
      [
        { protocol: 'TCP', port: 'http' },
        { protocol: 'TCP', port: 'grpc' },
      ],
    ]);
    const agent = rules(render(aws), 'egress').filter((rule) =>
      JSON.stringify(rule).includes('169.254.170.23/32'),
    );
    expect(agent.map((rule) => at(rule, 'ports'))).to.deep.equal([[{ protocol: 'TCP', port: 80 }]]);
  });

  it('bring back the moment that is asked for', () => {
    const job = ofKind(render(everything), 'Job').find(({ metadata }) => metadata.name.includes('-restore-'));
    const args = at(job, 'spec.template.spec.containers.0.args');
    expect(args).to.deep.equal([
      ...['restore', '--json', '--from', 's3://vault/omendb', '--backup', '20260131T031500000Z-0a1b2c3d'],
      ...['--as-of', '2026-01-31T15:04:05Z', '--collection', 'acme/words', '--skip-existing', '--keys'],
    ]);
  });
});

function rules(all: readonly Rendered[], direction: string): readonly unknown[] {
  const policy = ofKind(all, 'NetworkPolicy').find(({ metadata }) => metadata.name === 'omendb-server');
  return at(policy, `spec.${direction}`) as readonly unknown[];
}

/** As `at`, with `\.` for a dot inside of a key, which is then the last. */
function field(object: unknown, path: string): unknown {
  const [, before = path, key] = /^(.*?)\.([^.]*\\.*)$/.exec(path) ?? [];
  const found = at(object, before);
  return key === undefined
    ? found
    : (found as Record<string, unknown> | undefined)?.[key.replaceAll('\\', '')];
}
