import { expect } from 'chai';
import type { Row } from '#dashboards/lib/board.js';
import { board } from '#dashboards/lib/board.js';
import type { Tile } from '#dashboards/lib/panels.js';
import { graph } from '#dashboards/lib/panels.js';
import { UP } from '#dashboards/lib/promql.js';
import type { PanelJson } from '#support/board-json.js';

describe('The layout of boards', () => {
  it('fills lines from the left, each below the highest panel of the one before', () => {
    const tiles = [tile('a', 12, 8), tile('b', 12, 5), tile('c', 24, 4)];
    expect(places([{ title: 'One', tiles }])).to.deep.equal([
      'One: 0,0 24x1',
      'a: 0,1 12x8',
      'b: 12,1 12x5',
      'c: 0,9 24x4',
    ]);
  });

  it('gives a closed row one line, with its panels inside', () => {
    const rows = [
      { title: 'Closed', tiles: [tile('a', 24, 8)], collapsed: true },
      { title: 'Open', tiles: [tile('b', 24, 8)] },
    ];
    expect(places(rows)).to.deep.equal(['Closed: 0,0 24x1', 'Open: 0,1 24x1', 'b: 0,2 24x8']);
    expect(panels(rows)[0]?.panels?.map(({ title }) => title)).to.deep.equal(['a']);
  });

  it('numbers rows and panels through, whether they are closed or not', () => {
    const rows = [
      { title: 'Closed', tiles: [tile('a', 24, 8)], collapsed: true },
      { title: 'Open', tiles: [tile('b', 24, 8)] },
    ];
    const ids = panels(rows).flatMap(({ id, panels: inner = [] }) => [id, ...inner.map((one) => one.id)]);
    expect(ids).to.deep.equal([1, 2, 3, 4]);
  });

  it('refuses a panel that reaches beyond the grid, and a line with a gap at its end', () => {
    expect(() => panels([{ title: 'Row', tiles: [tile('a', 16, 8), tile('b', 12, 8)] }])).to.throw(
      '"b" does not fit beside the others',
    );
    expect(() => panels([{ title: 'Row', tiles: [tile('a', 16, 8)] }])).to.throw(
      'the last line of "Row" is not filled',
    );
  });
});

function panels(rows: readonly Row[]): PanelJson[] {
  const { json } = board({ uid: 'omendb-server', description: 'A test.', rows });
  return JSON.parse(JSON.stringify(json.panels)) as PanelJson[];
}

function places(rows: readonly Row[]): string[] {
  return panels(rows).map(
    ({ title, gridPos: { x, y, w, h } }) => `${title ?? ''}: ${[x, y].join(',')} ${[w, h].join('x')}`,
  );
}

function tile(title: string, width: number, height: number): Tile {
  const text = { what: 'Servers.', normal: '1.', act: 'Look.' };
  return graph({ title, ...text, unit: 'short', width, height, queries: [{ expr: UP, legend: 'up' }] });
}
