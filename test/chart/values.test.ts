import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { readKeys } from '#scripts/chart/values-file.mjs';
import { OPTIONS } from '#server/config/options.js';
import { loadConfig } from '#server/config/load.js';
import { parseSettingsFile } from '#server/config/settings-file.js';
import type { Rendered, Values } from './helm.js';
import {
  CHART,
  OFFLINE,
  at,
  helmLater,
  one,
  read,
  refute,
  render,
  renderText,
  scenario,
  scenarios,
  templateArgs,
} from './helm.js';
import { serverContainer, serverPods } from './pods.js';

type Schema = Readonly<Record<string, unknown>>;

const defaults: unknown = parse(read('helm/omendb/values.yaml'));
const schema = JSON.parse(read('helm/omendb/values.schema.json')) as Schema;
const leaves = readKeys(read('helm/omendb/values.yaml')).filter(({ leaf }) => leaf);

/** Leaves that need another value than any that fits their schema, as YAML in one line. */
const OTHERS: Readonly<Record<string, string>> = {
  config: '{ objectStore: s3://vectors/omendb, logLevel: warn }',
  'storage.cacheShare': '0.5',
  'image.digest': `sha256:${'f'.repeat(64)}`,
  'cloudIdentity.provider': 'gke',
  'cloudIdentity.server': 'other',
  'restore.confirm': 'other',
  resources: '{ requests: { cpu: 1, memory: 3Gi }, limits: { cpu: 3, memory: 8Gi } }',
  'storage.accessModes': '[ReadWriteOncePod]',
  'metrics.prometheusRule.slo.latencyBound': '"0.25"',
  'metrics.prometheusRule.alerts': '{ OmenDBNotReady: { for: 7m } }',
  'autoscaling.customMetrics.latencyCap': '2.5',
  'vpa.controlledResources': '[memory]',
  'vpa.minAllowed': '{ memory: 3Gi }',
  'vpa.maxAllowed': '{ memory: 48Gi }',
  'backup.resources': '{ requests: { cpu: 1, memory: 3Gi } }',
  'networkPolicy.egress.objectStore.ports': '[8443]',
  'networkPolicy.egress.apiServer.ports': '[8443]',
  podSecurityContext: '{ runAsUser: 2000 }',
  containerSecurityContext: '{ runAsUser: 2000 }',
  'gateway.http.parentRefs': '[{ name: other, sectionName: https }]',
  'gateway.grpc.parentRefs': '[{ name: other, sectionName: https }]',
  'service.ipFamilies': '[IPv6]',
  extraObjects: '[]',
  'autoscaling.behavior': '{ scaleDown: { stabilizationWindowSeconds: 1 } }',
  'capabilities.check': 'true',
  'capabilities.apiVersions': '[]',
  'podDisruptionBudget.maxUnavailable': '1',
  'serviceAccounts.server.name': 'other',
  'restore.asOf': '"2026-02-01T00:00:00Z"',
};

