// Installs what `npm run test:chart` runs on the chart: both majors of Helm, checkers of its objects,
// kustomize, and a checker of workflows.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { installGoPrograms } from './go-programs.mjs';

const HELM = {
  helm3: { what: 'to render the chart with', module: 'helm.sh/helm/v3/cmd/helm', version: 'v3.22.0' },
};
const TOOLS = {
  ...HELM,
  helm4: { what: 'to render the chart with', module: 'helm.sh/helm/v4/cmd/helm', version: 'v4.3.1' },
  kubeconform: {
    what: 'which knows the API of Kubernetes',
    module: 'github.com/yannh/kubeconform/cmd/kubeconform',
    version: 'v0.7.0',
  },
  'kube-score': {
    what: 'which judges objects of Kubernetes',
    module: 'github.com/zegl/kube-score/cmd/kube-score',
    version: 'v1.20.0',
  },
  kustomize: {
    what: 'which renders k8s/',
    module: 'sigs.k8s.io/kustomize/kustomize/v5',
    version: 'v5.7.1',
  },
  actionlint: {
    what: 'which judges workflows of GitHub',
    module: 'github.com/rhysd/actionlint/cmd/actionlint',
    version: 'v1.7.7',
  },
};

/** Builds what is missing and returns the environment variables by which tests find the programs. */
export async function installChartTools() {
  const programs = Object.entries(await installGoPrograms(TOOLS));
  return Object.fromEntries(
    programs.map(([name, path]) => [`TEST_${name.toUpperCase().replace('-', '_')}`, path]),
  );
}

/** Where Helm is when it was built before; undefined otherwise. */
export function builtHelm() {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const path = process.env.TEST_HELM3 ?? join(cache, 'omendb-tests', 'bin', `helm3-${HELM.helm3.version}`);
  return existsSync(path) ? path : undefined;
}
