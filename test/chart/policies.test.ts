import { expect } from 'chai';
import type { Rendered } from './helm.js';
import { at, ofKind, render, scenarios } from './helm.js';
import type { Container, PodMaker } from './pods.js';
import { podMakers, selects, serverPods } from './pods.js';

type Labels = Readonly<Record<string, string>>;

/** What a rule finds: one line for each object that breaks it. */
type Policy = (all: readonly Rendered[]) => readonly string[];

const containers = ({ spec }: PodMaker): readonly Container[] => spec.containers;
/** Containers that the chart writes; sidecars are the user's. */
const own = (maker: PodMaker): readonly Container[] =>
  containers(maker).filter(({ name }) => !/^(proxy|wait)$/.test(name));
const named = ({ object }: PodMaker): string => `${object.kind} ${object.metadata.name}`;
const eachPod =
  (check: (maker: PodMaker) => boolean): Policy =>
  (all) =>
    podMakers(all)
      .filter((maker) => !check(maker))
      .map(named);
const eachContainer = (check: (container: Container) => boolean): Policy =>
  eachPod((maker) => own(maker).every(check));
const eachOf =
  (kind: string, check: (object: Rendered, all: readonly Rendered[]) => boolean): Policy =>
  (all) =>
    ofKind(all, kind)
      .filter((object) => !check(object, all))
      .map((object) => `${kind} ${object.metadata.name}`);
const podsWith = (all: readonly Rendered[], selector: unknown): readonly PodMaker[] =>
  podMakers(all).filter(({ labels }) => selects(selector as Labels, labels));
const numbers = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);
const minReplicas = (all: readonly Rendered[]): number => {
  const [hpa] = ofKind(all, 'HorizontalPodAutoscaler');
  const [scaled] = ofKind(all, 'ScaledObject');
  const value = at(hpa, 'spec.minReplicas') ?? at(scaled, 'spec.minReplicaCount');
  return numbers(value ?? at(serverPods(all).object, 'spec.replicas'));
};

/** Restricted Pod Security, rule by rule, with the names of the standard. */
const POD_SECURITY: Readonly<Record<string, Policy>> = {
  'host-namespaces': eachPod(({ spec }) => !(spec['hostNetwork'] || spec['hostPID'] || spec['hostIPC'])),
  'host-path-volumes': eachPod(({ spec }) => (spec.volumes ?? []).every((volume) => !('hostPath' in volume))),
  'restricted-volumes': eachPod(({ spec }) =>
    (spec.volumes ?? []).every((volume) =>
      Object.keys(volume).every((key) =>
        /^(name|configMap|emptyDir|ephemeral|persistentVolumeClaim|projected|secret|downwardAPI|csi)$/.test(
          key,
        ),
      ),
    ),
  ),
  'host-ports': eachContainer(({ ports = [] }) => ports.every((port) => !('hostPort' in port))),
  privileged: eachContainer(({ securityContext }) => securityContext?.['privileged'] !== true),
  'privilege-escalation': eachContainer(
    ({ securityContext }) => securityContext?.['allowPrivilegeEscalation'] === false,
  ),
  capabilities: eachContainer(
    ({ securityContext }) =>
      JSON.stringify(at(securityContext, 'capabilities')) === JSON.stringify({ drop: ['ALL'] }),
  ),
  'run-as-non-root': eachPod(({ spec }) => spec.securityContext?.['runAsNonRoot'] === true),
  'run-as-user': eachPod(({ spec }) => spec.securityContext?.['runAsUser'] === 1000),
  seccomp: eachPod(({ spec }) => at(spec, 'securityContext.seccompProfile.type') === 'RuntimeDefault'),
};

