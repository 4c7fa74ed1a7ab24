/** Charts by day on uPlot: stacked bars and lines, in the colours of the page. */

import { html, useEffect, useLayoutEffect, useRef, useState } from "../shared/html.js";
import { scheme } from "../staff/preferences.js";
import uPlot from "../vendor/uplot.js";
import { calendarDay } from "./figures.js";

const HEIGHT = 210;
const TALL = 330;
const BAR_SHARE = 0.72;
const WIDEST_BAR = 26;
const DASHES = [5, 4];

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {string} color name of a custom property, such as `--good`
 * @property {(number | null)[]} values one a day
 * @property {boolean} [isDashed]
 *
 * @param {{label: string, days: string[], series: Series[], isStacked?: boolean,
 *   isTall?: boolean, language: "fr" | "en", format?: (value: number) => string}} properties a tall
 *   chart has its legend elsewhere
 */
export function DayChart({ label, days, series, isStacked = false, isTall = false, language, format = String }) {
  const height = isTall ? TALL : HEIGHT;
  const place = useRef(null);
  const [pointed, point] = useState(null);
  const dark = useDark();
  useLayoutEffect(() => {
    const { current } = place;
    const chart = new uPlot(options({ current, height, days, series, isStacked, language, format, point }), data(days, series, isStacked), current);
    const watch = new ResizeObserver(() => chart.setSize({ width: current.clientWidth, height }));
    watch.observe(current);
    return () => {
      watch.disconnect();
      chart.destroy();
    };
  }, [days, series, isStacked, language, dark]);
  return html`
    <figure class="chart">
      <${Reading} days=${days} series=${series} language=${language} format=${format} at=${pointed} isNamed=${!isTall} />
      <div class="chart-place" ref=${place} role="img" aria-label=${label}></div>
    </figure>
  `;
}

/** The legend, and the day's values while the pointer is over it. */
function Reading({ days, series, language, format, at, isNamed }) {
  const named = isNamed || at !== null ? series : [];
  return html`
    <figcaption class="chart-reading" aria-hidden=${at === null ? undefined : "true"}>
      <span class="chart-day">${at === null ? "" : calendarDay(days[at], language)}</span>
      ${named.map(({ name, color, values, isDashed }) => html`
        <span key=${name} class="chart-name">
          <i class=${isDashed ? "swatch swatch-dashed" : "swatch"} style=${{ color: `var(${color})` }}></i>
          ${name}${at !== null && html` <b>${values[at] === null ? "–" : format(values[at])}</b>`}
        </span>
      `)}
    </figcaption>
  `;
}

function data(days, series, isStacked) {
  const places = days.map((_, index) => index);
  if (!isStacked) return [places, ...series.map(({ values }) => values)];
  const sums = days.map(() => 0);
  const stacked = series.map(({ values }) => values.map((value, index) => (sums[index] += value ?? 0)));
  // The highest is drawn first: the others stand before it.
  return [places, ...stacked.reverse()];
}

function options({ current, height, days, series, isStacked, language, format, point }) {
  const colored = colorsOf(current);
  const drawn = isStacked ? [...series].reverse() : series;
  const axis = { stroke: colored("--muted"), font: `11px ${fontOf(current)}`, ticks: { show: false } };
  const grid = { stroke: colored("--line"), width: 1 };
  return {
    width: current.clientWidth,
    height,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: !isStacked } },
    scales: { x: { time: false, range: [-0.6, days.length - 0.4] }, y: { range: (_, low, high) => [0, Math.max(high * 1.08, 1)] } },
    axes: [
      { ...axis, grid: { show: false }, size: 26, splits: () => places(days, current.clientWidth), values: (_, at) => at.map((one) => calendarDay(days[one], language, { day: "numeric", month: "short" })) },
      { ...axis, grid, size: 52, values: (_, values) => values.map((value) => (Number.isInteger(value) ? format(value) : "")) },
    ],
    series: [{}, ...drawn.map((one) => seriesOf(one, isStacked, colored))],
    hooks: { setCursor: [({ cursor }) => point(cursor.idx ?? null)] },
  };
}

function seriesOf({ color, isDashed }, isStacked, colored) {
  const stroke = colored(color);
  if (!isStacked) {
    return { stroke, width: 1.75, dash: isDashed ? DASHES : undefined, spanGaps: true, points: { size: 4, fill: stroke } };
  }
  return { fill: stroke, width: 0, stroke, points: { show: false }, paths: uPlot.paths.bars({ size: [BAR_SHARE, WIDEST_BAR] }) };
}

/** A day of the month about every ninety pixels. */
function places(days, width) {
  const step = Math.max(1, Math.ceil(days.length / Math.max(2, Math.floor((width - 60) / 90))));
  return days.map((_, index) => index).filter((index) => index % step === 0);
}

/** Custom properties may be pairs for light and dark: an element tells what they come to. */
function colorsOf(place) {
  return (name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(${name})`;
    place.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}

const fontOf = (place) => getComputedStyle(place).fontFamily;

function useDark() {
  const [dark, turn] = useState(0);
  useEffect(() => {
    const device = matchMedia("(prefers-color-scheme: dark)");
    const changed = () => turn((times) => times + 1);
    device.addEventListener("change", changed);
    return () => device.removeEventListener("change", changed);
  }, []);
  return `${scheme.value} ${dark}`;
}
