/*
 * Puts rows of panels together to a board: places without overlap, ids, links to the other boards, marks for
 * alerts and restarts.
 */
import type { Dashboard, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import type { BoardUid } from './links.js';
import { BOARD_TITLES, BOARD_UIDS, boardLink } from './links.js';
import type { Tile } from './panels.js';
import { FIRING, formula, runtime } from './promql.js';
import { DATASOURCE, standardVariables } from './variables.js';

/** Columns of Grafana's grid. */
const GRID = 24;

/** A heading with its panels, which fill lines from the left. */
export interface Row {
  readonly title: string;
  readonly tiles: readonly Tile[];
  /** Loads its panels only when it is opened. */
  readonly collapsed?: boolean;
}

export interface BoardSpec {
  readonly uid: BoardUid;
  /** Which question the board answers. */
  readonly description: string;
  readonly rows: readonly Row[];
  readonly from?: string;
  readonly refresh?: string;
  readonly variables?: ReturnType<typeof standardVariables>;
}

/** A board as Grafana reads it, with the name of its file. */
export interface Board {
  readonly uid: BoardUid;
  readonly file: string;
  readonly json: Dashboard;
}

/** @throws When a panel is wider than the grid or a line is not filled. */
export function board(spec: BoardSpec): Board {
  const builder = new dashboard.DashboardBuilder(BOARD_TITLES[spec.uid])
    .uid(spec.uid)
    .description(`${spec.description} Generated from dashboards/src; changes belong there.`)
    .tags(['omendb'])
    .readonly()
    .timezone('browser')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .time({ from: spec.from ?? 'now-1h', to: 'now' })
    .refresh(spec.refresh ?? '30s')
    .variables([...standardVariables(), ...(spec.variables ?? [])])
    .annotation(
      annotation('Alerts', 'red', FIRING.text, '{{alertname}}', 'firing, {{severity}}', ['alertname']),
    )
    .annotation(annotation('Restarts', 'blue', restarts().text, 'Restart of {{instance}}', '', ['instance']));
  const json = builder.build();
  // The switches of the marks stay in sight, above the board.
  for (const query of json.annotations.list ?? []) delete query.placement;
  json.links = BOARD_UIDS.filter((uid) => uid !== spec.uid).map((uid) => boardLink(uid));
  json.panels = place(spec.rows);
  return { uid: spec.uid, file: `${spec.uid}.json`, json };
}

function place(rows: readonly Row[]): (Panel | RowPanel)[] {
  const placed: (Panel | RowPanel)[] = [];
  let [id, y] = [0, 0];
  for (const row of rows) {
    id += 1;
    const heading = new dashboard.RowBuilder(row.title)
      .id(id)
      .collapsed(row.collapsed === true)
      .build();
    heading.gridPos = { x: 0, y, w: GRID, h: 1 };
    y += 1;
    const panels: Panel[] = [];
    let [x, height] = [0, 0];
    for (const tile of row.tiles) {
      if (x + tile.width > GRID)
        throw new Error(`"${tile.panel.title ?? ''}" does not fit beside the others`);
      id += 1;
      panels.push({ ...tile.panel, id, gridPos: { x, y, w: tile.width, h: tile.height } });
      x += tile.width;
      height = Math.max(height, tile.height);
      if (x === GRID) [x, y, height] = [0, y + height, 0];
    }
    if (x !== 0) throw new Error(`the last line of "${row.title}" is not filled`);
    if (row.collapsed === true) {
      heading.panels = panels;
      placed.push(heading);
      // A row that is closed takes one line; Grafana moves the rest when it opens.
      y = heading.gridPos.y + 1;
    } else placed.push(heading, ...panels);
  }
  return placed;
}

/** A new process under the same address, or a new address: both are a process that is young. */
function restarts(): ReturnType<typeof formula> {
  return formula`(time() - ${runtime('process_start_time_seconds')}) < 60`;
}

function annotation(
  name: string,
  color: string,
  expr: string,
  title: string,
  text: string,
  tags: readonly string[],
): dashboard.AnnotationQueryBuilder {
  return new dashboard.AnnotationQueryBuilder()
    .name(name)
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor(color)
    .expr(expr)
    .titleFormat(title)
    .textFormat(text)
    .tagKeys(tags.join(','))
    .step('60s');
}
