// Writes the settings table of README.md from the option table. Part of `npm run generate`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, step } from './steps.mjs';

await step('building', process.execPath, [join(ROOT, 'scripts/build.mjs'), 'server']);
const { renderMarkdown } = await import('../server/dist/config/render.js');
const file = join(ROOT, 'README.md');
const region = /(<!-- settings:begin -->\n)[\s\S]*?(<!-- settings:end -->)/;
const text = readFileSync(file, 'utf8');
if (!region.test(text))
  throw new Error('README.md has no lines <!-- settings:begin --> and <!-- settings:end -->');
writeFileSync(
  file,
  text.replace(region, (_, begin, end) => `${begin}\n${renderMarkdown()}\n${end}`),
);
