// The tools of Prometheus and Alertmanager, and rule files made for them.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Rule } from '#alerts/render.mjs';
import { RECORDINGS } from '#support/rules.js';

export const ALERTS_FOLDER = new URL('../../../alerts/', import.meta.url).pathname;

export interface Ended {
  readonly status: number | null;
  readonly output: string;
}

interface ExpectedAlert {
  readonly exp_labels: Readonly<Record<string, string>>;
  readonly exp_annotations: Readonly<Record<string, string>>;
}

/** A question of a unit test: which alerts of this name fire then? */
export interface Check {
  readonly eval_time: string;
  readonly alertname: string;
  readonly exp_alerts: readonly ExpectedAlert[];
}

export interface TestGroup {
  readonly name: string;
  readonly alert_rule_test?: readonly Check[];
  /** What is not read here. */
  readonly [key: string]: unknown;
}

/** A file of unit tests of promtool, as far as it is read here. */
export interface TestFile {
  readonly rule_files: readonly string[];
  readonly tests: readonly TestGroup[];
}

/** Runs a tool to its end. */
export async function run(command: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(command, args, { cwd: ALERTS_FOLDER, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { status, output };
}

export async function readAlertsFile(name: string): Promise<unknown> {
  return parse(await readFile(join(ALERTS_FOLDER, name), 'utf8'));
}

/** Runs unit tests on other rules. The rules see what the recording rules record. */
export async function testRules(rules: readonly Rule[], file: TestFile): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), 'omendb-alerts-'));
  try {
    const names = new Set(rules.map(({ record }) => record));
    const needed = rules.some(({ expr }) => expr.includes('job:omendb_')) ? RECORDINGS : [];
    const recorded = needed.filter(({ record }) => !names.has(record));
    const groups = [
      { name: 'recorded', rules: recorded },
      { name: 'tested', rules },
    ].filter((group) => group.rules.length > 0);
    await writeFile(join(folder, 'rules.yml'), stringify({ groups }));
    await writeFile(join(folder, 'test.yml'), stringify({ ...file, rule_files: ['rules.yml'] }));
    return await run('promtool', ['test', 'rules', join(folder, 'test.yml')]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
