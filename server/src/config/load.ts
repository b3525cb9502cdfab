/*
 * The environment becomes a Config, or one error that names everything that is wrong with it.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { engineBytesAdvised, heldBytes } from './memory-budget.js';
import type { SigningKeys } from './option-types.js';
import type { Machine } from './machine.js';
import type { Option, OptionName } from './options.js';
import { OPTIONS } from './options.js';
import { isServiceLink, nearest, serviceOf } from './names.js';
import { readSettings } from './read-settings.js';

type Value<K extends OptionName> = (typeof OPTIONS)[K] extends Option<infer T> ? T : never;

type FileOption = 'configFile';
type TraceOption = 'traceEndpoint' | 'traceHeaders' | 'traceResource';
type PodOption = 'podName' | 'podNamespace' | 'nodeName';

type Values = { [K in OptionName]: Value<K> | null };

/** What the engines need before the first vector: room to work in, and for the log of a few collections. */
const MEMORY_BYTES_BASE = 2 ** 26;
const MEMORY_BYTES_PER_ENGINE = 2 ** 24;

const DRAIN_DELAY_POD_MS = 5000;

const FOLD_SLOTS_S3 = 32;
const FOLD_SLOTS_FOLDER = 4096;

/** Every setting with its value; folders are absolute. */
export type Config = Readonly<
  Omit<
    { [K in OptionName]: Value<K> },
    'cacheBytes' | 'jwtSecret' | 's3Endpoint' | 's3KmsKeyId' | FileOption | TraceOption | PodOption
  > & {
    /** Null: no traces. */
    readonly traceEndpoint: string | null;
    readonly traceHeaders: Readonly<Record<string, string>>;
    readonly traceResource: Readonly<Record<string, string>>;
    /** Null: the environment alone. */
    readonly configFile: string | null;
    /** Null: not known, as outside Kubernetes. */
    readonly podName: string | null;
    readonly podNamespace: string | null;
    readonly nodeName: string | null;
    /** Null: S3 of AWS. */
    readonly s3Endpoint: string | null;
    /** Null: what the disk can spare. 0: no cache on disk. */
    readonly cacheBytes: number | null;
    /** Null: the account's own key. */
    readonly s3KmsKeyId: string | null;
    /** Null: development mode, see `devSecretFile`. */
    readonly jwtSecret: SigningKeys | null;
    /** Where the secret came from, when it came from a file: it may be renewed there. */
    readonly jwtSecretFile: string | null;
    /** Where development mode keeps the secret that it made. */
    readonly devSecretFile: string;
    /** Bytes of bodies and answers that may be under way at once; follows from the memory. */
    readonly heldBytesMax: number;
    /** Above this much for engines, the system may end the process for want of memory. */
    readonly memoryBytesAdvised: number;
  }
>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment cannot be used. The message has one line for each problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

/**
 * Reads every option, from the environment and from the file that it names, and refuses names that look like
 * one and are none. Throws `ConfigError`.
 */
export function loadConfig(variables: Environment, machine: Machine = thisMachine(variables)): Config {
  const file = readSettings(given(variables, OPTIONS.configFile.env));
  const problems = [...file.problems];
  const env = { ...file.env, ...variables };
  const values = Object.fromEntries(
    Object.entries(OPTIONS).map(([name, option]: [string, Option<unknown>]) => {
      const isSecret = option.secret === true;
      return [
        name,
        isSecret ? readSecret(option, env, problems) : readOption(option, env, machine, problems),
      ];
    }),
  ) as Values;
  problems.push(...unknownVariables(env));
  const config = complete(values, env, machine);
  problems.push(...conflicts(config, values));
  if (problems.length > 0) throw new ConfigError(problems.map((problem) => file.locate(problem, variables)));
  return Object.freeze(config);
}

