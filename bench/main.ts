// `npm run bench [-- SUITE…] [--quick] [--full] [--part PART,…]`: runs suites, prints their tables, keeps
// everything as JSON in bench/results.
import { parseArgs } from 'node:util';
import type { BenchContext, Report } from './report.js';
import { busyWarning, keep, renderGoals, renderTable } from './report.js';

type Suite = (context: BenchContext) => Promise<Report>;

/** Loaded when they run, so that one suite does not need the packages of another. */
const SUITES: Readonly<Record<string, () => Promise<Suite>>> = {
  engine: async () => (await import('./engine.js')).engineSuite,
  ingest: async () => (await import('./ingest.js')).ingestSuite,
  network: async () => (await import('./network.js')).networkSuite,
  codec: async () => (await import('./codec.js')).codecSuite,
  storage: async () => (await import('./storage.js')).storageSuite,
  metrics: async () => (await import('./metrics.js')).metricsSuite,
  'ssd-cache': async () => (await import('./ssd-cache.js')).ssdCacheSuite,
  'hand-off': async () => (await import('./hand-off.js')).handOffSuite,
  tiers: async () => (await import('./tiers.js')).tiersSuite,
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    part: { type: 'string', multiple: true, default: [] },
  },
});
const { quick, full } = options;
const parts = options.part.flatMap((part) => part.split(','));
const named = positionals.filter((name) => name !== 'all');
const unknown = named.filter((name) => SUITES[name] === undefined);
if (unknown.length > 0) {
  process.stderr.write(`no such suite: ${unknown.join(', ')}; there are ${Object.keys(SUITES).join(', ')}\n`);
  process.exit(2);
}

const names = named.length > 0 ? named : Object.keys(SUITES);
const reports: Record<string, Report> = {};
for (const name of names) {
  const started = performance.now();
  const elapsed = (): string => `${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s`;
  const suite = await load(name);
  if (suite === undefined) continue;
  const progress = (message: string): void => void process.stderr.write(`${name} ${elapsed()}  ${message}\n`);
  const warning = busyWarning();
  if (warning !== '') progress(warning);
  const report = withNote(
    await suite({ progress, quick, full, parts }),
    quick ? 'a quick run: not a measurement' : warning,
  );
  reports[name] = report;
  process.stdout.write(`\n${report.tables.map(renderTable).join('\n')}`);
}
const goals = Object.values(reports).flatMap((report) => report.goals);
if (goals.length > 0) process.stdout.write(`\n${renderGoals(goals)}`);
if (Object.keys(reports).length > 0) process.stdout.write(`kept in ${keep(names.join('-'), reports)}\n`);

/** The report with a note under each of its tables. */
function withNote(report: Report, note: string): Report {
  if (note === '') return report;
  return {
    ...report,
    tables: report.tables.map((table) => ({ ...table, notes: [...(table.notes ?? []), note] })),
  };
}

/** The suite, or undefined when it cannot run here; then the exit code says so. */
async function load(name: string): Promise<Suite | undefined> {
  try {
    return await SUITES[name]?.();
  } catch (error) {
    if (!String(error).includes('hnswlib-node')) throw error;
    process.stderr.write(
      `${name}: hnswlib-node, which it compares with, is not installed. It is compiled during the install and ` +
        `needs a C++ compiler and Python: install them, remove node_modules and run this again.\n`,
    );
    process.exitCode = 1;
    return undefined;
  }
}
