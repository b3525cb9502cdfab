// The pages of docs/operations: that every command in them belongs to a test, and that what they name exists.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { helpText } from '#server/cli/help.js';
import { OPTIONS } from '#server/config/options.js';
import { ERROR_TABLE } from '#server/core/errors.js';
import type { KnownToPages } from '../support/operations-check.js';
import { pageProblems } from '../support/operations-check.js';
import { PLACES, examplesIn, operationsPages } from '../support/operations-pages.js';
import { ROOT, expectNone, fileAt } from './tree.js';

interface Scaling {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly cpuUtilization: number;
  readonly memoryUtilization: number;
  readonly customMetrics: { readonly requestsPerSecond?: number };
}

const TESTS = {
  local: fileAt('test/integration/operations.test.ts').text,
  chart: fileAt('test/chart/operations.test.ts').text,
  cluster: fileAt('test/cluster/operations.test.ts').text,
};

describe('Operations pages', () => {
  const known: KnownToPages = {
    values: parse(fileAt('helm/omendb/values.yaml').text) as Record<string, unknown>,
    settings: new Set(Object.values(OPTIONS).map(({ env }) => camelCase(env.replace('OMENDB_', '')))),
    reasons: new Set(Object.keys(ERROR_TABLE)),
    metrics: new Set(
      [...fileAt('docs/metrics.md').text.matchAll(/^\| `(omendb_\w+)` \|/gm)].map(([, name = '']) => name),
    ),
    help: helpText(''),
    deployHelp: execFileSync(join(ROOT, 'scripts/deploy.sh'), ['--help'], { encoding: 'utf8' }),
    tests: TESTS,
    fileExists: (path) => existsSync(join(ROOT, path)),
  };

  it('have a test behind every command, and name what exists', () => {
    expectNone(operationsPages().flatMap((page) => pageProblems(page, known)));
  });

  it('have commands in every place', () => {
    const places = operationsPages()
      .flatMap(({ examples }) => examples)
      .flatMap(({ backing }) => (backing?.kind === 'tested' ? [backing.place] : []));
    for (const place of PLACES) expect(places, place).to.include(place);
    expect(places.length).to.be.greaterThan(50);
  });

  it('are all in the index, with every example file in one of them', () => {
    const pages = operationsPages();
    const index = pages.find(({ name }) => name === 'README')?.text ?? '';
    const silent = pages.filter(({ name }) => name !== 'README' && !index.includes(`(${name}.md)`));
    expectNone(silent.map(({ path }) => path));
    const text = pages.map((page) => page.text).join('\n');
    const files = readdirSync(join(ROOT, 'docs/operations/examples'));
    expectNone(files.filter((file) => !text.includes(`examples/${file}`)));
  });

  it('have the prices that the board of costs has, and count right with them', () => {
    const page = fileAt('docs/operations/cost.md').text;
    const board = fileAt('dashboards/omendb-cost.json').text;
    for (const price of ['0.023', '0.005', '0.0004']) {
      expect(board, 'the board').to.include(`"${price}"`);
      expect(page).to.match(new RegExp(`\\| ${price.replace('.', '\\.')} (a GB|for 1 000)`));
    }
    const month = 30 * 24 * 3600;
    const money = (amount: number): string => amount.toFixed(2);
    const wanted = [
      `| 2 592 000 PUT | ${money((month / 1000) * 0.005)} |`,
      `| 25 920 PUT | ${money((month / 100 / 1000) * 0.005)} |`,
      `| 8 640 LIST: ${((month / 300 / 1000) * 0.005).toFixed(3)} |`,
      `| ${money(50 * 0.08)} |`,
      `= ${money(100 * 0.08 + 7000 * 0.005 + 875 * 0.04)} |`,
      `| ${money(5 * (100 * 0.08 + 7000 * 0.005 + 875 * 0.04))} |`,
    ];
    for (const text of wanted) expect(page).to.include(text);
  });

  it('have the numbers of the values that they are about', () => {
    const page = fileAt('docs/operations/scale.md').text;
    const valuesOf = (name: string): Scaling =>
      (parse(fileAt(`helm/omendb/${name}.yaml`).text) as { readonly autoscaling: Scaling }).autoscaling;
    const [staging, production] = [valuesOf('values-staging'), valuesOf('values-production')];
    const { requestsPerSecond } = valuesOf('values').customMetrics;
    const cells = (cell: (values: Scaling) => string): string => `| ${cell(staging)} | ${cell(production)} |`;
    const wanted = [
      `\`autoscaling.maxReplicas\` ${cells((own) => `${own.minReplicas}, ${own.maxReplicas}`)}`,
      `percent of the request ${cells((own) => String(own.cpuUtilization))}`,
      `\`autoscaling.memoryUtilization\`, percent of the request ${cells((own) => String(own.memoryUtilization))}`,
      `for each pod ${cells((own) => String(own.customMetrics.requestsPerSecond ?? requestsPerSecond))}`,
    ];
    for (const text of wanted) expect(page).to.include(text);
    for (const { minReplicas, maxReplicas } of [staging, production]) {
      expect(fileAt('README.md').text).to.include(`: ${minReplicas} to ${maxReplicas} pods`);
    }
  });

  it('name the settings that running servers follow, and no other', () => {
    const settings = JSON.parse(fileAt('helm/omendb/files/settings.json').text) as Record<string, unknown>;
    const live = Object.entries(settings).flatMap(([key, setting]) =>
      (setting as { readonly live: boolean }).live ? [`config.${key}`] : [],
    );
    const [, named = ''] =
      /take effect in running servers: (.*)\.\n/.exec(fileAt('docs/operations/tune.md').text) ?? [];
    expect(named.split(', ').map((code) => code.replaceAll('`', ''))).to.have.members(live);
  });

  describe('are refused', () => {
    const said = '<!-- tested: local look -->';
    const tested = { ...TESTS, local: "take('page', 'look')" };
    const refusals: readonly (readonly [what: string, text: string, problem: RegExp])[] = [
      ['with a block that says nothing', '```sh\ntrue\n```\n', /does not say who runs it: true/],
      [
        'with a block that a test does not run',
        `${said.replace('look', 'x')}\n\n\`\`\`sh\ntrue\n\`\`\`\n`,
        /no test of local runs the block x/,
      ],
      [
        'with a place that does not exist',
        `${said.replace('local', 'moon')}\n\`\`\`sh\ntrue\n\`\`\`\n`,
        /does not say who runs it/,
      ],
      [
        'with no reason for what is not run',
        '<!-- needs a cloud: -->\n```sh\ntrue\n```\n',
        /does not say who runs it/,
      ],
      ['with a block in a language that nobody runs', '```bash\ntrue\n```\n', /in bash, which nobody checks/],
      [
        'with two blocks of one name',
        `${said}\n\`\`\`sh\ntrue\n\`\`\`\n`.repeat(2),
        /two blocks are called local look/,
      ],
      [
        'with a block that bash cannot read',
        `${said}\n\`\`\`sh\nif true\n\`\`\`\n`,
        /bash does not read a block/,
      ],
      [
        'with a file that does not exist',
        `${said}\n\`\`\`sh\ncat helm/nothing.yaml\n\`\`\`\n`,
        /there is no file helm\/nothing.yaml/,
      ],
      [
        'with a value that does not exist',
        'Set `autoscaling.maxReplica`.',
        /no value autoscaling.maxReplica/,
      ],
      ['with a setting that does not exist', 'Set `config.logLevels: info`.', /no value config.logLevels/],
      [
        'with an unknown value in a command',
        `${said}\n\`\`\`sh\nhelm x --set resource.limits.cpu=1\n\`\`\`\n`,
        /no value resource.limits.cpu/,
      ],
      ['with a command that does not exist', 'Run `omendb repair`.', /no command omendb repair/],
      [
        'with an option that does not exist',
        `${said}\n\`\`\`sh\nkubectl exec x -- omendb backup --into x\n\`\`\`\n`,
        /omendb backup has no option --into/,
      ],
      [
        'with an option that deploy.sh lacks',
        'Run `./scripts/deploy.sh --force`.',
        /deploy.sh has no option --force/,
      ],
      [
        'with a metric that does not exist',
        `${said}\n\`\`\`sh\nmetrics 'ready|engine_pool_(size|depths)' POD\n\`\`\`\n`,
        /no metric omendb_engine_pool_depths/,
      ],
      ['with a reason that no error has', 'It says `STORAGE_GONE`.', /no error has the reason STORAGE_GONE/],
    ];
    for (const [what, text, problem] of refusals) {
      it(what, () => {
        const page = { name: 'page', path: 'page.md', text, examples: examplesIn('page', text) };
        const problems = pageProblems(page, { ...known, tests: tested });
        expect(problems.join('\n')).to.match(problem);
        expect(problems).to.have.length(1);
      });
    }

    it('never when all is well', () => {
      const text = `${said}\n\n\`\`\`sh\nomendb key create --tenant x | cat\n\`\`\`\nSet \`podLabels.any\`, \`storage.medium: EmptyDir\`.`;
      const page = { name: 'page', path: 'page.md', text, examples: examplesIn('page', text) };
      expect(pageProblems(page, { ...known, tests: tested })).to.deep.equal([]);
    });
  });
});

/** MAX_IN_FLIGHT is maxInFlight. */
function camelCase(name: string): string {
  return name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