/** Rules that kube-linter, kube-score and polaris are known for, by their names there. */
const POLICIES: Readonly<Record<string, Policy>> = {
  ...POD_SECURITY,
  'read-only-root-filesystem': eachContainer(
    ({ securityContext }) => securityContext?.['readOnlyRootFilesystem'] === true,
  ),
  'automount-service-account-token': (all) =>
    podMakers(all)
      .filter((maker) => {
        const needsIt = /^(hooks|snapshots)$/.test(maker.labels['app.kubernetes.io/component'] ?? '');
        return maker.spec.automountServiceAccountToken !== needsIt;
      })
      .map(named),
  'service-links': eachPod(({ spec }) => spec.enableServiceLinks === false),
  'latest-tag': eachContainer(
    ({ image }) => /(:v?[\w.-]+|@sha256:[0-9a-f]{64})$/.test(image) && !/:latest$/.test(image),
  ),
  'env-var-secret': eachContainer(({ env = [] }) =>
    env.every(({ name, value }) => value === undefined || !/SECRET$|PASSWORD|TOKEN|ACCESS_KEY/.test(name)),
  ),
  'environment-variable-key-duplication': eachContainer(({ env = [] }) => {
    const names = env.map(({ name }) => name);
    return new Set(names).size === names.length;
  }),
  'unset-memory-requirements': (all) =>
    all.length > 0 && isLimited(all)
      ? eachContainer(({ resources }) => at(resources, 'limits.memory') !== undefined)(all)
      : [],
  'container-ephemeral-storage-request-and-limit': (all) =>
    isLimited(all)
      ? eachContainer(
          ({ resources }) =>
            at(resources, 'limits.ephemeral-storage') !== undefined &&
            at(resources, 'requests.ephemeral-storage') !== undefined,
        )(all)
      : [],
  'deployment-targeted-by-hpa-does-not-have-replicas-configured': (all) => {
    const scaled = [...ofKind(all, 'HorizontalPodAutoscaler'), ...ofKind(all, 'ScaledObject')];
    const { object } = serverPods(all);
    const has = at(object, 'spec.replicas') !== undefined;
    return has === scaled.length > 0 ? [object.metadata.name] : [];
  },
  'horizontalpodautoscaler-has-target': eachOf('HorizontalPodAutoscaler', (hpa, all) =>
    all.some(
      ({ kind, metadata }) =>
        kind === at(hpa, 'spec.scaleTargetRef.kind') && metadata.name === at(hpa, 'spec.scaleTargetRef.name'),
    ),
  ),
  'no-two-autoscalers': (all) =>
    ofKind(all, 'HorizontalPodAutoscaler').length + ofKind(all, 'ScaledObject').length > 1 ? ['two'] : [],
  'hpa-min-availability': eachOf(
    'HorizontalPodAutoscaler',
    (hpa) => numbers(at(hpa, 'spec.minReplicas')) >= 2,
  ),
  'vpa-does-not-fight-hpa': eachOf('VerticalPodAutoscaler', (vpa, all) => {
    const [hpa] = ofKind(all, 'HorizontalPodAutoscaler');
    if (at(vpa, 'spec.updatePolicy.updateMode') === 'Off' || hpa === undefined) return true;
    const text = JSON.stringify(at(hpa, 'spec.metrics'));
    return !/"ContainerResource"|"Resource"/.test(text);
  }),
  'pdb-disruptions-is-zero': eachOf('PodDisruptionBudget', (pdb, all) => {
    const min = at(pdb, 'spec.minAvailable');
    return typeof min !== 'number' || min < minReplicas(all);
  }),
  'pdb-unhealthy-pod-eviction-policy': eachOf(
    'PodDisruptionBudget',
    (pdb) => at(pdb, 'spec.unhealthyPodEvictionPolicy') === 'AlwaysAllow',
  ),
  'pdb-min-or-max': eachOf(
    'PodDisruptionBudget',
    (pdb) => (at(pdb, 'spec.minAvailable') === undefined) !== (at(pdb, 'spec.maxUnavailable') === undefined),
  ),
  'dangling-service': eachOf(
    'Service',
    (service, all) => podsWith(all, at(service, 'spec.selector')).length === 1,
  ),
  'dangling-networkpolicy': eachOf(
    'NetworkPolicy',
    (policy, all) => podsWith(all, at(policy, 'spec.podSelector.matchLabels')).length > 0,
  ),
  'dangling-poddisruptionbudget': eachOf(
    'PodDisruptionBudget',
    (pdb, all) => podsWith(all, at(pdb, 'spec.selector.matchLabels')).length === 1,
  ),
  'dangling-servicemonitor': eachOf('ServiceMonitor', (monitor, all) => {
    const chosen = ofKind(all, 'Service').filter(({ metadata }) =>
      selects(at(monitor, 'spec.selector.matchLabels') as Labels, metadata.labels ?? {}),
    );
    return chosen.length === 1 && chosen[0]?.metadata.name.endsWith('-metrics') === true;
  }),
  'dangling-ingress': eachOf('Ingress', (ingress, all) => {
    const backend = at(ingress, 'spec.rules.0.http.paths.0.backend.service');
    return portsOf(all, at(backend, 'name')).includes(String(at(backend, 'port.name')));
  }),
  'service-port-is-named-in-pod': eachOf('Service', (service, all) => {
    const [pod] = podsWith(all, at(service, 'spec.selector'));
    const names =
      pod === undefined ? [] : containers(pod).flatMap(({ ports = [] }) => ports.map(({ name }) => name));
    return (at(service, 'spec.ports') as readonly { readonly targetPort: string }[]).every(({ targetPort }) =>
      names.includes(targetPort),
    );
  }),
  'ops-port-is-on-one-service': (all) => {
    const with8081 = ofKind(all, 'Service').filter((service) =>
      JSON.stringify(at(service, 'spec.ports')).includes('"ops"'),
    );
    return with8081
      .filter(({ metadata }) => !metadata.name.endsWith('-metrics'))
      .map(({ metadata }) => metadata.name);
  },
  'networkpolicy-rules-have-peers-and-ports': eachOf('NetworkPolicy', (policy) =>
    ['ingress', 'egress'].every((direction) =>
      (
        (at(policy, `spec.${direction}`) ?? []) as readonly Readonly<Record<string, readonly unknown[]>>[]
      ).every((rule) => (rule['from'] ?? rule['to'] ?? []).length > 0 && (rule['ports'] ?? []).length > 0),
    ),
  ),
  'networkpolicy-is-for-both-directions': eachOf(
    'NetworkPolicy',
    (policy) => JSON.stringify(at(policy, 'spec.policyTypes')) === '["Ingress","Egress"]',
  ),
  'networkpolicy-for-every-pod': (all) => {
    const policies = ofKind(all, 'NetworkPolicy');
    if (policies.length === 0) return [];
    return podMakers(all)
      .filter(
        ({ labels }) =>
          !policies.some((policy) => selects(at(policy, 'spec.podSelector.matchLabels') as Labels, labels)),
      )
      .map(named);
  },
  'pod-probes-identical': (all) => {
    const container = own(serverPods(all))[0];
    const paths = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((name) =>
      at(container, `${name}.httpGet.path`),
    );
    return new Set(paths).size === 3 && !paths.includes(undefined) ? [] : [paths.join(' ')];
  },
  'probe-ports': (all) => {
    const container = own(serverPods(all))[0];
    return ['startupProbe', 'livenessProbe', 'readinessProbe'].filter(
      (name) => at(container, `${name}.httpGet.port`) !== 'ops',
    );
  },
  'cronjob-has-deadline': eachOf(
    'CronJob',
    (job) =>
      at(job, 'spec.startingDeadlineSeconds') !== undefined &&
      at(job, 'spec.jobTemplate.spec.activeDeadlineSeconds') !== undefined,
  ),
  'cronjob-forbids-concurrency': eachOf('CronJob', (job) => at(job, 'spec.concurrencyPolicy') === 'Forbid'),
  'job-ttl-seconds-after-finished': (all) =>
    all
      .filter(({ kind }) => kind === 'Job' || kind === 'CronJob')
      .filter((job) => (at(job, 'spec.jobTemplate.spec') ?? at(job, 'spec')) !== undefined)
      .filter(
        (job) =>
          at(at(job, 'spec.jobTemplate.spec') ?? at(job, 'spec'), 'ttlSecondsAfterFinished') === undefined,
      )
      .map(({ metadata }) => metadata.name),
  'selector-is-part-of-the-pod-labels': (all) =>
    [...ofKind(all, 'Deployment'), ...ofKind(all, 'StatefulSet')]
      .filter((object) => podsWith(all, at(object, 'spec.selector.matchLabels')).length !== 1)
      .map(({ metadata }) => metadata.name),
  'wildcard-in-rules': eachOf('Role', (role) => !JSON.stringify(at(role, 'rules')).includes('*')),
  'access-to-secrets': eachOf(
    'Role',
    (role) => !/"secrets".*"(get|list|watch|update|patch|delete)"/.test(JSON.stringify(at(role, 'rules'))),
  ),
  'minimum-three-labels-everywhere': (all) =>
    all
      .filter(({ metadata }) => !/^(more|omendb-written)$/.test(metadata.name))
      .filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === undefined)
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`),
  'tls-settings': eachOf(
    'Ingress',
    (ingress, all) => at(ingress, 'spec.tls') !== undefined || !isProduction(all),
  ),
};

describe('Policies', function () {
  this.timeout(60_000);

  for (const [name, policy] of Object.entries(POLICIES)) {
    it(`hold for every set of values: ${name}`, () => {
      const found = scenarios().flatMap((values) =>
        policy(render(values)).map((what) => `${values.name}: ${what}`),
      );
      expect(found).to.deep.equal([]);
    });
  }

  it('of accounts: each pod has one of its own part, which exists or is the user’s', () => {
    for (const values of scenarios()) {
      const all = render(values);
      const accounts = new Set(ofKind(all, 'ServiceAccount').map(({ metadata }) => metadata.name));
      for (const maker of podMakers(all)) {
        const component = maker.labels['app.kubernetes.io/component'];
        const account = maker.spec.serviceAccountName;
        if (component === 'test') expect(account).to.equal(undefined);
        else if (values.name === 'minimal') expect(account).to.equal('default');
        else expect(accounts, `${values.name}: ${named(maker)}`).to.include(account);
      }
    }
  });

  it('of references: every ConfigMap, Secret and claim is rendered, or one that the user names', () => {
    const theirs =
      /^(omendb-secrets|vectors-secrets|bucket|tracing|ca|more|receivers|backups|data-.*-0|.*-secrets)$/;
    for (const values of scenarios()) {
      const all = render(values);
      const rendered = new Set(all.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
      const text = JSON.stringify(podMakers(all).map(({ spec }) => spec));
      const used = [
        ...references(text, /"configMapRef":\{"name":"([^"]+)"/g, 'ConfigMap'),
        ...references(text, /"configMap":\{"name":"([^"]+)"/g, 'ConfigMap'),
        ...references(text, /"secretName":"([^"]+)"/g, 'Secret'),
        ...references(text, /"secretKeyRef":\{"name":"([^"]+)"/g, 'Secret'),
        ...references(text, /"claimName":"([^"]+)"/g, 'PersistentVolumeClaim'),
      ];
      const dangling = used.filter((id) => !rendered.has(id) && !theirs.test(id.replace(/^.*\//, '')));
      expect(dangling, values.name).to.deep.equal([]);
    }
  });

  it('find what is wrong: each of the Pod Security rules fails for a pod that breaks it', () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'bad' },
      spec: {
        hostNetwork: true,
        volumes: [{ name: 'x', hostPath: { path: '/' } }],
        containers: [
          { name: 'x', image: 'x:1', ports: [{ hostPort: 1 }], securityContext: { privileged: true } },
        ],
      },
    } as unknown as Rendered;
    const silent = Object.entries(POD_SECURITY).filter(([, policy]) => policy([pod]).length === 0);
    expect(silent.map(([name]) => name)).to.deep.equal([]);
  });
});

/** Whether the server has a limit at all: one set of values takes it away on purpose. */
function isLimited(all: readonly Rendered[]): boolean {
  return at(own(serverPods(all))[0], 'resources.limits.memory') !== undefined;
}

function isProduction(all: readonly Rendered[]): boolean {
  return ofKind(all, 'NetworkPolicy').length > 0 && ofKind(all, 'HorizontalPodAutoscaler').length > 0;
}

function portsOf(all: readonly Rendered[], service: unknown): readonly string[] {
  const found = ofKind(all, 'Service').find(({ metadata }) => metadata.name === service);
  return ((at(found, 'spec.ports') ?? []) as readonly { readonly name: string }[]).map(({ name }) => name);
}

function references(text: string, pattern: RegExp, kind: string): string[] {
  return [...text.matchAll(pattern)].map((match) => `${kind}/${match[1] ?? ''}`);
}
