// `npm start [-- ARGUMENTS]`: from a fresh clone to a running server. Installs and builds only what is
// missing or changed, then becomes `omendb serve` with the environment and arguments given.
import { join } from 'node:path';
import { ROOT, become, prepare } from './steps.mjs';

// The client too: README.md's first program imports it.
await prepare({ build: ['server', 'sdk'] });
become(process.execPath, [join(ROOT, 'server/dist/main.js'), 'serve', ...process.argv.slice(2)]);
