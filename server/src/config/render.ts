/*
 * The option table for people: in `omendb --help` and in the README.
 */
import type { Option } from './options.js';
import { OPTIONS } from './options.js';

/** Every option with default and meaning, as lines of at most `width` columns. */
export function renderHelp(width = 100): string {
  return options()
    .map(({ names, fallback, doc, allowed }) => {
      const text = `${doc} Takes ${allowed}. Default: ${fallback}.`;
      return `  ${names.join(', ')}\n${wrap(text, width, '      ')}\n`;
    })
    .join('');
}

/** The same as a Markdown table. */
export function renderMarkdown(): string {
  const rows = options().map(({ names, fallback, doc, allowed }) => {
    const cells = [names.map((name) => `\`${name}\``).join(' or '), fallback, allowed, doc];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  });
  return `| variable | default | takes | meaning |\n|---|---|---|---|\n${rows.join('')}`;
}

function options(): { names: string[]; fallback: string; doc: string; allowed: string }[] {
  return Object.values(OPTIONS as Readonly<Record<string, Option<unknown>>>).map((option) => ({
    names: option.secret ? [option.env, `${option.env}_FILE`] : [option.env],
    fallback: option.defaultText ?? option.type.format(option.default),
    doc: option.doc,
    allowed: option.type.allowed,
  }));
}

function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > width && line !== indent) {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  return [...lines, line].join('\n');
}
