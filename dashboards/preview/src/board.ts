/*
 * The part of Grafana's dashboard model that is drawn here. The files are checked against Grafana's own
 * schema elsewhere, so nothing is checked twice.
 */

export interface Board {
  readonly uid: string;
  readonly title: string;
  readonly description?: string;
  readonly panels: readonly Panel[];
  readonly templating?: { readonly list: readonly Variable[] };
}

export interface Variable {
  readonly name: string;
  readonly label?: string;
  readonly type: string;
  readonly current?: {
    readonly value?: string | readonly string[];
    readonly text?: string | readonly string[];
  };
  readonly query?: unknown;
  readonly allValue?: string;
  readonly includeAll?: boolean;
}

export interface Panel {
  readonly id?: number;
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly gridPos?: GridPosition;
  readonly targets?: readonly Target[];
  readonly fieldConfig?: FieldConfig;
  readonly options?: PanelOptions;
  readonly transformations?: readonly Transformation[];
  /** Of a collapsed row: the panels below it. */
  readonly panels?: readonly Panel[];
  readonly collapsed?: boolean;
}

/** In columns of a 24th of the width, and rows. */
export interface GridPosition {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Target {
  readonly refId?: string;
  readonly expr?: string;
  readonly legendFormat?: string;
  readonly instant?: boolean;
  readonly range?: boolean;
  readonly format?: string;
  readonly hide?: boolean;
  readonly exemplar?: boolean;
}

export interface FieldConfig {
  readonly defaults: FieldSettings;
  readonly overrides?: readonly {
    readonly matcher: { readonly id: string; readonly options?: unknown };
    readonly properties: readonly { readonly id: string; readonly value?: unknown }[];
  }[];
}

export interface FieldSettings {
  readonly displayName?: string;
  readonly unit?: string;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly color?: { readonly mode: string; readonly fixedColor?: string };
  readonly thresholds?: Thresholds;
  readonly mappings?: readonly Mapping[];
  readonly noValue?: string;
  readonly custom?: {
    readonly drawStyle?: string;
    readonly fillOpacity?: number;
    readonly lineWidth?: number;
    readonly lineInterpolation?: string;
    readonly lineStyle?: { readonly fill?: string };
    readonly stacking?: { readonly mode?: string };
    readonly thresholdsStyle?: { readonly mode?: string };
    readonly axisSoftMin?: number;
    readonly axisSoftMax?: number;
    readonly hidden?: boolean;
    readonly scaleDistribution?: { readonly type?: string };
  };
}

export interface Thresholds {
  readonly mode: string;
  readonly steps: readonly { readonly value?: number | null; readonly color: string }[];
}

/** Values that are shown as words. */
export interface Mapping {
  readonly type: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface PanelOptions {
  readonly legend?: {
    readonly showLegend?: boolean;
    readonly displayMode?: string;
    readonly placement?: string;
    readonly calcs?: readonly string[];
  };
  readonly reduceOptions?: { readonly calcs?: readonly string[] };
  readonly colorMode?: string;
  readonly graphMode?: string;
  readonly textMode?: string;
  readonly orientation?: string;
  readonly content?: string;
  readonly color?: { readonly scheme?: string };
  readonly yAxis?: { readonly unit?: string };
  readonly sortBy?: readonly { readonly displayName?: string; readonly desc?: boolean }[];
}

export interface Transformation {
  readonly id: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** All panels that can be seen once every row is open, in their order, rows included. */
export function panelsOf(board: Board): readonly Panel[] {
  return board.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
}
