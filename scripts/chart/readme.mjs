// The chart's README: what is written by hand in README.md.in, and tables of all values and settings.
import { valueAt } from './schema.mjs';

/** `text` with its lines {{values}} and {{settings}} replaced. */
export function chartReadme(text, { keys, defaults, settings }) {
  return text
    .replace('{{values}}', valueTables(keys, defaults))
    .replace('{{settings}}', settingsTable(settings));
}

function valueTables(keys, defaults) {
  const sections = new Map();
  for (const key of keys.filter(({ leaf }) => leaf)) {
    const rows = sections.get(key.section) ?? [];
    rows.push(row([`\`${key.path.join('.')}\``, shown(valueAt(defaults, key.path)), key.description]));
    sections.set(key.section, rows);
  }
  return [...sections]
    .map(
      ([title, rows]) => `### ${title}\n\n| value | default | meaning |\n|---|---|---|\n${rows.join('\n')}`,
    )
    .join('\n\n');
}

function settingsTable(settings) {
  const rows = settings.map(({ key, env, live, fallback, allowed, doc }) =>
    row([`\`config.${key}\``, `\`${env}\``, fallback, allowed, live ? 'no' : 'yes', doc]),
  );
  return `| value | variable | default | takes | new pods | meaning |\n|---|---|---|---|---|---|\n${rows.join('\n')}`;
}

function row(cells) {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function shown(value) {
  const text = JSON.stringify(value ?? null);
  return text.length > 60 ? 'see values.yaml' : `\`${text}\``;
}
