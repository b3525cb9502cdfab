import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import type { Environment } from '#server/config/load.js';
import { OPTIONS } from '#server/config/options.js';
import { MACHINE, loadOn, problemsOf } from '../../support/config-problems.js';

const SECRET = 'a secret that is long enough to sign with';

describe('Configuration', () => {
  it('needs no variable at all', () => {
    const config = loadOn({});
    expect(config).to.include({ httpPort: 8080, grpcPort: 9090, opsPort: 8081, dimension: 128 });
    expect(config).to.include({ dataDir: resolve('data'), foldSlots: 4096 });
    expect(config.objectStore).to.deep.equal({ kind: 'file', folder: resolve('data') });
    expect(config.jwtSecret).to.equal(null);
  });

  it('is frozen', () => {
    expect(Object.isFrozen(loadOn({}))).to.equal(true);
  });

  it('listens on loopback without a secret and everywhere with one', () => {
    expect(loadOn({}).host).to.equal('127.0.0.1');
    expect(loadOn({ OMENDB_JWT_SECRET: SECRET }).host).to.equal('0.0.0.0');
    expect(loadOn({ OMENDB_JWT_SECRET: SECRET, OMENDB_HOST: '::' }).host).to.equal('::');
  });

  it('refuses an address that others can reach when there is no secret', () => {
    for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org']) {
      expect(problemsOf({ OMENDB_HOST: host }).join()).to.include('that needs OMENDB_JWT_SECRET');
    }
    for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) {
      expect(problemsOf({ OMENDB_HOST: host })).to.deep.equal([]);
    }
  });

  it('has an engine for each core, at most eight', () => {
    expect(loadOn({}, { ...MACHINE, cores: 2 }).workerThreads).to.equal(2);
    expect(loadOn({}, { ...MACHINE, cores: 64 }).workerThreads).to.equal(8);
    expect(loadOn({ OMENDB_WORKER_THREADS: '16' }).workerThreads).to.equal(16);
  });

  it('gives the engines half of the memory, less in a small container, within what one arena can be', () => {
    expect(loadOn({}, { ...MACHINE, memoryBytes: 2 ** 31 }).memoryBytes).to.equal(2 ** 30);
    expect(loadOn({}, { ...MACHINE, memoryBytes: 2 ** 30 }).memoryBytes).to.equal(384 * 2 ** 20);
    expect(loadOn({}, { ...MACHINE, memoryBytes: 2 ** 40 }).memoryBytes).to.equal(2 ** 32 - 2 ** 16);
    expect(loadOn({}, { ...MACHINE, memoryBytes: 2 ** 20 }).memoryBytes).to.equal(2 ** 27);
  });

  it('gives requests a share of the memory, and engines by default no more than is advised', () => {
    const of = (mebibytes: number) => loadOn({}, { ...MACHINE, memoryBytes: mebibytes * 2 ** 20 });
    const held = [512, 1024, 2048, 4096, 16_384].map((mebibytes) => of(mebibytes).heldBytesMax / 2 ** 20);
    expect(held).to.deep.equal([64, 64, 128, 256, 256]);
    for (const mebibytes of [768, 1024, 1536, 2048, 3072, 4096, 8192, 16_384]) {
      const { memoryBytes, memoryBytesAdvised } = of(mebibytes);
      expect(memoryBytes, `${mebibytes} MiB`).to.be.at.most(memoryBytesAdvised);
    }
    expect(of(512).memoryBytes).to.be.greaterThan(of(512).memoryBytesAdvised);
  });

  it('leaves the size of the cache on disk to the disk, but in a pod, whose volumes have limits of their own', () => {
    expect(loadOn({}).cacheBytes).to.equal(null);
    expect(loadOn({}, { ...MACHINE, inPod: true }).cacheBytes).to.equal(0);
    const env = { OMENDB_CACHE_BYTES: '20Gi' };
    expect(loadOn(env, { ...MACHINE, inPod: true }).cacheBytes).to.equal(20 * 2 ** 30);
    expect(loadOn({ OMENDB_CACHE_BYTES: '0' }).cacheBytes).to.equal(0);
  });

  it('reads sizes and times with their units', () => {
    const config = loadOn({
      OMENDB_MEMORY_BYTES: '512Mi',
      OMENDB_DRAIN_TIME: '2m',
      OMENDB_KEEP_ALIVE: '1500ms',
    });
    expect(config).to.include({ memoryBytes: 512 * 2 ** 20, drainMs: 120_000, keepAliveMs: 1500 });
    expect(loadOn({ OMENDB_MEMORY_BYTES: '1073741824' }).memoryBytes).to.equal(2 ** 30);
    for (const text of ['25', '-1s', '1 s', '1d', '2h', '0x10s']) {
      expect(problemsOf({ OMENDB_DRAIN_TIME: text }), text).to.have.lengthOf(1);
    }
  });

  it('has memory for all engines', () => {
    const env = { OMENDB_MEMORY_BYTES: '128Mi', OMENDB_WORKER_THREADS: '8' };
    expect(problemsOf(env)[0]).to.match(/^OMENDB_MEMORY_BYTES is 134217728: 8 engines need at least \d+;/);
    expect(problemsOf({ ...env, OMENDB_WORKER_THREADS: '4' })).to.deep.equal([]);
  });

  it('puts objects where the address says', () => {
    const storeOf = (env: Environment): unknown => loadOn(env).objectStore;
    const at = (address: string): unknown => storeOf({ OMENDB_OBJECT_STORE: address });
    expect(at('file:///var/lib/x')).to.deep.equal({ kind: 'file', folder: '/var/lib/x' });
    expect(storeOf({ OMENDB_DATA_DIR: '/d' })).to.deep.equal({ kind: 'file', folder: '/d' });
    expect(at('s3://vectors')).to.deep.equal({ kind: 's3', bucket: 'vectors', prefix: '' });
    expect(at('s3://vectors/')).to.deep.equal({ kind: 's3', bucket: 'vectors', prefix: '' });
    expect(at('s3://my.vectors/a/b')).to.deep.equal({ kind: 's3', bucket: 'my.vectors', prefix: 'a/b/' });
    expect(at('s3://vectors/a/')).to.deep.equal({ kind: 's3', bucket: 'vectors', prefix: 'a/' });
  });

  it('refuses an address that is none, saying what one looks like', () => {
    const wrong = [
      '/var/lib/x',
      's3:/b',
      's3://',
      's3://B',
      's3://b/c',
      's3://vectors//a',
      's3://vectors/../a',
    ];
    for (const address of [...wrong, 'gs://vectors', 's3://vectors/a b', 's3://vectors?x', 'file://']) {
      const [problem = '', ...more] = problemsOf({ OMENDB_OBJECT_STORE: address });
      expect(problem, address).to.match(/must be file:\/\/ and the path of a folder.* or s3:\/\//);
      expect(more).to.deep.equal([]);
    }
  });

  it('folds the log sooner where reading it takes longer', () => {
    expect(loadOn({ OMENDB_OBJECT_STORE: 's3://vectors' }).foldSlots).to.equal(32);
    expect(loadOn({ OMENDB_OBJECT_STORE: 's3://vectors', OMENDB_FOLD_SLOTS: '7' }).foldSlots).to.equal(7);
  });

  it('reaches another store than S3 of AWS by its endpoint', () => {
    const config = loadOn({ OMENDB_S3_ENDPOINT: 'http://minio:9000/', OMENDB_S3_FORCE_PATH_STYLE: 'true' });
    expect(config).to.include({ s3Endpoint: 'http://minio:9000', s3ForcePathStyle: true });
    expect(loadOn({}).s3Endpoint).to.equal(null);
    for (const endpoint of ['minio:9000', 'ftp://x', 'http://x/path', 'http://u:p@x', 'https://']) {
      expect(problemsOf({ OMENDB_S3_ENDPOINT: endpoint }), endpoint).to.have.lengthOf(1);
    }
  });

  it('shows no credential that stands in an address', () => {
    for (const env of ['OMENDB_S3_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT']) {
      const [problem] = problemsOf({ [env]: 'https://user:pass@word@collector:4318' });
      expect(problem).to.include('https://***@collector:4318').and.to.include('must be');
    }
  });

  it('takes a key of the key service only when it is asked to encrypt with one', () => {
    const key = { OMENDB_S3_SSE_KMS_KEY_ID: 'alias/omendb' };
    expect(loadOn({ ...key, OMENDB_S3_SSE: 'aws:kms' }).s3KmsKeyId).to.equal('alias/omendb');
    expect(loadOn({ OMENDB_S3_SSE: 'AES256' })).to.include({ s3Encryption: 'AES256', s3KmsKeyId: null });
    expect(problemsOf(key)[0]).to.include('set OMENDB_S3_SSE=aws:kms, or remove the key');
  });

  it('goes on taking connections for a while in a pod, within the time that it has to stop', () => {
    const pod = { ...MACHINE, inPod: true };
    expect(loadOn({}).drainDelayMs).to.equal(0);
    expect(loadOn({}, pod).drainDelayMs).to.equal(5000);
    expect(loadOn({ OMENDB_DRAIN_TIME: '2s' }, pod).drainDelayMs).to.equal(2000);
    expect(loadOn({ OMENDB_DRAIN_DELAY: '12s' }, pod).drainDelayMs).to.equal(12_000);
    expect(problemsOf({ OMENDB_DRAIN_DELAY: '26s' })[0]).to.match(
      /^OMENDB_DRAIN_DELAY is 26000 ms, longer than/,
    );
  });

  it('takes port 0 more than once, and any other port only once', () => {
    const free = { OMENDB_HTTP_PORT: '0', OMENDB_GRPC_PORT: '0', OMENDB_OPS_PORT: '0' };
    expect(problemsOf(free)).to.deep.equal([]);
    expect(problemsOf({ OMENDB_HTTP_PORT: '9090' })).to.deep.equal([
      'OMENDB_HTTP_PORT and OMENDB_GRPC_PORT are both 9090: each needs a port of its own',
    ]);
  });
});

