/*
 * The committed boards, as far as tests look into them.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface BoardJson {
  uid: string;
  title: string;
  description?: string;
  editable?: boolean;
  panels: PanelJson[];
  links?: LinkJson[];
  templating: { list: VariableJson[] };
  annotations: { list: { name: string; expr: string; datasource?: SourceJson }[] };
}

export interface PanelJson {
  id: number;
  type: string;
  title?: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: SourceJson;
  targets?: TargetJson[];
  links?: LinkJson[];
  /** Of a closed row. */
  panels?: PanelJson[];
  fieldConfig?: { defaults: { unit?: string; thresholds?: { steps: { value: number | null }[] } } };
}

export interface TargetJson {
  refId?: string;
  expr: string;
  legendFormat?: string;
  exemplar?: boolean;
  datasource?: SourceJson;
}

export interface VariableJson {
  name: string;
  type: string;
  label?: string;
  query?: string;
  multi?: boolean;
  allValue?: string;
  refresh?: number;
  datasource?: SourceJson;
  current?: { value: string | string[] };
}

export interface LinkJson {
  title: string;
  url: string;
}

interface SourceJson {
  type?: string;
  uid?: string;
}

export const BOARDS_FOLDER = fileURLToPath(new URL('../../../dashboards/', import.meta.url));

/** Names and texts of the committed boards. */
export function committedBoards(): { file: string; text: string }[] {
  return readdirSync(BOARDS_FOLDER)
    .filter((file) => file.endsWith('.json') && file !== 'tsconfig.json')
    .sort()
    .map((file) => ({ file, text: readFileSync(`${BOARDS_FOLDER}${file}`, 'utf8') }));
}

/** Panels without the headings of rows, those of closed rows too. */
export function panelsOf(board: BoardJson): PanelJson[] {
  return board.panels.flatMap((panel) => (panel.type === 'row' ? (panel.panels ?? []) : [panel]));
}

/** PromQL as Prometheus gets it, with "All" chosen everywhere. Unknown variables stay as they are. */
export function substituted(expr: string, board: BoardJson): string {
  const values = new Map(
    board.templating.list.map((variable) => [variable.name, variable.allValue ?? valueOf(variable)]),
  );
  values.set('__rate_interval', '5m');
  return expr.replace(/\$(\w+)|\$\{(\w+)\}/g, (all, bare?: string, braced?: string) => {
    return values.get(bare ?? braced ?? '') ?? all;
  });
}

function valueOf({ current, query = '' }: VariableJson): string {
  const value = current?.value ?? query;
  return typeof value === 'string' ? value : (value[0] ?? '');
}
