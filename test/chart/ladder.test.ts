import { gzipSync } from 'node:zlib';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  CHART,
  KUBERNETES,
  MAJORS,
  helm,
  parseObjects,
  render,
  renderText,
  run,
  scenario,
  scenarios,
  templateArgs,
} from './helm.js';

/** What etcd takes of one object, with room for what Kubernetes adds. */
const RELEASE_BYTES_MAX = 1_000_000;

describe('Every set of values', function () {
  this.timeout(60_000);

  for (const values of scenarios()) {
    describe(values.name, () => {
      it('passes the strict lint of both majors, for the oldest Kubernetes and the newest', () => {
        for (const major of MAJORS) {
          for (const version of Object.values(KUBERNETES)) {
            const args = templateArgs({ ...values, kubernetes: version }).slice(3);
            const { status, stdout, stderr } = helm(major, ['lint', '--strict', CHART, ...args]);
            expect(status, `helm ${major} lint: ${stdout}${stderr}`).to.equal(0);
          }
        }
      });

      it('renders the same bytes twice', () => {
        const again = helm('3', templateArgs(values));
        expect(again.stdout).to.equal(renderText(values, '3'));
      });

      it('renders the same objects under Helm 3 and 4, for the oldest Kubernetes too', () => {
        const expected = sorted(render(values, '3'));
        expect(sorted(render(values, '4'))).to.deep.equal(expected);
        const floor = helm('4', templateArgs({ ...values, kubernetes: KUBERNETES.floor }));
        expect(sorted(parseObjects(floor.stdout))).to.deep.equal(expected);
      });

      it('gives every object a kind, a name and its place, and no two the same', () => {
        const ids = render(values).map(
          ({ apiVersion, kind, metadata }) =>
            `${apiVersion} ${kind} ${metadata.namespace ?? ''}/${metadata.name}`,
        );
        expect(ids.filter((id, index) => ids.indexOf(id) !== index)).to.deep.equal([]);
        for (const { kind, metadata } of render(values)) {
          if (kind !== 'StorageClass')
            expect(metadata.namespace, `${kind} ${metadata.name}`).to.be.a('string');
        }
      });

      it('fits into the Secret in which Helm keeps a release', () => {
        const files = filesBelow(CHART).map((file) => readFileSync(file).toString('base64'));
        const release = gzipSync(JSON.stringify({ files, manifest: renderText(values) }), { level: 9 });
        expect(release.toString('base64').length).to.be.below(RELEASE_BYTES_MAX);
      });
    });
  }

  it('renders from a package as it does from the folder, without what is only for tests', () => {
    const folder = mkdtempSync(join(tmpdir(), 'omendb-package-'));
    try {
      const made = helm('4', ['package', CHART, '--destination', folder]);
      expect(made.status, made.stderr).to.equal(0);
      const [name = ''] = readdirSync(folder);
      expect(name).to.match(/^omendb-\d+\.\d+\.\d+\.tgz$/);
      const listed = run('tar', ['-tzf', join(folder, name)]).stdout.split('\n');
      expect(listed).to.include.members(['omendb/values.schema.json', 'omendb/files/rules/omendb.rules.yml']);
      expect(listed.filter((path) => /\/ci\/|\.in$/.test(path))).to.deep.equal([]);
      for (const wanted of ['default', 'production']) {
        const values = scenario(wanted);
        for (const major of MAJORS) {
          expect(renderText({ ...values, chart: join(folder, name) }, major)).to.equal(
            renderText(values, major),
          );
        }
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(join(CHART, 'ci')))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The majors put objects in different orders. */
function sorted(objects: readonly { readonly kind: string; readonly metadata: { readonly name: string } }[]) {
  const key = (object: (typeof objects)[number]) => `${object.kind}/${object.metadata.name}`;
  return [...objects].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
