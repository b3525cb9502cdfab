// Prometheus as a child process that scrapes and evaluates once a second, and its HTTP API.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startProgram } from './programs.js';
import type { Program } from './programs.js';
import { reservePort } from './ports.js';

/** What is scraped, and the labels that its series get. */
export interface Target {
  /** `127.0.0.1:PORT` of the ops port. */
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** One series of an answer. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** Seconds since 1970 and the value as text. */
  readonly values: readonly (readonly [number, string])[];
}

/** A window of time, in seconds since 1970. */
export interface Window {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

export interface Prometheus extends Program {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  query(expression: string): Promise<readonly (Series & { readonly value: readonly [number, string] })[]>;
  queryRange(expression: string, window: Window): Promise<readonly Series[]>;
  /** Trace ids of the exemplars of these series within the window. */
  exemplars(selector: string, window: Window): Promise<readonly string[]>;
}

export interface PrometheusOptions {
  readonly folder: string;
  readonly targets: readonly Target[];
  /** Text of the rule file. */
  readonly rules?: string;
  /** `127.0.0.1:PORT` */
  readonly alertmanager?: string;
}

export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const { folder, targets, rules, alertmanager } = options;
  await mkdir(folder, { recursive: true });
  const ruleFile = join(folder, 'omendb.rules.yml');
  if (rules !== undefined) await writeFile(ruleFile, rules);
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '900ms', evaluation_interval: '1s' },
    scrape_configs: [
      {
        job_name: 'omendb',
        static_configs: targets.map(({ address, labels }) => ({ targets: [address], labels })),
      },
    ],
    ...(rules === undefined ? {} : { rule_files: [ruleFile] }),
    ...(alertmanager === undefined
      ? {}
      : { alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] } }),
  };
  await writeFile(join(folder, 'prometheus.yml'), stringify(config));
  const address = `127.0.0.1:${await reservePort()}`;
  const url = `http://${address}`;
  const program = await startProgram(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--enable-feature=exemplar-storage',
    ],
    `${url}/-/ready`,
  );
  return {
    ...program,
    url,
    query: async (expression) => {
      const { result } = await ask<{ result: (Series & { value: [number, string] })[] }>(url, 'query', {
        query: expression,
      });
      return result;
    },
    queryRange: async (expression, window) => {
      const { result } = await ask<{ result: Series[] }>(url, 'query_range', {
        query: expression,
        ...inText(window),
      });
      return result;
    },
    exemplars: async (selector, window) => {
      const series = await ask<{ exemplars: { labels: { trace_id?: string } }[] }[]>(url, 'query_exemplars', {
        query: selector,
        ...inText(window),
      });
      return series.flatMap(({ exemplars }) => exemplars.flatMap(({ labels }) => labels.trace_id ?? []));
    },
  };
}

function inText({ start, end, step }: Window): Record<string, string> {
  return { start: String(start), end: String(end), step: String(step) };
}

async function ask<T>(url: string, path: string, form: Record<string, string>): Promise<T> {
  const response = await fetch(`${url}/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(form) });
  const answer = (await response.json()) as { status: string; error?: string; data: T };
  if (answer.status !== 'success') throw new Error(`${path} ${form['query'] ?? ''}: ${answer.error ?? ''}`);
  return answer.data;
}
