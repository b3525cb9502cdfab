// One name in every place: whatever rules, their tests, boards, runbooks and documents say about a metric, a
// label, an alert or a board is true, and renaming one of them is noticed in each place.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { panelsOf, usesOf } from '#scripts/metrics-usage.mjs';
import type { ParsedBoard } from '#scripts/metrics-usage.mjs';
import { CATALOG, RUNTIME_FAMILIES } from '#server/core/metrics/catalog.js';
import type { Family, LabelValues } from '#server/core/metrics/families.js';
import { metricProblems } from '../support/known-metrics.js';
import type { KnownFamily, KnownNames, TextFile } from '../support/mentions.js';
import { mentionsFamily, unknownMentions } from '../support/mentions.js';
import { ALERTS, RECORDED, RECORDINGS } from '../support/rules.js';
import { ROOT, expectNone } from '../tidy/tree.js';

/** Where people and tools read our names. */
const PLACES: Readonly<Record<string, (path: string) => boolean>> = {
  rules: (path) => /^alerts\/(omendb|adapter)\.rules\.yml$/.test(path),
  'tests of rules': (path) => /^alerts\/.*\.test\.yml$/.test(path),
  boards: (path) => /^dashboards\/omendb-.*\.json$/.test(path),
  runbooks: (path) => path.startsWith('alerts/runbooks/'),
  documents: (path) => /^(docs|server\/docs)\//.test(path),
  README: (path) => path === 'README.md',
};
const TEXT = /\.(md|ya?ml|json|tpl|txt)$/;
const FOLDERS = ['alerts', 'dashboards', 'docs', 'server/docs', 'helm'];
/** Metrics that no alert and no panel looks at, and why they are there. */
const REFERENCE_ONLY: Readonly<Record<string, string>> = {
  nodejs_eventloop_lag_seconds: 'public boards for Node.js show it',
  nodejs_eventloop_lag_min_seconds: 'public boards for Node.js show it',
  nodejs_eventloop_lag_max_seconds: 'public boards for Node.js show it',
  nodejs_eventloop_lag_stddev_seconds: 'public boards for Node.js show it',
  nodejs_eventloop_lag_p50_seconds: 'public boards for Node.js show it',
  nodejs_eventloop_lag_p90_seconds: 'public boards for Node.js show it',
  nodejs_heap_space_size_total_bytes: 'public boards for Node.js show it',
  nodejs_heap_space_size_available_bytes: 'public boards for Node.js show it',
  nodejs_version_info: 'omendb_build_info says it',
  process_cpu_user_seconds_total: 'process_cpu_seconds_total is the sum',
  process_cpu_system_seconds_total: 'process_cpu_seconds_total is the sum',
  process_virtual_memory_bytes: 'address space is reserved and costs nothing',
  process_heap_bytes: 'nodejs_heap_size_used_bytes says more',
};

