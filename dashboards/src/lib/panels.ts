/*
 * The kinds of panels. A panel says what it shows, what is normal and what to do when it is not: whoever
 * looks at it may have been woken by it.
 */
import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import * as common from '@grafana/grafana-foundation-sdk/common';
import type {
  DashboardLink,
  Panel,
  Threshold,
  ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmaps from '@grafana/grafana-foundation-sdk/heatmap';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stats from '@grafana/grafana-foundation-sdk/stat';
import * as tables from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import type { AlertName } from './alerts.js';
import type { BoardUid } from './links.js';
import { boardLink, runbookLink, runbookText } from './links.js';
import type { Vector } from './promql.js';
import { DATASOURCE } from './variables.js';

/** Colours by meaning, so that one colour means one thing on every board. */
export const GREEN = 'green';
export const YELLOW = 'yellow';
export const ORANGE = 'orange';
export const RED = 'red';
export const BLUE = 'blue';

/** One query of a panel. */
export interface Query {
  readonly expr: Vector;
  /** Labels in double braces. */
  readonly legend: string;
  /** Shows the requests that were traced as points. */
  readonly exemplar?: boolean;
  /** One value at the end of the time range, for what is expensive to compute at every point. */
  readonly instant?: boolean;
  /** Of the series that is called exactly as the legend. */
  readonly color?: string;
  /** A limit that other series are compared with. */
  readonly dashed?: boolean;
}

interface PanelSpec {
  readonly title: string;
  /** What is seen, in one or two sentences. */
  readonly what: string;
  readonly normal: string;
  /** What to do, or where to look, when it is not normal. */
  readonly act: string;
  /** Alerts about this. Their runbooks are linked. */
  readonly alerts?: readonly AlertName[];
  /** Boards with the details. */
  readonly boards?: readonly BoardUid[];
  readonly unit: string;
  readonly decimals?: number;
  readonly width: number;
  readonly height?: number;
  readonly queries: readonly Query[];
  readonly min?: number;
  readonly max?: number;
  /** Text instead of numbers. */
  readonly words?: Readonly<Record<string, string>>;
  /** Text for 0 / 0, such as a share of no requests. */
  readonly nan?: string;
  /** Colours from these values on; below the first it is `base`. */
  readonly thresholds?: readonly (readonly [from: number, color: string])[];
  readonly base?: string;
}

/** A panel without its place. */
export interface Tile {
  readonly width: number;
  readonly height: number;
  readonly panel: Panel;
}

/** A number with its colour: the state now, and its course as a shadow. */
export function stat(spec: PanelSpec & { readonly sparkline?: boolean }): Tile {
  const builder = new stats.PanelBuilder()
    .colorMode(common.BigValueColorMode.Background)
    .graphMode(spec.sparkline === false ? common.BigValueGraphMode.None : common.BigValueGraphMode.Area)
    .textMode(spec.queries.length > 1 ? common.BigValueTextMode.ValueAndName : common.BigValueTextMode.Value)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false));
  return tile(builder.build(), spec, 4);
}

/** Horizontal bars, one for each query or series. */
export function bars(spec: PanelSpec): Tile {
  const builder = new bargauge.PanelBuilder()
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .orientation(common.VizOrientation.Horizontal)
    .showUnfilled(true)
    .valueMode(common.BarGaugeValueMode.Color)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false));
  return tile(builder.build(), spec, 4);
}

/** Lines over time. With thresholds, dashed lines where an alert fires. */
export function graph(
  spec: PanelSpec & {
    readonly stack?: boolean;
    readonly legend?: 'list' | 'table';
    readonly log?: boolean;
    readonly steps?: boolean;
    /** Where the axis begins unless something is below. Default: at 0, whatever comes. */
    readonly softMin?: number;
    /** The axis follows the values even when they are far below the thresholds. */
    readonly zoomed?: boolean;
  },
): Tile {
  const table = spec.legend === 'table';
  const builder = new timeseries.PanelBuilder()
    .lineWidth(1)
    .fillOpacity(spec.stack === true ? 30 : 5)
    .showPoints(common.VisibilityMode.Never)
    .spanNulls(false)
    .axisBorderShow(false)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(table ? common.LegendDisplayMode.Table : common.LegendDisplayMode.List)
        .placement(table ? common.LegendPlacement.Right : common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(table ? ['max', 'lastNotNull'] : [])
        .sortBy('Max')
        .sortDesc(true),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    );
  if (spec.stack === true)
    builder.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal));
  if (spec.steps === true) builder.lineInterpolation(common.LineInterpolation.StepAfter);
  if (spec.log === true) {
    builder.scaleDistribution(
      new common.ScaleDistributionConfigBuilder().type(common.ScaleDistribution.Log).log(10),
    );
  }
  if (spec.thresholds !== undefined) {
    builder.thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
    );
    // The line where an alert fires stays in sight, so that the distance to it does.
    if (spec.zoomed !== true) builder.axisSoftMax(Math.max(...spec.thresholds.map(([from]) => from)));
  }
  if (spec.softMin !== undefined) builder.axisSoftMin(spec.softMin);
  builder.colorScheme(
    new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.PaletteClassicByName),
  );
  const fromZero = spec.log !== true && spec.softMin === undefined;
  return tile(builder.build(), { ...(fromZero ? { min: 0 } : {}), ...spec }, 8);
}

