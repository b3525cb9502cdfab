// Writes the alert rules with their default values: `node scripts/alerts.mjs FOLDER` writes
// FOLDER/alerts/omendb.rules.yml.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readValues, renderRules, rulesText } from '../alerts/render.mjs';

const target = join(resolve(process.argv[2] ?? '.'), 'alerts');
mkdirSync(target, { recursive: true });
writeFileSync(join(target, 'omendb.rules.yml'), rulesText(renderRules(readValues())));