describe('Settings of traces', () => {
  it('are off unless there is a collector', () => {
    const config = loadOn({});
    expect(config).to.include({ traceEndpoint: null, traceRatio: 0.01, traceService: 'omendb' });
    expect(config.traceHeaders).to.deep.equal({});
    expect(loadOn({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }).traceEndpoint).to.equal(
      'http://collector:4318',
    );
  });

  it('take pairs as OpenTelemetry writes them', () => {
    const pairs = 'k8s.pod.name=omendb-0, team = a%2Cb ,empty=,sum=1+1=2,';
    expect(loadOn({ OTEL_RESOURCE_ATTRIBUTES: pairs }).traceResource).to.deep.equal({
      'k8s.pod.name': 'omendb-0',
      team: 'a,b',
      empty: '',
      sum: '1+1=2',
    });
    for (const wrong of ['x', '=y', 'a=b,c', 'a=%zz', ' ', 'a b=c', 'a=b\nc']) {
      expect(problemsOf({ OTEL_RESOURCE_ATTRIBUTES: wrong }), wrong).to.have.lengthOf(1);
    }
  });

  it('never show the headers, which hold credentials', () => {
    const headers = 'authorization=Bearer%20secret-of-the-collector';
    expect(loadOn({ OTEL_EXPORTER_OTLP_HEADERS: headers }).traceHeaders).to.deep.equal({
      authorization: 'Bearer secret-of-the-collector',
    });
    const [problem] = problemsOf({ OTEL_EXPORTER_OTLP_HEADERS: 'secret-of-the-collector' });
    expect(problem).to.match(/^OTEL_EXPORTER_OTLP_HEADERS is malformed: must be headers/);
    expect(problem).not.to.include('secret-of');
  });

  it('count as not set when they are empty', () => {
    const names = ['ENDPOINT', 'HEADERS', 'HEADERS_FILE'].map((name) => `OTEL_EXPORTER_OTLP_${name}`);
    const more = ['OTEL_TRACES_SAMPLER_ARG', 'OTEL_SERVICE_NAME', 'OTEL_RESOURCE_ATTRIBUTES'];
    for (const name of [...names, ...more]) expect(problemsOf({ [name]: '' }), name).to.deep.equal([]);
    expect(loadOn({ OTEL_EXPORTER_OTLP_ENDPOINT: '' }).traceEndpoint).to.equal(null);
  });

  it('take a ratio and a URL and nothing like them', () => {
    expect(loadOn({ OTEL_TRACES_SAMPLER_ARG: '1' }).traceRatio).to.equal(1);
    expect(loadOn({ OTEL_TRACES_SAMPLER_ARG: '.25' }).traceRatio).to.equal(0.25);
    for (const wrong of ['1.1', '-0.1', '1%', '.'])
      expect(problemsOf({ OTEL_TRACES_SAMPLER_ARG: wrong }), wrong).to.have.lengthOf(1);
    for (const wrong of [
      'collector:4318',
      'grpc://collector:4317',
      'http://',
      'http://c/?a=b',
      'http://u:p@c',
    ])
      expect(problemsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: wrong }), wrong).to.have.lengthOf(1);
  });

  it('leave other variables of OpenTelemetry alone', () => {
    expect(problemsOf({ OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' })).to.deep.equal([]);
  });
});

describe('Configuration problems', () => {
  it('name the variable, what was seen and what is allowed', () => {
    expect(problemsOf({ OMENDB_HTTP_PORT: '80x' })).to.deep.equal([
      'OMENDB_HTTP_PORT is "80x": must be a port from 1 to 65535, or 0 for any free port',
    ]);
    expect(problemsOf({ OMENDB_LOG_LEVEL: 'loud' })).to.deep.equal([
      'OMENDB_LOG_LEVEL is "loud": must be one of debug, info, warn, error',
    ]);
  });

  it('are reported all at once', () => {
    const env = {
      OMENDB_HTTP_PORT: '70000',
      OMENDB_DIMENSION: '0',
      OMENDB_HTPT_PORT: '1',
      OMENDB_GRPC_PORT: '',
    };
    expect(problemsOf(env)).to.have.lengthOf(4);
  });

  it('include values outside the range of every option', () => {
    for (const option of Object.values(OPTIONS)) {
      if (!/ from /.test(option.type.allowed)) continue;
      for (const text of ['-1', '99999999999999', '1e3', 'NaN', ' 1']) {
        expect(problemsOf({ [option.env]: text }), `${option.env}=${text}`).to.have.lengthOf(1);
      }
    }
  });

  it('include an empty variable', () => {
    expect(problemsOf({ OMENDB_DATA_DIR: '' })[0]).to.match(/^OMENDB_DATA_DIR is empty: remove it/);
  });

  it('include an unknown variable, with the name that was probably meant', () => {
    expect(problemsOf({ OMENDB_WORKER_THREAD: '4' })).to.deep.equal([
      'OMENDB_WORKER_THREAD is not a setting: did you mean OMENDB_WORKER_THREADS?',
    ]);
    expect(problemsOf({ OMENDB_COLOUR: 'red' })).to.deep.equal([
      'OMENDB_COLOUR is not a setting; "omendb --help" lists them',
    ]);
  });

  it('do not include variables of others', () => {
    expect(problemsOf({ PATH: '/bin', OMENDBX: '1', NODE_ENV: '' })).to.deep.equal([]);
  });
});

describe('Variables that Kubernetes sets for Services', () => {
  it('are ignored', () => {
    const env = {
      OMENDB_SERVICE_HOST: '10.0.0.1',
      OMENDB_SERVER_SERVICE_HOST: '10.0.0.1',
      OMENDB_SERVER_SERVICE_PORT: '80',
      OMENDB_SERVER_SERVICE_PORT_GRPC: '9090',
      OMENDB_PORT: 'tcp://10.0.0.1:80',
      OMENDB_SERVER_PORT: 'tcp://10.0.0.1:80',
      OMENDB_SERVER_PORT_80_TCP: 'tcp://10.0.0.1:80',
      OMENDB_SERVER_PORT_80_TCP_PROTO: 'tcp',
      OMENDB_SERVER_PORT_80_TCP_PORT: '80',
      OMENDB_SERVER_PORT_80_TCP_ADDR: '10.0.0.1',
    };
    expect(problemsOf(env)).to.deep.equal([]);
  });

  it('are explained when they take the place of a setting', () => {
    expect(problemsOf({ OMENDB_HTTP_PORT: 'tcp://10.0.0.1:80' })).to.deep.equal([
      'OMENDB_HTTP_PORT is "tcp://10.0.0.1:80", which Kubernetes sets for a Service called "omendb-http": ' +
        'set "enableServiceLinks: false" in the pod, or give the Service another name',
    ]);
  });

  it('are not confused with a misspelt port', () => {
    expect(problemsOf({ OMENDB_SERVER_PORT: '8080' })).to.have.lengthOf(1);
  });
});

describe('The secret', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-config-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function file(text: string): string {
    writeFileSync(join(folder, 'secret'), text);
    return join(folder, 'secret');
  }

  it('comes from the variable or from a file, whose last line end is not part of it', () => {
    const key = new TextEncoder().encode(SECRET);
    expect(loadOn({ OMENDB_JWT_SECRET: SECRET }).jwtSecret).to.deep.equal([key]);
    const config = loadOn({ OMENDB_JWT_SECRET_FILE: file(`${SECRET}\n`) });
    expect(config.jwtSecret).to.deep.equal([key]);
    expect(config.jwtSecretFile).to.equal(join(folder, 'secret'));
  });

  it('has 32 bytes or more', () => {
    expect(problemsOf({ OMENDB_JWT_SECRET: 'x'.repeat(32) })).to.deep.equal([]);
    expect(problemsOf({ OMENDB_JWT_SECRET: 'x'.repeat(31) })[0]).to.include('too short');
    expect(problemsOf({ OMENDB_JWT_SECRET: '' })[0]).to.include('too short');
    expect(problemsOf({ OMENDB_JWT_SECRET_FILE: file('') })[0]).to.include('too short');
  });

  it('may be several keys, one a line, of which the first one signs', () => {
    const [next, old] = ['n'.repeat(40), 'o'.repeat(40)];
    const { jwtSecret } = loadOn({ OMENDB_JWT_SECRET_FILE: file(`${next}\r\n${old}\n\n`) });
    expect(jwtSecret?.map((key) => new TextDecoder().decode(key))).to.deep.equal([next, old]);
    expect(problemsOf({ OMENDB_JWT_SECRET_FILE: file(`${next}\nshort\n`) })[0]).to.include('too short');
  });

  it('is given once', () => {
    const env = { OMENDB_JWT_SECRET: SECRET, OMENDB_JWT_SECRET_FILE: file(SECRET) };
    expect(problemsOf(env)).to.deep.equal([
      'OMENDB_JWT_SECRET and OMENDB_JWT_SECRET_FILE are both set: remove one of them',
    ]);
  });

  it('is never part of a message', () => {
    expect(problemsOf({ OMENDB_JWT_SECRET: 'hunter2' }).join()).not.to.include('hunter2');
  });

  it('names the file that cannot be read', () => {
    const path = join(folder, 'absent');
    expect(problemsOf({ OMENDB_JWT_SECRET_FILE: path })[0])
      .to.include(path)
      .and.include('cannot be read');
  });
});
