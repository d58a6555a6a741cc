import { type EChartsOption, init } from 'echarts';
import { ENGINES } from '../emu/open.js';
import { findRow } from './contest.js';
import type { Result } from './result.js';
import { STEPPED } from './stepping.js';
import { FLOOR, IN_ASSEMBLY, scheduledInC, THIS_CPU } from './switches.js';

/** In SVG user units. */
const WIDTH = 900;
const BAR = 30;
const LEFT = 330;
const HEAD = 50;
const GAP = 60;

// The colours of the other picture: readable on a light page and on a dark one.
const BACKGROUND = '#1e1e2e';
const FOREGROUND = '#cdd6f4';
const DIM = '#7f849c';
const LINES = '#45475a';
const OURS: Readonly<Record<string, string>> = { 'unicorn.js': '#a6e3a1', native: '#89dceb' };
const FONT = 'DejaVu Sans, Helvetica, Arial, sans-serif';

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly color: string;
}

/** 1,234,567 as 1.2 M: two digits are what the spread leaves. */
function rounded(value: number): string {
  const [divisor, unit] = value >= 1e6 ? [1e6, ' M'] : value >= 1e3 ? [1e3, ' k'] : [1, ''];
  const scaled = value / divisor;
  return `${scaled >= 10 ? Math.round(scaled) : Number(scaled.toFixed(1))}${unit}`;
}

function switchBars({ parts }: Result): Bar[] {
  const bar = (what: string, on: string, label: string, color: string): Bar[] => {
    const value = findRow(parts.switches, { what, on })?.figure?.median;
    return value === undefined ? [] : [{ label: `${label}, ${on}`, value, color }];
  };
  const inC = scheduledInC('yield');
  return [
    ...ENGINES.flatMap((on) => [
      ...bar(FLOOR, on, 'swap of ten values', DIM),
      ...bar(IN_ASSEMBLY, on, 'millscope: yield', OURS[on]),
      ...bar(inC, on, 'yield, scheduler in C', DIM),
    ]),
    ...bar(inC, THIS_CPU, 'yield, scheduler in C', DIM),
  ];
}

function stepBars({ parts }: Result): Bar[] {
  return (parts.stepping ?? [])
    .filter(({ what }) => what === STEPPED)
    .flatMap(({ on, figure }) =>
      figure === undefined
        ? []
        : [
            {
              label: OURS[on] === undefined ? on : `millscope, ${on}`,
              value: figure.median,
              color: OURS[on] ?? DIM,
            },
          ],
    )
    .sort((a, b) => b.value - a.value);
}

/** An SVG for a page that people read, not one that they point at. */
function forReaders(svg: string): string {
  return (
    svg
      .replace('<svg ', '<svg role="img" aria-label="Speeds of millscope and of other tools, as bars" ')
      .replace(/<style.*<\/style>\n?/s, '')
      .replaceAll(/ (?:class|pointer-events)="[^"]*"/g, '')
      // Not every program that shows SVG knows that baseline.
      .replaceAll('dominant-baseline="central"', 'dy="0.35em"')
  );
}

/** Bars of both kinds on scales of powers of ten. @throws Error if the result has neither switches nor steps */
export function picture(result: Result): string {
  const charts = [
    { title: 'Switches a second (on a scale of powers of ten)', bars: switchBars(result) },
    { title: 'Instructions a second, one at a time, 18 registers read at each (likewise)', bars: stepBars(result) },
  ].filter(({ bars }) => bars.length > 0);
  if (charts.length === 0) throw new Error('there is nothing to draw: measure switches or stepping');
  const heights = charts.map(({ bars }) => bars.length * BAR);
  const tops = heights.map((_, index) =>
    heights.slice(0, index).reduce((sum, height) => sum + height + GAP + HEAD, HEAD),
  );
  const height = (tops.at(-1) ?? 0) + (heights.at(-1) ?? 0) + GAP;
  const text = { fontFamily: FONT, fontSize: 14, color: FOREGROUND };
  const option: EChartsOption = {
    animation: false,
    backgroundColor: BACKGROUND,
    textStyle: text,
    title: charts.map(({ title }, index) => ({
      text: title,
      left: 20,
      top: tops[index] - HEAD + 14,
      textStyle: { ...text, fontSize: 17 },
    })),
    grid: charts.map((_, index) => ({ left: LEFT, right: 80, top: tops[index], height: heights[index] })),
    xAxis: charts.map(({ bars }, gridIndex) => ({
      type: 'log',
      gridIndex,
      min: 10 ** Math.floor(Math.log10(Math.min(...bars.map(({ value }) => value))) - 0.3),
      axisLabel: { ...text, color: DIM, formatter: rounded },
      splitLine: { lineStyle: { color: LINES } },
    })),
    yAxis: charts.map(({ bars }, gridIndex) => ({
      type: 'category',
      gridIndex,
      inverse: true,
      data: bars.map(({ label }) => label),
      axisLabel: text,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: LINES } },
    })),
    series: charts.map(({ bars }, index) => ({
      type: 'bar',
      xAxisIndex: index,
      yAxisIndex: index,
      barWidth: '62%',
      label: { show: true, position: 'right', ...text, formatter: ({ value }) => rounded(Number(value)) },
      data: bars.map(({ value, color }) => ({ value, itemStyle: { color } })),
    })),
  };
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption(option);
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${forReaders(svg)}\n`;
}
