// Installs what `npm run test:alerts` and `npm run test:live` run beside the server: Prometheus with
// promtool, Alertmanager with amtool, Chromium. They are Debian packages, and nothing of them is started as a
// service.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { step } from './steps.mjs';

const PACKAGES = {
  prometheus: ['prometheus', 'promtool'],
  'prometheus-alertmanager': ['prometheus-alertmanager', 'amtool'],
  chromium: ['chromium'],
  shellcheck: ['shellcheck'],
};

/** Taken by test/cluster/kit/build.sh too. */
const APT_LOCK = '/var/lock/omendb-apt';

/** Makes sure that the programs of these packages are there; ends the process when that cannot be. */
export async function installDebianTools(packages = Object.keys(PACKAGES)) {
  const missing = packages.filter((name) => !PACKAGES[name].every(isInstalled));
  if (missing.length === 0) return;
  const command = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    process.stderr.write(`These tests need ${missing.join(', ')}: ${command}\n`);
    process.exit(1);
  }
  const quiet = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  // The cluster of the tests may be built meanwhile, and apt does not wait for itself.
  const apt = [APT_LOCK, 'apt-get'];
  await step('reading the lists of Debian packages', 'flock', [...apt, 'update', '-q'], quiet);
  const install = ['install', '-y', '-q', '--no-install-recommends', ...missing];
  await step(`installing ${missing.join(', ')}`, 'flock', [...apt, ...install], quiet);
}

function isInstalled(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}
