// `npm run bench [-- SUITE…] [--quick] [--full] [--part PART,…]`: installs and builds, then measures. Suites:
// engine, ingest, network, codec, storage, metrics, hand-off, ssd-cache, tiers; all without one. `storage`
// and `tiers` need Go, for an S3 server to measure against; `tiers` has parts.
import { join } from 'node:path';
import { ROOT, become, prepare } from './steps.mjs';

await prepare();
const suites = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const needS3 = ['all', 'storage', 'tiers'];
if (suites.length === 0 || suites.some((suite) => needS3.includes(suite))) {
  const { installS3Servers } = await import('./s3-servers.mjs');
  Object.assign(process.env, await installS3Servers());
}
become(process.execPath, [join(ROOT, 'bench/dist/main.js'), ...process.argv.slice(2)]);
