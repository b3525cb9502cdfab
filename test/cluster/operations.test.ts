// Runs what docs/operations shows for a cluster, as it is printed there, in the order of a life: installed,
// hurt in every way that troubleshoot.md names, mended, saved, restored, locked. Only names and sizes are
// replaced.
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse, stringify } from 'yaml';
import { eventually } from '../live/conditions.js';
import { ExamplesToRun } from '../support/operations-pages.js';
import { tokenFor } from '../support/token.js';
import type { Access } from './client-program.js';
import type { Outcome } from './kubernetes.js';
import { Conversation, ROOT, apply, attempt, get, helm, kubectl, leftOf, list, run } from './kubernetes.js';
import { CHART, PATIENCE, SERVER, accessTo, prepareWorld } from './release.js';
import { NAMESPACE, askIn, image, makeTokenSecret, readyPods } from './world.js';

const [REPOSITORY = '', TAG = ''] = image('SERVER').split(/:(?=[^:]*$)/);
/** Of pages: what stands for the release and its values there. */
const DEPLOYED = { '-t v0.1.0': `-t ${TAG}` };
const VAULT = { 's3://my-vault/omendb': 's3://backups/operations' };
const IN_CLIENTS = { 'CLIENTS run probe': 'clients run probe', 'omendb/server:v0.1.0': image('SERVER') };
/** Takes memory inside the container of a server until its input ends, and says how much. */
const HOLD =
  'const held = Buffer.alloc(450e6, 1); const say = () => console.log(held.length);' +
  'process.stdin.on("data", say).on("end", say);';
/** Many small processes, so that the largest one is the server when memory is at its end. */
const FILL =
  'const { spawn } = require("child_process"); const one = "const b = Buffer.alloc(30e6, 1); setInterval(() => b, 1e6)";' +
  'let count = 0; const timer = setInterval(() => count++ < 40 ? spawn(process.execPath, ["-e", one]) : clearInterval(timer), 20);';

