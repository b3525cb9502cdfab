// scripts/deploy.sh, with a kubectl that answers from a list and a helm that renders with the real one.
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT, program, read, run } from './helm.js';

const SCRIPT = join(ROOT, 'scripts/deploy.sh');

const HELM = `#!/bin/bash
echo "helm $*" >>"$FAKE/log"
case $1 in
  version) echo "\${FAKE_HELM:-v3.22.0}" ;;
  template)
    args=()
    for arg in "$@"; do case $arg in --dry-run=server | --validate) ;; *) args+=("$arg") ;; esac; done
    exec "$REAL_HELM" "\${args[@]}" --kube-version 1.34.0 --api-versions "$FAKE_APIS" ;;
  get) printf %s "$FAKE_MANIFEST" ;;
  upgrade) exit "\${FAKE_UPGRADE:-0}" ;;
esac
`;

const KUBECTL = `#!/bin/bash
echo "kubectl $*" >>"$FAKE/log"
has() { [[ " $FAKE_THINGS " == *" $1 "* ]]; }
missing() { echo "Error from server (NotFound): $1 not found" >&2; exit 1; }
case "$*" in
  "config current-context") echo test ;;
  "get --raw /version"*) has cluster || { echo "connection refused" >&2; exit 1; } ;;
  *"get configmap"*) printf %s "$FAKE_RUNNING" ;;
  *"get secret"*)
    name=$(sed -E 's/.*get secret ([^ ]+).*/\\1/' <<<"$*")
    if has forbidden; then echo "Error from server (Forbidden): no" >&2; exit 1; fi
    has "secret/$name" || has "empty/$name" || missing secret
    has "secret/$name" && printf a2V5 || true ;;
  *"get namespace"*) has namespace || missing namespace ;;
  "get nodes"*) has zone && echo node/node-0 || true ;;
  "get storageclass"*) has "class/$3" || missing storageclass ;;
  *diff*) cat >"$FAKE/diff"; echo "+ changed"; exit "\${FAKE_DIFF:-1}" ;;
esac
`;

const APIS = [
  ...['custom.metrics.k8s.io/v1beta1', 'external.metrics.k8s.io/v1beta1', 'monitoring.coreos.com/v1'],
  'autoscaling.k8s.io/v1',
].join(',');
const ALL = 'cluster namespace secret/omendb-secrets class/gp3 class/gp3-optimized zone';

interface Deployed {
  readonly status: number | null;
  readonly output: string;
  readonly lines: readonly string[];
  readonly log: readonly string[];
}

