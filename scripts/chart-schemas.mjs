// Writes the schemas that the chart's values and its rendered objects are checked with, from the API of
// Kubernetes and the CRDs of those whose objects the chart renders: `node scripts/chart-schemas.mjs`. Needs
// Go, which fetches the modules. Run it to follow a newer API; what it writes is committed, so that nothing
// else needs the modules.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ROOT, capture } from './steps.mjs';

const KUBERNETES = 'k8s.io/kubernetes@v1.34.4';

/** Kinds that the chart renders, and types that its values hold. */
const TYPES = [
  ...['apps.v1.Deployment', 'apps.v1.StatefulSet', 'autoscaling.v2.HorizontalPodAutoscaler'],
  ...['batch.v1.CronJob', 'batch.v1.Job', 'core.v1.ConfigMap', 'core.v1.Namespace', 'core.v1.Pod'],
  ...['core.v1.Secret', 'core.v1.Service', 'core.v1.ServiceAccount', 'core.v1.PersistentVolumeClaim'],
  ...['networking.v1.Ingress', 'networking.v1.NetworkPolicy', 'policy.v1.PodDisruptionBudget'],
  ...['rbac.v1.Role', 'rbac.v1.RoleBinding', 'storage.v1.StorageClass'],
];

const CRDS = {
  'sigs.k8s.io/gateway-api@v1.6.3': ['config/crd/standard', /httproutes|grpcroutes/],
  'github.com/prometheus-operator/prometheus-operator@v0.85.0': [
    'example/prometheus-operator-crd',
    /servicemonitors|prometheusrules|alertmanagerconfigs/,
  ],
  'k8s.io/autoscaler/vertical-pod-autoscaler@v1.8.1': ['deploy', /vpa-v1-crd-gen/],
  'github.com/external-secrets/external-secrets@v1.3.2': ['config/crds/bases', /_externalsecrets\.yaml/],
  'github.com/kedacore/keda/v2@v2.21.0': ['config/crd/bases', /scaledobjects/],
  // Of those who deploy the chart: docs/operations/examples.
  'github.com/argoproj/argo-cd/v3@v3.1.0': ['manifests/crds', /^application-crd/],
  'github.com/fluxcd/helm-controller@v1.4.0': ['config/crd/bases', /_helmreleases/],
  'github.com/fluxcd/source-controller@v1.7.0': ['config/crd/bases', /_gitrepositories/],
};
const CRD_KINDS = new Set([
  ...['HTTPRoute', 'GRPCRoute', 'ServiceMonitor', 'PrometheusRule', 'AlertmanagerConfig'],
  ...['VerticalPodAutoscaler', 'ExternalSecret', 'ScaledObject'],
  ...['Application', 'HelmRelease', 'GitRepository'],
]);

const folder = join(ROOT, 'helm/third_party');
mkdirSync(folder, { recursive: true });
write('kubernetes.json', await kubernetes());
write('crds.json', await crds());

/** Definitions by short name, such as core.v1.Pod. */
async function kubernetes() {
  const file = join(await moduleFolder(KUBERNETES), 'api/openapi-spec/swagger.json');
  const { definitions } = JSON.parse(readFileSync(file, 'utf8'));
  const found = {};
  const waiting = TYPES.map((type) => `io.k8s.api.${type}`);
  while (waiting.length > 0) {
    const name = waiting.pop();
    if (found[short(name)] !== undefined) continue;
    found[short(name)] = strict(definitions[name], (other) => void waiting.push(other));
  }
  for (const [name, schema] of Object.entries(found)) fixKind(name, schema);
  return sorted(found);
}

/** Schemas by apiVersion and kind, such as keda.sh/v1alpha1/ScaledObject. */
async function crds() {
  const found = {};
  for (const [module, [path, files]] of Object.entries(CRDS)) {
    const root = join(await moduleFolder(module), path);
    for (const file of readdirSync(root).filter((name) => files.test(name))) {
      for (const document of parseAllDocuments(readFileSync(join(root, file), 'utf8'))) {
        const { spec } = document.toJS() ?? {};
        if (spec === undefined || !CRD_KINDS.has(spec.names.kind)) continue;
        for (const version of spec.versions.filter(({ served }) => served)) {
          const schema = strict(version.schema.openAPIV3Schema, () => undefined);
          schema.properties.metadata = { type: 'object' };
          found[`${spec.group}/${version.name}/${spec.names.kind}`] = schema;
        }
      }
    }
  }
  return sorted(found);
}

async function moduleFolder(module) {
  const { code, output } = await capture('go', ['mod', 'download', '-json', module], { GOFLAGS: '-mod=mod' });
  const { Dir: found } = code === 0 ? JSON.parse(output.slice(output.indexOf('{'))) : {};
  if (found === undefined) throw new Error(`${module} cannot be fetched: ${output}`);
  return found;
}

/** Without prose, and with unknown properties refused wherever properties are declared. */
function strict(schema, refer) {
  const result = {};
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace('#/definitions/', '');
    refer(name);
    return { $ref: `#/definitions/${short(name)}` };
  }
  if (schema.format === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true) {
    return { type: ['integer', 'string'] };
  }
  for (const key of [
    'type',
    'enum',
    'minimum',
    'maximum',
    'minLength',
    'maxLength',
    'minItems',
    'maxItems',
  ]) {
    if (schema[key] !== undefined) result[key] = schema[key];
  }
  if (schema.pattern !== undefined && isPattern(schema.pattern)) result.pattern = schema.pattern;
  if (schema.required !== undefined) result.required = [...schema.required].sort();
  if (schema.nullable === true && typeof result.type === 'string') result.type = [result.type, 'null'];
  for (const key of ['items', 'additionalProperties']) {
    if (typeof schema[key] === 'object') result[key] = strict(schema[key], refer);
  }
  if (schema.properties !== undefined) {
    result.properties = sorted(
      Object.fromEntries(
        Object.entries(schema.properties).map(([key, value]) => [key, strict(value, refer)]),
      ),
    );
    if (schema['x-kubernetes-preserve-unknown-fields'] !== true) result.additionalProperties ??= false;
  }
  return result;
}

/** The swagger does not say what kind and apiVersion are. */
function fixKind(name, schema) {
  if (name === 'api.resource.Quantity') Object.assign(schema, { type: ['string', 'number'] });
  if (!TYPES.includes(name)) return;
  const [group = '', version = '', kind = ''] = name.split('.');
  const full = {
    networking: 'networking.k8s.io',
    rbac: 'rbac.authorization.k8s.io',
    storage: 'storage.k8s.io',
  };
  const apiVersion = group === 'core' ? version : `${full[group] ?? group}/${version}`;
  schema.properties.kind = { enum: [kind] };
  schema.properties.apiVersion = { enum: [apiVersion] };
  schema.required = [...(schema.required ?? []), 'apiVersion', 'kind', 'metadata'];
}

function isPattern(text) {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}

function short(name) {
  return name.replace(/^io\.k8s\.(api\.|apimachinery\.pkg\.(apis\.)?)/, '');
}

function sorted(map) {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A definition a line: a newer API shows as few changed lines. */
function write(name, map) {
  const lines = Object.entries(map).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  writeFileSync(join(folder, name), `{\n${lines.join(',\n')}\n}\n`);
}
