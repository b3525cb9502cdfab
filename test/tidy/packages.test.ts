import { expectNone, fileAt } from './tree.js';

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const parse = (path: string) => JSON.parse(fileAt(path).text) as Manifest;
const lock = () =>
  (JSON.parse(fileAt('package-lock.json').text) as { readonly packages: Readonly<Record<string, Manifest>> })
    .packages;

describe('Packages', () => {
  it('are pinned to one version each', () => {
    const loose = ['package.json', 'server/package.json', 'sdk/package.json'].flatMap((path) => {
      const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = parse(path);
      return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
        .filter(([, version]) => !/^(npm:[\w@/-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
        .map(([name, version]) => `${path}: ${name} ${version}`);
    });
    expectNone(loose);
  });

  it('are all in the lock file, those for other platforms too', () => {
    // npm leaves a package out of a new lock file when its registry lacks it, and then refuses to install
    // from that file.
    const packages = lock();
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => ['', `${path}/`].every((at) => packages[`${at}node_modules/${name}`] === undefined))
        .map((name) => `${path}: ${name}`),
    );
    expectNone(missing);
  });

  it('come from wherever the installing machine is told to look', () => {
    expectNone(fileAt('package-lock.json').lines.filter((line) => line.includes('"resolved": "http')));
  });
});
