// A process that loads one index and prints by how many bytes its resident memory grew: `engine-memory.js
// own|rival FILE DIMENSIONS`.
import { loadOwn } from './engine-index.js';
import { loadRival } from './engine-rival.js';

const [kind, file, dimensions] = process.argv.slice(2);
if (kind === undefined || file === undefined)
  throw new Error('usage: engine-memory own|rival FILE DIMENSIONS');

const resident = (): number => {
  globalThis.gc?.();
  return process.memoryUsage.rss();
};

const before = resident();
const held = kind === 'own' ? loadOwn(file) : loadRival(file, Number(dimensions));
const after = resident();
process.stdout.write(`${held === null ? 0 : after - before}\n`);
