// How measurements are shown and kept: tables for people, JSON with machine and versions for comparison.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export type Cell = string | number;

/** One table of a suite. Numbers keep their unit in the column's name, such as `p50 µs`. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** What to know when reading it. */
  readonly notes?: readonly string[];
}

/** A target of the project and whether this run met it. */
export interface Goal {
  readonly what: string;
  readonly want: string;
  readonly got: string;
  readonly met: boolean;
}

/** What a suite returns. */
export interface Report {
  readonly tables: readonly Table[];
  readonly goals: readonly Goal[];
}

/** What a suite is given. */
export interface BenchContext {
  /** Tells a person what happens; never part of the results. */
  progress(message: string): void;
  /** Fewer vectors and requests: to see that it runs, not to measure. */
  readonly quick: boolean;
  /** Larger sizes, which take hours. */
  readonly full: boolean;
  /** The parts of a suite to run; none means all. */
  readonly parts: readonly string[];
}

/** Machine and versions that the numbers belong to. */
export function environment(): Readonly<Record<string, Cell>> {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${process.platform} ${release()} ${process.arch}`,
    node: process.versions.node,
    v8: process.versions.v8,
    omendb: versionOf(join(ROOT, 'package.json')),
    hnswlibNode: versionOf(join(ROOT, 'node_modules/hnswlib-node/package.json')),
    undici: versionOf(join(ROOT, 'node_modules/undici/package.json')),
    grpcJs: versionOf(join(ROOT, 'node_modules/@grpc/grpc-js/package.json')),
    commit: commit(),
  };
}

/** Says so when other work would distort the numbers; empty when the machine is quiet. */
export function busyWarning(): string {
  const load = loadavg()[0] ?? 0;
  return load < 0.5 ? '' : `other work is running (load ${load.toFixed(1)}): these numbers are too low`;
}

/** The table as aligned text. */
export function renderTable({ title, columns, rows, notes = [] }: Table): string {
  const cells = [columns, ...rows].map((row) => row.map(show));
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const numeric = columns.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const lines = cells.map((row) =>
    row
      .map((cell, at) => (numeric[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  '),
  );
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [title, '', lines[0], rule, ...lines.slice(1), ...notes.map((note) => `· ${note}`), ''].join('\n');
}

/** The goals as aligned text. */
export function renderGoals(goals: readonly Goal[]): string {
  return renderTable({
    title: 'Goals',
    columns: ['', 'what', 'want', 'got'],
    rows: goals.map(({ what, want, got, met }) => [met ? '✓' : '✗', what, want, got]),
  });
}

/** Writes `bench/results/<time>-<suites>.json` and returns its path. */
export function keep(name: string, reports: Readonly<Record<string, Report>>): string {
  const folder = join(ROOT, 'bench/results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${new Date().toISOString().replace(/[:.]/g, '-')}-${name}.json`);
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), environment: environment(), reports }, null, 2)}\n`,
  );
  return file;
}

/** Percentile by nearest rank of an ascending list. */
export function percentile(ascending: Float64Array, share: number): number {
  return (
    ascending[Math.min(ascending.length - 1, Math.max(0, Math.ceil(ascending.length * share) - 1))] ??
    Number.NaN
  );
}

function show(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  if (Number.isInteger(cell)) return cell.toLocaleString('en').replaceAll(',', ' ');
  return Math.abs(cell) >= 100 ? cell.toFixed(0) : cell.toFixed(Math.abs(cell) < 1 ? 3 : 2);
}

function versionOf(file: string): string {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
  } catch {
    return 'not installed';
  }
}

function commit(): string {
  try {
    const head = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: ROOT,
      encoding: 'utf8',
    }).trim();
    const dirty =
      execFileSync('git', ['status', '--porcelain', '-uno'], { cwd: ROOT, encoding: 'utf8' }) !== '';
    return dirty ? `${head} with changes` : head;
  } catch {
    return 'unknown';
  }
}