const FILES: readonly TextFile[] = [
  'README.md',
  'CONTRIBUTING.md',
  ...FOLDERS.flatMap((folder) => within(folder)),
]
  .filter((path) => TEXT.test(path) && !/(^|\/)(third_party|dist|node_modules)\//.test(path))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
const BOARDS = FILES.filter(({ path }) => PLACES['boards']?.(path)).map(({ path, text }) => ({
  file: path,
  json: JSON.parse(text) as ParsedBoard['json'] & { readonly uid: string },
}));
const KNOWN: KnownNames = {
  families: familiesOf(),
  recordings: new Set(RECORDINGS.map(({ record }) => record)),
  adapted: adaptedIn(fileAt('alerts/adapter.rules.yml')?.text ?? ''),
  alerts: new Set(ALERTS.map(({ alert }) => alert)),
  boards: new Set(BOARDS.map(({ json }) => json.uid)),
  panels: new Map(
    BOARDS.map((board) => [board.json.title, new Set(panelsOf(board).map(({ panel }) => panel))]),
  ),
};

describe('Names of metrics, labels, alerts and boards', () => {
  it('exist wherever they are mentioned', () => {
    expectNone(FILES.flatMap((file) => unknownMentions(file, KNOWN)));
  });

  it('are all used: by an alert or a panel, or kept for a reason that is still true', () => {
    const uses = usesOf({
      families: [...KNOWN.families.keys()],
      rules: [parse(fileAt('alerts/omendb.rules.yml')?.text ?? '') as never],
      ...{ boards: BOARDS, runbooks: [] },
    });
    const unused = [...uses].filter(([, { alerts, panels }]) => alerts.length + panels.length === 0);
    expect(unused.map(([name]) => name).sort()).to.deep.equal(Object.keys(REFERENCE_ONLY).sort());
  });

  it('of alerts each have a runbook, and of runbooks an alert', () => {
    const runbooks = within('alerts/runbooks').filter((path) => path !== 'alerts/runbooks/README.md');
    const wanted = [...KNOWN.alerts].map((alert) => `alerts/runbooks/${alert}.md`);
    expect([...runbooks].sort()).to.deep.equal(wanted.sort());
  });

  it('are documented: the reference has every metric', () => {
    const reference = fileAt('docs/metrics.md');
    const missing = [...KNOWN.families.keys()].filter(
      (name) => reference === undefined || !mentionsFamily(reference, name),
    );
    expectNone(missing);
  });

  it('make queries that Prometheus understands, in documents and runbooks', () => {
    const queries = FILES.flatMap((file) => queriesIn(file));
    expect(queries.length).to.be.greaterThan(50);
    expectNone(
      queries.flatMap(({ path, query }) =>
        metricProblems(query, RECORDED).map((problem) => `${path}: ${problem}: ${query}`),
      ),
    );
  });
});

describe('Renaming', () => {
  for (const [place, isThere] of Object.entries(PLACES)) {
    it(`a metric is noticed in ${place}`, () => {
      const files = FILES.filter(({ path }) => isThere(path));
      const mentioned = [...KNOWN.families.keys()].filter((name) =>
        files.some((file) => mentionsFamily(file, name)),
      );
      expect(mentioned, 'metrics that are mentioned').to.not.have.length(0);
      for (const name of mentioned) {
        const renamed = { ...KNOWN, families: withRenamed(KNOWN.families, name, 'omendb_renamed') };
        const noticing = files.filter((file) => unknownMentions(file, renamed).length > 0);
        const naming = files.filter((file) => mentionsFamily(file, name));
        expect(
          noticing.map(({ path }) => path),
          name,
        ).to.deep.equal(naming.map(({ path }) => path));
      }
    });
  }

  it('one metric is noticed in every place at once', () => {
    const name = 'omendb_query_latency_seconds';
    const renamed = { ...KNOWN, families: withRenamed(KNOWN.families, name, 'omendb_latency_seconds') };
    for (const [place, isThere] of Object.entries(PLACES)) {
      const problems = FILES.filter(({ path }) => isThere(path)).flatMap((file) =>
        unknownMentions(file, renamed),
      );
      expect(problems.join('\n'), place).to.include('there is no metric omendb_query_latency_seconds');
    }
  });

  it('a label or one of its values is noticed', () => {
    const { labels, type } = KNOWN.families.get('omendb_errors_total') ?? { labels: new Map(), type: '' };
    const changes = [
      withRenamed(labels, 'fault', 'blame'),
      new Map(labels).set('fault', ['client', 'us'] as readonly string[]),
    ];
    for (const [at, changed] of changes.entries()) {
      const families = new Map(KNOWN.families).set('omendb_errors_total', { type, labels: changed });
      const problems = FILES.flatMap((file) => unknownMentions(file, { ...KNOWN, families })).join('\n');
      const expected = [
        'omendb_errors_total has no label fault',
        'omendb_errors_total has no fault="server"',
      ];
      for (const place of [
        'alerts/omendb.rules.yml',
        'alerts/omendb.test.yml',
        'dashboards/omendb-server.json',
      ]) {
        expect(problems).to.include(`${place}: ${expected[at]}`);
      }
    }
  });

  it('an alert, a recording rule, a board or a panel is noticed', () => {
    const without = (names: ReadonlySet<string>, name: string): ReadonlySet<string> =>
      new Set([...names].filter((each) => each !== name));
    const cases: readonly [KnownNames, string][] = [
      [
        { ...KNOWN, alerts: without(KNOWN.alerts, 'OmenDBHighLatency') },
        'there is no alert OmenDBHighLatency',
      ],
      [
        { ...KNOWN, recordings: without(KNOWN.recordings, 'job:omendb_requests:rate5m') },
        'there is no recording rule job:omendb_requests:rate5m',
      ],
      [
        { ...KNOWN, panels: new Map(KNOWN.panels).set('OmenDB / Server', new Set(['Up'])) },
        'there is no panel OmenDB / Server: P99 of searches',
      ],
      [{ ...KNOWN, boards: without(KNOWN.boards, 'omendb-server') }, 'there is no board omendb-server'],
    ];
    for (const [known, problem] of cases) {
      expect(FILES.flatMap((file) => unknownMentions(file, known)).join('\n')).to.include(problem);
    }
  });
});

/** Names that the adapter gives; those that it keeps are ours. */
function adaptedIn(rules: string): ReadonlySet<string> {
  const names = [...rules.matchAll(/^\s*as: (\w+)$/gm)].map(([, name = '']) => name);
  return new Set(names.filter((name) => !familiesOf().has(name)));
}

function familiesOf(): ReadonlyMap<string, KnownFamily> {
  const ours = Object.entries<Family>(CATALOG).map(([name, { type, labels }]): [string, KnownFamily] => [
    name,
    { type, labels: new Map(Object.entries(labels).map(([label, values]) => [label, valuesOf(values)])) },
  ]);
  const runtime = Object.entries(RUNTIME_FAMILIES).map(([name, [type, ...labels]]): [string, KnownFamily] => [
    name,
    { type, labels: new Map(labels.map((label) => [label, null])) },
  ]);
  return new Map([...ours, ...runtime]);
}

function valuesOf(values: LabelValues): readonly string[] | null {
  return 'kind' in values ? null : values;
}

function withRenamed<T>(names: ReadonlyMap<string, T>, from: string, to: string): Map<string, T> {
  return new Map([...names].map(([name, value]) => [name === from ? to : name, value]));
}

/** PromQL in fences that say so, and in the reference's column of queries. */
function queriesIn({ path, text }: TextFile): { readonly path: string; readonly query: string }[] {
  if (!path.endsWith('.md')) return [];
  const fenced = [...text.matchAll(/```promql\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.split(/\n\s*\n/),
  );
  const column = path === 'docs/metrics.md' ? [...text.matchAll(/^\| `omendb_\w+` \| `([^`]+)` \|/gm)] : [];
  return [...fenced, ...column.map(([, query = '']) => query)]
    .map((query) => query.replace(/^#.*$/gm, '').trim())
    .filter((query) => query !== '')
    .map((query) => ({ path, query }));
}

function fileAt(path: string): TextFile | undefined {
  return FILES.find((file) => file.path === path);
}

function within(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length).replace(/^\//, ''))
    .sort();
}
