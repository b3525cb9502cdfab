// `npm run bench [-- SUITE…] [--quick]`: installs and builds, then measures. Suites: engine, ingest, network,
// codec, storage, metrics, hand-off; all without one. `storage` needs Go, for an S3 server to measure
// against.
import { join } from 'node:path';
import { ROOT, become, prepare } from './steps.mjs';

await prepare();
const suites = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
if (suites.length === 0 || suites.includes('all') || suites.includes('storage')) {
  const { installS3Servers } = await import('./s3-servers.mjs');
  Object.assign(process.env, await installS3Servers());
}
become(process.execPath, [join(ROOT, 'bench/dist/main.js'), ...process.argv.slice(2)]);
