// `npm test [-- MOCHA ARGUMENTS]`: from a fresh clone, every test that needs nothing but Node.
// `npm run test:sim` runs the simulation: `node scripts/test.mjs --sim [MOCHA ARGUMENTS]`; with
// `--seeds 2000` that many worlds on all cores, with `SEED=7` before it one world with its trace.
// `npm run test:s3` runs against real S3 servers, which it builds once with Go: `--s3`.
// `npm run test:alerts` checks rules, routes and boards with the tools of Prometheus and Alertmanager:
// `--alerts`. `npm run test:live` runs server, Prometheus and Alertmanager together and breaks things:
// `--live`. `npm run test:chart` checks the Helm chart, scripts/deploy.sh and k8s/ with the tools of
// Kubernetes: `--chart`. `npm run test:cluster` installs the chart on a real cluster and breaks things there:
// `--cluster`. `npm run test:recall` compares with exact search on GloVe, which it fetches once:
// `--recall`.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, become, prepare } from './steps.mjs';

const args = process.argv.slice(2);
const SUITES = {
  '--sim': ['test/dist/simulation', 'test/dist/mutants'],
  '--s3': ['test/dist/s3'],
  '--recall': ['bench/dist'],
  '--alerts': ['test/dist/alerts'],
  '--live': ['test/dist/live'],
  '--chart': ['test/dist/chart'],
  '--cluster': ['test/dist/cluster'],
};
const DEBIAN_ALERTS = ['prometheus', 'prometheus-alertmanager'];
const named = SUITES[args[0]];
if (named !== undefined) args.shift();

await prepare({ build: ['proto/codegen', 'sdk/examples', named === SUITES['--recall'] ? 'bench' : 'test'] });
if (named === SUITES['--s3']) {
  const { installS3Servers } = await import('./s3-servers.mjs');
  Object.assign(process.env, await installS3Servers());
}
if (named === SUITES['--alerts'] || named === SUITES['--live']) {
  const { installDebianTools } = await import('./debian-tools.mjs');
  await installDebianTools(named === SUITES['--alerts'] ? DEBIAN_ALERTS : [...DEBIAN_ALERTS, 'chromium']);
}
if (named === SUITES['--chart']) {
  const { installChartTools } = await import('./chart-tools.mjs');
  const { installDebianTools } = await import('./debian-tools.mjs');
  await installDebianTools(['prometheus', 'shellcheck']);
  Object.assign(process.env, await installChartTools());
}
if (named === SUITES['--sim'] && process.env.SEED !== undefined) {
  args.push(join(ROOT, 'test/dist/simulation/histories.test.js'));
}
const folders =
  named ??
  ['unit', 'contract', 'property', 'scenarios', 'observability', 'integration', 'tidy'].map(
    (name) => `test/dist/${name}`,
  );
const specs = args.some((arg) => arg.endsWith('.js'))
  ? []
  : folders
      .map((name) => join(ROOT, name))
      .filter(hasTests)
      .map((folder) => `${folder}/**/*.test.js`);
// Not .mocharc.json: its list of files would be added to ours.
const options = ['--no-config', '--forbid-only', '--timeout', '20000'];
const manySeeds = named === SUITES['--sim'] && args.includes('--seeds');
const command = [
  '--enable-source-maps',
  ...(manySeeds
    ? [join(ROOT, 'test/dist/simulation/run.js'), ...args]
    : [join(ROOT, 'node_modules/mocha/bin/mocha.js'), ...options, ...args, ...specs]),
];
if (named === SUITES['--cluster']) {
  const { withCluster } = await import('./cluster.mjs');
  process.exit(await withCluster(process.execPath, command));
} else {
  become(process.execPath, command);
}

function hasTests(folder) {
  return (
    existsSync(folder) && readdirSync(folder, { recursive: true }).some((name) => name.endsWith('.test.js'))
  );
}
