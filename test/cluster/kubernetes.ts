// kubectl, helm and scripts against the cluster of the tests: inside the namespaces of the kit, or with the
// KUBECONFIG that was given.
import { execFile, spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithProcess } from '../support/end-with-process.js';

/** Of the project. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Outcome {
  readonly code: number;
  /** What it printed to both streams. */
  readonly output: string;
  readonly stdout: string;
}

/** A Kubernetes object, as far as tests look into it. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly {
      readonly manager: string;
      readonly operation: string;
      readonly fieldsV1: Readonly<Record<string, object>>;
    }[];
  };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, string>>;
}

function commandLine(program: string, args: readonly string[]): [string, string[]] {
  const kit = process.env.TEST_CLUSTER_KIT;
  return kit === undefined ? [program, [...args]] : [join(kit, 'in.sh'), [program, ...args]];
}

function environment(): NodeJS.ProcessEnv {
  const path = [process.env.TEST_CLUSTER_PROGRAMS, process.env.PATH].join(delimiter);
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('OMENDB_'));
  return { ...Object.fromEntries(kept), PATH: path };
}

/** Runs a program to its end, whatever comes of it. */
export function attempt(program: string, args: readonly string[], input?: string): Promise<Outcome> {
  const [command, all] = commandLine(program, args);
  return new Promise((resolve) => {
    const options = { env: environment(), cwd: ROOT, maxBuffer: 1 << 28 };
    const child = execFile(command, all, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, output: `${stdout}${stderr}`, stdout });
    });
    child.stdin?.end(input);
  });
}

/** Runs a program and returns what it printed. Rejects when it fails. */
export async function run(program: string, args: readonly string[], input?: string): Promise<string> {
  const { code, output, stdout } = await attempt(program, args, input);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: exit code ${code}\n${output}`);
  return stdout;
}

/** kubectl. */
export function kubectl(...args: readonly string[]): Promise<string> {
  return run('kubectl', args);
}

/** Helm 4. */
export function helm(...args: readonly string[]): Promise<string> {
  return run('helm', args);
}

/** Makes or changes objects. */
export async function apply(yaml: string): Promise<void> {
  await run('kubectl', ['apply', '--server-side', '-f', '-'], yaml);
}

/** Objects of a kind, such as `('omendb-system', 'pods', '-l', 'app=x')`. */
export async function list(
  namespace: string,
  kind: string,
  ...args: readonly string[]
): Promise<readonly KubernetesObject[]> {
  const text = await kubectl('-n', namespace, 'get', kind, ...args, '-o', 'json');
  return (JSON.parse(text) as { items: KubernetesObject[] }).items;
}

/** One object. */
export async function get(
  namespace: string,
  kind: string,
  name: string,
  ...args: readonly string[]
): Promise<KubernetesObject> {
  return JSON.parse(
    await kubectl('-n', namespace, 'get', kind, name, ...args, '-o', 'json'),
  ) as KubernetesObject;
}

/** Every object of a release in a namespace, whatever kind it has, and those that are in none. */
export function leftOf(release: string, namespace = 'omendb-system'): Promise<readonly string[]> {
  return everyObject(namespace, /^events|metrics\.k8s\.io$/, '-l', `app.kubernetes.io/instance=${release}`);
}

/** Every object in a namespace and outside of all, but those that come and go by themselves. */
export function objectsIn(namespace: string): Promise<readonly string[]> {
  return everyObject(namespace, /^(events|leases|persistentvolumes|componentstatuses)\b|metrics\.k8s\.io$/);
}

async function everyObject(
  namespace: string,
  without: RegExp,
  ...args: readonly string[]
): Promise<readonly string[]> {
  const kinds = (await kubectl('api-resources', '--verbs=list', '-o', 'name')).trim().split('\n');
  const wanted = kinds.filter((kind) => !without.test(kind)).join(',');
  const columns = '{range .items[*]}{.metadata.namespace} {.kind}/{.metadata.name}{"\\n"}{end}';
  const text = await kubectl('get', wanted, '-A', ...args, '-o', `jsonpath=${columns}`);
  return text
    .split('\n')
    .filter((line) => line.startsWith(' ') || line.startsWith(`${namespace} `))
    .map((line) => line.replace(/ .*\//, (kind) => kind.toLowerCase()).trim())
    .sort();
}

/** A program in a pod that goes on, and answers each line with one. */
export class Conversation<Answer> {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<number | null>;
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  #printed = '';
  #errors = '';

  constructor(program: string, args: readonly string[]) {
    const [command, all] = commandLine(program, args);
    this.#child = spawn(command, all, { env: environment(), cwd: ROOT, stdio: 'pipe' });
    endWithProcess(this.#child);
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    this.#child.stdout.on('data', (chunk: Buffer) => this.#read(chunk.toString()));
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve));
    void this.#ended.then(() => {
      for (const resolve of this.#waiting.splice(0)) resolve(undefined);
    });
  }

  /** How it goes. */
  ask(): Promise<Answer> {
    const answer = this.#next();
    this.#child.stdin.write('how\n');
    return answer;
  }

  /** Ends it and returns its last answer. */
  async end(): Promise<Answer> {
    const answer = this.#next();
    this.#child.stdin.end();
    const last = await answer;
    await this.#ended;
    return last;
  }

  #next(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push((line) => {
        if (line === undefined) reject(new Error(`the program in the pod ended: ${this.#errors}`));
        else resolve(JSON.parse(line) as Answer);
      });
      if (this.#child.exitCode !== null) this.#waiting.pop()?.(undefined);
    });
  }

  #read(text: string): void {
    const lines = (this.#printed + text).split('\n');
    this.#printed = lines.pop() ?? '';
    for (const line of lines) this.#waiting.shift()?.(line);
  }
}
