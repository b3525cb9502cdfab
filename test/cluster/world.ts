// What is around the servers: a bucket, a pod of a client, a stranger, Prometheus with its adapter.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { eventually } from '../live/conditions.js';
import type { KubernetesObject } from './kubernetes.js';
import { Conversation, ROOT, apply, helm, kubectl, list, run } from './kubernetes.js';

/** Of the release under test. */
export const NAMESPACE = 'omendb-system';
/** What tokens are signed with. */
export const JWT_SECRET = 'a secret of forty characters for cluster';
/** What they are signed with when that was changed. */
export const NEXT_JWT_SECRET = 'another one of forty characters, in turn';
const KEYS = { 'access-key-id': 'omendb-test', 'secret-access-key': 'omendb-test-secret' };
const PROGRAM = '/app/client/test/cluster/client-program.js';

type Pod = 'client' | 'stranger';
const yaml = (objects: readonly unknown[]): string => objects.map((each) => stringify(each)).join('---\n');
const named = (kind: string, namespace: string, name: string, rest: object = {}): object => ({
  apiVersion: 'v1',
  kind,
  metadata: { namespace, name, ...(rest as { labels?: object }) },
});

/** The namespace of the servers, which takes restricted pods only, with credentials for the bucket. */
export async function makeNamespace(): Promise<void> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await apply(
    yaml([namespace(NAMESPACE, labels), { ...named('Secret', NAMESPACE, 'bucket'), stringData: KEYS }]),
  );
}

/** The bucket, and the pods that talk to servers, each in a namespace of its own. */
export async function makeNeighbours(): Promise<void> {
  await apply(yaml(['store', 'clients'].map((name) => namespace(name, {}))));
  const s3 = { name: 's3', image: image('S3'), args: storeArguments(), volumeMounts: storeMounts() };
  await apply(
    yaml([
      { ...named('Pod', 'store', 's3', { labels: { app: 's3' } }), spec: storePod(s3) },
      { ...named('Service', 'store', 's3'), spec: { selector: { app: 's3' }, ports: [{ port: 7070 }] } },
      clientPod('client', { 'omendb-client': 'true' }),
      clientPod('stranger', {}),
    ]),
  );
  const ready = ['wait', 'pod', '--all', '--for=condition=Ready', '--timeout=240s'];
  await Promise.all(['store', 'clients'].map((name) => kubectl('-n', name, ...ready)));
}

/** The Secret with the keys of tokens. */
export async function makeTokenSecret(...keys: readonly string[]): Promise<void> {
  const text = keys.length === 0 ? JWT_SECRET : keys.join('\n');
  await apply(
    yaml([{ ...named('Secret', NAMESPACE, 'omendb-secrets'), stringData: { 'jwt-secret': text } }]),
  );
}

/** Takes the Secret away that another test has made. */
export async function removeTokenSecret(): Promise<void> {
  await kubectl('-n', NAMESPACE, 'delete', 'secret', 'omendb-secrets', '--ignore-not-found');
}

/** The APIs of the Prometheus operator and of the Vertical Pod Autoscaler. Nothing acts on their objects. */
export async function installOperatorApis(): Promise<void> {
  const kit = process.env.TEST_CLUSTER_KIT;
  if (kit === undefined) return;
  const files = execFileSync(join(kit, 'crds.sh'), { encoding: 'utf8' }).trim().split('\n');
  const wanted = files.filter((file) =>
    /(_(servicemonitors|prometheusrules|alertmanagerconfigs)|vpa-v1-crd-gen)\.yaml$/.test(file),
  );
  await kubectl('apply', '--server-side', ...wanted.flatMap((file) => ['-f', file]));
  const kinds = 'servicemonitors,prometheusrules,alertmanagerconfigs,verticalpodautoscalers';
  const served = async (): Promise<true> => (await kubectl('get', kinds, '-A'), true);
  await eventually('the APIs of the operators are served', served);
}

/**
 * Prometheus with the PrometheusRules of the chart, as the operator would give them to it, and the adapter
 * with the rules of the chart, which refuses to be installed without.
 */
export async function startMonitoring(values: readonly string[]): Promise<void> {
  const kit = process.env.TEST_CLUSTER_KIT;
  if (kit === undefined) return;
  const objects = await rendered(values);
  const rules = objects.filter(({ kind }) => kind === 'PrometheusRule');
  const files = rules.map((rule) => [`${rule.metadata.name}.yml`, stringify(rule.spec)] as const);
  const adapter = objects.find(({ metadata }) => metadata.name === 'omendb-adapter-rules');
  await apply(
    yaml([
      namespace('monitoring', {}),
      { ...named('ConfigMap', 'monitoring', 'prometheus-rules'), data: Object.fromEntries(files) },
      { ...named('ConfigMap', 'monitoring', 'metrics-adapter'), data: adapter?.data },
    ]),
  );
  const script = `. "$0/env.sh"; printf %s "$BIN"`;
  const programs = execFileSync('bash', ['-c', script, kit], { encoding: 'utf8' });
  for (const name of ['prometheus', 'metrics-adapter']) {
    const text = readFileSync(join(kit, 'extras', `${name}.yaml`), 'utf8');
    await apply(text.replaceAll('@BIN@', programs));
  }
  const available = ['--for=condition=Available', '--timeout=240s'];
  await kubectl('-n', 'monitoring', 'wait', 'deploy', '--all', ...available);
  await kubectl('wait', 'apiservice', '--all', ...available);
}

