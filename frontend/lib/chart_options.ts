/** Figures → ECharts options. Tooltips are rich text drawn on the canvas: an HTML tooltip would run a name as markup. */

export interface Series {
  name: string;
  data: (number | null)[];
  tone?: string;
}

export interface Figures {
  kind: "bar" | "line";
  labels: string[];
  series: Series[];
  /** Where a click on the label of the same index leads. */
  links?: string[];
  unit?: string;
  stacked?: boolean;
}

export type Colours = (name: string) => string;

const PALETTE = ["blue", "green", "amber", "red", "grey"];

export function optionsOf(figures: Figures, colour: Colours): Record<string, unknown> {
  const words = { color: colour("--ink-2"), fontSize: 11 };
  const line = { lineStyle: { color: colour("--line") } };
  return {
    animation: false,
    textStyle: { fontFamily: "inherit" },
    grid: { left: 8, right: 12, top: figures.series.length > 1 ? 30 : 12, bottom: 4, containLabel: true },
    legend: { show: figures.series.length > 1, top: 0, textStyle: words, itemHeight: 8 },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      confine: true,
      backgroundColor: colour("--surface"),
      borderColor: colour("--line"),
      textStyle: { color: colour("--ink"), fontSize: 12 },
      valueFormatter: (value: unknown) => (value === null || value === undefined ? "–" : `${value}${figures.unit ?? ""}`),
    },
    xAxis: { type: "category", data: figures.labels, axisLabel: words, axisLine: line, axisTick: { show: false } },
    yAxis: { type: "value", axisLabel: words, splitLine: line },
    series: figures.series.map((one, index) => ({
      name: one.name,
      type: figures.kind,
      data: one.data,
      stack: figures.stacked ? "all" : undefined,
      barMaxWidth: 28,
      showSymbol: false,
      itemStyle: { color: colour(`--${one.tone ?? PALETTE[index % PALETTE.length]}`) },
    })),
  };
}

export function isEmpty(figures: Figures): boolean {
  return figures.series.every((series) => series.data.every((value) => value === null));
}