describe('Values', function () {
  this.timeout(240_000);
  /** With one board: hundreds of renders need not carry them all. */
  let chart: string;

  before(() => {
    chart = join(mkdtempSync(join(tmpdir(), 'omendb-values-')), 'omendb');
    cpSync(CHART, chart, {
      recursive: true,
      filter: (file) => !/omendb-(?!tenants)[\w-]+\.json$/.test(file),
    });
  });

  after(() => {
    rmSync(join(chart, '..'), { recursive: true });
  });

  it('all decide something: changing any of them changes what is rendered, or is refused', async () => {
    const names = [
      'everything',
      'statefulset',
      'one-volume',
      'keda',
      'ingress-aws',
      'external-secret',
      'default',
    ];
    const paths = leaves.map(({ path }) => path.join('.'));
    const idle = await refute(paths, async (path) => {
      for (const name of names) {
        if (await decides(path, { ...scenario(name), chart })) return true;
      }
      return false;
    });
    expect(idle).to.deep.equal([]);
  });

  it('all are described, in sentences', () => {
    const bad = readKeys(read('helm/omendb/values.yaml')).filter(
      ({ description }) => !/^[A-Z0-9a-z"].*[.]$/.test(description),
    );
    expect(bad.map(({ path, description }) => `${path.join('.')}: ${description}`)).to.deep.equal([]);
  });

  it('are all in the README, with the defaults that they have', () => {
    const text = read('helm/omendb/README.md');
    const silent = leaves.filter(({ path }) => !text.includes(`| \`${path.join('.')}\` |`));
    expect(silent.map(({ path }) => path.join('.'))).to.deep.equal([]);
  });

  it('of the environments and of ci/ are ones that values.yaml knows', () => {
    for (const { files = [] } of scenarios()) {
      for (const file of files) {
        const found = unknownPaths(parse(read(`helm/omendb/${file}`)), defaults, []);
        expect(found, file).to.deep.equal([]);
      }
    }
  });
});

describe('Settings of the server', function () {
  this.timeout(60_000);
  const machine = { cores: 8, memoryBytes: 2 ** 34 };

  for (const values of scenarios()) {
    it(`are taken by the server as they are rendered: ${values.name}`, () => {
      const config = loadConfig(environment(render(values)), machine);
      const { ports = [] } = serverContainer(render(values));
      expect([config.httpPort, config.grpcPort, config.opsPort]).to.deep.equal(
        ports.map(({ containerPort }) => containerPort),
      );
      const mount = serverContainer(render(values)).volumeMounts?.find(({ name }) => name === 'data');
      expect(mount?.mountPath).to.equal(config.dataDir);
      const { spec } = serverPods(render(values));
      expect(config.drainMs / 1000).to.be.below(Number(spec['terminationGracePeriodSeconds']));
    });
  }

  it('are all within reach: each by config, a secret by a Secret, and what a pod is by Kubernetes', () => {
    const all = Object.values(OPTIONS).map((option) => ({
      env: option.env,
      secret: 'secret' in option,
      own: 'own' in option,
    }));
    const known = JSON.parse(read('helm/omendb/files/settings.json')) as Readonly<
      Record<string, { readonly env: string }>
    >;
    const keys = Object.values(known).map(({ env }) => env);
    const open = all.filter(({ secret, own }) => !secret && !own).map(({ env }) => env);
    expect(keys).to.have.members(open);
    const container = serverContainer(render(scenario('everything')));
    const names = (container.env ?? []).map(({ name }) => name);
    for (const { env } of all.filter(({ secret }) => secret)) expect(names).to.include(`${env}_FILE`);
    for (const { env } of all.filter(({ own }) => own)) expect(names).to.include(env);
  });

  it('may be left to the server, also after a file that set them', () => {
    const set = ['config.logLevel=debug', 'config.logLevel=null', 'config.maxInFlight=null'];
    expect(environment(render({ set }))).to.not.have.any.keys('OMENDB_LOG_LEVEL', 'OMENDB_MAX_IN_FLIGHT');
  });

  it('replace the pods when they change, but for those that a running server follows', () => {
    const checksum = (set: readonly string[]): string | undefined =>
      serverPods(render({ files: ['values-staging.yaml'], set: [...OFFLINE, ...set] })).annotations[
        'checksum/settings'
      ];
    expect(checksum(['config.workerThreads=3'])).to.not.equal(checksum([]));
    const other = ['config.logLevel=debug', 'config.maxInFlight=7', 'config.drainTime=9s'];
    expect(checksum([...other, 'autoscaling.maxReplicas=9', 'service.httpPort=81'])).to.equal(checksum([]));
    const all = render({ files: ['values-staging.yaml'], set: [...OFFLINE, ...other] });
    expect(environment(all)).to.include({
      OMENDB_LOG_LEVEL: 'debug',
      OMENDB_MAX_IN_FLIGHT: '7',
      OMENDB_DRAIN_TIME: '9s',
    });
  });

  it('that are followed are mounted as a folder, since a single file would never change', () => {
    const container = serverContainer(render({}));
    const file = container.env?.find(({ name }) => name === 'OMENDB_CONFIG_FILE')?.value ?? '';
    const mounts = (container.volumeMounts ?? []).filter(({ mountPath }) => file.startsWith(`${mountPath}/`));
    expect(mounts).to.deep.equal([{ name: 'settings', mountPath: '/etc/omendb', readOnly: true }]);
    expect(JSON.stringify(container.volumeMounts)).to.not.include('subPath');
  });

  it('of the user replace those of the chart, and no variable comes twice', () => {
    const { env = [] } = serverContainer(render(scenario('statefulset')));
    expect(env.filter(({ name }) => name === 'NODE_OPTIONS')).to.deep.equal([
      { name: 'NODE_OPTIONS', value: '--max-old-space-size=512' },
    ]);
  });
});

/** Whether another value at the path changes the render of these values. */
async function decides(path: string, values: Values): Promise<boolean> {
  const before = renderText(values);
  for (const text of alternatives(path)) {
    const args = [...templateArgs(values), '--set-json', `${path}=${JSON.stringify(parse(text))}`];
    const { status, stdout, stderr } = await helmLater('3', args);
    if (status === 0 ? stdout !== before : /omendb: \d+ values? (is|are) wrong/.test(stderr)) return true;
  }
  return false;
}

/** Other values that the schema at the path takes. */
function alternatives(path: string): readonly string[] {
  const own = OTHERS[path];
  if (own !== undefined) return [own];
  const node = path
    .split('.')
    .reduce(
      (found, name) => (found['properties'] as Readonly<Record<string, Schema>>)[name] as Schema,
      schema,
    );
  const type = [node['type']].flat()[0];
  const now = path
    .split('.')
    .reduce<unknown>((value, name) => (value as Schema | undefined)?.[name], defaults);
  const choices = node['enum'] as readonly unknown[] | undefined;
  if (choices !== undefined)
    return choices.filter((value) => value !== now).map((value) => JSON.stringify(value));
  if (type === 'boolean') return ['true', 'false'];
  if (type === 'integer') return [String(Number(now ?? 0) + 1), String(Number(now ?? 0) + 7)];
  if (type === 'number') return [String(Number(now) + 0.05)];
  if (type === 'string')
    return [
      'other',
      '"12Gi"',
      '"12Mi"',
      '"30m"',
      '"45s"',
      '"0.9"',
      '"https://x.example/y"',
      '"s3://o/p"',
      '"sha256:"',
    ];
  if (type === 'object') return ['{ other: other }', '{ other: "1" }', '{ a: "b", c: "d" }'];
  const item = JSON.stringify(node['items']);
  if (type === 'array') return [arrayOf(item), '[]', '[acme/other]', '["192.0.2.9/32"]'];
  return [
    '{ nameservers: [192.0.2.53] }',
    '{ requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } }',
  ];
}

function arrayOf(item: string): string {
  const samples: Readonly<Record<string, string>> = {
    LocalObjectReference: '[{ name: other }]',
    Toleration: '[{ key: other, operator: Exists }]',
    TopologySpreadConstraint: '[{ maxSkew: 3, topologyKey: other, whenUnsatisfiable: ScheduleAnyway }]',
    'EnvVar"': '[{ name: OTHER, value: other }]',
    EnvFromSource: '[{ secretRef: { name: other } }]',
    'Volume"': '[{ name: other, emptyDir: {} }]',
    'VolumeMount"': '[{ name: other, mountPath: /other }]',
    'Container"': '[{ name: other, image: "other:1" }]',
    HostAlias: '[{ ip: 192.0.2.9, hostnames: [other] }]',
    MetricSpec: '[]',
    NetworkPolicyPeer: '[{ ipBlock: { cidr: 192.0.2.0/24 } }]',
    NetworkPolicyIngressRule: '[]',
    NetworkPolicyEgressRule: '[]',
    RelabelConfig: '[]',
  };
  const found = Object.entries(samples).find(([name]) => item.includes(name));
  return found?.[1] ?? '[other]';
}

/** The variables that the server's container gets, with files of secrets replaced by a secret. */
function environment(all: readonly Rendered[]): Record<string, string> {
  const server = serverPods(all).object.metadata.name;
  const data = (name: string): Record<string, string> =>
    at(one(all, 'ConfigMap', name), 'data') as Record<string, string>;
  const { settings, problems } = parseSettingsFile(data(`${server}-live`)['settings.yaml'] ?? '');
  expect(problems).to.deep.equal([]);
  const live = [...settings].map(([name, { text }]): [string, string] => [name, text]);
  const own = (serverContainer(all).env ?? []).flatMap(({ name, value }): [string, string][] =>
    value === undefined || !/^(OMENDB|OTEL)_/.test(name) || name === 'OMENDB_CONFIG_FILE'
      ? []
      : name.endsWith('_FILE')
        ? [[name.replace('_FILE', ''), name.includes('JWT') ? 'k'.repeat(32) : 'a=b']]
        : [[name, value]],
  );
  return { ...data(server), ...Object.fromEntries([...live, ...own]) };
}

/** Paths of values that the defaults do not have; what a leaf holds is its schema's business. */
function unknownPaths(value: unknown, known: unknown, path: readonly string[]): string[] {
  if (leaves.some((leaf) => leaf.path.join('.') === path.join('.'))) return [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const here = [...path, name];
    if (typeof known !== 'object' || known === null || !(name in known)) return [here.join('.')];
    return unknownPaths(inner, (known as Schema)[name], here);
  });
}