/** The machine or container that this process runs in. */
export function thisMachine(env: Environment): Machine {
  const limit = process.constrainedMemory();
  // Without a limit some kernels report 0 and some a number near 2^63.
  const memoryBytes = limit > 0 && limit < totalmem() ? limit : totalmem();
  // Kubernetes tells every container where its API is.
  return { cores: availableParallelism(), memoryBytes, inPod: env['KUBERNETES_SERVICE_HOST'] !== undefined };
}

/** The text of a secret file: one line end behind the key is not part of it. */
export function readSecretFile(path: string): string {
  return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
}

/** Addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function readOption<T>(option: Option<T>, env: Environment, machine: Machine, problems: string[]): T | null {
  const text = given(env, option.env);
  if (text === undefined) {
    // A value is never a function, so a function is the rule that makes the default.
    return typeof option.default === 'function'
      ? (option.default as (machine: Machine) => T)(machine)
      : option.default;
  }
  const value = option.type.parse(text);
  if (value !== undefined && text !== '') return value;
  problems.push(refusal(option, text));
  return null;
}

/** Variables of OpenTelemetry that are empty count as not set, as its specification wants it. */
function given(env: Environment, name: string): string | undefined {
  const text = env[name];
  return text === '' && name.startsWith('OTEL_') ? undefined : text;
}

function refusal(option: Option<unknown>, text: string): string {
  if (text === '')
    return `${option.env} is empty: remove it to get the default, or set ${option.type.allowed}`;
  if (/^(tcp|udp|sctp):\/\//.test(text) && option.env.endsWith('_PORT')) {
    return (
      `${option.env} is ${JSON.stringify(text)}, which Kubernetes sets for a Service called "${serviceOf(option.env)}": ` +
      `set "enableServiceLinks: false" in the pod, or give the Service another name`
    );
  }
  // Whoever puts a credential into a URL finds none of it in the log.
  const safe = text.replace(/\/\/[^/]*@/, '//***@');
  const seen = safe.length > 80 ? `${safe.slice(0, 77)}...` : safe;
  return `${option.env} is ${JSON.stringify(seen)}: must be ${option.type.allowed}`;
}

function readSecret<T>(option: Option<T>, env: Environment, problems: string[]): T | null {
  const fileEnv = `${option.env}_FILE`;
  const path = given(env, fileEnv);
  let text = given(env, option.env);
  let source = option.env;
  if (text !== undefined && path !== undefined) {
    problems.push(`${option.env} and ${fileEnv} are both set: remove one of them`);
    return null;
  }
  if (path !== undefined) {
    source = `the file of ${fileEnv}, ${JSON.stringify(path)},`;
    try {
      text = readSecretFile(path);
    } catch (error) {
      problems.push(`${source} cannot be read: ${(error as Error).message}`);
      return null;
    }
  }
  if (text === undefined) return null;
  const value = option.type.parse(text);
  if (value !== undefined) return value;
  const { fault = 'is malformed', allowed, advice } = option.type;
  problems.push(`${source} ${fault}: must be ${allowed}${advice === undefined ? '' : `; ${advice}`}`);
  return null;
}

