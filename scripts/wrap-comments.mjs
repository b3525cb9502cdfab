// Folds comments that are wider than the page, which Prettier leaves as they are. `node
// scripts/wrap-comments.mjs [FILE…]`; without files, every file that git knows. A paragraph is folded from
// its first long line on; lists keep their indent, tables and drawings (two spaces inside a line) are left
// alone.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './steps.mjs';

const WIDTH = 110;
const LIST = /^([-*] |\d+\. )/;
const OPENS_PARAGRAPH = /^([-*] |\d+\. |@|\||```|eslint|prettier)/;

const given = process.argv.slice(2);
const tracked = () =>
  execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' }).split('\n');
const files = (given.length > 0 ? given : tracked()).filter(
  (path) => /\.(ts|mjs|cjs|js)$/.test(path) && !/(^|\/)(gen|third_party)\//.test(path),
);
for (const path of files) {
  const file = given.length > 0 ? path : join(ROOT, path);
  const before = readFileSync(file, 'utf8');
  const after = wrap(before.split('\n')).join('\n');
  if (after !== before) writeFileSync(file, after);
}

function wrap(lines) {
  const out = [];
  let inBlock = false;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    const single = /^(\s*)\/\*\*? (.*) \*\/$/.exec(line);
    if (single && line.length > WIDTH) {
      const prefix = `${single[1]} * `;
      out.push(`${single[1]}/**`, ...fold(single[2], prefix, prefix), `${single[1]} */`);
      continue;
    }
    const prefix = inBlock ? /^(\s*\* )\S/.exec(line)?.[1] : /^(\s*\/\/ )\S/.exec(line)?.[1];
    if (/^\s*\/\*/.test(line)) inBlock = !line.includes('*/');
    else if (inBlock && line.includes('*/')) inBlock = false;
    if (prefix === undefined || line.length <= WIDTH || line.slice(prefix.length).includes('  ')) {
      out.push(line);
      continue;
    }
    const paragraph = [line.slice(prefix.length)];
    const indent = ' '.repeat(indentOfItem(paragraph[0]));
    while (i + 1 < lines.length && continues(lines[i + 1], prefix, indent))
      paragraph.push(lines[++i].slice(prefix.length).trim());
    out.push(...fold(paragraph.join(' '), prefix, prefix + indent));
  }
  return out;
}

function continues(line, prefix, indent) {
  if (!line.startsWith(prefix + indent) || line.includes('*/')) return false;
  const text = line.slice(prefix.length + indent.length);
  return /^\S/.test(text) && !OPENS_PARAGRAPH.test(text) && !text.includes('  ');
}

/** Columns that continuation lines stand in from the prefix: those of the list item that the text is in. */
function indentOfItem(text) {
  const marker = LIST.exec(text);
  if (marker) return marker[0].length;
  return /^ */.exec(text)[0].length;
}

function fold(text, firstPrefix, nextPrefix) {
  const lines = [];
  let line = firstPrefix;
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = nextPrefix;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}