describe('The pages of operations, on a cluster', function () {
  this.timeout(400_000);
  this.bail(true);
  const pages = new ExamplesToRun('cluster');
  let folder: string;
  let functions = '';
  let access: Access;
  let pod = '';
  let hold: Conversation<number> | undefined;

  const inFolder = (text: string): [string, string[]] => [
    'bash',
    ['-euo', 'pipefail', '-c', `cd ${folder}\n${functions}\n${text}`],
  ];
  /** Runs lines as a reader would, in a folder that looks like that of the project. */
  const shell = (text: string): Promise<string> => run(...inFolder(text));
  const tryShell = (text: string): Promise<Outcome> => attempt(...inFolder(text));
  const shows = (what: string, text: string, wanted: RegExp): Promise<string> => {
    let seen = '';
    const probe = async (): Promise<string | undefined> => {
      seen = (await tryShell(text)).output;
      return wanted.test(seen) ? seen : undefined;
    };
    return eventually(what, probe, PATIENCE).catch((error: unknown) => {
      throw new Error(`${what}: ${String(wanted)} is not in\n${seen}`, { cause: error });
    });
  };
  const change = (...set: readonly string[]): Promise<string> =>
    helm(
      'upgrade',
      'omendb',
      CHART,
      '-n',
      NAMESPACE,
      '--reuse-values',
      ...set.flatMap((each) => ['--set', each]),
    );
  const goBack = (): Promise<string> => helm('rollback', 'omendb', '-n', NAMESPACE);
  const threeReady = (): Promise<true> =>
    eventually('three pods', async () => ((await readyPods()).length === 3 ? true : undefined), PATIENCE);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-pages-'));
    for (const name of ['scripts', 'helm', 'docs']) symlinkSync(join(ROOT, name), join(folder, name));
    const small = parse(readFileSync(join(ROOT, 'test/cluster/values.yaml'), 'utf8')) as { image: object };
    const backup = {
      enabled: true,
      to: 's3://backups/operations',
      resources: { requests: { cpu: '50m', memory: '128Mi' } },
    };
    const mine = { ...small, image: { ...small.image, repository: REPOSITORY }, backup };
    writeFileSync(join(folder, 'mine.yaml'), stringify({ ...mine, verify: { enabled: true } }));
    await prepareWorld();
  });

  after(async () => {
    await hold?.end().catch(() => undefined);
    await attempt('helm', ['uninstall', 'omendb', '-n', NAMESPACE, '--wait', '--timeout', '4m']);
    await attempt('kubectl', [
      'delete',
      'namespace',
      'operations',
      'second',
      '--ignore-not-found',
      '--timeout=180s',
    ]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('install', async () => {
    expect(await shell(pages.take('install', 'prerequisites'))).to.match(
      /v1beta1.custom.metrics.k8s.io .*True/,
    );
    await shell(pages.take('install', 'secret', { 'omendb-system': 'operations' }));
    await makeTokenSecret();
    const deployed = await tryShell(pages.take('install', 'deploy', DEPLOYED));
    expect(deployed.output)
      .to.include('nothing was changed')
      .and.to.include('staging is deployed as omendb in omendb-system');
    expect(deployed.code).to.equal(0);
    const works = await shell(pages.take('install', 'works'));
    expect(works)
      .to.include('successfully rolled out')
      .and.to.match(/Phase:\s+Succeeded/);
    expect(await shell(pages.take('install', 'first-request'))).to.include('"name":"fruit"');
    access = await accessTo('pages');
    await askIn('client', 'roundTrip', access);
  });

  it('hold memory in a server, which is looked at later, and add a key', async () => {
    pod = (await readyPods())[0]?.metadata.name ?? '';
    hold = new Conversation('kubectl', ['-n', NAMESPACE, 'exec', '-i', pod, '--', 'node', '-e', HOLD]);
    expect(await hold.ask()).to.equal(450e6);
    await shell(pages.take('security', 'rotate-add'));
    expect(keysInSecret(await secretText())).to.have.length(2);
    await shell(pages.take('security', 'rotate-first'));
    expect(keysInSecret(await secretText())[1]).to.equal(keysIn('keys')[0]);
  });

  it('troubleshoot: a first look', async () => {
    expect(await shell(pages.take('troubleshoot', 'first-look'))).to.match(/Phase:\s+Succeeded/);
    functions = pages.take('troubleshoot', 'functions');
  });

  it('troubleshoot: pods that stay pending: no node is large enough, none has the label, no volume can be made', async () => {
    const pending = pages.take('troubleshoot', 'pod-pending');
    await change('resources.requests.memory=900Gi', 'resources.limits.memory=900Gi');
    await shows('why', pending, /Pending[\s\S]*Insufficient memory/);
    expect(await shell(pages.take('troubleshoot', 'go-back'))).to.include('Rollback was a success');
    await change('scheduling.nodeSelector.disk=nvme');
    await shows('why', pending, /Pending[\s\S]*didn't match Pod's node affinity\/selector/);
    await goBack();
    await change('storage.storageClassName=nowhere');
    const volume = pages.take('troubleshoot', 'volume-pending');
    await shows('why', volume, /storageclass.storage.k8s.io "nowhere" not found/);
    await shows('why', pending, /unbound immediate PersistentVolumeClaims|ephemeral volume controller/);
    await goBack();
  });

  it('troubleshoot: a pod that does not become ready', async () => {
    await change('config.objectStore=s3://no-such-bucket/omendb');
    const text = pages.take('troubleshoot', 'not-ready');
    const broken = await eventually('a pod that fails', async () => (await failing())[0], PATIENCE);
    await shows('why', text.replaceAll('POD', broken), /there is no such bucket: create it/);
    expect(await shell(pages.take('upgrade', 'rollback'))).to.include('successfully rolled out');
  });

  it('troubleshoot: high memory: held by another process, and killed for it', async () => {
    const text = pages.take('troubleshoot', 'memory', { POD: pod });
    const held = new RegExp(`^${pod} +omendb +\\S+ +([4-9]\\d\\d|1\\d{3})Mi`, 'm');
    const shown = await shows('what is used', text, held);
    expect(shown).to.match(/^omendb_memory_limit_bytes 1073741824$/m);
    expect(shown).to.match(/^omendb_memory_usage_bytes\{component="segments"\} \d/m);
    const said = [...shown.matchAll(/^omendb_memory_usage_bytes\{.*\} (\d+)$/gm)];
    const sum = said.reduce((total, [, bytes]) => total + Number(bytes), 0);
    expect(sum, 'the server says only what is its own').to.be.within(50e6, 400e6);
    await hold?.end();
    hold = undefined;
    void attempt('kubectl', ['-n', NAMESPACE, 'exec', pod, '--', 'node', '-e', FILL]);
    const killed = pages.take('troubleshoot', 'killed');
    await shows('that it was killed', killed, new RegExp(`^${pod} +1 +OOMKilled +137`, 'm'));
    await threeReady();
  });

  it('troubleshoot: connections that are refused, dropped, or go to the wrong port', async () => {
    const probe = pages.take('troubleshoot', 'probe', IN_CLIENTS);
    const as = (name: string, text: string): string => text.replace('run probe', `run ${name}`);
    const wrongPort = as('wrong-port', probe.replace('omendb-system/', 'omendb-system:8080/'));
    const stranger = as('no-label', probe.replace('omendb-client=true', 'omendb-client=no'));
    const wrongName = as('wrong-name', probe.replace('omendb-server.', 'omendb.'));
    const answers = await Promise.all([probe, wrongPort, stranger, wrongName].map((text) => shell(text)));
    expect(answers[0]).to.equal('status 200\n');
    expect(answers[1]).to.match(/^(ECONNREFUSED|UND_ERR_CONNECT_TIMEOUT)\n$/);
    expect(answers[2]).to.equal('UND_ERR_CONNECT_TIMEOUT\n');
    // A cluster without a way out cannot ask whether the name exists elsewhere.
    expect(answers[3]).to.match(/^(ENOTFOUND|EAI_AGAIN)\n$/);

    const client = { CLIENTS: 'clients', CLIENT: 'stranger' };
    const policy = await shell(named(pages.take('troubleshoot', 'policy'), client));
    expect(policy)
      .to.include('PodSelector: omendb-client=true')
      .and.to.match(/^stranger .*<none>$/m);
    const open = async (): Promise<boolean> => {
      const request = { host: `${SERVER}.${NAMESPACE}`, port: 80 };
      return (await askIn<{ open: boolean }>('stranger', 'probe', request)).open;
    };
    expect(await open()).to.equal(false);
    await shell(named(pages.take('troubleshoot', 'label'), client));
    await eventually('the stranger is let in', async () => ((await open()) ? true : undefined), PATIENCE);
    await kubectl('-n', 'clients', 'label', 'pod', 'stranger', 'omendb-client-');

    await kubectl('-n', NAMESPACE, 'scale', 'deployment', SERVER, '--replicas=0');
    const nobody = pages.take('troubleshoot', 'nobody');
    const empty = await shows(
      'that nobody is there',
      nobody,
      /<none> +<none>[\s\S]*0\/0[\s\S]*replica count of the target is zero/,
    );
    expect(empty).to.match(/^<none> +<none>/m);
    expect(await shell(as('nobody', probe))).to.equal('ECONNREFUSED\n');
    expect(await shell(pages.take('troubleshoot', 'somebody'))).to.include('successfully rolled out');
    await threeReady();
    pod = (await readyPods())[0]?.metadata.name ?? '';
  });

  it('troubleshoot: servers that are busy, and what a report needs', async () => {
    // What a pod uses is known a while after it has started.
    const lines = pages.take('troubleshoot', 'busy', { POD: pod });
    const busy = await shows('what servers use', lines, /^omendb-server-\S+ +\d+m +\d+Mi/m);
    expect(busy)
      .to.match(/^omendb_engine_pool_size 1$/m)
      .and.to.match(/^omendb_engine_pool_queue_depth 0$/m);
    await shell(pages.take('troubleshoot', 'report'));
    for (const [file, words] of [
      ['objects.txt', 'networkpolicy.networking.k8s.io/omendb-server'],
      ['events.txt', 'OOMKill|BackOff|Killing|FailedScheduling'],
      ['logs.txt', '"level"'],
      ['values.yaml', 'objectStore: s3://omendb/staging'],
      [`${pod}.metrics`, 'omendb_ready 1'],
    ] as const) {
      expect(readFileSync(join(folder, 'omendb-report', file), 'utf8'), file).to.match(new RegExp(words));
    }
  });

  it('scale, and see by what', async () => {
    const where = pages.take('scale', 'where');
    expect(await shows('metrics', where, /Metrics:[\s\S]*omendb_requests_per_second/)).to.include(
      'ScalingActive',
    );
    await shows(
      'what the adapter says',
      pages.take('scale', 'adapter'),
      /"metricName":\s*"omendb_requests_per_second"/,
    );
  });

  it('tune without new pods, and upgrade', async () => {
    const before = (await readyPods()).map(({ metadata }) => metadata.name);
    expect(await shell(pages.take('tune', 'log-level'))).to.match(/OMENDB_LOG_LEVEL: "?debug/);
    expect(await shell(pages.take('upgrade', 'before'))).to.include('poddisruptionbudget');
    const text = pages.take('upgrade', 'difference', DEPLOYED);
    expect((await tryShell(text)).output)
      .to.match(/^-.*debug/m)
      .and.to.include('nothing was changed');
    expect((await tryShell(pages.take('ci-cd', 'gate', DEPLOYED))).code).to.equal(0);
    expect(await shell(pages.take('upgrade', 'upgrade', DEPLOYED))).to.match(/deployed\s+omendb-/);
    expect((await readyPods()).map(({ metadata }) => metadata.name)).to.have.members(before);
    const [node] = await list('default', 'nodes');
    const release = '--delete-emptydir-data --pod-selector app.kubernetes.io/instance=omendb';
    const drain = { NODE: node?.metadata.name ?? '', '--delete-emptydir-data': release };
    const drained = await shell(pages.take('upgrade', 'drain', drain));
    expect(drained)
      .to.include(before[0])
      .and.to.match(/^evicting pod \S+ \(server dry run\)$/m);
  });

  it('back up, check, and restore what was deleted', async () => {
    expect(await shell(pages.take('back-up', 'now'))).to.match(/"collections"/);
    expect(await shell(pages.take('back-up', 'list', VAULT))).to.match(/\d+ collections, \d+ objects/);
    await shell(pages.take('back-up', 'check'));
    await askIn('client', 'drop', access);
    await shell(pages.take('recover', 'restore', DEPLOYED));
    expect(await askIn('client', 'read', access)).to.deep.equal({ ids: ['http', 'grpc'] });
    await shell(pages.take('recover', 'pods-back'));
  });

  it('find the data again from another cluster, for which another namespace stands', async () => {
    await kubectl('create', 'namespace', 'second');
    const { data } = await get(NAMESPACE, 'secret', 'bucket');
    const metadata = { name: 'bucket', namespace: 'second' };
    await apply(stringify({ apiVersion: 'v1', kind: 'Secret', metadata, data }));
    writeFileSync(join(folder, 'KEPT_COPY'), 'a secret of forty characters for cluster');
    const again = pages.take('recover', 'again', {
      ...DEPLOYED,
      'kubectl create namespace omendb-system': 'kubectl get namespace omendb-system',
      'omendb-system': 'second',
      '-f mine.yaml': '-f mine.yaml -n second',
    });
    expect(await shell(again)).to.match(/Phase:\s+Succeeded/);
    const there = { ...access, url: access.url.replace(NAMESPACE, 'second') };
    expect(await askIn('client', 'read', there)).to.deep.equal({ ids: ['http', 'grpc'] });
    await kubectl('delete', 'namespace', 'second', '--wait=false');
  });

  it('put load on it', async () => {
    const file = 'docs/operations/examples/load-test-job.yaml';
    const job = readFileSync(join(ROOT, file), 'utf8')
      .replace('omendb/server:v0.1.0', image('SERVER'))
      .replace(
        /args: .*/,
        'args: [--url, http://omendb-server, --rate, "50", --seconds, "5", --records, "1000", --p99-ms, "5000"]',
      );
    writeFileSync(join(folder, 'job.yaml'), job);
    expect(await shell(pages.take('load-test', 'load', { [file]: 'job.yaml' }))).to.match(/^PASSED$/m);
    await shell(pages.take('load-test', 'load-end'));
  });

  it('see what pods may do and who is let in, and end a key', async () => {
    const may = await shell(pages.take('security', 'pods-may'));
    expect(may)
      .to.match(/^restricted$/m)
      .and.to.include('"readOnlyRootFilesystem":true');
    expect(may).to.not.match(/^(pods|secrets|\*\.\*)\s/m);
    expect(await shell(pages.take('security', 'let-in'))).to.match(/^clients +client /m);
    const newKey = keysIn('keys.new')[0] ?? '';
    const signed = { ...access, token: await tokenFor('demo', newKey) };
    const taken = async (): Promise<object> => askIn('client', 'read', signed);
    expect(await eventually('the new key is taken', taken, PATIENCE)).to.deep.equal({
      ids: ['http', 'grpc'],
    });
    await shell(pages.take('security', 'rotate-end'));
    expect(keysInSecret(await secretText())).to.deep.equal([newKey]);
    await shell(pages.take('recover', 'new-key'));
    expect(keysInSecret(await secretText())).to.not.include(newKey);
  });

  it('have been run to the last block, and leave nothing', async () => {
    expect(pages.left(), 'blocks that nobody ran').to.deep.equal([]);
    await helm('uninstall', 'omendb', '-n', NAMESPACE, '--wait', '--timeout', '4m');
    const gone = async (): Promise<true | undefined> =>
      (await leftOf('omendb')).length === 0 ? true : undefined;
    await eventually('nothing is left', gone, PATIENCE);
  });

  /** Pods of servers whose container has ended. */
  async function failing(): Promise<string[]> {
    const pods = await list(NAMESPACE, 'pods', '-l', 'app.kubernetes.io/component=server');
    return pods
      .filter(({ status }) => {
        const [container] = (status?.containerStatuses ?? []) as readonly {
          restartCount: number;
          state: object;
        }[];
        return container !== undefined && (container.restartCount > 0 || 'terminated' in container.state);
      })
      .map(({ metadata }) => metadata.name)
      .filter((name) => name !== pod);
  }

  async function secretText(): Promise<string> {
    const path = 'jsonpath={.data.jwt-secret}';
    return Buffer.from(
      await kubectl('-n', NAMESPACE, 'get', 'secret', 'omendb-secrets', '-o', path),
      'base64',
    ).toString();
  }

  function keysIn(file: string): string[] {
    return keysInSecret(readFileSync(join(folder, file), 'utf8'));
  }
});

function keysInSecret(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** A block with its words in capitals replaced, of which one begins like another. */
function named(text: string, words: Readonly<Record<string, string>>): string {
  return Object.entries(words).reduce(
    (sofar, [from, to]) => sofar.replace(new RegExp(`\\b${from}\\b`, 'g'), to),
    text,
  );
}
