// `npm run pictures [-- FOLDER [SECONDS]]`: runs a server under load with Prometheus for some minutes and
// draws every dashboard into docs/img.
import { join } from 'node:path';
import { installDebianTools } from './debian-tools.mjs';
import { ROOT, become, prepare } from './steps.mjs';

await prepare({ build: ['proto/codegen', 'test'] });
await installDebianTools(['prometheus', 'chromium']);
become(process.execPath, [
  '--enable-source-maps',
  join(ROOT, 'test/dist/live/pictures.js'),
  ...process.argv.slice(2),
]);