/** Pods of servers that Prometheus gets metrics of. */
export async function podsScraped(): Promise<number> {
  const query = encodeURIComponent(`count(up{job="omendb",namespace="${NAMESPACE}"} == 1)`);
  const service = '/api/v1/namespaces/monitoring/services/prometheus:9090/proxy';
  const text = await kubectl('get', '--raw', `${service}/api/v1/query?query=${query}`);
  const { data } = JSON.parse(text) as { data: { result: readonly { value: [number, string] }[] } };
  return Number(data.result[0]?.value[1] ?? 0);
}

async function rendered(values: readonly string[]): Promise<readonly KubernetesObject[]> {
  const chart = ['template', 'omendb', join(ROOT, 'helm/omendb'), '-n', NAMESPACE, ...values];
  const text = await helm(...chart, '--set', 'capabilities.check=false');
  return parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
}

/** One answer of a program that ends. */
export async function askIn<Answer>(pod: Pod, command: string, request: object): Promise<Answer> {
  const text = await kubectl(
    '-n',
    'clients',
    'exec',
    pod,
    '--',
    'node',
    PROGRAM,
    command,
    JSON.stringify(request),
  );
  return JSON.parse(text) as Answer;
}

/** A program that goes on. */
export function converseIn<Answer>(pod: Pod, command: string, request: object): Conversation<Answer> {
  const node = ['node', PROGRAM, command, JSON.stringify(request)];
  return new Conversation('kubectl', ['-n', 'clients', 'exec', '-i', pod, '--', ...node]);
}

/** Pods of servers that are ready and stay. */
export async function readyPods(
  namespace = NAMESPACE,
  release = 'omendb',
): Promise<readonly KubernetesObject[]> {
  const selector = `app.kubernetes.io/instance=${release},app.kubernetes.io/component=server`;
  const pods = await list(namespace, 'pods', '-l', selector);
  return pods.filter((pod) => {
    const conditions = (pod.status?.conditions ?? []) as readonly { type: string; status: string }[];
    const leaving = 'deletionTimestamp' in pod.metadata;
    return !leaving && conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  });
}

/**
 * Ends the server of a pod with SIGKILL, which not even process 1 is told of; Kubernetes starts another in
 * the pod. On a cluster that is not the kit's, nothing but the pod itself can be deleted.
 */
export async function crash(pod: KubernetesObject): Promise<void> {
  const [container] = (pod.status?.containerStatuses ?? []) as readonly { containerID: string }[];
  const id = container?.containerID.replace('containerd://', '') ?? '';
  if (process.env.TEST_CLUSTER_KIT === undefined) await remove(pod);
  else await run('ctr', ['-n', 'k8s.io', 'tasks', 'kill', '--signal', 'SIGKILL', id]);
}

/** Takes a pod away at once. Its server is still told, and has a second. */
export async function remove(pod: KubernetesObject): Promise<void> {
  await kubectl('-n', NAMESPACE, 'delete', 'pod', pod.metadata.name, '--force', '--grace-period=0');
}

/** The image that was made for this. */
export function image(what: 'S3' | 'CLIENT' | 'SERVER'): string {
  const name = what === 'SERVER' ? 'TEST_CLUSTER_IMAGE' : `TEST_CLUSTER_${what}_IMAGE`;
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} does not name an image: run "npm run test:cluster"`);
  return value;
}

function namespace(name: string, labels: object): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

function clientPod(name: Pod, labels: object): object {
  const resources = { requests: { cpu: '50m', memory: '128Mi' } };
  const container = { name: 'client', image: image('CLIENT'), imagePullPolicy: 'IfNotPresent', resources };
  const spec = { terminationGracePeriodSeconds: 1, containers: [container] };
  return { ...named('Pod', 'clients', name, { labels }), spec };
}

function storePod(container: object): object {
  const volumes = [
    { name: 'data', emptyDir: {} },
    { name: 'bucket', emptyDir: {} },
    { name: 'backups', emptyDir: {} },
  ];
  const securityContext = { runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 };
  return { securityContext, containers: [{ imagePullPolicy: 'IfNotPresent', ...container }], volumes };
}

/** A bucket is a folder: the mount of another volume. */
function storeMounts(): readonly object[] {
  return [
    { name: 'data', mountPath: '/data' },
    { name: 'bucket', mountPath: '/data/omendb' },
    { name: 'backups', mountPath: '/data/backups' },
  ];
}

function storeArguments(): readonly string[] {
  const login = ['--access', KEYS['access-key-id'], '--secret', KEYS['secret-access-key']];
  return ['--port', ':7070', '--quiet', '--keep-alive', ...login, 'posix', '/data'];
}
