// Writes the Grafana dashboards: `node dashboards/dist/main.js FOLDER` writes FOLDER/dashboards/*.json.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { boardText, boards } from './boards.js';

const [target = '.'] = process.argv.slice(2);
const folder = join(target, 'dashboards');
mkdirSync(folder, { recursive: true });
for (const board of boards()) writeFileSync(join(folder, board.file), boardText(board));
