import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, cpSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Rendered } from './helm.js';
import { ROOT, at, ofKind, one, parseObjects, program, render, run } from './helm.js';

const K8S = join(ROOT, 'k8s');
const EXTRAS = [
  'metrics.serviceMonitor.enabled',
  'metrics.prometheusRule.enabled',
  'autoscaling.customMetrics.enabled',
];

/** What the chart renders for those without operators. */
function chartObjects(environment: string): readonly Rendered[] {
  const set = [
    ...['capabilities.check=false', 'config.objectStore=s3://CHANGE-ME', 'image.tag=v0.1.0'],
    ...[
      'storageClasses.create=true',
      'tests.enabled=false',
      'metrics.dashboards.enabled=false',
      'vpa.enabled=false',
    ],
    ...EXTRAS.map((value) => `${value}=false`),
  ];
  return render({ files: [`values-${environment}.yaml`], set });
}

function build(folder: string): readonly Rendered[] {
  const { status, stdout, stderr } = run(program('TEST_KUSTOMIZE'), ['build', folder]);
  expect(status, stderr).to.equal(0);
  return parseObjects(stdout);
}

/** Without the labels that say who keeps an object, by kind and name. */
function neutral(all: readonly Rendered[]): Record<string, unknown> {
  return Object.fromEntries(
    all.map((object) => {
      const {
        'helm.sh/chart': _,
        'app.kubernetes.io/managed-by': __,
        ...labels
      } = object.metadata.labels ?? {};
      return [
        `${object.kind}/${object.metadata.name}`,
        { ...object, metadata: { ...object.metadata, labels } },
      ];
    }),
  );
}

describe('k8s/', function () {
  this.timeout(60_000);

  it('is what the generator makes of the chart today', () => {
    const fresh = mkdtempSync(join(tmpdir(), 'omendb-k8s-'));
    try {
      // Boards are copied from below the same folder.
      cpSync(join(ROOT, 'dashboards'), join(fresh, 'dashboards'), {
        recursive: true,
        filter: (path) => !/\/(dist|src|preview|third_party)$/.test(path),
      });
      const { status, stderr } = run(process.execPath, [join(ROOT, 'scripts/chart.mjs'), fresh]);
      expect(status, stderr).to.equal(0);
      const files = readdirSync(join(fresh, 'k8s'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(join(fresh, 'k8s').length + 1));
      for (const file of files) {
        expect(readFileSync(join(K8S, file), 'utf8'), `${file}: run "npm run generate"`).to.equal(
          readFileSync(join(fresh, 'k8s', file), 'utf8'),
        );
      }
      expect(files.length).to.be.above(10);
    } finally {
      rmSync(fresh, { recursive: true });
    }
  });

  for (const environment of ['staging', 'production']) {
    it(`gives in ${environment} the objects of the chart, and the namespace`, () => {
      const built = build(join(K8S, 'overlays', environment));
      const { 'Namespace/omendb-system': namespace, ...rest } = neutral(built);
      expect(rest).to.deep.equal(neutral(chartObjects(environment)));
      expect(at(namespace, 'metadata.labels')).to.include({
        'pod-security.kubernetes.io/enforce': 'restricted',
      });
    });
  }

  it('is staging when it is applied as it is', () => {
    expect(build(K8S)).to.deep.equal(build(join(K8S, 'overlays/staging')));
  });

  it('takes a bucket from store.yaml, an image tag from the overlay, and monitoring and metrics as components', () => {
    const copy = mkdtempSync(join(tmpdir(), 'omendb-overlay-'));
    try {
      cpSync(K8S, copy, { recursive: true });
      const overlay = join(copy, 'overlays/production');
      edit(join(overlay, 'store.yaml'), (text) => text.replace('CHANGE-ME', 'vectors'));
      edit(join(overlay, 'kustomization.yaml'), (text) =>
        text.replace('newTag: v0.1.0', 'newTag: v9.9.9').replace(/^# (components:|  - )/gm, '$1'),
      );
      const built = build(overlay);
      expect(at(one(built, 'ConfigMap', 'omendb-server'), 'data.OMENDB_OBJECT_STORE')).to.equal(
        's3://vectors',
      );
      expect(at(one(built, 'Deployment'), 'spec.template.spec.containers.0.image')).to.equal(
        'omendb/server:v9.9.9',
      );
      expect(ofKind(built, 'ServiceMonitor').length + ofKind(built, 'PrometheusRule').length).to.equal(2);
      const full = render({
        files: ['values-production.yaml'],
        set: ['capabilities.check=false', 'config.objectStore=s3://vectors', 'image.tag=v9.9.9'],
      });
      expect(at(one(built, 'HorizontalPodAutoscaler'), 'spec')).to.deep.equal(
        at(one(full, 'HorizontalPodAutoscaler'), 'spec'),
      );
      expect(one(built, 'PrometheusRule')['spec']).to.deep.equal(one(full, 'PrometheusRule')['spec']);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it('has no Secret and no bucket of anybody', () => {
    for (const environment of ['staging', 'production']) {
      const built = build(join(K8S, 'overlays', environment));
      expect(ofKind(built, 'Secret')).to.deep.equal([]);
      expect(JSON.stringify(built).match(/s3:\/\/[\w-]+/g)).to.deep.equal(['s3://CHANGE-ME']);
    }
  });
});

function edit(path: string, change: (text: string) => string): void {
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}
