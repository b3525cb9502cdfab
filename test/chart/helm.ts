// Runs Helm on the chart and reads what it renders, strictly.
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
export const CHART = join(ROOT, 'helm/omendb');

export const MAJORS = ['3', '4'] as const;
export type Major = (typeof MAJORS)[number];

/** The oldest and the newest Kubernetes that the chart is rendered for. */
export const KUBERNETES = { floor: '1.30.0', newest: '1.34.0' } as const;

/** An object of Kubernetes, as far as tests look into it. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [key: string]: unknown;
}

/** Values to render with. */
export interface Values {
  readonly release?: string;
  readonly namespace?: string;
  /** Values files below the chart, each counts more than those before it. */
  readonly files?: readonly string[];
  /** Arguments of `--set`. */
  readonly set?: readonly string[];
  readonly kubernetes?: string;
  readonly chart?: string;
}

/** What a command has printed, and its exit code. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What is needed to render the environments without a cluster. */
export const OFFLINE = [
  'capabilities.check=false',
  'config.objectStore=s3://vectors/omendb',
  'image.tag=v0.1.0',
];

/** Every combination of values that the chart is proven with: its defaults, the environments, and ci/. */
export function scenarios(): readonly (Values & { readonly name: string })[] {
  const files = readdirSync(join(CHART, 'ci')).sort();
  return [
    { name: 'default' },
    { name: 'staging', files: ['values-staging.yaml'], set: OFFLINE },
    { name: 'production', files: ['values-production.yaml'], set: OFFLINE },
    ...files.map((file) => ({ name: file.replace('-values.yaml', ''), files: [`ci/${file}`] })),
  ];
}

export function scenario(name: string): Values {
  const found = scenarios().find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`there is no scenario ${name}`);
  return found;
}

export function helm(major: Major, args: readonly string[]): Ended {
  return run(program(`TEST_HELM${major}`), args);
}

export function run(command: string, args: readonly string[], input?: string): Ended {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    input: input ?? '',
    maxBuffer: 2 ** 28,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

/** The same without waiting, for many at a time. */
export function helmLater(major: Major, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      program(`TEST_HELM${major}`),
      args,
      { cwd: ROOT, maxBuffer: 2 ** 28 },
      (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : 1, stdout, stderr });
      },
    );
  });
}

/** Those for which the answer is no, asked a few at a time. */
export async function refute<T>(all: readonly T[], ask: (one: T) => Promise<boolean>): Promise<T[]> {
  const answers = new Map<T, boolean>();
  const waiting = [...all];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      answers.set(next, await ask(next));
  };
  await Promise.all([work(), work(), work(), work()]);
  return all.filter((one) => answers.get(one) === false);
}

/** The path of a program that `npm run test:chart` has installed. */
export function program(variable: string): string {
  const path = process.env[variable];
  if (path === undefined) throw new Error(`${variable} is not set: run "npm run test:chart"`);
  return path;
}

export function templateArgs(values: Values): string[] {
  return [
    'template',
    values.release ?? 'omendb',
    values.chart ?? CHART,
    ...['--namespace', values.namespace ?? 'omendb-system'],
    ...['--kube-version', values.kubernetes ?? KUBERNETES.newest],
    ...(values.files ?? []).flatMap((file) => ['--values', join(CHART, file)]),
    ...(values.set ?? []).flatMap((text) => ['--set', text]),
  ];
}

const texts = new Map<string, string>();

/** The text that Helm renders; of the same values it is rendered once. */
export function renderText(values: Values, major: Major = '3'): string {
  const args = templateArgs(values);
  const key = JSON.stringify([major, args]);
  const known = texts.get(key);
  if (known !== undefined) return known;
  const { status, stdout, stderr } = helm(major, args);
  if (status !== 0) throw new Error(`helm ${args.join(' ')}\n${stderr}`);
  texts.set(key, stdout);
  return stdout;
}

const objects = new Map<string, readonly Rendered[]>();

export function render(values: Values, major: Major = '3'): readonly Rendered[] {
  const text = renderText(values, major);
  const known = objects.get(text);
  if (known !== undefined) return known;
  const parsed = parseObjects(text);
  objects.set(text, parsed);
  return parsed;
}

/** Objects of a text, by YAML 1.2 with unique keys; documents without content are left out. */
export function parseObjects(text: string): readonly Rendered[] {
  return parseAllDocuments(text, { version: '1.2', uniqueKeys: true }).flatMap((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw problem;
    const value = document.toJS({ maxAliasCount: 0 }) as Rendered | null;
    return value === null ? [] : [value];
  });
}

/** What Helm says when it refuses values. Fails when it does not refuse. */
export function refusal(values: Values, major: Major = '3'): string {
  const { status, stderr } = helm(major, templateArgs(values));
  if (status === 0) throw new Error(`not refused: ${JSON.stringify(values)}`);
  return stderr;
}

export function one(all: readonly Rendered[], kind: string, name?: string): Rendered {
  const found = all.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(`${found.length} objects ${kind} ${name ?? ''} instead of one`);
  }
  return first;
}

export function ofKind(all: readonly Rendered[], kind: string): readonly Rendered[] {
  return all.filter((object) => object.kind === kind);
}

/** The value at a path such as `spec.template.spec.containers.0.image`; undefined where there is none. */
export function at(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split('.')) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found;
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
