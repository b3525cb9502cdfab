// What is wrong with a page of docs/operations: a block that nobody runs, or a name of something that does
// not exist. Works on any catalogue, so that a test can plant mistakes.
import { spawnSync } from 'node:child_process';
import type { Example, Page, Place } from './operations-pages.js';

/** What there is. */
export interface KnownToPages {
  /** The parsed values of the chart. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Names of settings below `config`. */
  readonly settings: ReadonlySet<string>;
  /** Reasons of errors. */
  readonly reasons: ReadonlySet<string>;
  /** Names of metrics. */
  readonly metrics: ReadonlySet<string>;
  /** What `omendb --help` prints. */
  readonly help: string;
  /** What `scripts/deploy.sh --help` prints. */
  readonly deployHelp: string;
  /** Source of the tests that run examples. */
  readonly tests: Readonly<Record<Place, string>>;
  readonly fileExists: (path: string) => boolean;
}

const RUNNABLE = new Set(['sh', 'yaml']);
const SHOWN_ONLY = new Set(['mermaid', 'text']);
/** Words in capitals that are reasons of nothing. */
const OTHER_CAPITALS = /^(OMENDB|OTEL|AWS|UND_ERR|EAI)_/;

/** Every mistake, a line each. */
export function pageProblems(page: Page, known: KnownToPages): string[] {
  const problems = [
    ...page.examples.flatMap((example) => exampleProblems(example, known)),
    ...doubleNames(page),
    ...keysIn(page).flatMap((key) => (hasKey(key, known) ? [] : [`the chart has no value ${key}`])),
    ...commandsIn(page).flatMap((line) => [...commandProblems(line, known), ...metricProblems(line, known)]),
    ...[...page.text.matchAll(/`([A-Z]{3,}(?:_[A-Z]+)+)`/g)]
      .map(([, word = '']) => word)
      .filter((word) => !OTHER_CAPITALS.test(word) && !known.reasons.has(word))
      .map((word) => `no error has the reason ${word}`),
  ];
  return [...new Set(problems)].map((problem) => `${page.path}: ${problem}`);
}

function exampleProblems(example: Example, known: KnownToPages): string[] {
  const { language, text, backing, page } = example;
  const [first = ''] = text.trim().split('\n');
  if (SHOWN_ONLY.has(language)) return [];
  if (!RUNNABLE.has(language)) return [`a block is in ${language}, which nobody checks: ${first}`];
  if (backing === undefined) return [`a block does not say who runs it: ${first}`];
  const problems = language === 'sh' ? shellProblems(text, known) : [];
  if (backing.kind === 'tested') {
    const { place, name } = backing;
    const call = new RegExp(`[([]\\s*'${page}',\\s*'${name}'`);
    if (!call.test(known.tests[place])) problems.push(`no test of ${place} runs the block ${name}`);
  }
  return problems;
}

function shellProblems(text: string, { fileExists }: KnownToPages): string[] {
  const { status, stderr } = spawnSync('bash', ['-n'], { input: text, encoding: 'utf8' });
  const syntax = status === 0 ? [] : [`bash does not read a block: ${stderr.trim()}`];
  const paths = [...text.matchAll(/(?<![\w./-])(?:file:\/\/|\.\/)?((?:docs|helm|k8s|scripts)\/[\w./-]+)/g)];
  const missing = paths.map(([, path = '']) => path).filter((path) => !fileExists(path));
  return [...syntax, ...missing.map((path) => `there is no file ${path}`)];
}

function doubleNames({ examples }: Page): string[] {
  const names = examples.flatMap(({ backing }) =>
    backing?.kind === 'tested' ? [`${backing.place} ${backing.name}`] : [],
  );
  return names
    .filter((name, index) => names.indexOf(name) !== index)
    .map((name) => `two blocks are called ${name}`);
}

/** Keys of values that a page names: in `--set`, and in the text as code with dots. */
function keysIn({ text }: Page): string[] {
  const set = [...text.matchAll(/--set(?:-string)?[ =]([\w.-]+)=/g)].map(([, key = '']) => key);
  const prose = text.replace(/```[\s\S]*?```/g, '');
  const named = [...prose.matchAll(/`([a-z]\w*(?:\.[A-Za-z]\w*)+)(?:: [^`]*)?`/g)].map(([, key = '']) => key);
  return [...set, ...named.filter((key) => !/\.(json|ya?ml|md|mjs|sh)$/.test(key))];
}

function hasKey(key: string, { values, settings }: KnownToPages): boolean {
  const [first = '', second = ''] = key.split('.');
  // Not of the chart: fields of requests and answers.
  if (/^(params|error)$/.test(first)) return true;
  if (first === 'config') return settings.has(second);
  let found: unknown = values;
  for (const name of key.split('.')) {
    // What the user fills in freely.
    if (Array.isArray(found) || found === null) return true;
    if (typeof found !== 'object') return false;
    const map = found as Readonly<Record<string, unknown>>;
    if (found !== values && Object.keys(map).length === 0) return true;
    if (!(name in map)) return false;
    found = map[name];
  }
  return true;
}

/** Lines that call `omendb` or `deploy.sh`, in blocks and in the text as code. */
function commandsIn({ text, examples }: Page): string[] {
  const blocks = examples
    .filter(({ language }) => language === 'sh')
    .flatMap((example) => example.text.replaceAll(/\\\n/g, '').split('\n'));
  const prose = text.replace(/```[\s\S]*?```/g, '');
  return [...blocks, ...[...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)];
}

const OMENDB = /(?:^|-- |\| |\$\()omendb ((?:key )?[a-z]+)((?: [^|)]*)?)/g;

function commandProblems(line: string, { help, deployHelp }: KnownToPages): string[] {
  const ours = [...line.matchAll(OMENDB)].flatMap(([, command = '', rest = '']) => [
    ...(new RegExp(`omendb \\[?${command}\\b`).test(help) ? [] : [`there is no command omendb ${command}`]),
    ...unknownOptions(rest, help, `omendb ${command}`),
  ]);
  const [, deploy = ''] = /scripts\/deploy\.sh\b([^|>]*)/.exec(line) ?? [];
  return [...ours, ...unknownOptions(deploy, deployHelp, 'deploy.sh')];
}

function unknownOptions(text: string, help: string, command: string): string[] {
  return [...text.matchAll(/(?<=\s)--?[a-z][a-z-]*/g)]
    .map(([option]) => option)
    .filter((option) => !new RegExp(`(^|[\\s\\[(,])${option}\\b`, 'm').test(help))
    .map((option) => `${command} has no option ${option}`);
}

/** Of lines that call the function `metrics` of troubleshoot.md with a pattern of names without `omendb_`. */
function metricProblems(line: string, { metrics }: KnownToPages): string[] {
  const [, pattern] = /^metrics '([^']+)'/.exec(line) ?? [];
  if (pattern === undefined) return [];
  return alternativesOf(pattern)
    .filter((name) => ![...metrics].some((metric) => metric.startsWith(`omendb_${name}`)))
    .map((name) => `there is no metric omendb_${name}`);
}

/** `a_(b|c)|d` is a_b, a_c and d. */
function alternativesOf(pattern: string): string[] {
  return pattern.split(/\|(?![^(]*\))/).flatMap((part) => {
    const [whole = '', group = ''] = /\(([^()]*)\)/.exec(part) ?? [];
    if (whole === '') return [part];
    return group.split('|').flatMap((one) => alternativesOf(part.replace(whole, one)));
  });
}
