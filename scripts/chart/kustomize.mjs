// k8s/: the chart's objects for those who do not use Helm, as a base, an overlay for each environment, and
// components for what not every cluster has. What staging and production have in common is the base.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { ROOT } from '../steps.mjs';

/** kubectl reads YAML 1.1, in which Off and yes are no texts. */
const STYLE = { lineWidth: 0, version: '1.1' };
const ENVIRONMENTS = ['staging', 'production'];
const GENERATED = '# Generated from helm/omendb by "npm run generate". DO NOT EDIT.\n';
const PLAIN = [
  ...[
    'capabilities.check=false',
    'config.objectStore=s3://CHANGE-ME',
    'storageClasses.create=true',
    'tests.enabled=false',
  ],
  'metrics.dashboards.enabled=false',
];
const STORE = '# The bucket that all servers share: put yours here.\n';
/** What needs an operator or an adapter. */
const EXTRAS = [
  'metrics.serviceMonitor.enabled',
  'metrics.prometheusRule.enabled',
  'autoscaling.customMetrics.enabled',
  'vpa.enabled',
];

/** Writes k8s/ below `target` with the Helm at `helm`, for the version `version` of the server. */
export function writeKustomize(target, { helm, version }) {
  const folder = join(target, 'k8s');
  const tag = `v${version}`;
  const plain = new Map(
    ENVIRONMENTS.map((name) => [
      name,
      render(helm, name, [...PLAIN, ...EXTRAS.map((value) => `${value}=false`), `image.tag=${tag}`]),
    ]),
  );
  const full = new Map(
    ENVIRONMENTS.map((name) => [name, render(helm, name, [...PLAIN, `image.tag=${tag}`])]),
  );
  const [staging, production] = ENVIRONMENTS.map((name) => plain.get(name));
  const common = staging.filter((object) => production.some((other) => same(object, other)));
  write(folder, 'kustomization.yaml', kustomization({ resources: ['overlays/staging'] }));
  write(folder, 'base/kustomization.yaml', kustomization({ resources: ['namespace.yaml', 'objects.yaml'] }));
  write(folder, 'base/namespace.yaml', documents([namespace()]));
  write(folder, 'base/objects.yaml', documents(common));
  for (const name of ENVIRONMENTS) {
    const own = plain.get(name).filter((object) => !common.some((other) => same(object, other)));
    write(folder, `overlays/${name}/objects.yaml`, documents(own));
    write(folder, `overlays/${name}/kustomization.yaml`, overlay(tag));
    write(folder, `overlays/${name}/store.yaml`, STORE + stringify(store(), STYLE));
  }
  const monitoring = full
    .get('staging')
    .filter(({ apiVersion }) => apiVersion.startsWith('monitoring.coreos.com/'));
  write(folder, 'components/monitoring/objects.yaml', documents(monitoring));
  write(folder, 'components/monitoring/kustomization.yaml', component({ resources: ['objects.yaml'] }));
  const metrics = metricsOf(full.get('staging')).slice(metricsOf(staging).length);
  write(folder, 'components/custom-metrics/metrics.yaml', GENERATED + stringify(additions(metrics), STYLE));
  const patches = [{ path: 'metrics.yaml', target: { kind: 'HorizontalPodAutoscaler' } }];
  write(folder, 'components/custom-metrics/kustomization.yaml', component({ patches }));
}

function render(helm, environment, set) {
  const values = ['--values', join(ROOT, `helm/omendb/values-${environment}.yaml`)];
  const args = ['template', 'omendb', join(ROOT, 'helm/omendb'), '--namespace', 'omendb-system', ...values];
  const { status, stdout, stderr } = spawnSync(
    helm,
    [...args, '--kube-version', '1.34.0', ...set.flatMap((text) => ['--set', text])],
    { encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  if (status !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout).flatMap((document) => {
    const object = document.toJS();
    return object === null ? [] : [withoutHelm(object)];
  });
}

/** Labels that say that Helm keeps an object. */
function withoutHelm(object) {
  const labels = { ...object.metadata.labels, 'app.kubernetes.io/managed-by': 'kustomize' };
  delete labels['helm.sh/chart'];
  return { ...object, metadata: { ...object.metadata, labels } };
}

function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

function metricsOf(objects) {
  return objects.find(({ kind }) => kind === 'HorizontalPodAutoscaler').spec.metrics;
}

function additions(metrics) {
  return metrics.map((value) => ({ op: 'add', path: '/spec/metrics/-', value }));
}

function namespace() {
  const enforce = {
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/warn': 'restricted',
  };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'omendb-system', labels: enforce } };
}

function store() {
  const metadata = { name: 'omendb-server', namespace: 'omendb-system' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { OMENDB_OBJECT_STORE: 's3://CHANGE-ME' } };
}

function overlay(tag) {
  const components = [
    '# For an overlay of your own, with the Prometheus operator and an adapter for custom metrics:',
    '# components:',
    '#   - ../../components/monitoring',
    '#   - ../../components/custom-metrics',
    '',
  ].join('\n');
  const own = {
    resources: ['../../base', 'objects.yaml'],
    patches: [{ path: 'store.yaml' }],
    images: [{ name: 'omendb/server', newTag: tag }],
  };
  return `${kustomization(own)}${components}`;
}

function kustomization(fields) {
  return `${GENERATED}${stringify({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', ...fields })}`;
}

function component(fields) {
  return `${GENERATED}${stringify({ apiVersion: 'kustomize.config.k8s.io/v1alpha1', kind: 'Component', ...fields })}`;
}

function documents(objects) {
  return GENERATED + objects.map((object) => stringify(object, STYLE)).join('---\n');
}

function write(folder, path, text) {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}