describe('scripts/deploy.sh', function () {
  this.timeout(30_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-deploy-'));
    put('helm', HELM);
    put('kubectl', KUBECTL);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('is clean for shellcheck', () => {
    const { status, stdout } = run('shellcheck', ['--shell', 'bash', SCRIPT]);
    expect(status, stdout).to.equal(0);
  });

  it('deploys staging by default', () => {
    const { status, output, log } = deploy([]);
    expect(output).to.include('deploy: staging is deployed as omendb in omendb-system');
    expect(status).to.equal(0);
    expect(upgrade(log)).to.match(
      /^helm upgrade --install omendb .*helm\/omendb --namespace omendb-system --create-namespace/,
    );
    expect(upgrade(log)).to.match(
      /--values \S+values-staging.yaml --set config.objectStore=s3:\/\/vectors\/omendb$/,
    );
  });

  it('deploys production with -e production -t v0.1.0, and waits when asked', () => {
    const { log } = deploy(['-e', 'production', '-t', 'v0.1.0', '--wait', '--timeout', '5m']);
    expect(upgrade(log)).to.include('values-production.yaml --set-string image.tag=v0.1.0');
    expect(upgrade(log)).to.match(/--wait --timeout 5m --atomic$/);
  });

  it('goes back after a failure with the word that Helm 4 has for it', () => {
    const { log } = deploy(['--wait'], { FAKE_HELM: 'v4.3.1' });
    expect(upgrade(log)).to.match(/--wait --timeout 10m --rollback-on-failure$/);
  });

  it('passes on values, those of the command line last', () => {
    writeFileSync(join(folder, 'mine.yaml'), 'config: { logLevel: warn }\n');
    const { log } = deploy([
      '-f',
      join(folder, 'mine.yaml'),
      '--set',
      'config.objectStore=s3://other',
      '-n',
      'vectors',
    ]);
    expect(upgrade(log)).to.match(
      /config.objectStore=s3:\/\/vectors\/omendb --values \S+mine.yaml --set config.objectStore=s3:\/\/other$/,
    );
    expect(upgrade(log)).to.include('--namespace vectors');
  });

  it('deploys another release, with names of its own', () => {
    const { log, output } = deploy(['-r', 'search']);
    expect(upgrade(log)).to.include('helm upgrade --install search ');
    expect(log.join('\n')).to.include('app.kubernetes.io/instance=search,');
    expect(output).to.include('staging is deployed as search in omendb-system');
  });

  it('keeps the bucket of the release that runs, unless values name another', () => {
    const { status, log } = deploy([], { OMENDB_OBJECT_STORE: '', FAKE_RUNNING: 's3://running/omendb' });
    expect(status).to.equal(0);
    expect(upgrade(log)).to.match(/--values \S+running.yaml --values \S+values-staging.yaml$/);
  });

  it('ends with the exit code of helm', () => {
    expect(deploy([], { FAKE_UPGRADE: '3' }).status).to.equal(3);
  });

  describe('--dry-run', () => {
    it('shows the difference, without hooks, and changes nothing', () => {
      const { status, output, log } = deploy(['--dry-run']);
      expect(output).to.include('+ changed').and.to.include('nothing was changed');
      expect(status).to.equal(0);
      expect(upgrade(log)).to.equal(undefined);
      const shown = readFileSync(join(folder, 'diff'), 'utf8');
      expect(shown).to.include('kind: Deployment').and.to.not.include('helm.sh/hook');
    });

    it('says when there is none', () => {
      expect(deploy(['--dry-run'], { FAKE_DIFF: '0' }).output).to.include('nothing would change');
    });

    it('says what would be removed, which kubectl does not', () => {
      const runs = ['ServiceAccount/omendb-server', 'NetworkPolicy/omendb-server', 'Job/omendb-restore-1-0'];
      const documents = runs.map((id) => {
        const [kind = '', name = ''] = id.split('/');
        return `---\nkind: ${kind}\nmetadata:\n  name: ${name}\nroleRef:\n  name: other\n`;
      });
      const env = { FAKE_DIFF: '0', FAKE_MANIFEST: documents.join('') };
      const { output, status } = deploy(['--dry-run', '--set', 'networkPolicy.enabled=false'], env);
      expect(output)
        .to.include('deploy: these would be removed: NetworkPolicy/omendb-server Job/omendb-restore-1-0\n')
        .and.include('deploy: this would change in omendb-system; nothing was changed')
        .and.not.include('nothing would change');
      expect(status).to.equal(0);
    });

    it('fails when it cannot be shown', () => {
      expect(deploy(['--dry-run'], { FAKE_DIFF: '2' }).status).to.equal(1);
    });
  });

  describe('changes nothing and says in one line', () => {
    const refused: readonly (readonly [
      what: string,
      args: readonly string[],
      env: Readonly<Record<string, string>>,
      line: RegExp,
    ])[] = [
      [
        'that no cluster answers',
        [],
        { FAKE_THINGS: '' },
        /^deploy: no cluster answers \(context test\): check KUBECONFIG/,
      ],
      ['that helm is too old', [], { FAKE_HELM: 'v2.17.0' }, /^deploy: helm is version 2: 3 or 4 is needed$/],
      [
        'that the Secret is missing, and how to make it',
        [],
        { FAKE_THINGS: 'cluster namespace class/gp3' },
        /^deploy: Secret omendb-secrets is missing in namespace omendb-system: kubectl .*=jwt-secret="\$\(openssl rand.*\)"$/,
      ],
      [
        'that the namespace is missing too',
        [],
        { FAKE_THINGS: 'cluster class/gp3' },
        /^deploy: Secret omendb-secrets is missing .*: kubectl create namespace omendb-system; kubectl --namespace/,
      ],
      [
        'that the Secret lacks its key',
        [],
        { FAKE_THINGS: 'cluster namespace class/gp3 empty/omendb-secrets' },
        /^deploy: Secret omendb-secrets in namespace omendb-system has no key jwt-secret$/,
      ],
      [
        'that the Secret with credentials of the bucket is missing',
        ['--set', 's3.credentials.secretName=bucket'],
        {},
        /^deploy: Secret bucket is missing in namespace omendb-system: .*--from-literal=access-key-id= --from-literal=secret-access-key=$/,
      ],
      [
        'that the Secret is missing in the namespace that the values name',
        ['--set', 'namespaceOverride=vectors'],
        { FAKE_THINGS: 'cluster namespace class/gp3' },
        /^deploy: Secret omendb-secrets is missing in namespace vectors: kubectl --namespace vectors create /,
      ],
      [
        'that the Secret of a StatefulSet is missing',
        ['--set', 'workload.kind=StatefulSet'],
        { FAKE_THINGS: 'cluster namespace class/gp3' },
        /^deploy: Secret omendb-secrets is missing in namespace omendb-system: /,
      ],
      [
        'that the StorageClass is missing',
        ['-e', 'production', '-t', 'v1'],
        { FAKE_THINGS: ALL.replace('class/gp3-optimized', '') },
        /^deploy: StorageClass gp3-optimized is missing: add --set storageClasses.create=true .* --set storage.storageClassName=NAME$/,
      ],
      [
        'that no node says in which zone it is, where pods must be spread over zones',
        ['-e', 'production', '-t', 'v1'],
        { FAKE_THINGS: ALL.replace(' zone', '') },
        /^deploy: no node has the label topology.kubernetes.io\/zone: add --set scheduling.zoneSpread=soft$/,
      ],
      [
        'that there is no bucket',
        [],
        { OMENDB_OBJECT_STORE: '' },
        /^deploy: {2}config.objectStore: autoscaling needs a bucket that all pods share/,
      ],
      [
        'that production needs a tag',
        ['-e', 'production'],
        {},
        /^deploy: {2}image.tag: production wants a version or a digest/,
      ],
      [
        'that the cluster lacks an API',
        [],
        { FAKE_APIS: APIS.replace('monitoring.coreos.com/v1', 'x/v1') },
        /^deploy: {2}metrics.serviceMonitor.enabled: needs monitoring.coreos.com\/v1.*\n.*prometheusRule/,
      ],
      [
        'that a value is unknown',
        ['--set', 'replicaCont=3'],
        {},
        /additional properties 'replicaCont' not allowed/,
      ],
    ];
    for (const [what, args, env, line] of refused) {
      it(what, () => {
        const { status, lines, log } = deploy(args, env);
        expect(lines.join('\n')).to.match(line);
        expect(lines.every((text) => text.startsWith('deploy:'))).to.equal(true);
        expect(status).to.equal(1);
        expect(upgrade(log)).to.equal(undefined);
      });
    }

    for (const tool of ['helm', 'kubectl']) {
      it(`that ${tool} is not installed`, () => {
        rmSync(join(folder, tool));
        const { status, lines } = deploy([]);
        expect(lines).to.have.length(1);
        expect(lines[0]).to.match(new RegExp(`^deploy: ${tool} is not installed: https://`));
        expect(status).to.equal(1);
      });
    }

    const misused: readonly (readonly [args: readonly string[], line: string])[] = [
      [['-e', 'test'], 'deploy: -e is staging or production, not test (--help lists the options)'],
      [['--tagg', 'x'], 'deploy: there is no option --tagg (--help lists the options)'],
      [['-t'], 'deploy: -t needs a value (--help lists the options)'],
      [['-f', 'nowhere.yaml'], 'deploy: nowhere.yaml cannot be read (--help lists the options)'],
    ];
    for (const [args, line] of misused) {
      it(`that it is misused: ${args.join(' ')}`, () => {
        const { status, lines, log } = deploy(args);
        expect(lines).to.deep.equal([line]);
        expect(status).to.equal(2);
        expect(log).to.deep.equal([]);
      });
    }
  });

  it('goes on where the user may not look at Secrets, and says so', () => {
    const { status, output } = deploy([], { FAKE_THINGS: `${ALL} forbidden` });
    expect(output).to.include('deploy: Secret omendb-secrets cannot be looked at, go on without');
    expect(status).to.equal(0);
  });

  it('does not ask for what the chart makes itself', () => {
    const set = ['auth.generate.enabled=true', 'auth.secretName=', 'storageClasses.create=true'];
    const args = set.flatMap((value) => ['--set', value]);
    expect(deploy(args, { FAKE_THINGS: 'cluster' }).status).to.equal(0);
  });

  it('asks for no zones where pods need not be spread over them', () => {
    expect(deploy([], { FAKE_THINGS: ALL.replace(' zone', '') }).status).to.equal(0);
  });

  it('takes the commands of the README as they are there', () => {
    const commands = [...read('README.md').matchAll(/^\.\/scripts\/deploy\.sh(.*?)(?: +#.*)?$/gm)].map(
      ([, args = '']) => args.split(' ').filter((arg) => arg !== ''),
    );
    expect(commands).to.deep.include.members([[], ['--dry-run'], ['-e', 'production', '-t', 'v0.1.0']]);
    for (const args of commands) expect(deploy(args).status, args.join(' ')).to.equal(0);
  });

  it('explains itself', () => {
    const { status, output } = deploy(['--help']);
    expect(output).to.match(/Usage: scripts\/deploy.sh/);
    expect(status).to.equal(0);
  });

  function put(name: string, text: string): void {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  }

  function deploy(args: readonly string[], env: Readonly<Record<string, string>> = {}): Deployed {
    // Only what the script may use, so that a real kubectl is not found when the other is gone.
    for (const tool of ['bash', 'sed', 'awk', 'grep', 'dirname', 'mktemp', 'rm', 'sort', 'tail', 'cat']) {
      const { stdout } = run('sh', ['-c', `command -v ${tool}`]);
      try {
        symlinkSync(stdout.trim(), join(folder, tool));
      } catch {
        // It is there from the call before.
      }
    }
    const { status, stdout, stderr } = spawnSync('bash', [SCRIPT, ...args], {
      encoding: 'utf8',
      cwd: folder,
      env: {
        ...{ PATH: folder, FAKE: folder, FAKE_THINGS: ALL, FAKE_APIS: APIS, FAKE_RUNNING: '' },
        ...{ REAL_HELM: program('TEST_HELM3'), OMENDB_OBJECT_STORE: 's3://vectors/omendb', TMPDIR: tmpdir() },
        ...env,
      },
    });
    const lines = stderr.split('\n').filter((line) => line !== '');
    return { status, output: stdout + stderr, lines, log: logged() };
  }

  function logged(): string[] {
    try {
      return readFileSync(join(folder, 'log'), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  }
});

function upgrade(log: readonly string[]): string | undefined {
  return log.find((line) => line.startsWith('helm upgrade'));
}
