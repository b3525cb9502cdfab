// Writes what the chart is not written by hand: `node scripts/chart.mjs FOLDER` writes below FOLDER the
// schema of the values, the README, the table of settings, and the copies of rules and boards that a chart
// can only read from its own folder. `npm run generate` calls it last, when rules and boards are there.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { OPTIONS } from '../server/dist/config/options.js';
import { chartReadme } from './chart/readme.mjs';
import { valuesSchema } from './chart/schema.mjs';
import { chartSettings } from './chart/settings.mjs';
import { readKeys } from './chart/values-file.mjs';
import { writeKustomize } from './chart/kustomize.mjs';
import { builtHelm } from './chart-tools.mjs';
import { ROOT } from './steps.mjs';

const chart = join(ROOT, 'helm/omendb');
const target = join(resolve(process.argv[2] ?? ROOT), 'helm/omendb');
const read = (path) => readFileSync(join(ROOT, path), 'utf8');

for (const folder of ['files/rules', 'files/dashboards'])
  mkdirSync(join(target, folder), { recursive: true });
const copies = {
  'alerts/src/omendb.rules.yml': 'files/rules/omendb.rules.yml',
  'alerts/values.yaml': 'files/rules/values.yaml',
  'alerts/adapter.rules.yml': 'files/rules/adapter.rules.yml',
  'alerts/alertmanager.yml': 'files/rules/alertmanager.yml',
};
for (const [from, to] of Object.entries(copies)) copyFileSync(join(ROOT, from), join(target, to));
// Boards were just made below the same folder.
const boards = join(resolve(process.argv[2] ?? ROOT), 'dashboards');
for (const name of readdirSync(boards).filter((name) => /^omendb-[\w-]+\.json$/.test(name))) {
  copyFileSync(join(boards, name), join(target, 'files/dashboards', name));
}

const values = readFileSync(join(chart, 'values.yaml'), 'utf8');
const keys = readKeys(values);
const defaults = parse(values);
const { settings } = chartSettings(OPTIONS);
const alerts = Object.keys(parse(read('alerts/values.yaml')).alerts);
const kubernetes = JSON.parse(read('helm/third_party/kubernetes.json'));
const schema = valuesSchema({ keys, defaults, settings, alerts, kubernetes });
write('values.schema.json', `${JSON.stringify(schema, null, 1)}\n`);
const variables = Object.fromEntries(settings.map(({ key, env, live }) => [key, { env, live }]));
write('files/settings.json', `${JSON.stringify(variables, null, 2)}\n`);
write(
  'README.md',
  chartReadme(readFileSync(join(chart, 'README.md.in'), 'utf8'), { keys, defaults, settings }),
);

// Helm is there where the tests of the chart have run; they compare k8s/ too.
const helm = builtHelm();
if (helm === undefined) {
  process.stderr.write(
    'k8s/ stays as it is: "npm run test:chart" once installs Helm, which it is made with\n',
  );
} else {
  const { appVersion } = parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8'));
  writeKustomize(resolve(process.argv[2] ?? ROOT), { helm, version: appVersion });
}

function write(path, text) {
  writeFileSync(join(target, path), text);
}
