// The panels of a board drawn from what a real Prometheus answered: for people who have no Grafana at hand. It is no
// screenshot of Grafana and says so.
import { init } from 'echarts';
import type { EChartsOption } from 'echarts';
import { boards } from '../boards/boards.js';
import type { Prometheus, Series } from '../live/prometheus.js';
import { inUnit } from '../units.js';
import { inGrafana } from './panels.js';

const [columns, columnWidth, rowHeight, head] = [24, 50, 36, 46];
const quiet = '#888';

interface Shown {
  title: string;
  type: string;
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig: {
    defaults: {
      unit?: string;
      thresholds?: { steps: { value: number | null; color: string }[] };
      mappings?: { options: Record<string, { text: string; color: string }> }[];
    };
  };
  options?: { textMode?: string };
  targets: { expr: string; legendFormat: string }[];
}

/** `{{class}} p95` with the labels of a series. */
const legend = (format: string, { labels }: Series): string =>
  format.replace(/\{\{(\w+)\}\}/g, (_all, name: string) => labels[name] ?? '').trim() || 'value';

const paint: Readonly<Record<string, string>> = { green: '#2f8132', yellow: '#a06a00', red: '#c4162a' };

/** What a figure says and in which colour, by the panel's own words and limits. */
function told(value: number, { fieldConfig: { defaults } }: Shown): { text: string; color?: string | undefined } {
  const word = defaults.mappings?.[0]?.options[String(value)];
  if (word) return { text: word.text, color: word.color };
  const step = defaults.thresholds?.steps.filter((each) => each.value === null || value >= each.value).at(-1);
  return { text: inUnit(value, defaults.unit), color: step?.color };
}

/** @returns SVG */
export async function drawn(prometheus: Prometheus, name: string): Promise<string> {
  const board = boards().get(name)!;
  const shown = board.panels as unknown as Shown[];
  const height = head + rowHeight * Math.max(...shown.map(({ gridPos: { y, h } }) => y + h));
  const title: Exclude<EChartsOption['title'], undefined>[] = [
    {
      ...{ left: 12, top: 10, text: `${board.title}: drawn from a Prometheus beside the running demo` },
      subtext: `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC; real data, drawn with Apache ECharts, no screenshot of Grafana`,
      ...{ textStyle: { fontSize: 14 }, subtextStyle: { color: quiet }, itemGap: 4 },
    },
  ];
  const grid: object[] = [];
  const xAxis: object[] = [];
  const yAxis: object[] = [];
  const series: object[] = [];
  const legends: object[] = [];
  for (const panel of shown) {
    const { title: text, type, gridPos, fieldConfig, targets } = panel;
    const { unit } = fieldConfig.defaults;
    const [left, top] = [gridPos.x * columnWidth + 12, head + gridPos.y * rowHeight + 8];
    const [wide, high] = [gridPos.w * columnWidth - 24, gridPos.h * rowHeight - 16];
    title.push({ left, top, text, textStyle: { fontSize: 12 } });
    if (type === 'stat') {
      const found = await Promise.all(
        targets.map(async ({ expr, legendFormat }) =>
          (await prometheus.at(inGrafana(expr))).map((one) => [legend(legendFormat, one), one.values[0]![1]] as const),
        ),
      );
      const all = found.flat();
      const named = panel.options?.textMode === 'name';
      const lines = all.map(([what, value]) => {
        const { text: figure, color } = told(value, panel);
        return { text: named ? what : all.length > 1 ? `${what} ${figure}` : figure, color };
      });
      // Lines of one title share a colour; each has its own here.
      const size = lines.length > 1 ? 13 : 24;
      for (const [row, { text: line, color }] of (lines.length > 0
        ? lines
        : [{ text: 'not known', color: 'red' }]
      ).entries()) {
        title.push({
          ...{ left, top: top + 28 + row * (size + 4), text: line },
          textStyle: { fontSize: size, fontWeight: 'normal', ...(color && { color: paint[color] ?? color }) },
        });
      }
      continue;
    }
    const place = grid.length;
    grid.push({ left: left + 50, top: top + 24, width: wide - 60, height: high - 70 });
    xAxis.push({ gridIndex: place, type: 'time', axisLabel: { color: quiet, hideOverlap: true } });
    yAxis.push({
      ...{ gridIndex: place, min: 0, splitNumber: 3 },
      axisLabel: { color: quiet, formatter: (value: number) => inUnit(value, unit) },
    });
    const names: string[] = [];
    for (const { expr, legendFormat } of targets) {
      for (const one of await prometheus.over(inGrafana(expr), 2)) {
        const called = legend(legendFormat, one);
        // A line's name is its panel's own: the same class stands in several.
        names.push(`${text}: ${called}`);
        series.push({
          ...{ type: 'line', name: `${text}: ${called}`, xAxisIndex: place, yAxisIndex: place, showSymbol: false },
          ...{ lineStyle: { width: 1.5 }, data: one.values.map(([at, value]) => [at * 1000, value]) },
        });
      }
    }
    legends.push({
      ...{ type: 'plain', left, top: top + high - 26, width: wide, data: names, itemWidth: 12, itemHeight: 8 },
      ...{ textStyle: { fontSize: 10 }, formatter: (full: string) => full.slice(text.length + 2) },
    });
  }
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: columns * columnWidth, height });
  try {
    chart.setOption({
      ...{ backgroundColor: '#fff', animation: false, useUTC: true },
      ...{ title, grid, xAxis, yAxis, series, legend: legends },
    } as EChartsOption);
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
