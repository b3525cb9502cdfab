// `npm run bench [-- SUITE…] [--quick]`: installs and builds, then measures. Suites: engine, ingest, network,
// codec; all without one.
import { join } from 'node:path';
import { ROOT, become, prepare } from './steps.mjs';

await prepare();
become(process.execPath, [join(ROOT, 'bench/dist/main.js'), ...process.argv.slice(2)]);
