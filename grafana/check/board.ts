// What a dashboard of ours may contain: Grafana's own types, made stricter.
//
// @grafana/schema leaves open what depends on the kind of panel (options, custom field options, queries). Here each kind that we use is tied to
// the types that Grafana publishes for it, so a misspelt option or a value that it does not know is an error of the compiler. Units,
// calculations and matchers are plain strings there: those that we use are listed, from getValueFormats(), fieldReducers and FieldMatcherID of
// @grafana/data 13.2.3.
import type * as schema from '@grafana/schema';
import type * as bargauge from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type * as heatmap from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type * as logs from '@grafana/schema/dist/esm/raw/composable/logs/panelcfg/x/LogsPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as statetimeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as text from '@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type * as raw from '@grafana/schema/dist/esm/raw/dashboard/x/Dashboard_types.gen';

/** T as it is written in JSON: an enum is one of its values. */
type Json<T> = 0 extends 1 & T
  ? unknown
  : T extends string
    ? `${T}`
    : T extends number
      ? `${T}` extends `${infer N extends number}` ? N : never
      : T extends boolean | null | undefined
        ? T
        : T extends ReadonlyArray<infer E>
          ? Json<E>[]
          : T extends object
            ? { [K in keyof T]: Json<T[K]> }
            : T;

/** Without what we never use, so that it cannot slip in. */
type Without<T, K extends keyof T> = Omit<T, K>;

type Unit = 'none' | 'short' | 'percentunit' | 's' | 'bytes' | 'cps' | 'reqps' | 'dateTimeFromNow';

type Calculation = 'lastNotNull';

type Prometheus = { type: 'prometheus'; uid: '${prometheus}' };
type Loki = { type: 'loki'; uid: '${loki}' };

/** As docs/sources/datasources/prometheus of Grafana has it; not in @grafana/schema. */
interface PrometheusQuery {
  refId: string;
  datasource: Prometheus;
  editorMode: 'code';
  expr: string;
  legendFormat: string;
  format: 'time_series' | 'table' | 'heatmap';
  instant: boolean;
  range: boolean;
  exemplar: boolean;
}

/** As docs/sources/datasources/loki of Grafana has it; no longer in @grafana/schema. */
interface LokiQuery {
  refId: string;
  datasource: Loki;
  editorMode: 'code';
  expr: string;
  queryType: 'range' | 'instant';
}

interface DataLink {
  title: string;
  url: string;
  targetBlank: boolean;
}

/** What an override may set, by the path of the property. */
type OverriddenProperty =
  | { id: 'unit'; value: Unit }
  | { id: 'links'; value: DataLink[] }
  | { id: 'mappings'; value: Json<raw.ValueMapping>[] }
  | { id: 'thresholds'; value: Json<raw.ThresholdsConfig> }
  | { id: 'custom.axisPlacement'; value: Json<schema.AxisPlacement> }
  | { id: 'custom.cellOptions'; value: Json<schema.TableCellOptions> }
  | { id: 'custom.width'; value: number };

type Override = {
  matcher: { id: 'byName' | 'byFrameRefID'; options: string };
  properties: OverriddenProperty[];
};

interface FieldConfig<Custom> {
  defaults: Json<Without<raw.FieldConfig, 'unit' | 'links' | 'custom' | 'actions'>> & {
    unit?: Unit;
    links?: DataLink[];
    custom?: Json<Custom>;
  };
  overrides: Override[];
}

type Calculated<T> = T extends { reduceOptions: infer R }
  ? Without<T, 'reduceOptions'> & { reduceOptions: Without<R & schema.ReduceDataOptions, 'calcs'> & { calcs: Calculation[] } }
  : T;

/** Of docs/sources/panels-visualizations/query-transform-data/transform-data of Grafana; options are not in @grafana/schema. */
type Transformation = {
  id: 'organize';
  options: {
    excludeByName: Record<string, boolean>;
    includeByName: Record<string, boolean>;
    indexByName: Record<string, number>;
    renameByName: Record<string, string>;
  };
};

interface Chart<Type extends string, Options, Custom, Source, Query> {
  id: number;
  type: Type;
  title: string;
  description: string;
  gridPos: Json<Without<raw.GridPos, 'static'>>;
  datasource: Source;
  links: Json<raw.DashboardLink>[];
  targets: Query[];
  fieldConfig: FieldConfig<Custom>;
  options: Json<Calculated<Options>>;
  transformations?: Transformation[];
}

type Panel =
  | Chart<'stat', stat.Options, never, Prometheus, PrometheusQuery>
  | Chart<'bargauge', bargauge.Options, never, Prometheus, PrometheusQuery>
  | Chart<'timeseries', timeseries.Options, timeseries.FieldConfig, Prometheus, PrometheusQuery>
  | Chart<'heatmap', heatmap.Options, heatmap.FieldConfig, Prometheus, PrometheusQuery>
  | Chart<'state-timeline', statetimeline.Options, statetimeline.FieldConfig, Prometheus, PrometheusQuery>
  | Chart<'table', schema.TableOptions, schema.TableFieldOptions, Prometheus, PrometheusQuery>
  | Chart<'logs', logs.Options, never, Loki, LokiQuery>
  | { id: number; type: 'text'; title: string; gridPos: Json<Without<raw.GridPos, 'static'>>; options: Json<text.Options> }
  | Json<Without<raw.RowPanel, 'datasource' | 'repeat' | 'panels'>> & { panels: [] };

/** With what Prometheus' annotations have beside: which label is the title, and so on. */
type Annotation = Json<Without<raw.AnnotationQuery, 'datasource' | 'target' | 'type' | 'builtIn' | 'filter'>> & {
  datasource: Prometheus;
  target: { refId: 'Anno'; expr: string; interval: string };
  titleFormat: string;
  textFormat: string;
  tagKeys: string;
  useValueForTime: boolean;
};

type Variable = Json<Without<raw.VariableModel, 'datasource' | 'query' | 'type'>> &
  (
    | { type: 'datasource'; query: 'prometheus' | 'loki' }
    | { type: 'query'; datasource: Prometheus; query: { query: string; refId: string } }
  );

/** A classic dashboard, which file provisioning takes; v2 it does not. */
export type Board = Json<
  Without<raw.Dashboard, 'panels' | 'annotations' | 'templating' | 'id' | 'editable' | 'schemaVersion' | 'snapshot'>
> & {
  uid: string;
  title: string;
  id: null;
  editable: false;
  schemaVersion: 42;
  panels: Panel[];
  annotations: { list: Annotation[] };
  templating: { list: Variable[] };
};

/** What Grafana itself says a dashboard is: a board has to be one. */
export type Dashboard = Json<schema.Dashboard>;
