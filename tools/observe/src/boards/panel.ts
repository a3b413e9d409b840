// Panels of our boards: a title, a sentence, a unit and queries. The data source is chosen at the top of the board.
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';

export interface Shown {
  title: string;
  /** what it tells, and what to do when it looks bad */
  says: string;
  /** of Grafana: s, percentunit, short, bytes, reqps, none */
  unit?: string;
  queries: Record<string, string>;
  /** from here on it is coloured: yellow, red */
  limits?: [number, number];
  /** red below the first, yellow below the second, green from there on */
  wanted?: [number, number];
  /** a verdict: words and colours for its values; the whole panel is coloured */
  words?: Record<number, [text: string, color: string]>;
  /** shows the names of what it found, in the colours of `limits` */
  names?: boolean;
}

const source = { type: 'prometheus', uid: '${prometheus}' };
const database = { type: 'grafana-postgresql-datasource', uid: '${postgres}' };

function coloured(colors: [string, string, string], [second, third]: [number, number]) {
  return new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps([
    { value: null as unknown as number, color: colors[0] },
    { value: second, color: colors[1] },
    { value: third, color: colors[2] },
  ]);
}

const targets = ({ queries }: Shown, instant: boolean) =>
  Object.entries(queries).map(([legend, expr], place) => {
    const query = new prometheus.DataqueryBuilder()
      .datasource(source)
      .expr(expr)
      .legendFormat(legend)
      .refId(String.fromCharCode(65 + place));
    return instant ? query.instant() : query.range();
  });

/** One figure. */
export function figure(shown: Shown, width = 4) {
  const panel = new stat.PanelBuilder()
    .title(shown.title)
    .description(shown.says)
    .datasource(source)
    .unit(shown.unit ?? 'short')
    .targets(targets(shown, true))
    // Nobody who answers is not the same as nothing wrong.
    .noValue('not known')
    .height(4)
    .span(width);
  if (shown.limits) panel.thresholds(coloured(['green', 'yellow', 'red'], shown.limits));
  if (shown.wanted) panel.thresholds(coloured(['red', 'yellow', 'green'], shown.wanted));
  if (shown.names) panel.textMode(common.BigValueTextMode.Name).colorMode(common.BigValueColorMode.Background);
  if (shown.words) {
    const options = Object.fromEntries(
      Object.entries(shown.words).map(([value, [text, color]], index) => [value, { text, color, index }]),
    );
    panel
      .mappings([{ type: dashboard.MappingType.ValueToText, options }])
      .colorMode(common.BigValueColorMode.Background);
  }
  return panel;
}

/** Lines over time. */
export function lines(shown: Shown, width = 12) {
  return new timeseries.PanelBuilder()
    .title(shown.title)
    .description(shown.says)
    .datasource(source)
    .unit(shown.unit ?? 'short')
    .min(0)
    .targets(targets(shown, false))
    .height(8)
    .span(width);
}

/** The SDK has no query of the PostgreSQL data source; its form is small. */
class SqlQuery implements Builder<Dataquery> {
  constructor(private readonly sql: string) {}
  build(): Dataquery {
    return {
      ...{ refId: 'A', datasource: database, editorMode: 'code', format: 'table', rawQuery: true, rawSql: this.sql },
      _implementsDataqueryVariant: () => undefined,
    } as unknown as Dataquery;
  }
}

/** Rows from PostgreSQL. */
export function rows(title: string, says: string, sql: string, width = 24, height = 8) {
  return new table.PanelBuilder()
    .title(title)
    .description(says)
    .datasource(database)
    .withTarget(new SqlQuery(sql))
    .height(height)
    .span(width);
}

export interface BoardOptions {
  uid: string;
  title: string;
  says: string;
  from?: string;
  company?: boolean;
}

export function board({
  uid,
  title,
  says,
  from = 'now-6h',
  company = false,
}: BoardOptions): dashboard.DashboardBuilder {
  const made = new dashboard.DashboardBuilder(title)
    .uid(uid)
    .description(says)
    .tags(['qbo-sync'])
    .timezone('utc')
    .refresh('30s')
    .time({ from, to: 'now' })
    .readonly()
    .tooltip(dashboard.DashboardCursorSync.Crosshair);
  if (!company)
    return made.withVariable(
      new dashboard.DatasourceVariableBuilder('prometheus').label('Prometheus').type('prometheus'),
    );
  return made
    .withVariable(
      new dashboard.DatasourceVariableBuilder('postgres').label('PostgreSQL').type('grafana-postgresql-datasource'),
    )
    .withVariable(
      new dashboard.QueryVariableBuilder('realm')
        .label('Company')
        .datasource(database)
        .query('select name as __text, realm_id as __value from companies order by name')
        .refresh(dashboard.VariableRefresh.OnDashboardLoad),
    );
}
