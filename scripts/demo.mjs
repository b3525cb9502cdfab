// `npm run demo`: installs and builds, then loads real word vectors into a server of its own and searches
// them.
import { join } from 'node:path';
import { ROOT, become, prepare } from './steps.mjs';

await prepare();
become(process.execPath, [join(ROOT, 'bench/dist/demo.js'), ...process.argv.slice(2)]);