function complete(values: Values, env: Environment, machine: Machine): Config {
  const dataDir = resolve(values.dataDir ?? '.');
  const drainMs = values.drainMs ?? 0;
  const objectStore = values.objectStore ?? { kind: 'file', folder: dataDir };
  return {
    ...(values as { [K in OptionName]: Value<K> }),
    ...{ jwtSecret: values.jwtSecret, s3Endpoint: values.s3Endpoint, s3KmsKeyId: values.s3KmsKeyId },
    configFile: values.configFile,
    // What is free on a node is not what a volume may hold: a pod that takes more is ended.
    cacheBytes: values.cacheBytes ?? (machine.inPod === true ? 0 : null),
    ...{ podName: values.podName, podNamespace: values.podNamespace, nodeName: values.nodeName },
    traceEndpoint: values.traceEndpoint,
    traceHeaders: values.traceHeaders ?? {},
    traceResource: values.traceResource ?? {},
    // Long enough for most balancers; no endpoint is behind when there are none.
    drainDelayMs: values.drainDelayMs ?? (machine.inPod === true ? Math.min(DRAIN_DELAY_POD_MS, drainMs) : 0),
    jwtSecretFile: env[`${OPTIONS.jwtSecret.env}_FILE`] ?? null,
    devSecretFile: join(dataDir, 'development-secret'),
    heldBytesMax: heldBytes(machine),
    memoryBytesAdvised: engineBytesAdvised(machine),
    host: values.host ?? (values.jwtSecret === null ? '127.0.0.1' : '0.0.0.0'),
    dataDir,
    objectStore:
      objectStore.kind === 'file' ? { kind: 'file', folder: resolve(objectStore.folder) } : objectStore,
    // On S3 every slot is a read that opening the collection waits for; in a folder it costs next to nothing.
    foldSlots: values.foldSlots ?? (objectStore.kind === 's3' ? FOLD_SLOTS_S3 : FOLD_SLOTS_FOLDER),
  };
}

function conflicts(config: Config, values: Values): string[] {
  const problems: string[] = [];
  const ports = [OPTIONS.httpPort, OPTIONS.grpcPort, OPTIONS.opsPort].map((option) => option.env);
  const numbers = [config.httpPort, config.grpcPort, config.opsPort];
  for (let i = 0; i < numbers.length; i++) {
    const other = numbers.indexOf(numbers[i] as number);
    if (other < i && numbers[i])
      problems.push(`${ports[other]} and ${ports[i]} are both ${numbers[i]}: each needs a port of its own`);
  }
  const neededBytes = MEMORY_BYTES_BASE + config.workerThreads * MEMORY_BYTES_PER_ENGINE;
  // A value that was refused is no number.
  if (values.memoryBytes !== null && values.workerThreads !== null && values.memoryBytes < neededBytes) {
    problems.push(
      `OMENDB_MEMORY_BYTES is ${config.memoryBytes}: ${config.workerThreads} engines need at least ${neededBytes}; ` +
        `raise it or lower OMENDB_WORKER_THREADS`,
    );
  }
  if (values.drainDelayMs !== null && values.drainMs !== null && values.drainDelayMs > values.drainMs) {
    problems.push(
      `OMENDB_DRAIN_DELAY is ${values.drainDelayMs} ms, longer than OMENDB_DRAIN_TIME, of which it is a part, ` +
        `with ${values.drainMs} ms: raise the one or lower the other`,
    );
  }
  if (config.s3KmsKeyId !== null && config.s3Encryption !== 'aws:kms') {
    problems.push(
      `OMENDB_S3_SSE_KMS_KEY_ID is set and OMENDB_S3_SSE is ${config.s3Encryption}: ` +
        `set OMENDB_S3_SSE=aws:kms, or remove the key`,
    );
  }
  if (config.jwtSecret === null && !isLoopback(config.host)) {
    problems.push(
      `OMENDB_HOST is ${JSON.stringify(config.host)}, which other machines can reach: ` +
        `that needs OMENDB_JWT_SECRET or OMENDB_JWT_SECRET_FILE`,
    );
  }
  return problems;
}

function unknownVariables(env: Environment): string[] {
  const known = Object.values(OPTIONS as Readonly<Record<string, Option<unknown>>>).flatMap((option) =>
    option.secret ? [option.env, `${option.env}_FILE`] : [option.env],
  );
  return Object.keys(env)
    .filter(
      (name) => name.startsWith('OMENDB_') && !known.includes(name) && !isServiceLink(name, env[name] ?? ''),
    )
    .sort()
    .map((name) => {
      const guess = nearest(name, known);
      return `${name} is not a setting${guess === undefined ? '; "omendb --help" lists them' : `: did you mean ${guess}?`}`;
    });
}
