import { expect } from 'chai';
import { OPTIONS } from '#server/config/options.js';
import { renderHelp, renderMarkdown } from '#server/config/render.js';

describe('The option table', () => {
  it('names every option in the help text, within the width', () => {
    const help = renderHelp(80);
    for (const option of Object.values(OPTIONS)) expect(help).to.include(`  ${option.env}`);
    for (const line of help.split('\n')) expect(line.length, line).to.be.at.most(80);
  });

  it('has one Markdown row for each option', () => {
    const rows = renderMarkdown().trimEnd().split('\n');
    expect(rows).to.have.lengthOf(Object.keys(OPTIONS).length + 2);
    for (const row of rows) expect(row.match(/(?<!\\)\|/g), row).to.have.lengthOf(5);
  });

  it('says defaults with their units', () => {
    expect(renderMarkdown()).to.include('| `OMENDB_DRAIN_TIME` | 25s |').and.include('| 64Mi |');
  });
});