/** How many values fell into which bucket, over time. */
export function heatmap(spec: PanelSpec): Tile {
  const builder = new heatmaps.PanelBuilder()
    .calculate(false)
    .cellGap(1)
    .color(
      new heatmaps.HeatmapColorOptionsBuilder()
        .mode(heatmaps.HeatmapColorMode.Scheme)
        .scheme('Turbo')
        .fill('dark-orange')
        .scale(heatmaps.HeatmapColorScale.Exponential)
        .exponent(0.5)
        .steps(64)
        .reverse(false),
    )
    // The cells of a bucket are named after its upper bound.
    .rowsFrame(new heatmaps.RowsHeatmapOptionsBuilder().layout(common.HeatmapCellLayout.Le))
    .yAxis(
      new heatmaps.YAxisConfigBuilder()
        .unit(spec.unit)
        .axisPlacement(common.AxisPlacement.Left)
        .reverse(false),
    )
    .exemplarsColor('rgba(255,0,255,0.7)')
    .filterValues(new heatmaps.FilterValueRangeBuilder().le(1e-9))
    .tooltip(
      new heatmaps.HeatmapTooltipBuilder()
        .mode(common.TooltipDisplayMode.Single)
        .yHistogram(true)
        .showColorScale(true),
    );
  const made = tile(builder.build(), spec, 8);
  for (const target of made.panel.targets ?? []) Object.assign(target, { format: 'heatmap' });
  return made;
}

/** The series at the end of the time range as rows. `columns`: label or `Value` -> heading, in this order. */
export function table(spec: PanelSpec & { readonly columns: Readonly<Record<string, string>> }): Tile {
  const builder = new tables.PanelBuilder().showHeader(true).withTransformation({
    id: 'organize',
    options: {
      excludeByName: { Time: true },
      indexByName: Object.fromEntries(Object.keys(spec.columns).map((name, index) => [name, index])),
      renameByName: spec.columns,
    },
  });
  const made = tile(
    builder.build(),
    { ...spec, queries: spec.queries.map((query) => ({ ...query, instant: true })) },
    8,
  );
  for (const target of made.panel.targets ?? []) Object.assign(target, { format: 'table' });
  return made;
}

function tile(panel: Panel, spec: PanelSpec, height: number): Tile {
  panel.title = spec.title;
  panel.description = [
    spec.what,
    `**Normal:** ${spec.normal}`,
    `**If not:** ${spec.act}`,
    ...(spec.alerts === undefined ? [] : [`**Runbook:** ${spec.alerts.map(runbookText).join(', ')}`]),
  ].join('\n\n');
  panel.datasource = DATASOURCE;
  panel.targets = spec.queries.map(target);
  panel.links = links(spec);
  panel.fieldConfig = {
    defaults: { ...panel.fieldConfig?.defaults, ...defaults(spec) },
    overrides: spec.queries.flatMap(override),
  };
  return { panel, width: spec.width, height: spec.height ?? height };
}

function defaults(spec: PanelSpec): dashboard.FieldConfig {
  const steps: Threshold[] = [
    { value: null, color: spec.base ?? (spec.thresholds === undefined ? BLUE : GREEN) },
    ...(spec.thresholds ?? []).map(([value, color]) => ({ value, color })),
  ];
  return {
    unit: spec.unit,
    thresholds: { mode: dashboard.ThresholdsMode.Absolute, steps },
    ...(spec.decimals === undefined ? {} : { decimals: spec.decimals }),
    ...(spec.min === undefined ? {} : { min: spec.min }),
    ...(spec.max === undefined ? {} : { max: spec.max }),
    ...(spec.words === undefined && spec.nan === undefined ? {} : { mappings: mappings(spec) }),
  };
}

function mappings({ words = {}, nan }: PanelSpec): ValueMapping[] {
  const options = Object.fromEntries(Object.entries(words).map(([value, text]) => [value, { text }]));
  return [
    ...(Object.keys(words).length === 0
      ? []
      : [{ type: dashboard.MappingType.ValueToText as const, options }]),
    ...(nan === undefined
      ? []
      : [
          {
            type: dashboard.MappingType.SpecialValue as const,
            options: { match: dashboard.SpecialValueMatch.NullAndNan, result: { text: nan, color: BLUE } },
          },
        ]),
  ];
}

function links(spec: PanelSpec): DashboardLink[] {
  return [...(spec.alerts ?? []).map(runbookLink), ...(spec.boards ?? []).map((uid) => boardLink(uid, true))];
}

function target(query: Query, index: number): prometheus.Dataquery {
  const builder = new prometheus.DataqueryBuilder()
    .refId(refId(index))
    .datasource(DATASOURCE)
    .editorMode(prometheus.QueryEditorMode.Code)
    .expr(query.expr.text)
    .legendFormat(query.legend);
  if (query.exemplar === true) builder.exemplar(true);
  return (query.instant === true ? builder.instant() : builder.range()).build();
}

/** Only objects as values and options: Grafana's JSON schema knows no others. */
function override(query: Query): NonNullable<Panel['fieldConfig']>['overrides'] {
  const properties: dashboard.DynamicConfigValue[] = [];
  if (query.color !== undefined) {
    properties.push({ id: 'color', value: { mode: 'fixed', fixedColor: query.color } });
  }
  if (query.dashed === true) {
    properties.push(
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 10] } },
      { id: 'custom.stacking', value: { mode: 'none', group: 'A' } },
    );
  }
  const options = { mode: 'include', names: [query.legend], prefix: 'All except:', readOnly: false };
  return properties.length === 0 ? [] : [{ matcher: { id: 'byNames', options }, properties }];
}

function refId(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}
